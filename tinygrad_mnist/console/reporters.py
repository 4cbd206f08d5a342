"""Reports of training: for a person, for a person who wants one line, and for a program."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click

from tinygrad_mnist.console import output
from tinygrad_mnist.train import NO_IMPROVEMENT, TrainingState

Facts = dict[str, Any]
ShowEpoch = Callable[[TrainingState], object]


class JsonReporter:
    """Prints JSON objects to standard output, one per line."""

    def start(self, facts: Facts) -> None:
        """Print the start event."""
        output.event("start", **facts)

    @contextmanager
    def epochs(self, count: int, after: int) -> Iterator[ShowEpoch]:  # noqa: ARG002 - TextReporter uses them
        """Give a function that prints an epoch event."""
        yield lambda state: output.event(
            "epoch", epoch=state.epoch, loss=state.loss, valid_accuracy=state.valid_accuracy
        )

    def finish(self, facts: Facts) -> None:
        """Print the result event."""
        output.event("result", **facts)


class QuietReporter:
    """Prints one line at the end."""

    def start(self, facts: Facts) -> None:
        """Print nothing."""

    @contextmanager
    def epochs(self, count: int, after: int) -> Iterator[ShowEpoch]:  # noqa: ARG002 - TextReporter uses them
        """Give a function that prints nothing."""
        yield lambda _: None

    def finish(self, facts: Facts) -> None:
        """Print the accuracy on the test digits."""
        output.echo(f"test {output.percent(facts['test_accuracy'])} on {facts['data']}, seed {facts['seed']}")


class TextReporter:
    """Prints a header, then a progress bar on a terminal or else a line for each epoch, and the result."""

    def start(self, facts: Facts) -> None:
        """Print the header."""
        output.line("data", facts["origin"])
        output.line("digits", f"{_list_of_digits(facts['digits'])}: {facts['training']:,} for training,")
        output.line("", f"{facts['held_out']:,} for validation, {facts['test']:,} for testing")
        loss = "sigmoid, mean loss" if facts["loss"] == "mean" else facts["loss"]
        kind = "relu" if facts["hidden"] else "linear"
        output.paragraph("model", f"{output.layers(facts['layers'])}, {kind}, {loss}")
        rate = f"{facts['schedule']} learning rate {facts['learning_rate']:g}"
        output.paragraph("optimizer", f"{facts['optimizer']}, {rate}, batch {facts['batch']}")
        if facts["augment"]:
            output.line("augment", "digits are distorted differently in every epoch")
        output.line("device", f"{facts['device']}, {facts['dtype']}")
        output.line("seed", str(facts["seed"]))
        if facts["after"]:
            output.line("resumed", f"after epoch {facts['after']}")

    @contextmanager
    def epochs(self, count: int, after: int) -> Iterator[ShowEpoch]:
        """Give a function that shows an epoch on standard error: of `count` epochs, `after` are already done."""
        if not output.is_terminal(sys.stderr):
            yield lambda state: output.notice(f"epoch {state.epoch:<4}{_summary(state)}")
            return
        with click.progressbar(
            length=count - after,
            label="epochs    ",
            width=4,
            bar_template="%(label)s%(bar)s %(info)s",
            fill_char="=",
            empty_char="-",
            show_percent=False,
            item_show_func=lambda state: state and f"{state.epoch}/{count}  {_summary(state)}",
            file=sys.stderr,
        ) as bar:
            yield lambda state: bar.update(1, state)

    def finish(self, facts: Facts) -> None:
        """Print why training stopped, and the accuracy."""
        reason = facts["stopped"]
        if reason == NO_IMPROVEMENT:
            reason = f"{reason} in {facts['patience']} epoch{'s' if facts['patience'] > 1 else ''}"
        output.line("stopped", f"after epoch {facts['epochs']}: {reason}")
        valid = output.percent(facts["valid_accuracy"])
        output.line("valid", f"{valid} of the validation digits, in epoch {facts['best_epoch']}")
        output.line("test", f"{output.percent(facts['test_accuracy'])} of the test digits, {facts['wrong']} wrong")
        output.line("time", f"{facts['seconds']:.2f} s")
        for label in ("saved", "plot"):
            if facts[label]:
                output.line(label, facts[label])


TrainingReporter = JsonReporter | QuietReporter | TextReporter


def _summary(state: TrainingState) -> str:
    return f"loss {state.loss:.4f}  valid {output.percent(state.valid_accuracy)}"


def _list_of_digits(digits: Sequence[int]) -> str:
    """Return the digits as a list. More than five are not separated by commas, so that all ten fit the line."""
    *others, last = map(str, digits)
    return f"{(' ' if len(others) > 4 else ', ').join(others)} or {last}"
