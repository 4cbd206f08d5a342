"""A saved training, in a checkpoint: every bit comes back, and what no training could have reached is refused."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tinygrad_mnist.runs.saved_training import SavedTraining

from tinygrad_mnist import train
from tinygrad_mnist.arrays.examples import Examples
from tinygrad_mnist.errors import CheckpointError
from tinygrad_mnist.runs import checkpoint
from tinygrad_mnist.runs.checkpoint import Checkpoint
from tinygrad_mnist.runs.settings import RunSettings


@pytest.fixture(params=["sgd", "momentum"])
def saved(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A checkpoint of a training of two epochs."""
    settings = train.Settings(hidden=(4,), optimizer=request.param, learning_rate=0.1, epochs=2, seed=7)
    rng = np.random.default_rng(0)
    images, t = rng.integers(0, 256, (40, 6), dtype=np.uint8), rng.integers(0, 2, (40, 1))
    examples = Examples(images, np.arange(40), t)
    state = train.train(examples, examples, settings).last
    training = SavedTraining(RunSettings(settings, True, 0.25), "fingerprint", state)
    path = tmp_path / "network.npz"
    checkpoint.save(path, Checkpoint(state.parameters, (3, 7), 7, training))
    return path


@pytest.fixture
def refused(saved: Path, one_sentence: Callable[[object], None]) -> Callable[..., None]:
    """Check that the file is refused after its description, or an array in it, has been changed."""

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
        assert len(str(caught.value)) < 300 + len(str(saved))

    return check


def test_every_bit_comes_back(saved: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.npz"
    loaded = checkpoint.load(saved)
    assert loaded.training is not None
    assert loaded.training.settings.training.hidden == (4,)
    assert loaded.training.data == "fingerprint"
    assert loaded.training.state.epoch == 2
    checkpoint.save(again, loaded)
    assert again.read_bytes() == saved.read_bytes()


def test_a_network_without_its_training_has_none(saved: Path) -> None:
    kept = checkpoint.load(saved)
    checkpoint.save(saved, Checkpoint(kept.parameters, kept.digits, kept.seed))
    assert checkpoint.load(saved).training is None


@pytest.mark.parametrize(
    ("where", "value"),
    [
        *[(("settings", "training", "hidden"), value) for value in ([5], [4, 4], [], ["4"], [0], None, 4)],
        *[
            (("settings", "training", name), "x")
            for name in ("loss", "optimizer", "schedule", "keep", "dtype", "batch", "seed")
        ],
        *[(("settings", "training", name), 0) for name in ("batch", "epochs", "patience", "learning_rate")],
        *[(("settings", "training", "learning_rate"), value) for value in (float("nan"), float("inf"), -1.0)],
        (("settings", "training", "seed"), 8),
        (("settings", "training", "seed"), -1),
        (("settings", "training", "dtype"), "float64"),
        (("settings", "training"), {}),
        (("settings", "training"), None),
        (("settings", "augment"), 1),
        *[(("settings", "hold_out"), value) for value in (0.0, 1.0, 1, "x", float("nan"))],
        (("data",), 5),
        *[(("state", "epoch"), value) for value in (0, -1, 1.0, "2", True)],
        *[(("state", "best_epoch"), value) for value in (0, 3, None)],
        *[(("state", "loss"), value) for value in (float("nan"), "x", None)],
        *[(("state", name), value) for name in ("best_accuracy", "valid_accuracy") for value in (-0.1, 1.1, "x")],
        *[(("state", name), 10**400) for name in ("epoch", "best_epoch")],
        (("state", "epoch"), 3),  # of two
        *[(("settings", "training", name), 10**400) for name in ("epochs", "patience", "batch", "seed")],
        (("settings", "training", "hidden"), [10**400]),
        (("settings", "training", "learning_rate"), 1e101),
        (("settings", "training", "loss"), "x" * 10_000),
        (("data",), "x" * 101),
        *[(("environment",), value) for value in (5, {}, {"numpy": "2.3.5"})],
        (("state", "surplus"), 1),
        (("surplus",), 1),
    ],
)
def test_a_description_that_no_training_has_is_refused(
    where: tuple[str, ...], value: Any, refused: Callable[..., None]
) -> None:
    def change(facts: dict[str, Any]) -> None:
        for key in where[:-1]:
            facts = facts[key]
        facts[where[-1]] = value

    refused(change)


@pytest.mark.parametrize("missing", ["settings", "data", "state"])
def test_an_incomplete_description_is_refused(missing: str, refused: Callable[..., None]) -> None:
    refused(lambda facts: facts.pop(missing))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "5", '"text"', "[" * 100_000, "{}", "1" * 5000])
def test_text_that_is_not_a_description_is_refused(text: str, saved: Path) -> None:
    with np.load(saved) as file:
        stored = dict(file)
    np.savez(saved, **{**stored, "progress": np.array(text)})
    with pytest.raises(CheckpointError, match="broken"):
        checkpoint.load(saved)


def test_an_optimizer_and_a_velocity_that_do_not_fit_are_refused(
    refused: Callable[..., None],
) -> None:
    def other(facts: dict[str, Any]) -> None:
        settings = facts["settings"]["training"]
        settings["optimizer"] = {"sgd": "momentum", "momentum": "sgd"}[settings["optimizer"]]

    refused(other)


def test_a_velocity_of_a_different_shape_is_refused(refused: Callable[..., None]) -> None:
    refused(dict, lambda stored: stored.update({name: np.zeros((2, 2), np.float32) for name in ("vw1", "vb1")}))


def test_a_file_of_version_2_is_read_with_its_velocity_for_pixels_from_0_to_1(saved: Path) -> None:
    today = checkpoint.load(saved).training
    assert today is not None
    with np.load(saved) as file:
        stored = dict(file)
    facts = json.loads(str(stored["progress"]))
    training, state = facts["settings"].pop("training"), facts["state"]
    training["step"] = {"sgd": "plain", "momentum": "momentum"}[training.pop("optimizer")]
    earlier = {
        "chosen": {**facts["settings"], "settings": training},
        "data": facts["data"],
        "epoch": {
            "number": state["epoch"],
            "loss": state["loss"],
            "valid_accuracy": state["valid_accuracy"],
            "highest": state["best_accuracy"],
            "improved": state["best_epoch"],
        },
    }
    stored |= {"version": np.array(2), "progress": np.array(json.dumps(earlier))}
    if "vw1" in stored:
        # Version 2 kept the velocity of weights for pixels from 0 to 255, which are w / 255.
        stored["vw1"] = stored["vw1"] * 255
    np.savez(saved, **stored)
    loaded = checkpoint.load(saved).training
    assert loaded is not None
    assert (loaded.settings, loaded.data) == (today.settings, f"sampled {today.data}")
    assert loaded.environment is None
    assert loaded.state[:2] == today.state[:2]
    assert math.isnan(loaded.state.valid_loss)
    assert loaded.state.valid_accuracy == today.state.valid_accuracy
    assert loaded.state[6:] == today.state[6:]
    for layer, expected in zip(loaded.state.velocity or (), today.state.velocity or (), strict=True):
        np.testing.assert_allclose(layer.w, expected.w, rtol=1e-6)
        np.testing.assert_array_equal(layer.b, expected.b)
        assert layer.w.dtype == expected.w.dtype
