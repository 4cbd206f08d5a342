"""Options and arguments that several commands share, and the types of their values."""

import re
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from tinygrad_mnist import datasets
from tinygrad_mnist.app import output, plots
from tinygrad_mnist.arrays.backend import Backend, choose_backend, worthwhile
from tinygrad_mnist.datasets.digits import DataSet
from tinygrad_mnist.runs.settings import MAX_RATE, RANGES

Load: TypeAlias = "partial[DataSet]"
"""Loads a data set with some digits: `datasets.load` with the options of the command."""

MAX_SHOWN = 40
"""The number of characters of a bad value that a sentence shows."""


class Number(click.ParamType):  # type: ignore[type-arg]  # which is generic only from click 8.2
    """A number from `low` to `high`, whole or not."""

    def __init__(self, kind: type[int] | type[float], low: float, high: float) -> None:
        self.kind, self.low, self.high = kind, low, high
        self.name = "whole number" if kind is int else "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number."""
        with suppress(ValueError):
            if self.low <= (number := self.kind(value)) <= self.high:
                return number
        return self.fail(f"{_quoted(value)} is not a {self.name} from {self.low:,} to {self.high:,}.", param, ctx)


class Numbers(click.ParamType):  # type: ignore[type-arg]  # as above
    """A list of whole numbers: `3`, `300,100` or `0-9`."""

    name = "list"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the numbers, `1,4-6` as (1, 4, 5, 6)."""
        if not re.fullmatch(r"\d{1,6}(-\d{1,6})?(,\d{1,6}(-\d{1,6})?)*", value, re.ASCII):
            self.fail(f"{_quoted(value)} is not a list of numbers like 3,7 or 0-9.", param, ctx)
        found: list[int] = []
        for part in value.split(","):
            first, _, last = part.partition("-")
            found.extend(range(int(first), int(last or first) + 1))
        return tuple(found)


def _quoted(text: str) -> str:
    return repr(text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}...")


def _require_digits(least: int, _: click.Context, option: click.Parameter, numbers: tuple[int, ...]) -> tuple[int, ...]:
    """Return the numbers. Refuses them unless they are at least this many different digits."""
    if len(set(numbers)) < max(least, len(numbers)) or max(numbers) > 9:
        raise click.BadParameter(f"name {least} or more different digits from 0 to 9.", param=option)
    return numbers


def _loader(context: click.Context, _: click.Parameter, source: str) -> Load:
    return partial(datasets.load, source, progress=output.CONSOLE, transpose=context.params.pop("transpose", False))


def _complete_data(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the names of data sets that start like this, or else let the shell complete a folder."""
    names = [CompletionItem(name) for name in ("auto", "mnist", "strokes") if name.startswith(incomplete)]
    return names or [CompletionItem(incomplete, type="dir")]


def backend_for(name: str, work: int = 0) -> Backend:
    """Return the backend of this name, given the work of a training step, or 0 for a command that does not train."""
    return choose_backend(worthwhile(name, work))


def subcommand_follows() -> bool:
    """Return whether a group was called with a subcommand. Refuses options before it, which would have no effect."""
    context = click.get_current_context()
    for option in context.command.params if context.invoked_subcommand else ():
        if context.get_parameter_source(str(option.name)) is ParameterSource.COMMANDLINE:
            raise click.UsageError(f"{option.opts[0]} must come after {context.invoked_subcommand!r}.")
    return context.invoked_subcommand is not None


EPOCHS, BATCH, SEED = (Number(int, *RANGES[name]) for name in ("epochs", "batch", "seed"))
RATE, SHARE = Number(float, 1 / MAX_RATE, MAX_RATE), Number(float, 0, 1)
FILE = click.Path(path_type=Path, readable=False)

model = click.argument("model", type=FILE)

_source = click.option(
    *("--data", "-d", "load"),
    metavar="auto|mnist|strokes|DIR",
    default="auto",
    callback=_loader,
    shell_complete=_complete_data,
    help="MNIST, digits drawn by this program (strokes), or a folder that has MNIST's four files or images in folders "
    "like train/3 and valid/3. auto uses MNIST if it is found or can be downloaded, and strokes otherwise.",
)
_transpose = click.option("--transpose", is_flag=True, is_eager=True, help="Exchange the rows and columns of images.")


def data(function: Callable[..., None]) -> Callable[..., None]:
    """Add options for a data set to a command, which gets a function that loads it: load(digits, scaling=...)."""
    return _source(_transpose(function))


_digits = partial(click.option, "--digits", type=Numbers(), metavar="A,B,..", default="3,7")
digits = _digits(callback=partial(_require_digits, 2), help="Digits to tell apart: two or more, like 3,7 or 0-9.")
digits_to_show = _digits(callback=partial(_require_digits, 1), help="Digits to show: one or more, like 3 or 0-9.")
sizes = partial(click.option, type=Numbers(), callback=lambda _, __, sizes: () if sizes == (0,) else sizes)

plot = click.option(
    "--plot",
    type=FILE,
    metavar="FILE",
    callback=lambda _, __, path: plots.require_plottable(path) if path else None,
    help="Draw a plot into this file, a .png or an .svg. Needs matplotlib.",
)

_backend = partial(
    click.option,
    *("--backend", "-b"),
    type=click.Choice(["auto", "numpy", "cupy"]),
    default="auto",
    help="Where to compute: NumPy on the CPU or CuPy on a GPU. auto uses a GPU only to train large networks.",
)
# Importing CuPy is slow, and not needed while a shell completes a command.
backend = _backend(callback=lambda context, _, name: None if context.resilient_parsing else backend_for(name))
backend_name = _backend("backend_name")

json_events = click.option("--json", "as_json", is_flag=True, help="Print JSON objects, one per line, the result last.")
