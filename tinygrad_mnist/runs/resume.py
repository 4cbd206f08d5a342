"""Resuming: continue a run that a checkpoint holds, and keep a run in a checkpoint while it trains."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from tinygrad_mnist.arrays.layers import map_layers
from tinygrad_mnist.datasets.digits import Digits
from tinygrad_mnist.errors import CheckpointError, DataError
from tinygrad_mnist.runs import checkpoint
from tinygrad_mnist.runs.checkpoint import Checkpoint
from tinygrad_mnist.runs.saved_training import SavedTraining
from tinygrad_mnist.runs.settings import RunSettings
from tinygrad_mnist.train import TrainingState

Save = Callable[[TrainingState], object]
"""Writes a state to a file, or does nothing if none was named."""


@dataclass(frozen=True)
class Run:
    """A training run that is to be started, or to be continued from a state."""

    settings: RunSettings
    digits: tuple[int, ...]
    state: TrainingState | None = None  # on the host; None at the start
    data: str | None = None  # the fingerprint of what the state was trained on


def resumed(path: Path, epochs: int | None, patience: int | None) -> Run:
    """Return the run that a checkpoint holds, with a new number of epochs and a new patience unless they are None.

    Raises CheckpointError if the file holds no run, or if the run cannot be continued to that number of epochs.
    """
    loaded = checkpoint.load(path)
    if loaded.training is None:
        raise CheckpointError(f"{path} holds a network but not its training: train again with --save.")
    training, done = loaded.training.settings.training, loaded.training.state.epoch
    if epochs is not None:
        if training.schedule != "constant":
            raise CheckpointError(f"{path} has a learning-rate schedule that fixes its last epoch: leave out --epochs.")
        if epochs < done:
            raise CheckpointError(f"{path} has already trained for {done} epochs: raise --epochs or leave it out.")
        training = replace(training, epochs=epochs)
    if patience is not None:
        training = replace(training, patience=patience)
    settings = replace(loaded.training.settings, training=training)
    return Run(settings, loaded.digits, loaded.training.state, loaded.training.data)


def saver(path: Path | None, run: Run, digits: Digits) -> Save:
    """Return a function that saves a state on the host to a file, or one that does nothing if `path` is None.

    Raises DataError if the run's state was trained on digits that differ from these.
    """
    if path is None:
        return lambda _: None
    data = digits.fingerprint()
    if run.data not in (None, data):
        raise DataError("these digits differ from those that the training started with: give the same --data.")

    def save(state: TrainingState) -> None:
        training = SavedTraining(run.settings, data, state)
        checkpoint.save(path, Checkpoint(state.parameters, run.digits, run.settings.training.seed, training))

    return save


def moved(state: TrainingState, move: Callable[..., object]) -> TrainingState:
    """Return the state with its arrays moved by a function, to a device or to the host."""
    velocity = None if state.velocity is None else map_layers(move, state.velocity)
    return state._replace(parameters=map_layers(move, state.parameters), velocity=velocity)
