"""A run: train on some of the digits, watch every epoch, and measure the network that is kept."""

import itertools
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from tinygrad_mnist import metrics, train
from tinygrad_mnist.arrays.backend import Backend, to_host
from tinygrad_mnist.arrays.examples import Batch, EpochTransform, Examples
from tinygrad_mnist.datasets.digits import DataSet, Digits
from tinygrad_mnist.datasets.strokes import SIDE
from tinygrad_mnist.errors import DataError
from tinygrad_mnist.networks import convolutional
from tinygrad_mnist.runs import signals
from tinygrad_mnist.runs.ahead import OneAhead
from tinygrad_mnist.runs.feature_selection import Mask, selected_digits, selected_state, spread_state, visible_pixels
from tinygrad_mnist.runs.resume import Run, moved
from tinygrad_mnist.train import Settings, TrainingResult, TrainingState

INTERRUPTED = "interrupted"
"""Why a run stopped, in addition to the reasons in train.py."""

AUGMENT = 1
"""Makes the random numbers of distortions, from (seed, epoch, 1), different from those of an epoch's order."""

Save: TypeAlias = Callable[[TrainingState], bool]
"""Saves a state, and returns whether that succeeded."""

Show: TypeAlias = Callable[[TrainingState], object]
"""Shows a state to the user."""

WatchBatches: TypeAlias = Callable[[Iterator[Batch]], Iterator[Batch]]
"""Passes on the batches of an epoch, and shows the progress."""

CurvePoint = tuple[int, float, float]
"""An epoch, its loss, and its validation accuracy from 0 to 1."""


class Parts(NamedTuple):
    """The digits of a run: to train on, held out to decide when to stop, and to test at the end."""

    training: Digits
    validation: Digits
    test: Digits


class Outcome(NamedTuple):
    """The result of a run."""

    result: TrainingResult
    test_accuracy: float
    seconds: float  # of training
    curve: list[CurvePoint]
    signal: int  # the number of the signal that ended it, 0 if it ended by itself


class Watch:
    """Looks at the state after each epoch: shows it, and remembers and saves it if it is to be kept."""

    def __init__(self, start: TrainingState | None, settings: Settings, save: Save, show: Show) -> None:
        self.best = self.last = start
        self.curve: list[CurvePoint] = []
        self._settings, self._save, self._show = settings, save, show
        # A resumed run may be saved to a different file from the one that it was read from, and no better state may
        # follow.
        self._is_saved = start is None or save(start)
        if start is not None:
            self._remember(start)

    def __call__(self, state: TrainingState) -> None:
        """Look at the state after an epoch."""
        self.last = state
        self._remember(state)
        if train.is_kept(state, self._settings):
            self.best, self._is_saved = state, False
        self.ensure_saved()
        self._show(state)

    def _remember(self, state: TrainingState) -> None:
        self.curve.append((state.epoch, state.loss, state.valid_accuracy))

    def ensure_saved(self) -> None:
        """Save the state that is kept, if it is not saved yet because the last attempt failed or was interrupted."""
        if self.best is not None and not self._is_saved:
            self._is_saved = self._save(self.best)


def split(run: Run, data: DataSet) -> Parts:
    """Return the digits of a run, with those to hold out drawn with its seed.

    Raises DataError if the images are not square or too small for a convolutional network.
    """
    if run.settings.training.features:
        try:
            convolutional.patch_counts(data.training.pixels.shape[1])
        except ValueError as error:
            raise DataError(str(error), "too small") from error
    return Parts(*data.training.hold_out(run.settings.hold_out, run.settings.training.seed), data.test)


def work(run: Run) -> int:
    """Return the work of a training step: the examples in a batch times the parameters of the network."""
    settings = run.settings.training
    sizes = (SIDE * SIDE, *settings.features, *settings.hidden, 1 if len(run.digits) == 2 else len(run.digits))
    if not settings.features:
        return settings.batch * sum((inputs + 1) * outputs for inputs, outputs in itertools.pairwise(sizes))
    # A convolution multiplies its weights at every patch.
    patches = [count * count for count in convolutional.patch_counts(SIDE * SIDE)]
    times = itertools.chain(patches, itertools.repeat(1))
    shapes = convolutional.weight_shapes(sizes)
    return settings.batch * sum(count * (i + 1) * o for count, (i, o) in zip(times, shapes, strict=False))


def execute(
    run: Run,
    parts: Parts,
    backend: Backend,
    save: Save,
    show: Show,
    watch: WatchBatches = lambda batches: batches,
) -> Outcome:
    """Train with the run's settings until it ends or is interrupted, and measure the network that is kept.

    `save` is called with every kept state, moved to the host, `show` with the state after every epoch, and `watch`
    passes on the batches of an epoch. Raises KeyboardInterrupt if it is interrupted, by Ctrl-C or by a signal, before
    the first epoch has ended.
    """
    begun, settings = time.perf_counter(), run.settings.training
    # Distorted digits can have ink in any pixel, and convolutions look at squares of them. A large data set stays where
    # it is, which may be a file.
    is_selected = parts.training.is_small and not (run.settings.augment or settings.features)
    mask = visible_pixels(parts.training) if is_selected else None
    training, validation, test = (_examples(part, run.digits, mask, backend) for part in parts)
    transform = _distortion(parts.training, settings, backend) if run.settings.augment else _unchanged
    transform = _after_check(transform, parts)
    start = run.state and _selected_on_device(run.state, mask, backend)
    kept = Watch(start, settings, lambda state: save(_spread_on_host(state, mask)), show)
    signal = 0
    # On a busy machine the threads of BLAS spin while they wait for each other, and a run takes up to 20 times as long.
    with threadpool_limits(limits=1, user_api="blas"):
        try:
            result = train.train(training, validation, settings, kept, transform, start, watch)
        except KeyboardInterrupt as error:
            if kept.best is None or kept.last is None:
                raise
            result, signal = TrainingResult(kept.best, kept.last, INTERRUPTED), signals.number(error)
        kept.ensure_saved()
        seconds = time.perf_counter() - begun
        _, test_accuracy = train.evaluate(result.best.parameters, test, settings)
    return Outcome(result, test_accuracy, seconds, kept.curve, signal)


def examples(digits: Digits, which: tuple[int, ...], backend: Backend) -> Examples:
    """Return digits and their targets in the form that training takes, on the backend's device."""
    return Examples(*map(backend.to_device, (digits.pixels, digits.rows, metrics.targets(digits.labels, which))))


def _examples(digits: Digits, which: tuple[int, ...], mask: Mask | None, backend: Backend) -> Examples:
    return examples(digits if mask is None else selected_digits(digits, mask), which, backend)


def _selected_on_device(state: TrainingState, mask: Mask | None, backend: Backend) -> TrainingState:
    return moved(state if mask is None else selected_state(state, mask), backend.to_device)


def _spread_on_host(state: TrainingState, mask: Mask | None) -> TrainingState:
    on_host = moved(state, to_host)
    return on_host if mask is None else spread_state(on_host, mask)


def _unchanged(examples: Examples, epoch: int) -> Examples:  # noqa: ARG001 - an EpochTransform takes the epoch
    return examples


def _after_check(transform: EpochTransform, parts: Parts) -> EpochTransform:
    """Return a transform that first checks that the files with the images, if they are not in memory, are complete."""

    def checked(examples: Examples, epoch: int) -> Examples:
        for part in parts:
            part.require_unchanged()
        return transform(examples, epoch)

    return checked


def _distortion(digits: Digits, settings: Settings, backend: Backend) -> EpochTransform:
    """Return a transform that distorts the digits differently in each epoch, and in the same way for the same seed."""
    # Slow to import, and needed only here.
    from tinygrad_mnist.datasets import augment

    def distorted(epoch: int) -> NDArray[np.uint8]:
        images = augment.distort(digits.images, np.random.default_rng((settings.seed, epoch, AUGMENT)))
        return images.reshape(len(images), -1)

    prepared = OneAhead(distorted, settings.epochs) if backend.name == "cupy" else distorted
    rows = backend.to_device(np.arange(len(digits.labels)))
    return lambda examples, epoch: Examples(backend.to_device(prepared(epoch)), rows, examples.t)
