"""Where a training stands, in a checkpoint: every bit comes back, and nonsense is refused."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinygrad_mnist import checkpoint, presets, train
from tinygrad_mnist.checkpoint import Checkpoint
from tinygrad_mnist.errors import CheckpointError
from tinygrad_mnist.progress import Progress
from tinygrad_mnist.train import Examples

BEST = presets.best(2)


@pytest.fixture(params=["plain", "momentum"])
def saved(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A file in which a training of two epochs stands."""
    settings = train.Settings(hidden=(4,), step=request.param, learning_rate=0.1, epochs=2, seed=7)
    rng = np.random.default_rng(0)
    images, t = rng.integers(0, 256, (40, 6), dtype=np.uint8), rng.integers(0, 2, (40, 1))
    examples = Examples(images, np.arange(40), t)
    epoch = train.train(examples, examples, settings).last
    progress = Progress(presets.Preset(settings, True, 0.25), "fingerprint", epoch)
    path = tmp_path / "network.npz"
    checkpoint.save(path, Checkpoint(epoch.parameters, (3, 7), 7, progress))
    return path


@pytest.fixture
def refused(saved: Path, one_sentence: Callable[[object], None]) -> Callable[..., None]:
    """Check that the file is refused once what it says, or an array in it, has been changed."""

    def check(change: Callable[[dict[str, Any]], object], arrays: Callable[[dict[str, Any]], object] = dict) -> None:
        with np.load(saved) as file:
            stored = dict(file)
        facts = json.loads(str(stored["progress"]))
        change(facts)
        stored["progress"] = np.array(json.dumps(facts))
        arrays(stored)
        np.savez(saved, **stored)
        with pytest.raises(CheckpointError, match="broken") as caught:
            checkpoint.load(saved)
        one_sentence(caught.value)

    return check


def test_every_bit_comes_back(saved: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.npz"
    loaded = checkpoint.load(saved)
    assert loaded.progress is not None
    assert loaded.progress.chosen.settings.hidden == (4,)
    assert loaded.progress.data == "fingerprint"
    assert loaded.progress.epoch.number == 2
    checkpoint.save(again, loaded)
    assert again.read_bytes() == saved.read_bytes()


def test_a_network_without_progress_has_none(saved: Path) -> None:
    kept = checkpoint.load(saved)
    checkpoint.save(saved, Checkpoint(kept.parameters, kept.digits, kept.seed))
    assert checkpoint.load(saved).progress is None


@pytest.mark.parametrize(
    ("where", "value"),
    [
        *[(("chosen", "settings", "hidden"), value) for value in ([5], [4, 4], [], ["4"], [0], None, 4)],
        *[
            (("chosen", "settings", name), "x")
            for name in ("loss", "step", "schedule", "keep", "dtype", "batch", "seed")
        ],
        *[(("chosen", "settings", name), 0) for name in ("batch", "epochs", "patience", "learning_rate")],
        *[(("chosen", "settings", "learning_rate"), value) for value in (float("nan"), float("inf"), -1.0)],
        (("chosen", "settings", "seed"), 8),
        (("chosen", "settings", "seed"), -1),
        (("chosen", "settings", "dtype"), "float64"),
        (("chosen", "settings"), {}),
        (("chosen", "settings"), None),
        (("chosen", "augment"), 1),
        *[(("chosen", "hold_out"), value) for value in (0.0, 1.0, 1, "x", float("nan"))],
        (("data",), 5),
        *[(("epoch", "number"), value) for value in (0, -1, 1.0, "2", True)],
        *[(("epoch", "improved"), value) for value in (0, 3, None)],
        *[(("epoch", "loss"), value) for value in (float("nan"), "x", None)],
        *[(("epoch", name), value) for name in ("highest", "valid_accuracy") for value in (-0.1, 1.1, "x")],
        (("epoch", "surplus"), 1),
        (("surplus",), 1),
    ],
)
def test_what_no_training_says_is_refused(where: tuple[str, ...], value: Any, refused: Callable[..., None]) -> None:
    def change(facts: dict[str, Any]) -> None:
        for key in where[:-1]:
            facts = facts[key]
        facts[where[-1]] = value

    refused(change)


@pytest.mark.parametrize("missing", ["chosen", "data", "epoch"])
def test_what_is_missing_is_refused(missing: str, refused: Callable[..., None]) -> None:
    refused(lambda facts: facts.pop(missing))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "5", '"text"', "[" * 100_000, "{}"])
def test_what_is_no_progress_is_refused(text: str, saved: Path) -> None:
    with np.load(saved) as file:
        stored = dict(file)
    np.savez(saved, **{**stored, "progress": np.array(text)})
    with pytest.raises(CheckpointError, match="broken"):
        checkpoint.load(saved)


def test_momentum_without_its_velocity_is_refused_and_a_velocity_without_momentum_too(
    refused: Callable[..., None],
) -> None:
    def other(facts: dict[str, Any]) -> None:
        settings = facts["chosen"]["settings"]
        settings["step"] = {"plain": "momentum", "momentum": "plain"}[settings["step"]]

    refused(other)


def test_a_velocity_of_another_shape_is_refused(refused: Callable[..., None]) -> None:
    refused(dict, lambda stored: stored.update({name: np.zeros((2, 2), np.float32) for name in ("vw1", "vb1")}))
