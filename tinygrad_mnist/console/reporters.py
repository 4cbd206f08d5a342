"""How `train` tells what it does: to a person, to a person in a hurry, or to a program."""

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

import click

from tinygrad_mnist.commands import report
from tinygrad_mnist.train import NO_IMPROVEMENT, Epoch

Facts = dict[str, Any]
Show = Callable[[Epoch], object]


class TrainingReport(Protocol):
    """What every report has."""

    def start(self, facts: Facts) -> None:
        """Tell what is about to be trained, and on what."""

    def epochs(self, count: int, after: int) -> AbstractContextManager[Show]:
        """Give a function that shows one epoch, of at most `count`, of which so many are done already."""

    def finish(self, facts: Facts) -> None:
        """Tell why training stopped, and how well the network does."""


class ToProgram:
    """JSON objects, one per line, on standard output."""

    def start(self, facts: Facts) -> None:
        """Print the start event."""
        report.event("start", **facts)

    @contextmanager
    def epochs(self, count: int, after: int) -> Iterator[Show]:  # noqa: ARG002 - part of the protocol
        """Print an event for each epoch."""
        yield lambda epoch: report.event(
            "epoch", epoch=epoch.number, loss=epoch.loss, valid_accuracy=epoch.valid_accuracy
        )

    def finish(self, facts: Facts) -> None:
        """Print the result event."""
        report.event("result", **facts)


class ToHurried:
    """One line, at the end."""

    def start(self, facts: Facts) -> None:
        """Say nothing."""

    @contextmanager
    def epochs(self, count: int, after: int) -> Iterator[Show]:  # noqa: ARG002 - part of the protocol
        """Say nothing."""
        yield lambda _: None

    def finish(self, facts: Facts) -> None:
        """Print how well the network does."""
        click.echo(f"test {report.percent(facts['test_accuracy'])} on {facts['data']}, seed {facts['seed']}")


class ToPerson:
    """A header, a moving bar on a terminal or else a line for each epoch, and how it went."""

    def start(self, facts: Facts) -> None:
        """Print the header."""
        report.line("data", facts["origin"])
        report.line("digits", f"{_digits(facts)}: {facts['training']:,} to learn from,")
        report.line("", f"{facts['held_out']:,} held out, {facts['test']:,} to test")
        report.line("model", f"{'-'.join(map(str, facts['layers']))}, {_model(facts)}")
        report.line("steps", _steps(facts))
        report.line("device", f"{facts['device']}, {facts['dtype']}")
        report.line("seed", str(facts["seed"]))
        if facts["after"]:
            report.line("resumed", f"after epoch {facts['after']}")

    @contextmanager
    def epochs(self, count: int, after: int) -> Iterator[Show]:
        """Show each epoch on standard error."""
        if not report.is_terminal(sys.stderr):
            yield lambda epoch: report.notice(f"epoch {epoch.number:<4}{_short(epoch)}")
            return
        with click.progressbar(
            length=count - after,
            label="epochs    ",
            width=4,
            bar_template="%(label)s%(bar)s %(info)s",
            fill_char="=",
            empty_char="-",
            show_percent=False,
            item_show_func=lambda epoch: epoch and f"{epoch.number}/{count}  {_short(epoch)}",
            file=sys.stderr,
        ) as bar:
            yield lambda epoch: bar.update(1, epoch)

    def finish(self, facts: Facts) -> None:
        """Print why training stopped, and how well the network does."""
        why = f"{facts['stopped']} in {facts['patience']}" if facts["stopped"] == NO_IMPROVEMENT else facts["stopped"]
        report.line("stopped", f"after epoch {facts['epochs']}: {why}")
        report.line(
            "valid", f"{report.percent(facts['valid_accuracy'])} of the held-out digits, in epoch {facts['best_epoch']}"
        )
        report.line("test", f"{report.percent(facts['test_accuracy'])} of the test digits, {facts['wrong']} wrong")
        report.line("time", f"{facts['seconds']:.2f} s")
        if facts["saved"]:
            report.line("saved", facts["saved"])
        if facts["plot"]:
            report.line("plot", facts["plot"])


def _short(epoch: Epoch) -> str:
    return f"loss {epoch.loss:.4f}  valid {report.percent(epoch.valid_accuracy)}"


def _digits(facts: Facts) -> str:
    """Return the digits as people list them; all ten would be too wide with commas."""
    *others, last = map(str, facts["digits"])
    return f"{(' ' if len(others) > 4 else ', ').join(others)} or {last}"


def _model(facts: Facts) -> str:
    loss = {"mean": "sigmoid, mean loss"}.get(facts["loss"], facts["loss"])
    return f"relu, {loss}" if facts["hidden"] else f"linear, {loss}"


def _steps(facts: Facts) -> str:
    said = f"{facts['step']}, {facts['schedule']} rate {facts['learning_rate']:g}, batch {facts['batch']}"
    return f"{said}, distorted" if facts["augment"] else said
