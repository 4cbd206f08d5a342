"""The command line: one file per command. Each parses, calls and prints, and is imported when it is asked for."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import click

from tinygrad_mnist import __version__, backend
from tinygrad_mnist.errors import TinygradMnistError

COMMANDS = (
    *("train", "evaluate", "predict", "show", "baseline", "derivative", "gradcheck", "chapter"),
    *("data", "devices", "bench"),
)
"""In the order of the help. Each is the function of its name in the module of its name."""


class OneSentence(click.Group):
    """Commands whose failures end in one sentence and exit code 1, and never in a traceback."""

    def list_commands(self, _: click.Context) -> list[str]:
        """Return the names of all commands."""
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Return the command of this name. Its module is imported now: the others would slow down its start."""
        if name not in COMMANDS:
            # Of what has been added, click names the nearest.
            self.commands = {known: command for known in COMMANDS if (command := self.get_command(context, known))}
            return None
        command = getattr(import_module(f"{__name__}.{name}"), name)
        return command if isinstance(command, click.Command) else None

    def make_context(self, *arguments: Any, **extra: Any) -> click.Context:
        """Read the options in front of the command; --help and --version print, and a disk may be full."""
        with _clicks_exceptions():
            return super().make_context(*arguments, **extra)

    def invoke(self, context: click.Context) -> Any:
        """Run the command."""
        try:
            with _clicks_exceptions(), backend.enough_memory():
                return super().invoke(context)
        except KeyboardInterrupt:
            click.echo("Interrupted.", err=True)
            context.exit(130)


@contextmanager
def _clicks_exceptions() -> Iterator[None]:
    """Turn our own exceptions, and the system's, into click's, which end in one sentence."""
    try:
        yield
    except TinygradMnistError as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        # A reader that has gone away is click's affair; a disk or a folder that says no is the user's.
        if error.errno == errno.EPIPE:
            raise
        what = f"{error.filename}: " if error.filename else ""
        raise click.ClickException(f"{what}{error.strerror or error}.") from error


@click.group(cls=OneSentence, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, "-V", "--version", package_name="tinygrad_mnist")
def main() -> None:
    """Learn to read handwritten digits with derivatives worked out by hand.

    Start with 'train': it needs nothing, and takes about a second. Then 'baseline' shows what it has to
    beat, 'derivative 3' what a gradient is, 'gradcheck' that all of them are right, and 'chapter' how it all
    hangs together.
    """
