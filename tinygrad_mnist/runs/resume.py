"""Resuming: read a run from a checkpoint to continue it, and save a run to a checkpoint while it trains."""

import hashlib
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tinygrad_mnist.arrays.backend import device_faults
from tinygrad_mnist.arrays.layers import map_layers
from tinygrad_mnist.datasets.digits import Digits
from tinygrad_mnist.datasets.likeness import Normalize, like_mnist
from tinygrad_mnist.datasets.progress import Progress
from tinygrad_mnist.errors import BackendError, CheckpointError, DataError
from tinygrad_mnist.photos.doubt import Doubt, Measure
from tinygrad_mnist.runs import checkpoint, environment
from tinygrad_mnist.runs.checkpoint import Checkpoint
from tinygrad_mnist.runs.environment import Environment
from tinygrad_mnist.runs.saved_training import SAMPLED, SavedTraining
from tinygrad_mnist.runs.settings import RunSettings
from tinygrad_mnist.train import TrainingState


@dataclass(frozen=True)
class Run:
    """A training run, to start it or to continue it from a state."""

    settings: RunSettings
    digits: tuple[int, ...]
    state: TrainingState | None = None  # on the host; None at the start
    data: str | None = None  # the fingerprint of the digits that the state was trained on
    environment: Environment | None = None  # in which the state was trained, None if it is unknown
    pixels: int | None = None  # of the images of a convolutional network whose training is continued
    normalize: Normalize = like_mnist  # what is done to the images before training


def resumed(path: Path, epochs: int | None, patience: int | None) -> Run:
    """Return the run that a checkpoint holds, with a new number of epochs and a new patience unless they are None.

    Raises CheckpointError if the file holds no run, or if the run cannot be continued to that number of epochs.
    """
    loaded = checkpoint.load(path)
    if loaded.training is None:
        raise CheckpointError(f"{path} holds a network but not its training", "no training")
    training, done = loaded.training.settings.training, loaded.training.state.epoch
    if epochs is not None:
        if training.schedule != "constant":
            raise CheckpointError(f"{path} has a learning-rate schedule that fixes its last epoch", "last epoch")
        if epochs < done:
            raise CheckpointError(f"{path} has already trained for {done} epochs", "epochs done")
        training = replace(training, epochs=epochs)
    if patience is not None:
        training = replace(training, patience=patience)
    settings = replace(loaded.training.settings, training=training)
    saved = loaded.training
    return Run(settings, loaded.digits, saved.state, saved.data, saved.environment, loaded.pixels, loaded.normalize)


class Saver:
    """Saves the states of a run to a file, or does nothing if there is none. Only the first failure is reported."""

    def __init__(self, path: Path | None, save: Callable[[TrainingState], object], progress: Progress) -> None:
        self.path = path
        self.failure: CheckpointError | None = None
        self.epoch: int | None = None  # of the last state that was saved, or would have been with a file
        self._save, self._progress, self._has_failed = save, progress, False

    def __call__(self, state: TrainingState) -> bool:
        """Save a state on the host. Returns whether that succeeded, and keeps the error in `failure` if it did not."""
        try:
            self._save(state)
        except CheckpointError as error:
            self.failure = error
            if not self._has_failed:
                self._progress.say(f"Warning: {error} Saving is tried again after every epoch.")
            self._has_failed = True
        else:
            self.failure, self.epoch = None, state.epoch
        return self.failure is None

    @contextmanager
    def told_after_a_fault(self) -> Iterator[None]:
        """Turn a fault of the GPU, or a lack of memory, into a BackendError that also says what has been saved."""
        try:
            with device_faults():
                yield
        except BackendError as error:
            raise BackendError(f"{error.wrong}{self._what_is_saved()}", error.cause) from error

    def _what_is_saved(self) -> str:
        """Return the end of a sentence. It is empty if there was nothing to save and no file to save it to."""
        if self.path is None:
            return "" if self.epoch is None else ", and this run is lost, because --save was not given"
        if self.epoch is None:
            return ", and nothing is saved yet"
        return f", and --resume {shlex.quote(str(self.path))} continues after epoch {self.epoch}"

    def how_to_continue(self, command: str, source: str) -> str:
        """Return what the user can do after an interruption of this command, which was given this --data."""
        if self.path is None:
            return "This run is lost, because --save was not given."
        data = "" if source == "auto" else f" --data {shlex.quote(source)}"
        return f"Continue with: {command}{data} --resume {shlex.quote(str(self.path))}"


def saver(
    path: Path | None, run: Run, digits: Digits, device: str, progress: Progress, measure: Measure = lambda _: None
) -> Saver:
    """Return what saves the states of a run to `path`, with the doubt that is measured, or does nothing if it is None.

    `device` describes where the run computes. `progress` says if a save fails, or if the run
    continues in a different environment. Raises DataError if its state was trained on digits that differ from these.
    """
    if path is None:
        return Saver(None, lambda _: None, progress)
    data, here = digits.fingerprint(), environment.current(device)
    _require_same(run, digits, data)
    if run.environment and (differences := environment.differences(run.environment, here)):
        progress.say(f"The last bits of the result may differ from those of an uninterrupted training: {differences}.")

    def save(state: TrainingState) -> None:
        training = SavedTraining(run.settings, data, state, here)
        checkpoint.save(path, to_checkpoint(run, training, digits, measure(state.parameters)))

    return Saver(path, save, progress)


def to_checkpoint(run: Run, training: SavedTraining, digits: Digits, doubt: Doubt | None = None) -> Checkpoint:
    """Return what is saved of a run, whose training with these digits has come so far, with its doubt."""
    chosen = run.settings.training
    pixels = digits.pixels.shape[1] if chosen.features else None
    return Checkpoint(training.state.parameters, run.digits, chosen.seed, training, chosen.features, pixels, doubt)


def _require_same(run: Run, digits: Digits, fingerprint: str) -> None:
    """Raise DataError unless the run has no state yet, or was trained on the digits with this fingerprint until now."""
    if run.state is None or run.data is None:
        return
    inputs, pixels = run.pixels or len(run.state.parameters[0].w), digits.pixels.shape[1]
    if inputs != pixels:
        raise DataError(
            f"the training started with images of {inputs} pixels, and these have {pixels}", "different data"
        )
    # Version 2 of the checkpoints did not look at all images.
    is_sampled = run.data.startswith(SAMPLED)
    if run.data != (SAMPLED + _sampled_fingerprint(digits) if is_sampled else fingerprint):
        raise DataError("these digits differ from those that the training started with", "different data")


def _sampled_fingerprint(digits: Digits) -> str:
    """Return the fingerprint that version 2 of the checkpoints has: of the labels and at most 2,000 of the images."""
    sample = digits.rows[:: max(1, len(digits.rows) // 1000)]
    content = hashlib.sha256(f"{digits.source.shape[1:]} {digits.source.dtype}".encode())
    content.update(np.ascontiguousarray(digits.labels).data)
    content.update(digits.source[sample].data)
    return content.hexdigest()


def moved(state: TrainingState, move: Callable[..., object]) -> TrainingState:
    """Return the state with its arrays moved by a function, to a device or to the host."""
    velocity = None if state.velocity is None else map_layers(move, state.velocity)
    return state._replace(parameters=map_layers(move, state.parameters), velocity=velocity)
