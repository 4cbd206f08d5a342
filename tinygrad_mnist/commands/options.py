"""Options that several commands share, and the types of their values."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from tinygrad_mnist.checkpoint import MOST_LAYERS
from tinygrad_mnist.commands import plots

MOST_UNITS = 100_000
"""A wider hidden layer than that is a slip of the finger."""

Command = TypeVar("Command", bound=Callable[..., Any])


class Number(click.FloatRange):
    """A number in a range; click would call it a float range, which is what programmers say."""

    name = "number"


class Whole(click.IntRange):
    """A whole number in a range, in the words of people too."""

    name = "whole number"


def some_digits(_: click.Context, option: click.Parameter, value: str) -> tuple[int, ...]:
    """Return `3` as (3,), `3,7` as (3, 7) and `0-9` as all ten. Refuses anything but different digits."""
    found: list[int] = []
    for part in value.split(","):
        first, _dash, last = (word.strip() for word in part.partition("-"))
        ends = (first, last or first)
        if not all(end in tuple("0123456789") for end in ends) or ends[0] > ends[1]:
            raise click.BadParameter(f"{_short(value)} does not name digits, as 3,7 or 0-9 or 1,4-6 do.", param=option)
        found.extend(range(int(ends[0]), int(ends[1]) + 1))
    if len(set(found)) < len(found):
        raise click.BadParameter(f"{_short(value)} names a digit twice.", param=option)
    return tuple(found)


def several_digits(context: click.Context, option: click.Parameter, value: str) -> tuple[int, ...]:
    """Return `3,7` as (3, 7) and `0-9` as all ten. Refuses anything but at least two different digits."""
    found = some_digits(context, option, value)
    if len(found) < 2:
        raise click.BadParameter(f"{value!r} is one digit: there is nothing to tell it apart from.", param=option)
    return found


def sizes(_: click.Context, option: click.Parameter, value: str | None) -> tuple[int, ...] | None:
    """Return `300,100` as (300, 100), and nothing or `0` as no layer at all."""
    if value is None or value.strip() in ("", "0"):
        return value if value is None else ()
    parts = [part.strip() for part in value.split(",")]
    # Looked at as a word first: Python refuses to read a number of thousands of digits.
    are_numbers = all(part.isascii() and part.isdigit() and len(part) <= len(str(MOST_UNITS)) for part in parts)
    if not (are_numbers and all(0 < int(part) <= MOST_UNITS for part in parts)):
        raise click.BadParameter(f"{_short(value)} does not name sizes of layers, as 300 or 300,100 do.", param=option)
    if len(parts) >= MOST_LAYERS:
        raise click.BadParameter(f"these are {len(parts)} hidden layers, of at most {MOST_LAYERS - 1}.", param=option)
    return tuple(int(part) for part in parts)


def _short(value: str) -> str:
    """Return what a user gave, quoted, and cut where nobody would read on."""
    return repr(value if len(value) <= 40 else f"{value[:40]}...")


def finite(_: click.Context, option: click.Parameter, value: float | None) -> float | None:
    """Return the number. Refuses infinity and NaN, which click's ranges let through."""
    if value is not None and not math.isfinite(value):
        raise click.BadParameter(f"{value} is not a finite number.", param=option)
    return value


def plottable(_: click.Context, __: click.Parameter, value: Path | None) -> Path | None:
    """Return the file. Refuses, as plots.require_plottable does, where no plot could be drawn into it."""
    if value is not None:
        plots.require_plottable(value)
    return value


def data(command: Command) -> Command:
    """Add --data."""
    return click.option(
        "--data",
        "-d",
        "source",
        metavar="auto|mnist|strokes|DIR",
        default="auto",
        show_default=True,
        help="MNIST, strokes made offline, or a folder with MNIST's four files, or with images, as train/3/*.png and "
        "valid/3/*.png. "
        "auto is MNIST where it is found or can be downloaded, else strokes.",
    )(command)


def digits(command: Command) -> Command:
    """Add --digits."""
    return click.option(
        "--digits",
        metavar="A,B,..",
        callback=several_digits,
        default="3,7",
        show_default=True,
        help="The digits to tell apart: two, or more, as in 0-9.",
    )(command)


def digits_to_show(command: Command) -> Command:
    """Add --digits, which may be a single one."""
    return click.option(
        "--digits",
        metavar="A,B,..",
        callback=some_digits,
        default="3,7",
        show_default=True,
        help="The digits to show: one, or more, as in 0-9.",
    )(command)


def plot(command: Command) -> Command:
    """Add --plot."""
    return click.option(
        "--plot",
        type=click.Path(path_type=Path),
        metavar="FILE",
        callback=plottable,
        help="Draw it into this file, a .png or a .svg; needs matplotlib.",
    )(command)


def backend(command: Command) -> Command:
    """Add --backend."""
    return click.option(
        "--backend",
        "-b",
        "backend_name",
        type=click.Choice(["auto", "numpy", "cupy"]),
        default="auto",
        show_default=True,
        help="Where to compute: NumPy on the CPU, CuPy on a GPU. auto takes a GPU that works.",
    )(command)


def json_events(command: Command) -> Command:
    """Add --json."""
    return click.option(
        "--json", "as_json", is_flag=True, help="One JSON object per line on standard output, the result last."
    )(command)
