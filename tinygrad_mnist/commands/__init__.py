"""The command line: one file per command. Each parses, calls and prints."""

import errno
from typing import Any

import click

from tinygrad_mnist import __version__, backend
from tinygrad_mnist.commands.baseline import baseline
from tinygrad_mnist.commands.bench import bench
from tinygrad_mnist.commands.data import data
from tinygrad_mnist.commands.derivative import derivative
from tinygrad_mnist.commands.devices import devices
from tinygrad_mnist.commands.evaluate import evaluate
from tinygrad_mnist.commands.gradcheck import gradcheck
from tinygrad_mnist.commands.predict import predict
from tinygrad_mnist.commands.train import train
from tinygrad_mnist.errors import TinygradMnistError


class OneSentence(click.Group):
    """Commands whose failures end in one sentence and exit code 1, and never in a traceback."""

    def invoke(self, context: click.Context) -> Any:
        """Run the command; turn our own exceptions into click's."""
        try:
            with backend.enough_memory():
                return super().invoke(context)
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
    beat, 'derivative 3' what a gradient is, and 'gradcheck' that all of them are right.
    """


for command in (train, evaluate, predict, baseline, derivative, gradcheck, data, devices, bench):
    main.add_command(command)
