"""A run: train on a part of the digits, watch every epoch, and measure the network that is kept."""

import time
from typing import NamedTuple

import numpy as np

from tinygrad_mnist import metrics, train
from tinygrad_mnist.arrays.backend import Backend, to_host
from tinygrad_mnist.arrays.examples import EpochTransform, Examples
from tinygrad_mnist.datasets.digits import DataSet, Digits
from tinygrad_mnist.runs.feature_selection import Mask, selected_digits, selected_state, spread_state, visible_pixels
from tinygrad_mnist.runs.resume import Run, Save, moved
from tinygrad_mnist.train import Settings, TrainingResult, TrainingState

INTERRUPTED = "interrupted"
"""Why a run stopped, besides what train.py says."""

AUGMENT = 1
"""Distinguishes the random numbers of distortions, from (seed, epoch, 1), from those of an epoch's order."""

CurvePoint = tuple[int, float, float]
"""An epoch, its loss, and its validation accuracy from 0 to 1."""


class Outcome(NamedTuple):
    """What a run ended with."""

    result: TrainingResult
    test_accuracy: float
    seconds: float  # of training
    curve: list[CurvePoint]


class Watch:
    """Looks at each state as an epoch ends: remembers the best, saves it, and shows it."""

    def __init__(self, start: TrainingState | None, settings: Settings, save: Save, show: Save) -> None:
        self.best = self.last = start
        self.curve: list[CurvePoint] = []
        self._settings, self._save, self._show = settings, save, show
        if start is not None:
            # It may be saved to a different file from the one that it was read from, and no better state may follow.
            save(start)
            self._remember(start)

    def __call__(self, state: TrainingState) -> None:
        """Look at the state after an epoch."""
        self.last = state
        self._remember(state)
        if train.is_kept(state, self._settings):
            self.best = state
            self._save(state)
        self._show(state)

    def _remember(self, state: TrainingState) -> None:
        self.curve.append((state.epoch, state.loss, state.valid_accuracy))

    def interrupted(self) -> TrainingResult:
        """Return the result so far, and save it. Raises KeyboardInterrupt if there is none yet."""
        if self.best is None or self.last is None:
            raise KeyboardInterrupt
        self._save(self.best)
        return TrainingResult(self.best, self.last, INTERRUPTED)


def split(run: Run, data: DataSet) -> tuple[Digits, Digits]:
    """Return the digits to train on and the held-out digits, drawn by the run's seed."""
    return data.training.hold_out(run.settings.hold_out, run.settings.training.seed)


def execute(run: Run, data: DataSet, backend: Backend, save: Save, show: Save) -> Outcome:
    """Train as the run says until it ends or Ctrl-C is pressed, and measure the network that is kept.

    `save` is called with every state that is kept, moved to the host, `show` with the state after every epoch. Raises
    KeyboardInterrupt if Ctrl-C is pressed before the first epoch has ended.
    """
    begun, settings = time.perf_counter(), run.settings.training
    digits, held_out = split(run, data)
    # Distorted digits may be anywhere. Digits that are not small stay where they are, which may be a file.
    mask = visible_pixels(digits) if digits.is_small and not run.settings.augment else None
    training, validation, test = (_examples(part, run.digits, mask, backend) for part in (digits, held_out, data.test))
    transform = _distortion(digits, settings.seed, backend) if run.settings.augment else _unchanged
    start = run.state and _selected_on_device(run.state, mask, backend)
    watch = Watch(start, settings, lambda state: save(_spread_on_host(state, mask)), show)
    try:
        result = train.train(training, validation, settings, watch, transform, start)
    except KeyboardInterrupt:
        result = watch.interrupted()
    seconds = time.perf_counter() - begun
    return Outcome(result, train.evaluate(result.best.parameters, test), seconds, watch.curve)


def examples(digits: Digits, which: tuple[int, ...], backend: Backend) -> Examples:
    """Return digits as training takes them, with their targets, on the backend's device."""
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


def _distortion(digits: Digits, seed: int, backend: Backend) -> EpochTransform:
    """Return a transform that distorts the digits differently in each epoch, and in the same way for the same seed."""
    # Slow to import, and needed only here.
    from tinygrad_mnist.datasets import augment

    def transform(examples: Examples, epoch: int) -> Examples:
        distorted = augment.distort(digits.images, np.random.default_rng((seed, epoch, AUGMENT)))
        count = len(digits.labels)
        images = backend.to_device(distorted.reshape(count, -1))
        return Examples(images, backend.to_device(np.arange(count)), examples.t)

    return transform
