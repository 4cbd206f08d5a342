"""Checkpoints: what is saved comes back, what is broken is refused in a sentence, and nothing in a file is executed."""

import json
import os
import resource
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.checkpoints import checkpoint_of
from tinygrad_mnist.arrays.layers import Layer, Parameters
from tinygrad_mnist.datasets.view import View
from tinygrad_mnist.errors import CheckpointError
from tinygrad_mnist.networks import convolutional, dense
from tinygrad_mnist.runs import checkpoint
from tinygrad_mnist.runs.checkpoint import Checkpoint
from tinygrad_mnist.train import Settings

OneSentence = Callable[[object], None]
Refused = Callable[..., None]


class Payload:
    """Makes a folder if it is ever unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (str(self.folder),)


@pytest.fixture
def refused(path: Path, one_sentence: OneSentence) -> Refused:
    """Return a check that the file at `path` is refused in one short sentence that names it."""

    def check(match: str = "is not a tinygrad_mnist checkpoint, or a damaged one") -> None:
        with pytest.raises(CheckpointError, match=match) as caught:
            checkpoint.load(path)
        assert str(path) in str(caught.value)
        assert len(str(caught.value)) < 200 + len(str(path))
        one_sentence(caught.value)

    return check


@pytest.fixture
def stored(saved: Path) -> dict[str, Any]:
    """Return the arrays in the file with the checkpoint."""
    with np.load(saved) as file:
        return dict(file)


def same(one: Parameters | None, other: Parameters | None) -> bool:
    """Return whether layers have the same types and numbers."""
    arrays, others = ([array for layer in layers or () for array in layer] for layers in (one, other))
    return [(a.dtype, a.tolist()) for a in arrays] == [(a.dtype, a.tolist()) for a in others]


def test_every_bit_comes_back(trained: Checkpoint, saved: Path) -> None:
    loaded, before = checkpoint.load(saved), saved.read_bytes()
    assert loaded.path == saved
    for name in ("settings", "digits", "view", "data", "environment", "layer_sizes"):
        assert getattr(loaded, name) == getattr(trained, name)
    assert loaded.state[:4] + loaded.state[6:] == trained.state[:4] + trained.state[6:]
    assert same(loaded.parameters, trained.parameters)
    assert same(loaded.state.velocity, trained.state.velocity)
    assert loaded.limits.keys() == trained.limits.keys()
    assert all(np.array_equal(array, trained.limits[name]) for name, array in loaded.limits.items())
    checkpoint.save(loaded)
    assert saved.read_bytes() == before


@pytest.mark.parametrize("features", [(), (2, 3)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_networks_of_every_kind_come_back(features: tuple[int, ...], dtype: str, path: Path) -> None:
    settings, digits = Settings(features=features, hidden=(5, 4), dtype=dtype), (0, 9, 4)
    sizes = (784, *features, *settings.hidden, 3)
    parameters = (convolutional if features else dense).initialize(sizes, np.random.default_rng(0), dtype)
    look = View(28, 28, 20, 0, 255)
    checkpoint.save(replace(checkpoint_of(parameters, digits), settings=settings, view=look, path=path))
    loaded = checkpoint.load(path)
    assert (loaded.digits, loaded.layer_sizes) == (digits, sizes)
    assert same(loaded.parameters, parameters)


def damaged(whole: bytes, step: int) -> Iterable[bytes]:
    """Yield the content cut off, and with a changed byte, at every position that is a multiple of a step."""
    for position in range(0, len(whole), step):
        yield whole[:position]
        for flip in (0x01, 0xFF):
            yield whole[:position] + bytes([whole[position] ^ flip]) + whole[position + 1 :]


@pytest.mark.parametrize("step", [97, pytest.param(1, marks=pytest.mark.exhaustive)])
def test_a_cut_or_a_changed_byte_changes_nothing_or_is_refused(
    step: int, trained: Checkpoint, saved: Path, one_sentence: OneSentence
) -> None:
    for content in damaged(saved.read_bytes(), step):
        saved.write_bytes(content)
        try:
            loaded = checkpoint.load(saved)
        except CheckpointError as error:
            one_sentence(error)
        else:
            assert same(loaded.parameters, trained.parameters)
            assert (loaded.digits, loaded.settings) == (trained.digits, trained.settings)


def test_foreign_files_are_refused(stored: dict[str, Any], path: Path, refused: Refused) -> None:
    for content in (b"", b"\0", b"PK\3\4", b"PK\5\6" + bytes(18), b"three or seven\n" * 100):
        path.write_bytes(content)
        refused()
    for names in ({"w": stored["w1"]}, {"training": stored["training"]}):
        np.savez(path, **names)
        refused()
    np.savez_compressed(path, **stored)
    refused()
    with path.open("wb") as file:
        np.save(file, stored["w1"])
    refused()


def test_a_file_of_another_version_is_refused_with_both_versions(
    stored: dict[str, Any], path: Path, refused: Refused
) -> None:
    np.savez(path, **{**stored, "version": 5, "something_new": 1})
    refused("version 5, and only version 1 can be read: train again")


@pytest.mark.parametrize("name", ["format", "version", "training", "w1", "limit_known"])
def test_a_pickled_object_is_refused_and_not_executed(
    name: str, stored: dict[str, Any], path: Path, refused: Refused
) -> None:
    trap = path.with_name("trap")
    np.savez(path, **{**stored, name: np.array([Payload(trap)], dtype=object)})
    refused()
    assert not trap.exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("surplus", np.zeros(1)),
        ("version", np.array("one")),
        ("version", np.array([1, 1])),
        *[("w1", value) for value in (np.zeros((36, 4)), np.zeros((4, 36), np.float32), np.zeros(36, np.float32))],
        *[("w1", np.full((36, 4), value, np.float32)) for value in (np.nan, np.inf)],
        *[("b2", value) for value in (np.zeros(2, np.float32), np.float32(0), np.array(["0"]))],
        ("vw1", np.zeros((2, 2), np.float32)),
        *[("training", text) for text in ("", "{", "[]", "null", "5", '"text"', "[" * 100_000, "{}", "1" * 5000)],
        *[(name, None) for name in ("format", "version", "training", "w1", "b2")],
    ],
)
def test_arrays_that_are_not_those_of_a_training_are_refused(
    name: str, value: Any, stored: dict[str, Any], path: Path, refused: Refused
) -> None:
    changed = {key: array for key, array in {**stored, name: value}.items() if array is not None}
    np.savez(path, **changed)
    refused()


@pytest.mark.parametrize(
    ("where", "values"),
    [
        ("settings hidden", ([5], [4, 4], [], ["4"], [0], None, 4, [10**400], [4] * 200)),
        *[(f"settings {name}", ("x", "x" * 10_000)) for name in ("loss", "schedule", "keep")],
        ("settings optimizer", ("x", "sgd", "momentum")),
        *[(f"settings {name}", ("x", 0, 10**400)) for name in ("batch", "epochs", "patience")],
        ("settings learning_rate", ("x", 0, float("nan"), float("inf"), -1.0, 1e101)),
        ("settings seed", ("x", -1, 10**400)),
        ("settings dtype", ("x", "float64")),
        ("settings augment", (1, None)),
        ("settings hold_out", (0.0, 1.0, 1, "x", float("nan"))),
        ("settings", ({}, None, [])),
        ("digits", ([3, 3], [3], [3, 7, 8], [3, 10], [-1, 7], [3.0, 7.0], "37", 37, [[3, 7]], [10**400, 7])),
        ("view", ([6, 6, 5, 0], [0, 6, 5, 0, 255], [3, 6, 5, 0, 255], [6, 6, 7, 0, 255], [6, 6, 5, 7, 7], None)),
        ("view", ([6.0, 6, 5, 0, 255], [10**400, 6, 5, 0, 255], [6, 6, 5, 0, 256], [6, 6, 5, True, 255])),
        ("state epoch", (0, -1, 1.0, "2", True, 3, 10**400)),
        ("state best_epoch", (0, 3, None, 10**400)),
        ("state loss", (float("nan"), "x", None, 1)),
        ("state valid_loss", ("x", None)),
        *[(f"state {name}", (-0.1, 1.1, "x", float("nan"))) for name in ("best_accuracy", "valid_accuracy")],
        ("state surplus", (1,)),
        ("state parameters", (1,)),
        ("data", (5, None)),
        ("environment", (5, [], {"NumPy": 5})),
    ],
)
def test_a_description_that_no_training_has_is_refused(
    where: str, values: tuple[Any, ...], stored: dict[str, Any], path: Path, refused: Refused
) -> None:
    *outer, last = where.split()
    for value in values:
        described = json.loads(str(stored["training"]))
        inner = described[outer[0]] if outer else described
        if inner.get(last) != value:
            inner[last] = value
            np.savez(path, **{**stored, "training": np.array(json.dumps(described))})
            refused()


def test_a_missing_file_and_a_folder_are_refused(path: Path, refused: Refused) -> None:
    refused("does not exist: name a file that DigitClassifier.save has written")
    path.mkdir()
    refused("cannot be read")


def test_a_disk_that_fills_up_halfway_leaves_the_old_checkpoint_and_nothing_else(
    saved: Path, one_sentence: OneSentence
) -> None:
    before, limits = saved.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    large = checkpoint_of((Layer(np.ones((784, 1)), np.zeros(1)),), path=saved)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(CheckpointError, match="File too large") as caught:
            checkpoint.save(large)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    one_sentence(caught.value)
    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]


def test_only_regular_files_are_replaced(path: Path) -> None:
    os.mkfifo(path)
    for target in (path, Path("/dev/null")):
        with pytest.raises(CheckpointError, match="not a regular file"):
            checkpoint.require_writable(target)
