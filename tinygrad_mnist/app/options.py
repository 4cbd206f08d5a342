"""Options and arguments that several commands share, and the types of their values."""

import re
from functools import partial
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from tinygrad_mnist.app import plots
from tinygrad_mnist.arrays.backend import Backend, choose_backend, worthwhile
from tinygrad_mnist.runs.settings import MAX_RATE, RANGES

MAX_SHOWN = 40
"""The number of characters of a bad value that a sentence shows."""

FORMS = {int: "[+-]?[0-9]+", float: r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"}
"""How numbers are written, without the spaces, underscores and words that only Python accepts."""

DATA_SETS = ("auto", "mnist", "strokes")
"""The data sets that have a name."""


class Number(click.ParamType):  # type: ignore[type-arg]  # which is generic only from click 8.2
    """A number from `low` to `high`, whole or not."""

    def __init__(self, kind: type[int] | type[float], low: float, high: float) -> None:
        self.kind, self.low, self.high = kind, low, high
        self.name = "whole number" if kind is int else "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number."""
        # The length is checked first, because Python refuses to convert a number of thousands of digits.
        if not re.fullmatch(FORMS[self.kind], str(value)) or len(str(value)) > MAX_SHOWN:
            self.fail(f"{quoted(str(value))} is not a valid {self.name}.", param, ctx)
        number = self.kind(value)
        if not self.low <= number <= self.high:
            self.fail(f"{value} is not from {self.low:,} to {self.high:,}.", param, ctx)
        return number


class FilePath(click.Path):
    """The name of a file or a folder. If it exists and cannot be read, that is bad data rather than bad usage."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(readable=False, **settings)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path. Refuses an empty name, one with a character that no name can have, and - for a stream."""
        if not value or "\0" in str(value) or (str(value) == "-" and not self.allow_dash):
            self.fail(f"{quoted(str(value))} is not the name of a file or a folder.", param, ctx)
        return super().convert(value, param, ctx)


class DataSource(FilePath):
    """The name of a data set, in any case, or a folder. A folder that exists comes before a name."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the name or the folder."""
        is_name = value.lower() in DATA_SETS and not Path(value).is_dir()
        return value.lower() if is_name else super().convert(value, param, ctx)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Return the names that start like this, or else let the shell complete a folder."""
        names = [CompletionItem(name) for name in DATA_SETS if name.startswith(incomplete.lower())]
        return names or super().shell_complete(ctx, param, incomplete)


class Digits(click.ParamType):  # type: ignore[type-arg]  # as above
    """A list of at least `least` different digits: `3`, `3,7` or `0-9`."""

    name = "digits"

    def __init__(self, least: int) -> None:
        self.least = least

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        """Return the digits, `1,4-6` as (1, 4, 5, 6)."""
        if not re.fullmatch(r"\d(-\d)?(,\d(-\d)?)*", value := re.sub(r"\s", "", value), re.ASCII):
            self.fail(f"{quoted(value)} is not a list of digits like 3,7 or 1,4-6.", param, ctx)
        found = [digit for part in value.split(",") for digit in range(int(part[0]), int(part[-1]) + 1)]
        if len(set(found)) < max(self.least, len(found)):
            self.fail(f"{quoted(value)} does not name {self.least} or more different digits.", param, ctx)
        return tuple(found)


class Sizes(click.ParamType):  # type: ignore[type-arg]  # as above
    """The sizes of layers: `300,100`, or an empty text or `0` for no layers."""

    name = "sizes"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        """Return the sizes. Whether a network can have them is checked with the other settings."""
        if value.strip() in ("", "0"):
            return ()
        if not re.fullmatch(r"\d{1,9}(,\d{1,9})*", value := re.sub(r"\s", "", value), re.ASCII):
            self.fail(f"{quoted(value)} is not a list of layer sizes like 300 or 300,100.", param, ctx)
        return tuple(map(int, value.split(",")))


def quoted(text: str) -> str:
    """Return a text in quotes for a sentence, cut off if it is long."""
    return repr(text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}...")


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
FILE = FilePath(path_type=Path)

model = click.argument("model", type=FILE)

data = click.option(
    *("--data", "-d", "source"),
    type=DataSource(),
    metavar="auto|mnist|strokes|DIR",
    default="auto",
    help="MNIST, digits drawn by this program (strokes), or a folder that has MNIST's four files or images in folders "
    "like train/3 and valid/3. auto uses MNIST if it is found or can be downloaded, and strokes otherwise.",
)

transpose = click.option("--transpose", is_flag=True, help="Exchange the rows and columns of the images.")

_digits = partial(click.option, "--digits", metavar="A,B,..", default="3,7")
digits = _digits(type=Digits(least=2), help="Digits to tell apart: two or more, like 3,7 or 0-9.")
digits_to_show = _digits(type=Digits(least=1), help="Digits to show: one or more, like 3 or 0-9.")

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
