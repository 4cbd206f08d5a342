"""A run: what it trains on, what it keeps and saves, and when."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.checkpoints import checkpoint_of
from tinygrad_mnist.arrays.backend import choose_backend
from tinygrad_mnist.arrays.layers import Layer
from tinygrad_mnist.datasets import augment
from tinygrad_mnist.datasets.digits import DataSet, Digits
from tinygrad_mnist.datasets.progress import Progress
from tinygrad_mnist.errors import CheckpointError
from tinygrad_mnist.runs import checkpoint, resume
from tinygrad_mnist.runs.checkpoint import Checkpoint
from tinygrad_mnist.runs.run import Parts, Run, execute, split
from tinygrad_mnist.train import Settings, TrainingState

CPU = choose_backend("numpy")
LAYERS = (Layer(np.zeros((4, 1), np.float32), np.zeros(1, np.float32)),)


def state(epoch: int, accuracy: float) -> TrainingState:
    """Return a state after an epoch of a training that was best in the first."""
    return TrainingState(epoch, 0.5, 0.6, accuracy, LAYERS, None, 0.9, 1)


@pytest.fixture
def attempts(monkeypatch: pytest.MonkeyPatch) -> list[Checkpoint]:
    """Let the first two attempts to save fail, and return the list of all."""
    made: list[Checkpoint] = []

    def save(one: Checkpoint) -> None:
        made.append(one)
        if len(made) < 3:
            raise CheckpointError("the disk is full")

    monkeypatch.setattr(checkpoint, "save", save)
    return made


def test_a_failed_save_is_told_once_and_tried_again_after_every_epoch(attempts: list[Checkpoint]) -> None:
    begun = replace(checkpoint_of(LAYERS, path=Path("network.npz")), state=state(0, -1.0))
    run = Run(begun, Progress(), lambda parameters: {"limit": parameters[0].w})
    with pytest.warns(UserWarning, match=r"the disk is full\. Saving is tried again after every epoch"):
        run.after_epoch(state(1, 0.9))
    run.after_epoch(state(2, 0.8))
    assert run.failure is not None
    for epoch in (3, 4):
        run.after_epoch(state(epoch, 0.8))
    assert [one.state.epoch for one in attempts] == [1, 1, 1]
    assert attempts[0].limits == {"limit": LAYERS[0].w}
    assert (run.failure, run.saved_epoch, run.kept.state.epoch, run.last.epoch) == (None, 1, 1, 4)


def test_a_training_that_is_continued_is_saved_at_once_because_the_file_may_be_a_new_one(
    attempts: list[Checkpoint],
) -> None:
    with pytest.warns(UserWarning, match="the disk is full"):
        run = Run(replace(checkpoint_of(LAYERS, path=Path("network.npz")), state=state(1, 0.9)), Progress())
    run.save()
    assert len(attempts) == 2
    assert run.curve == [(1, 0.5, 0.9)]


def test_without_a_file_nothing_is_saved(attempts: list[Checkpoint]) -> None:
    Run(checkpoint_of(LAYERS), Progress()).after_epoch(state(2, 0.9))
    assert attempts == []


def test_a_continued_training_ends_bit_for_bit_like_an_uninterrupted_one(
    data: DataSet, trained: Checkpoint, path: Path
) -> None:
    settings, part = replace(trained.settings, epochs=5), path.with_name("part.npz")
    whole = replace(resume.new(settings, (3, 7), data, CPU.description), path=path)
    checkpoint.save(replace(trained, path=part, limits={}))
    for begun in (whole, resume.loaded(part, 5, None)):
        execute(Run(begun, Progress()), split(settings, data), CPU)
    assert part.read_bytes() == path.read_bytes()


def test_every_epoch_distorts_the_originals_in_its_own_way(monkeypatch: pytest.MonkeyPatch) -> None:
    given, made, distort = list[Any](), list[Any](), augment.distort

    def watched(images: Any, *arguments: Any) -> Any:
        given.append(np.array(images))
        made.append(distort(images, *arguments))
        return made[-1]

    monkeypatch.setattr(augment, "distort", watched)
    images = np.random.default_rng(0).integers(0, 256, (20, 28, 28), np.uint8)
    part = Digits.of(images, np.tile(np.array([3, 7], np.uint8), 10))
    data, settings = DataSet("", "", part, part), Settings(epochs=3, patience=3, augment=True)
    execute(Run(resume.new(settings, (3, 7), data, ""), Progress()), Parts(part, part, part), CPU)
    assert len(given) == 3
    assert all(np.array_equal(originals, images) for originals in given)
    assert not np.array_equal(made[0], made[1])
    assert not np.array_equal(made[1], made[2])
