"""A run: train on some of the digits, keep the best network so far, and measure it at the end."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from tinygrad_mnist import metrics, train
from tinygrad_mnist.arrays.backend import Backend, to_host
from tinygrad_mnist.arrays.examples import Batch, Examples
from tinygrad_mnist.arrays.layers import Parameters, map_layers
from tinygrad_mnist.datasets.digits import DataSet, Digits
from tinygrad_mnist.datasets.progress import Progress
from tinygrad_mnist.errors import CheckpointError, DataError
from tinygrad_mnist.networks import convolutional
from tinygrad_mnist.runs import checkpoint, signals
from tinygrad_mnist.runs.checkpoint import Checkpoint
from tinygrad_mnist.train import Settings, TrainingState

INTERRUPTED = "interrupted"
"""Why a run stopped, in addition to the reasons in train.py."""

AUGMENT = 1
"""Makes the random numbers of distortions, from (seed, epoch, 1), different from those of an epoch's order."""

CurvePoint = tuple[int, float, float]
"""An epoch, its loss, and its validation accuracy from 0 to 1."""


class Parts(NamedTuple):
    """The digits of a run: to train on, held out to decide when to stop, and to test at the end."""

    training: Digits
    validation: Digits
    test: Digits


class Outcome(NamedTuple):
    """The end of a run."""

    stopped: str  # why
    test_accuracy: float  # of the network that is kept, from 0 to 1
    seconds: float  # of training
    signal: int  # the number of the signal that ended it, 0 if it ended by itself


class Run:
    """A run, from its first checkpoint on. It keeps the best network so far, in a file if the checkpoint has one."""

    def __init__(
        self,
        begun: Checkpoint,
        progress: Progress,
        measure: Callable[[Parameters], dict[str, NDArray[Any]]] = lambda _: {},
    ) -> None:
        """Begin a run. `progress` says if saving fails and shows epochs, and `measure` returns limits to save."""
        self.kept, self.last = begun, begun.state
        self.curve: list[CurvePoint] = []
        self.failure: CheckpointError | None = None  # why the network that is kept is not saved
        self.saved_epoch = 0  # of the network that is saved
        self.progress, self._measure = progress, measure
        # A training that is continued may be saved to another file, and no better epoch may follow.
        self._is_saved = begun.state.epoch == 0
        if not self._is_saved:
            self._add_to_curve()
            self.save()

    def after_epoch(self, state: TrainingState) -> None:
        """Keep the state after an epoch if it is the best so far, and save the one that is kept if it is not saved."""
        self.last = state
        self._add_to_curve()
        if train.is_kept(state, self.kept.settings):
            self.kept, self._is_saved = replace(self.kept, state=_moved(state, to_host)), False
        self.save()

    def save(self) -> None:
        """Save the network that is kept, if it has a file and is not saved yet. A failure is told once."""
        if self._is_saved or self.kept.path is None:
            return
        try:
            checkpoint.save(replace(self.kept, limits=self._measure(self.kept.parameters)))
        except CheckpointError as error:
            if self.failure is None:
                self.progress.say(f"Warning: {error} Saving is tried again after every epoch.")
            self.failure = error
        else:
            self._is_saved, self.failure, self.saved_epoch = True, None, self.kept.state.epoch

    def _add_to_curve(self) -> None:
        self.curve.append((self.last.epoch, self.last.loss, self.last.valid_accuracy))


def split(settings: Settings, data: DataSet) -> Parts:
    """Return the digits of a run, with those to hold out drawn with its seed.

    Raises DataError if the images are not square or too small for a convolutional network.
    """
    if settings.features:
        try:
            convolutional.patch_counts(data.training.pixels.shape[1])
        except ValueError as error:
            raise DataError(str(error), "too small") from error
    return Parts(*data.training.hold_out(settings.hold_out, settings.seed), data.test)


def execute(
    run: Run, parts: Parts, backend: Backend, show: Callable[[TrainingState], object] = lambda _: None
) -> Outcome:
    """Train until the run ends or is interrupted, and measure the network that is kept.

    `show` is called after every epoch. Raises KeyboardInterrupt if it is interrupted, by Ctrl-C or by a signal, before
    the first epoch has ended.
    """
    begun, settings, signal = time.perf_counter(), run.kept.settings, 0
    training, validation, test = (examples(part, run.kept.digits, backend) for part in parts)

    def report(state: TrainingState) -> None:
        run.after_epoch(state)
        show(state)

    rows = backend.to_device(np.arange(len(parts.training.labels)))

    def draw(drawn: Examples, settings: Settings, epoch: int) -> Iterator[Batch]:
        if settings.augment:
            images = _distorted(parts.training, settings.seed, epoch)
            drawn = Examples(backend.to_device(images), rows, drawn.t)
        batches, count = train.batches(drawn, settings, epoch), math.ceil(len(parts.training.labels) / settings.batch)
        return iter(run.progress.bar(batches, f"epoch {epoch}", count))

    # On a busy machine the threads of BLAS spin while they wait for each other, and a run takes up to 20 times as long.
    with threadpool_limits(limits=1, user_api="blas"):
        try:
            start = _moved(run.kept.state, backend.to_device)
            stopped = train.train(training, validation, settings, report, draw, start).stopped
        except KeyboardInterrupt as error:
            if run.kept.state.epoch == 0:
                raise
            stopped, signal = INTERRUPTED, signals.number(error)
        run.save()
        seconds = time.perf_counter() - begun
        kept = map_layers(backend.to_device, run.kept.parameters)
        _, test_accuracy = train.evaluate(kept, test, settings)
    return Outcome(stopped, test_accuracy, seconds, signal)


def examples(digits: Digits, which: tuple[int, ...], backend: Backend) -> Examples:
    """Return digits and their targets in the form that training takes, on the backend's device."""
    return Examples(*map(backend.to_device, (digits.pixels, digits.rows, metrics.targets(digits.labels, which))))


def _distorted(digits: Digits, seed: int, epoch: int) -> NDArray[np.uint8]:
    """Return images (N, I), distorted differently in each epoch, and in the same way for the same seed."""
    # Slow to import, and needed only here.
    from tinygrad_mnist.datasets import augment

    images = augment.distort(digits.images, np.random.default_rng((seed, epoch, AUGMENT)))
    return images.reshape(len(images), -1)


def _moved(state: TrainingState, move: Callable[..., object]) -> TrainingState:
    """Return the state with its arrays moved by a function, to a device or to the host."""
    velocity = None if state.velocity is None else map_layers(move, state.velocity)
    return state._replace(parameters=map_layers(move, state.parameters), velocity=velocity)
