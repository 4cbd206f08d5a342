"""Options that several commands share, and the types of their values."""

import math
from collections.abc import Callable
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])


def two_digits(_: click.Context, option: click.Parameter, value: str) -> tuple[int, ...]:
    """Return `3,7` as (3, 7). Refuses anything but two different digits."""
    parts = [part.strip() for part in value.split(",")]
    if len(parts) != 2 or not all(len(part) == 1 and part in "0123456789" for part in parts):
        raise click.BadParameter(f"{value!r} is not two digits with a comma between them, as in 3,7.", param=option)
    if parts[0] == parts[1]:
        raise click.BadParameter(f"{value!r} names one digit twice: there is nothing to tell apart.", param=option)
    return tuple(int(part) for part in parts)


def finite(_: click.Context, option: click.Parameter, value: float) -> float:
    """Return the number. Refuses infinity and NaN, which click's ranges let through."""
    if not math.isfinite(value):
        raise click.BadParameter(f"{value} is not a finite number.", param=option)
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
        help="MNIST, strokes made offline, or a folder with MNIST's four files. "
        "auto is MNIST where it is found or can be downloaded, else strokes.",
    )(command)


def digits(command: Command) -> Command:
    """Add --digits."""
    return click.option(
        "--digits",
        metavar="A,B",
        callback=two_digits,
        default="3,7",
        show_default=True,
        help="The two digits to tell apart.",
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
