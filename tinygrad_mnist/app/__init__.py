"""The command line: one file per command. Each parses its options, calls the library and prints the result."""

from importlib import import_module
from typing import Any

import click

from tinygrad_mnist import __version__
from tinygrad_mnist.app import command_line, output
from tinygrad_mnist.runs import signals

COMMANDS = (
    *("train", "evaluate", "predict", "show", "baseline", "derivative", "gradcheck", "chapter"),
    *("data", "devices"),
)
"""The names of the commands, in the order of the help. The function `train` is in the module `train_command`."""

SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100, "show_default": True}


class LazyGroup(command_line.Group):
    """Imports a command when it is called."""

    def list_commands(self, _: click.Context) -> list[str]:
        """Return the names of all commands."""
        return list(COMMANDS)

    def get_command(self, _: click.Context, name: str) -> click.Command | None:
        """Return the command of this name. Only its module is imported: the others would slow down the start."""
        if name not in COMMANDS:
            return None
        found: click.Command = getattr(import_module(f"{__name__}.{name}_command"), name)
        return found

    def invoke(self, context: click.Context) -> Any:
        """Run the command."""
        try:
            with signals.raise_terminated():
                return super().invoke(context)
        except KeyboardInterrupt as error:
            output.notice("Interrupted.")
            context.exit(128 + signals.number(error))


@click.group(cls=LazyGroup, commands=[*map(click.Command, COMMANDS)], context_settings=SETTINGS)
@click.version_option(__version__, "-V", "--version", package_name="tinygrad_mnist")
def main() -> None:
    """Recognize handwritten digits with a network whose derivatives are worked out by hand.

    Start with 'train', which needs no preparation and takes about a second. 'baseline' shows the accuracy to beat,
    'derivative 3' what a gradient is, 'gradcheck' that every gradient is correct, and 'chapter' how everything works.
    """
