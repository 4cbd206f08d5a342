"""Reports of training: for a person, for a person who wants one line, and for a program."""

import math
import sys
from collections.abc import Iterator
from typing import Any

from tinygrad_mnist.app import output, wording
from tinygrad_mnist.app.epoch_table import EpochTable
from tinygrad_mnist.arrays.examples import Batch
from tinygrad_mnist.train import NO_IMPROVEMENT, TrainingState

Facts = dict[str, Any]


class QuietReporter:
    """Prints one line at the end."""

    def start(self, facts: Facts) -> None:
        """Print nothing."""

    def epoch(self, state: TrainingState) -> None:
        """Print nothing."""

    def batches(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        """Pass on the batches of an epoch."""
        return batches

    def finish(self, facts: Facts) -> None:
        """Print the accuracy on the test digits."""
        output.echo(f"test {wording.percent(facts['test_accuracy'])} on {facts['data']}, seed {facts['seed']}")


class JsonReporter(QuietReporter):
    """Prints JSON objects to standard output, one per line."""

    def start(self, facts: Facts) -> None:
        """Print the start event."""
        output.event("start", **facts)

    def epoch(self, state: TrainingState) -> None:
        """Print an epoch event."""
        numbers = {"loss": state.loss, "valid_loss": state.valid_loss, "valid_accuracy": state.valid_accuracy}
        output.event("epoch", epoch=state.epoch, **numbers)

    def finish(self, facts: Facts) -> None:
        """Print the result event."""
        output.event("result", **facts)


class TextReporter(QuietReporter):
    """Prints a header, a table of epochs with a bar on a terminal, and the result."""

    def start(self, facts: Facts) -> None:
        """Print the header."""
        output.line("data", facts["origin"])
        output.line("digits", f"{wording.alternatives(facts['digits'])}: {facts['training']:,} for training,")
        output.line("", f"{facts['held_out']:,} for validation, {facts['test']:,} for testing")
        loss = "sigmoid, mean loss" if facts["loss_function"] == "mean" else facts["loss_function"]
        kind = "relu" if facts["hidden"] else "linear"
        output.paragraph("model", f"{wording.layers(facts['layers'])}, {kind}, {loss}")
        rate = f"{facts['schedule']} learning rate {facts['learning_rate']:g}"
        output.paragraph("optimizer", f"{facts['optimizer']}, {rate}, batch {facts['batch']}")
        if facts["augment"]:
            output.line("augment", "digits are distorted differently in every epoch")
        output.line("device", f"{facts['device']}, {facts['dtype']}")
        output.line("seed", str(facts["seed"]))
        if facts["after"]:
            output.line("resumed", f"after epoch {facts['after']}")
        batches = math.ceil(facts["training"] / facts["batch"])
        self._table = EpochTable(facts["epochs"], batches, facts["after"], sys.stderr)

    def epoch(self, state: TrainingState) -> None:
        """Print the row of an epoch to standard error."""
        self._table(state)

    def batches(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        """Pass on the batches of an epoch, and move the bar."""
        return self._table.batches(batches)

    def finish(self, facts: Facts) -> None:
        """Print why training stopped, and the accuracy."""
        self._table.erase_bar()
        reason = facts["stopped"]
        if reason == NO_IMPROVEMENT:
            reason = f"{reason} in {facts['patience']} epoch{'s' if facts['patience'] > 1 else ''}"
        output.line("stopped", f"after epoch {facts['epochs']}: {reason}")
        valid = wording.percent(facts["valid_accuracy"])
        output.line("valid", f"{valid} of the validation digits, in epoch {facts['best_epoch']}")
        output.line("test", f"{wording.percent(facts['test_accuracy'])} of the test digits, {facts['wrong']} wrong")
        output.line("time", f"{facts['seconds']:.2f} s")
        for label in ("saved", "plot"):
            if facts[label]:
                output.line(label, facts[label])
