"""Options and arguments that several commands share, and the types of their values."""

import re
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from tinygrad_mnist.app import plots
from tinygrad_mnist.app.written import digits as parse_digits
from tinygrad_mnist.app.written import quoted
from tinygrad_mnist.app.written import sizes as parse_sizes
from tinygrad_mnist.arrays.backend import Backend, choose_backend, worthwhile
from tinygrad_mnist.runs.settings import MAX_RATE, RANGES


class _Number(click.ParamType):  # type: ignore[type-arg]  # which is generic only from click 8.2
    """A number that is written as usual, without the spaces, underscores and words that only Python accepts."""

    form: str

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number."""
        if not re.fullmatch(self.form, str(value)):
            self.fail(f"{quoted(str(value))} is not a valid {self.name}.", param, ctx)
        return super().convert(value, param, ctx)


class Number(_Number, click.FloatRange):
    """A finite number in a range. Help and errors call it a number: click's own name is "float range"."""

    name, form = "number", r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"


class WholeNumber(_Number, click.IntRange):
    """A whole number in a range. Help and errors call it that: click's own name is "integer range"."""

    name, form = "whole number", "[+-]?[0-9]+"


class FilePath(click.Path):
    """The name of a file or a folder. If it exists and cannot be read, that is bad data rather than bad usage."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(readable=False, **settings)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path. Refuses an empty name, one with a character that no name can have, and - for a stream."""
        if str(value) == "-" and not self.allow_dash:
            self.fail("- is not a file or a folder: standard input and output cannot be used here.", param, ctx)
        if not value or "\0" in str(value):
            self.fail(f"{quoted(str(value))} is not the name of a file or a folder.", param, ctx)
        return super().convert(value, param, ctx)


FILE = FilePath(path_type=Path)

DATA_SETS = ("auto", "mnist", "strokes")
"""The data sets that have a name."""


class DataSource(FilePath):
    """The name of a data set, in any case, or a folder."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the name or the folder. A folder that exists comes before a name in a different case."""
        if value.lower() in DATA_SETS and not Path(value).is_dir():
            return value.lower()
        return super().convert(value, param, ctx)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Return the names that start like this, or else let the shell complete a folder."""
        names = [CompletionItem(name) for name in DATA_SETS if name.startswith(incomplete.lower())]
        return names or super().shell_complete(ctx, param, incomplete)


EPOCHS, BATCH, SEED = (WholeNumber(*RANGES[name]) for name in ("epochs", "batch", "seed"))
RATE = Number(0, MAX_RATE, min_open=True)


class RenamedChoice(click.Choice):  # type: ignore[type-arg]  # which is generic only from click 8.2
    """A choice that also accepts the earlier names of its values, without showing them."""

    def __init__(self, names: Iterable[str], earlier: dict[str, str]) -> None:
        super().__init__(list(names), case_sensitive=False)
        self._earlier = earlier

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the current name."""
        return super().convert(self._earlier.get(value.lower(), value), param, ctx)


def written(parse: Callable[[Any], Any]) -> Callable[..., Any]:
    """Return a callback that parses a text, if there is one. Its ValueError becomes bad usage."""

    def parsed(_: click.Context, option: click.Parameter, text: str | None) -> Any:
        try:
            return text if text is None else parse(text)
        except ValueError as error:
            raise click.BadParameter(f"{error}.", param=option) from error

    return parsed


def _require_plottable(_: click.Context, __: click.Parameter, value: Path | None) -> Path | None:
    """Return the file. Refuses one that no plot can be written to, as plots.require_plottable does."""
    if value is not None:
        plots.require_plottable(value)
    return value


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


model = click.argument("model", type=FILE)

data = click.option(
    *("--data", "-d", "source"),
    type=DataSource(),
    metavar="auto|mnist|strokes|DIR",
    default="auto",
    help="MNIST, digits drawn by this program (strokes), or a folder that has MNIST's four files or images in folders "
    "like train/3 and valid/3. auto uses MNIST if it is found or can be downloaded, and strokes otherwise.",
)

_digits = partial(click.option, "--digits", metavar="A,B,..", default="3,7")
digits = _digits(
    callback=written(partial(parse_digits, least=2)), help="Digits to tell apart: two or more, like 3,7 or 0-9."
)
digits_to_show = _digits(callback=written(parse_digits), help="Digits to show: one or more, like 3 or 0-9.")
sizes = written(parse_sizes)

plot = click.option(
    "--plot",
    type=FILE,
    metavar="FILE",
    callback=_require_plottable,
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
