"""The checkpoint that a run begins with: of a new training, or of one that is continued."""

from dataclasses import replace
from pathlib import Path

from tinygrad_mnist import metrics, train
from tinygrad_mnist.arrays.examples import Examples
from tinygrad_mnist.datasets.digits import DataSet
from tinygrad_mnist.datasets.progress import Progress
from tinygrad_mnist.datasets.view import view_of
from tinygrad_mnist.errors import CheckpointError, DataError
from tinygrad_mnist.runs import checkpoint, environment
from tinygrad_mnist.runs.checkpoint import Checkpoint
from tinygrad_mnist.train import Settings

SAMPLE = 500
"""The number of training digits whose look is measured."""


def new(settings: Settings, digits: tuple[int, ...], data: DataSet, device: str) -> Checkpoint:
    """Return the checkpoint of an untrained network for these digits of a data set, on the device so described."""
    training = data.training
    examples = Examples(training.pixels, training.rows, metrics.targets(training.labels[:1], digits))
    look = view_of(training.sample(SAMPLE).source, data.scaling)
    state, here = train.initial_state(examples, settings), environment.current(device)
    return Checkpoint(settings, digits, look, state, training.fingerprint(), here)


def loaded(path: Path, epochs: int | None, patience: int | None) -> Checkpoint:
    """Return the checkpoint in a file, with a new number of epochs and a new patience unless they are None.

    Raises CheckpointError as `checkpoint.load` does, or if it cannot be continued to that number of epochs.
    """
    found = checkpoint.load(path)
    if epochs is not None and found.settings.schedule != "constant":
        raise CheckpointError(f"{path} has a learning-rate schedule that fixes its last epoch", "last epoch")
    if epochs is not None and epochs < found.state.epoch:
        raise CheckpointError(f"{path} has already trained for {found.state.epoch} epochs", "epochs done")
    epochs, patience = epochs or found.settings.epochs, patience or found.settings.patience
    return replace(found, settings=replace(found.settings, epochs=epochs, patience=patience))


def continued(begun: Checkpoint, data: DataSet, device: str, progress: Progress) -> Checkpoint:
    """Return a loaded checkpoint, to train on with a data set on the device so described.

    `progress` says if the environment is another one. Raises DataError if the data set is not what it was trained on.
    """
    inputs, pixels = begun.layer_sizes[0], data.training.pixels.shape[1]
    if inputs != pixels:
        wrong = f"the training started with images of {inputs} pixels, and these have {pixels}"
        raise DataError(wrong, "different data")
    if begun.data != data.training.fingerprint():
        raise DataError("these digits differ from those that the training started with", "different data")
    here = environment.current(device)
    if differences := environment.differences(begun.environment, here):
        progress.say(f"The last bits of the result may differ from those of an uninterrupted training: {differences}.")
    return replace(begun, environment=here)
