"""What training reports before the first epoch, after each and at the end: for a person, or for a program."""

import math
import sys
from dataclasses import asdict

import numpy as np

from tinygrad_mnist.app import output, wording
from tinygrad_mnist.app.epoch_table import EpochTable
from tinygrad_mnist.app.output import Facts
from tinygrad_mnist.arrays.backend import Backend
from tinygrad_mnist.runs.run import Outcome, Parts, Run
from tinygrad_mnist.train import NO_IMPROVEMENT, TrainingState


def before(run: Run, parts: Parts, backend: Backend) -> Facts:
    """Return the facts about a run that has not started yet."""
    settings = asdict(run.kept.settings)
    settings["loss_function"] = settings.pop("loss")  # the loss is a number
    return {
        "training": len(parts.training.labels),
        "held_out": len(parts.validation.labels),
        "test": len(parts.test.labels),
        "layers": run.kept.layer_sizes,
        "device": backend.description,
        "after": run.kept.state.epoch,
        **settings,
    }


def after(run: Run, parts: Parts, outcome: Outcome) -> Facts:
    """Return the facts about a run that has ended."""
    best = run.kept.state
    return {
        "epochs": run.last.epoch,
        "best_epoch": best.epoch,
        "loss": best.loss,
        "valid_loss": best.valid_loss,
        "valid_accuracy": best.valid_accuracy,
        "test_accuracy": outcome.test_accuracy,
        "wrong": round((1 - outcome.test_accuracy) * len(parts.test.labels)),
        "seconds": outcome.seconds,
        "seed": run.kept.settings.seed,
        "stopped": outcome.stopped,
        "patience": run.kept.settings.patience,
    }


class TrainingReport:
    """Reports a training to a person: a header, a table of epochs, and the result.

    If it is quiet, it prints only one line at the end.
    """

    def __init__(self, quiet: bool = False) -> None:
        self._quiet = quiet

    def start(self, facts: Facts) -> None:
        """Print the header."""
        self._table = EpochTable(sys.stderr)
        if self._quiet:
            return
        kind = "relu" if facts["hidden"] else "linear"
        loss = "sigmoid, mean loss" if facts["loss_function"] == "mean" else facts["loss_function"]
        rate = f"{facts['schedule']} learning rate {facts['learning_rate']:g}"
        output.line("data", facts["origin"])
        output.line("digits", f"{wording.alternatives(facts['digits'])}: {facts['training']:,} for training,")
        output.line("", f"{facts['held_out']:,} for validation, {facts['test']:,} for testing")
        output.paragraph("model", f"{wording.layers(facts['layers'])}, {kind}, {loss}")
        output.paragraph("optimizer", f"{facts['optimizer']}, {rate}, batch {facts['batch']}")
        if facts["augment"]:
            output.line("augment", "digits are distorted differently in every epoch")
        output.line("device", f"{facts['device']}, {facts['dtype']}")
        output.line("seed", str(facts["seed"]))
        if facts["after"]:
            output.line("resumed", f"after epoch {facts['after']}")

    def epoch(self, state: TrainingState) -> None:
        """Print the row of an epoch to standard error."""
        if not self._quiet:
            self._table(state)

    def finish(self, facts: Facts) -> None:
        """Print why training stopped, and the accuracy."""
        test = wording.percent(facts["test_accuracy"])
        if self._quiet:
            output.echo(f"test {test} on {facts['data']}, seed {facts['seed']}")
            return
        reason = facts["stopped"]
        if reason == NO_IMPROVEMENT:
            reason = f"{reason} in {facts['patience']} epoch{'s' if facts['patience'] > 1 else ''}"
        valid = wording.percent(facts["valid_accuracy"])
        output.line("stopped", f"after epoch {facts['epochs']}: {reason}")
        output.line("valid", f"{valid} of the validation digits, in epoch {facts['best_epoch']}")
        output.line("test", f"{test} of the test digits, {facts['wrong']} wrong")
        output.line("time", f"{facts['seconds']:.2f} s")
        for label in ("saved", "plot"):
            if facts[label]:
                output.line(label, facts[label])


class TrainingEvents:
    """Reports a training to a program: JSON objects on standard output, one per line."""

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


def why_at_chance(run: Run, parts: Parts, outcome: Outcome) -> str:
    """Return a sentence with the likely cause if the network is no better than guessing, and "" if it is better.

    Guessing means to predict the most frequent test digit. It counts as better by three standard deviations or more.
    """
    labels, accuracy = parts.test.labels, outcome.test_accuracy
    guess = float(np.bincount(labels).max() / len(labels))
    if accuracy > guess + 3 * math.sqrt(guess * (1 - guess) / len(labels)):
        return ""
    result = f"The network is no better than guessing ({wording.percent(accuracy)} of the test digits)"
    if run.kept.settings.loss == "mean" and len(run.kept.digits) > 2:
        return f"{result}, because the mean loss learns almost nothing: try --loss softmax-cross-entropy."
    return f"{result}: check that the labels belong to the images, or change --learning-rate."
