"""The command line: one file per command. Each parses its options, calls the library and prints the result."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import click

from tinygrad_mnist import __version__
from tinygrad_mnist.arrays.backend import enough_memory
from tinygrad_mnist.errors import TinygradMnistError

COMMANDS = (
    *("train", "evaluate", "predict", "show", "baseline", "derivative", "gradcheck", "chapter"),
    *("data", "devices", "bench"),
)
"""The names of the commands, in the order of the help. The function `train` is in the module `train_command`."""

SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100, "show_default": True}


class LazyGroup(click.Group):
    """Imports a command when it is called, and ends every failure in one sentence without a traceback."""

    def list_commands(self, _: click.Context) -> list[str]:
        """Return the names of all commands."""
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Return the command of this name. Only its module is imported: the others would slow down the start."""
        if name not in COMMANDS:
            # From the commands in this dictionary, click suggests the closest.
            self.commands = {known: command for known in COMMANDS if (command := self.get_command(context, known))}
            return None
        found: click.Command = getattr(import_module(f"{__name__}.{name}_command"), name)
        return found

    def make_context(self, *arguments: Any, **extra: Any) -> click.Context:
        """Read the options before the command. Printing --help or --version fails if the disk is full."""
        with _errors_as_sentences():
            return super().make_context(*arguments, **extra)

    def invoke(self, context: click.Context) -> Any:
        """Run the command."""
        try:
            with _errors_as_sentences(), enough_memory():
                return super().invoke(context)
        except KeyboardInterrupt:
            click.echo("Interrupted.", err=True)
            context.exit(130)


@contextmanager
def _errors_as_sentences() -> Iterator[None]:
    """Turn this program's errors and those of the system into click's, which print one sentence and exit with 1."""
    try:
        yield
    except TinygradMnistError as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        # Click handles a closed pipe. A problem with a disk or a folder is for the user to solve.
        if error.errno == errno.EPIPE:
            raise
        file = f"{error.filename}: " if error.filename else ""
        raise click.ClickException(f"{file}{error.strerror or error}.") from error


@click.group(cls=LazyGroup, context_settings=SETTINGS)
@click.version_option(__version__, "-V", "--version", package_name="tinygrad_mnist")
def main() -> None:
    """Recognize handwritten digits with a network whose derivatives are worked out by hand.

    Start with 'train', which needs no preparation and takes about a second. 'baseline' shows the accuracy to beat,
    'derivative 3' what a gradient is, 'gradcheck' that every gradient is correct, and 'chapter' how everything works.
    """
