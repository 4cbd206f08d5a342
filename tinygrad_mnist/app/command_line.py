"""What all commands have in common: help that names the program as it was called, and errors in one sentence."""

import errno
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from tinygrad_mnist.app import output
from tinygrad_mnist.arrays.backend import device_faults
from tinygrad_mnist.errors import TinygradMnistError, UsageError

REMEDIES = {
    "no GPU": "use --backend numpy",
    "no download": "put its four files there, or use --data strokes",
    "not official": "unset it, or name that folder with --data",
    "not finite": "try a lower --learning-rate",
    "too small": "use --network dense",
    "no network": "name a file that 'train --save' has written",
    "different data": "give the same --data",
    "last epoch": "leave out --epochs",
    "epochs done": "raise --epochs, or leave it out",
    "no function": "name one with --forward or --backward",
    "no shape": "write it in the docstring, as x (N, I), or give it with --shape x=5,4",
}
"""What to do on the command line about each cause of an error."""


class Command(click.Command):
    """A command that ends every failure in one sentence without a traceback."""

    def make_context(self, info_name: str | None, *arguments: Any, **settings: Any) -> click.Context:
        """Read the options. Printing --help or --version fails if the disk is full."""
        with _errors_as_sentences():
            return super().make_context(output.printable(info_name or "", sys.stderr), *arguments, **settings)

    def invoke(self, context: click.Context) -> Any:
        """Run the command, unless a plot would overwrite one of its other files."""
        plot = context.params.get("plot")
        with _errors_as_sentences(), device_faults():
            if plot and list(context.params.values()).count(plot) > 1:
                raise click.UsageError(f"--plot would overwrite {plot}: name a different file.")
            return super().invoke(context)

    def get_help(self, context: click.Context) -> str:
        """Return the help, with examples that call the program as it was called."""
        help_text = super().get_help(context).replace("  python cli.py ", f"  {context.find_root().info_name} ")
        return output.printable(help_text, sys.stdout, output.LAYOUT)


class Group(Command, click.Group):
    """A group of such commands."""

    command_class = Command


@contextmanager
def _errors_as_sentences() -> Iterator[None]:
    """Turn this program's errors and those of the system into click's, which print one sentence and exit with 1."""
    try:
        try:
            yield
        except UsageError as error:
            raise click.UsageError(error.sentence(REMEDIES)) from error
        except TinygradMnistError as error:
            raise click.ClickException(error.sentence(REMEDIES)) from error
        except OSError as error:
            if error.errno == errno.EPIPE:  # a closed pipe, which click handles
                raise
            file = f"{error.filename}: " if error.filename else ""
            raise click.ClickException(f"{file}{error.strerror or error}.") from error
    except click.ClickException as error:
        if not isinstance(error, getattr(click.exceptions, "NoArgsIsHelpError", ())):  # new in click 8.2
            error.message = output.printable(error.message, sys.stderr)  # type: ignore[misc]
        raise
