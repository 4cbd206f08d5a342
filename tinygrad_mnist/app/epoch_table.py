"""The table of epochs that training prints: a row for each."""

import shutil
import sys
import time
from collections.abc import Iterable
from typing import TextIO

from tinygrad_mnist.app import output, wording
from tinygrad_mnist.train import TrainingState

WIDE = {"epoch": 5, "train loss": 12, "valid loss": 12, "valid accuracy": 16, "time": 9}
NARROW = {"epoch": 5, "train": 8, "valid": 8, "accuracy": 10, "time": 8}
"""The headings of the columns and their widths, on a usual terminal and on one of 40 columns."""


class EpochTable:
    """Prints a row after each epoch. Give it to `DigitClassifier.fit` as a callback.

    `stream` is standard output by default.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream, self._since = stream or sys.stdout, time.perf_counter()
        self._widths = WIDE if shutil.get_terminal_size().columns > sum(WIDE.values()) else NARROW
        self._has_head = False

    def __call__(self, state: TrainingState) -> None:
        """Print the row of an epoch, and before the first one the headings."""
        now = time.perf_counter()
        if not self._has_head:
            self._row(self._widths)
            self._has_head = True
        accuracy, seconds = wording.percent(state.valid_accuracy), wording.duration(now - self._since)
        self._row((str(state.epoch), f"{state.loss:.4f}", f"{state.valid_loss:.4f}", accuracy, seconds))
        self._since = now

    def _row(self, texts: Iterable[str]) -> None:
        line = "".join(f"{text:>{width}}" for text, width in zip(texts, self._widths.values(), strict=True))
        self._stream.write(output.printable(line, self._stream) + "\n")
        self._stream.flush()
