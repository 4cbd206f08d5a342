"""What commands print: results and JSON on standard output, notices and progress on standard error.

No character of a file name controls the terminal or ends a line, and none is missing in the encoding of the terminal.
"""

import json
import os
import re
import sys
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any, TextIO

import click

from tinygrad_mnist.datasets.progress import Item, Progress

ALMOST_ONE = 0.9999
"""The largest probability that is not shown as 100 % in two decimal places."""


def percent(share: float) -> str:
    """Return a share from 0 to 1 as a percentage.

    >>> percent(0.985)
    '98.50 %'
    """
    return f"{share:.2%}".replace("%", " %")


def probability(p: float) -> str:
    """Return a probability as a percentage that is never rounded up to 100 %.

    >>> probability(0.5), probability(0.99999)
    ('50.00 %', '>99.99 %')
    """
    return percent(p) if p < ALMOST_ONE else f">{percent(ALMOST_ONE)}"


def layers(sizes: Sequence[int]) -> str:
    """Return the sizes of a network's layers in the usual form.

    >>> layers((784, 30, 1))
    '784-30-1'
    """
    return "-".join(map(str, sizes))


def alternatives(digits: Sequence[int]) -> str:
    """Return digits as a list. More than five are not separated by commas, so that all ten fit a narrow line.

    >>> alternatives((3, 7)), alternatives((1, 4, 5))
    ('3 or 7', '1, 4 or 5')
    """
    *others, last = map(str, digits)
    return f"{(' ' if len(others) > 4 else ', ').join(others)} or {last}"


WIDTH, LABEL = 60, 10
"""The columns of a narrow terminal, and those for the label of a report line."""

Facts = dict[str, Any]
"""What is known about something, by name."""

CONTROL = "[\0-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udc7f\udd00-\udfff\ufeff\ufffe\uffff]"
"""The characters that control a terminal, end a line, change the direction of writing, or are not text."""

NOTHING, LAYOUT = "(?!)", r"\n|\x1b\[[\d;]*m"
"""The control characters that a line has, and those that a page has: the ends of its lines, and colors."""


def printable(text: str | os.PathLike[str], stream: TextIO | None = None, kept: str = NOTHING) -> str:
    """Return text that every terminal can show. Control characters become Python's escape sequences, if not `kept`.

    So do the characters that the encoding of `stream` lacks. Bytes of a file name that are not valid text are replaced.
    """
    escape = re.compile(f"({kept})|{CONTROL}")
    escaped = escape.sub(lambda found: found[1] or ascii(found[0])[1:-1], os.fspath(text))
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return click.format_filename(escaped).encode(encoding, "backslashreplace").decode(encoding)


def echo(text: str = "", err: bool = False) -> None:
    """Print one line to standard output, or to standard error."""
    click.echo(printable(text, sys.stderr if err else sys.stdout), err=err)


def page(text: str) -> None:
    """Print lines of text, which may be colored, to standard output."""
    click.echo(printable(text, sys.stdout, LAYOUT))


def event(kind: str, **fields: Any) -> None:
    """Print one JSON object on one line. Paths become text."""
    echo(json.dumps({"event": kind, **fields}, default=os.fspath))


def report(as_json: bool, facts: Facts, lines: Facts, text: str = "", kind: str = "result") -> None:
    """Print what a command has found: an event for programs, or labeled lines and a text for people.

    Lines without content, and an empty text, are left out.
    """
    if as_json:
        event(kind, **facts)
        return
    for label, content in lines.items():
        if content:
            line(label, content)
    if text:
        page(text)


def notice(text: str) -> None:
    """Print a sentence to standard error, separate from results."""
    echo(text, err=True)


def line(label: str, text: str | os.PathLike[str]) -> None:
    """Print a labeled text of a report."""
    page(labeled(label, text))


def labeled(label: str, text: str | os.PathLike[str]) -> str:
    """Return a text after its label, wrapped to the width of a narrow terminal. The names of files stay whole."""
    parts = textwrap.wrap(printable(text), WIDTH - LABEL, break_long_words=False, break_on_hyphens=False)
    return f"{label:<{LABEL}}" + f"\n{'':<{LABEL}}".join(parts)


def is_terminal(stream: TextIO | None) -> bool:
    """Return whether a standard stream is a terminal. It is None if it was closed before the program started."""
    return stream is not None and stream.isatty()


def confusion_table(counts: Sequence[Sequence[int]], digits: Sequence[int], shares: dict[str, float]) -> str:
    """Return the confusion matrix as text: a row for each true digit, a column for each predicted one.

    `shares` are the accuracies of the digits.
    """
    width = min(9, (WIDTH - 10) // len(digits))
    rows = ["true  predicted", " " + "".join(f"{digit:>{width}}" for digit in digits) + f"{'correct':>9}"]
    for digit, row in zip(digits, counts, strict=True):
        cells = "".join(f"{count or '.':>{width}}" for count in row)
        rows.append(f"{digit}{cells}{percent(shares[str(digit)]):>9}")
    return "\n".join(rows)


class Console(Progress):
    """Tells about work on standard error. Bars are shown only on a terminal."""

    @property
    def shows_bars(self) -> bool:  # type: ignore[override]  # which depends on the stream of the moment
        """Whether standard error is a terminal."""
        return is_terminal(sys.stderr)

    def say(self, sentence: str) -> None:
        """Print the sentence."""
        notice(sentence)

    def bar(self, items: Iterable[Item], name: str, count: int | None = None) -> Iterable[Item]:
        """Return the items to loop over, and move a bar with this name after each."""
        if not self.shows_bars:
            return items
        from tqdm import tqdm

        bar: Iterable[Item] = tqdm(
            items, printable(name, sys.stderr), count, ncols=WIDTH, leave=False, file=sys.stderr, mininterval=0.2
        )
        return bar


CONSOLE = Console()
