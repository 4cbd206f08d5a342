"""What training reports: the settings, a row for each epoch, and the result."""

import math
import shutil
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TextIO

import numpy as np

from tinygrad_mnist.app import output
from tinygrad_mnist.runs.run import Outcome, Parts, Run
from tinygrad_mnist.train import NO_IMPROVEMENT, TrainingState

WIDE = {"epoch": 5, "train loss": 12, "valid loss": 12, "valid accuracy": 16, "time": 9}
NARROW = {"epoch": 5, "train": 8, "valid": 8, "accuracy": 10, "time": 8}
"""The headings of the columns and their widths, on a usual terminal and on one of 40 columns."""


class EpochTable:
    """Prints a row after each epoch. Give it to `DigitClassifier.fit` as a callback.

    `stream` is standard output by default.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream, self._since, self._has_head = stream or sys.stdout, time.perf_counter(), False
        self._widths = WIDE if shutil.get_terminal_size().columns > sum(WIDE.values()) else NARROW

    def __call__(self, state: TrainingState) -> None:
        """Print the row of an epoch, and before the first one the headings."""
        now = time.perf_counter()
        if not self._has_head:
            self._print(self._widths)
        accuracy, seconds = output.percent(state.valid_accuracy), f"{now - self._since:.2f} s"
        self._print((str(state.epoch), f"{state.loss:.4f}", f"{state.valid_loss:.4f}", accuracy, seconds))
        self._since, self._has_head = now, True

    def _print(self, texts: Iterable[str]) -> None:
        row = "".join(f"{text:>{width}}" for text, width in zip(texts, self._widths.values(), strict=True))
        print(row, file=self._stream, flush=True)


class TrainingReport:
    """Reports a run: as JSON, in one line at the end if it is quiet, or else with a table of its epochs."""

    def __init__(self, run: Run, parts: Parts, about: output.Facts, as_json: bool, quiet: bool) -> None:
        """Report with these facts about the digits and the device."""
        self._run, self._parts, self._about = run, parts, about
        self._as_json, self._quiet = as_json, quiet
        self._table = EpochTable(sys.stderr)

    def start(self) -> None:
        """Report the settings."""
        kept = self._run.kept
        counts = dict(zip(("training", "held_out", "test"), (len(part.labels) for part in self._parts), strict=True))
        chosen = asdict(kept.settings)
        chosen["loss_function"] = loss = chosen.pop("loss")  # the loss is a number
        facts = self._about | counts | chosen | {"layers": kept.layer_sizes, "after": kept.state.epoch}
        kind = "relu" if kept.settings.hidden else "linear"
        digits = "{}: {training:,} for training, {held_out:,} for validation, {test:,} for testing"
        lines = {
            "data": facts["origin"],
            "digits": digits.format(output.alternatives(kept.digits), **counts),
            "model": f"{output.layers(kept.layer_sizes)}, {kind}, {'sigmoid, mean loss' if loss == 'mean' else loss}",
            "optimizer": "{optimizer}, {schedule} learning rate {learning_rate:g}, batch {batch}".format(**chosen),
            "augment": "digits are distorted differently in every epoch" if kept.settings.augment else None,
            "device": "{device}, {dtype}".format(**facts),
            "seed": str(kept.settings.seed),
            "resumed": f"after epoch {kept.state.epoch}" if kept.state.epoch else None,
        }
        output.report(self._as_json, facts, {} if self._quiet else lines, kind="start")

    def epoch(self, state: TrainingState) -> None:
        """Report an epoch, to a person on standard error."""
        if self._as_json:
            output.event("epoch", epoch=state.epoch, **_measured(state))
        elif not self._quiet:
            self._table(state)

    def finish(self, outcome: Outcome, plot: Path | None) -> None:
        """Report the result, and where it is drawn and saved."""
        settings, best = self._run.kept.settings, self._run.kept.state
        saved = None if self._run.failure else self._run.kept.path
        facts = {
            **self._about,
            **outcome._asdict(),
            **_measured(best),
            "epochs": self._run.last.epoch,
            "best_epoch": best.epoch,
            "wrong": round((1 - outcome.test_accuracy) * len(self._parts.test.labels)),
            "seed": settings.seed,
            "patience": settings.patience,
            "saved": saved,
            "plot": plot,
        }
        test = output.percent(outcome.test_accuracy)
        epochs = f" in {settings.patience} epoch{'s' if settings.patience > 1 else ''}"
        reason = outcome.stopped + epochs * (outcome.stopped == NO_IMPROVEMENT)
        lines = {
            "stopped": f"after epoch {facts['epochs']}: {reason}",
            "valid": f"{output.percent(best.valid_accuracy)} of the validation digits, in epoch {best.epoch}",
            "test": f"{test} of the test digits, {facts['wrong']} wrong",
            "time": f"{outcome.seconds:.2f} s",
            "saved": saved,
            "plot": plot,
        }
        brief = f"test {test} on {facts['data']}, seed {facts['seed']}"
        output.report(self._as_json, facts, {} if self._quiet else lines, brief if self._quiet else "")

    def warn_at_chance(self, outcome: Outcome) -> None:
        """Print a warning if the network is no better than guessing, by less than three standard deviations.

        Guessing means to predict the most frequent test digit.
        """
        labels, accuracy = self._parts.test.labels, outcome.test_accuracy
        guess = float(np.bincount(labels).max() / len(labels))
        if accuracy <= guess + 3 * math.sqrt(guess * (1 - guess) / len(labels)):
            output.notice(
                f"The network is no better than guessing ({output.percent(accuracy)} of the test digits): "
                "check that the labels belong to the images, or change --loss or --learning-rate."
            )


def _measured(state: TrainingState) -> output.Facts:
    return {name: getattr(state, name) for name in ("loss", "valid_loss", "valid_accuracy")}
