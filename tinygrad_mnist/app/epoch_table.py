"""The table of epochs that training prints: a row for each, and on a terminal a bar that moves within the epoch."""

import os
import shutil
import sys
import time
from collections.abc import Iterable, Iterator
from typing import TextIO

from tinygrad_mnist.app import output, wording
from tinygrad_mnist.arrays.examples import Batch
from tinygrad_mnist.train import TrainingState

WIDE = {"epoch": 5, "train loss": 12, "valid loss": 12, "valid accuracy": 16, "time": 9}
NARROW = {"epoch": 5, "train": 8, "valid": 8, "accuracy": 10, "time": 8}
"""The headings of the columns and their widths, on a usual terminal and on one of 40 columns."""

REDRAW = 0.1
"""The shortest time between two drawings of the bar, in seconds. Drawing it after every batch would cost time."""


class EpochTable:
    """Prints a row after each epoch. Give it to `DigitClassifier.fit` as a callback.

    `epochs` and `batches` are the numbers of epochs and of batches in an epoch, for the bar; `after` is the number of
    epochs that an earlier run has done. `stream` is standard output by default.
    """

    def __init__(self, epochs: int = 0, batches: int = 0, after: int = 0, stream: TextIO | None = None) -> None:
        self._epochs, self._batches, self._done, self._stream = epochs, batches, after, stream or sys.stdout
        self._since = self._drawn = time.perf_counter()
        self._columns = shutil.get_terminal_size().columns
        self._widths = WIDE if self._columns > sum(WIDE.values()) else NARROW
        # A dumb terminal cannot go back to the start of a line.
        self._has_bar = bool(batches) and output.is_terminal(self._stream) and os.environ.get("TERM") != "dumb"
        self._has_head = False

    def __call__(self, state: TrainingState) -> None:
        """Print the row of an epoch, and before the first one the headings."""
        now = time.perf_counter()
        values = (
            str(state.epoch),
            f"{state.loss:.4f}",
            f"{state.valid_loss:.4f}",
            wording.percent(state.valid_accuracy),
            wording.duration(now - self._since),
        )
        self._since, self._done = now, state.epoch
        self.erase_bar()
        if not self._has_head:
            self._row(self._widths)
            self._has_head = True
        self._row(values)

    def batches(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        """Yield the batches of an epoch, and move the bar."""
        for number, batch in enumerate(batches, start=1):
            yield batch
            now = time.perf_counter()
            if self._has_bar and now - self._drawn >= REDRAW:
                self._drawn = now
                self._draw_bar(number, now - self._since)

    def erase_bar(self) -> None:
        """Remove the bar from its line."""
        if self._has_bar:
            self._stream.write("\r" + " " * (self._columns - 1) + "\r")

    def _draw_bar(self, number: int, seconds: float) -> None:
        """Draw the bar after a batch, which ended so many seconds after the epoch began."""
        of_epoch = seconds * self._batches / number
        left = of_epoch * (self._epochs - self._done) - seconds
        text = f" {number}/{self._batches} batches, at most {wording.duration(left)} left"
        length = max(1, min(40, self._columns - 1 - len(text)))
        filled = round(length * number / self._batches)
        self._stream.write(f"\r{'=' * filled}{'-' * (length - filled)}{text}"[: self._columns])
        self._stream.flush()

    def _row(self, texts: Iterable[str]) -> None:
        line = "".join(f"{text:>{width}}" for text, width in zip(texts, self._widths.values(), strict=True))
        self._stream.write(output.printable(line, self._stream) + "\n")
        self._stream.flush()
