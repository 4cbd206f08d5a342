"""What commands say: results and JSON on standard output; notices and progress on standard error."""

import json
import sys
from collections.abc import Sequence
from typing import Any, TextIO

import click

MOST_WORDED = 4
"""Of more digits than that, a table whose columns have words would be wider than a narrow terminal."""

NEARLY = 0.9999
"""The largest probability that two digits behind the point tell from 1."""


def event(kind: str, **fields: Any) -> None:
    """Print one JSON object on a line of its own."""
    click.echo(json.dumps({"event": kind, **fields}))


def notice(text: str) -> None:
    """Say a sentence on standard error, where it does not mix with results."""
    click.echo(text, err=True)


def line(name: str, text: str) -> None:
    """Print a named line of a report."""
    # A file's name may hold bytes that are no text.
    click.echo(f"{name:<10}{click.format_filename(text)}")


def is_terminal(stream: TextIO | None) -> bool:
    """Return whether a standard stream is a terminal. It is None where it was closed before the program began."""
    return stream is not None and stream.isatty()


def percent(share: float) -> str:
    """Return a share from 0 to 1 as people read it."""
    return f"{share:.2%}".replace("%", " %")


def probability(p: float) -> str:
    """Return a probability as people read it. What is nearly 100 % does not become it."""
    return percent(p) if p < NEARLY else f">{percent(NEARLY)}"


def confusion_table(counts: Sequence[Sequence[int]], digits: Sequence[int], shares: dict[str, float]) -> str:
    """Return the table of what each digit (row) was taken for (column), with the share named right."""
    if len(digits) > MOST_WORDED:
        return _dense_table(counts, digits, shares)
    lines = [" " * 10 + "".join(f"{f'said {digit}':>9}" for digit in digits) + f"{'right':>11}"]
    for digit, row in zip(digits, counts, strict=True):
        cells = "".join(f"{count:>9,}" for count in row)
        lines.append(f"  is {digit}    {cells}{percent(shares[str(digit)]):>11}")
    return "\n".join(lines)


def _dense_table(counts: Sequence[Sequence[int]], digits: Sequence[int], shares: dict[str, float]) -> str:
    """Return the same table for many digits: each column is as wide as its largest count, and no wider."""
    widths = [1 + max(len(str(count)) for count in column) for column in zip(*counts, strict=True)]
    said = "".join(f"{digit:>{width}}" for digit, width in zip(digits, widths, strict=True))
    lines = ["is  said", f" {said}{'right':>9}"]
    for digit, row in zip(digits, counts, strict=True):
        cells = "".join(f"{count or '.':>{width}}" for count, width in zip(row, widths, strict=True))
        lines.append(f"{digit}{cells}{percent(shares[str(digit)]):>9}")
    return "\n".join(lines)


class Bar:
    """A progress bar on standard error, with the methods that pooch calls.

    Silent where that is no terminal, or where nobody knows how much is to come.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._total = 0
        self._bar: Any = None

    @property
    def total(self) -> int:
        """How many bytes are to come, or 0 where the server does not say."""
        return self._total

    @total.setter
    def total(self, count: int) -> None:
        self._total = count
        if count and is_terminal(sys.stderr):
            self._bar = click.progressbar(length=count, label=self.name, width=12, file=sys.stderr)
            self._bar.render_progress()

    def update(self, count: int) -> None:
        """Count bytes that have arrived."""
        if self._bar is not None:
            self._bar.update(count)

    def reset(self) -> None:
        """Do nothing: pooch resets the bar only to fill it, and it is full."""

    def close(self) -> None:
        """Leave the bar as it is, and end its line."""
        if self._bar is not None:
            self._bar.render_finish()
            self._bar = None
