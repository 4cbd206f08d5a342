"""Keeping a training in a file while it runs, and going on with one that was kept."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tinygrad_mnist import backend, checkpoint
from tinygrad_mnist import train as training
from tinygrad_mnist.checkpoint import Checkpoint
from tinygrad_mnist.datasets.digits import Digits
from tinygrad_mnist.errors import CheckpointError, DataError
from tinygrad_mnist.presets import Preset
from tinygrad_mnist.progress import Progress
from tinygrad_mnist.train import INTERRUPTED, Epoch, Settings, Trained

Keep = Callable[[Epoch], object]


@dataclass(frozen=True)
class Begun:
    """A training that is to be done, or to be gone on with."""

    chosen: Preset
    digits: tuple[int, ...]
    after: Epoch | None = None  # on the host; None at the beginning
    data: str | None = None  # the fingerprint of what it was begun on, where it is known


def resumed(path: Path, choices: dict[str, Any]) -> Begun:
    """Return the training that a file keeps, with the number of epochs and the patience that were given, if any.

    Raises CheckpointError for a file that keeps none, and for a number of epochs that it cannot go on to.
    """
    kept = checkpoint.load(path)
    if kept.progress is None:
        raise CheckpointError(f"{path} is a network without its training: an older version of this program saved it.")
    longer = {name: choices[name] for name in ("epochs", "patience") if choices[name] is not None}
    chosen, done = kept.progress.chosen, kept.progress.epoch.number
    if "epochs" in longer and chosen.settings.schedule != "constant":
        raise CheckpointError(f"{path} follows a schedule that ends with its own last epoch: leave out --epochs.")
    if longer.get("epochs", done) < done:
        raise CheckpointError(f"{path} has done {done} epochs already: leave out --epochs, or name more.")
    chosen = replace(chosen, settings=replace(chosen.settings, **longer))
    return Begun(chosen, kept.digits, kept.progress.epoch, kept.progress.data)


def keeper(path: Path | None, begun: Begun, digits: Digits) -> Keep:
    """Return what saves an epoch to a file, or does nothing where none is named.

    Raises DataError where the training was begun on other digits than these.
    """
    if path is None:
        return lambda _: None
    data = digits.fingerprint()
    if begun.data not in (None, data):
        raise DataError("these are other digits than those that the training was begun on: name the same --data.")

    def keep(epoch: Epoch) -> None:
        here = training.moved(epoch, backend.to_host)
        progress = Progress(begun.chosen, data, here)
        checkpoint.save(path, Checkpoint(here.parameters, begun.digits, begun.chosen.settings.seed, progress))

    return keep


class Watch:
    """Looks at each epoch as it ends: shows it, and keeps it where it is the best so far."""

    def __init__(self, after: Epoch | None, settings: Settings, show: Keep, keep: Keep) -> None:
        self.best = self.last = after
        self.curve: list[tuple[int, float, float]] = []  # as plots.training_curve takes it
        if after is not None:
            # It may be kept in another file than the one that it comes from, and nothing better may follow.
            keep(after)
            self._note(after)
        self._settings, self._show, self._keep = settings, show, keep

    def __call__(self, epoch: Epoch) -> None:
        """Take notice of an epoch."""
        self.last = epoch
        self._note(epoch)
        if training.is_kept(epoch, self._settings):
            self.best = epoch
            self._keep(epoch)
        self._show(epoch)

    def _note(self, epoch: Epoch) -> None:
        self.curve.append((epoch.number, epoch.loss, epoch.valid_accuracy))

    def interrupted(self) -> Trained:
        """Return what there is so far, and have it kept. Raises KeyboardInterrupt where that is nothing."""
        if self.best is None or self.last is None:
            raise KeyboardInterrupt
        self._keep(self.best)
        return Trained(self.best, self.last, INTERRUPTED)
