"""data: the available data sets, where they came from, and how to get more."""

import os
from urllib.parse import urlsplit

import click

from tinygrad_mnist import datasets
from tinygrad_mnist.commands import options
from tinygrad_mnist.console import output
from tinygrad_mnist.datasets import mnist, stroke_cache
from tinygrad_mnist.datasets.bars import track


@click.group(invoke_without_command=True)
@options.json_events
def data(as_json: bool) -> None:
    """Show the available data sets.

    Also shows where their files came from, and whether they are verified. Data sets are in the folder data/ of the
    current folder. The environment variable TINYGRAD_MNIST_DATA can name a different folder with MNIST's four files.

    \b
    Examples:
      python cli.py data
      python cli.py data fetch
      python cli.py data strokes
    """
    if options.subcommand_follows():
        return
    folder = datasets.mnist_folder()
    files, origins = mnist.state(folder), mnist.origins(folder)
    drawn = [digit for digit in range(10) if stroke_cache.path(datasets.STROKES, digit).is_file()]
    if as_json:
        of_mnist = {"folder": folder, "files": files, "origins": origins}
        output.event("result", mnist=of_mnist, strokes={"folder": datasets.STROKES, "digits": drawn})
        return
    click.echo(f"MNIST in {folder}")
    for name, state in files.items():
        click.echo(f"  {name:<25}{state}")
        if state != "missing":
            click.echo(f"    {origins.get(name, 'not downloaded by this program')}")
    if os.environ.get(datasets.FOLDER_VARIABLE):
        click.echo(f"  {datasets.FOLDER_VARIABLE} names this folder.")
    elif set(files.values()) != {"verified"}:
        click.echo("  'data fetch' downloads the missing files.")
    click.echo(f"strokes in {datasets.STROKES}, drawn by this program")
    click.echo(f"  digits {', '.join(map(str, drawn))}" if drawn else "  none yet")
    if len(drawn) < 10:
        click.echo("  'data strokes' draws the missing digits.")


def _web_addresses(_: click.Context, option: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """Return the mirrors. Refuses a value that is not the address of a web server."""
    for value in values:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or ".." in parts.hostname:
            raise click.BadParameter(f"{value!r} is not an address that starts with http:// or https://.", param=option)
    return values


@data.command()
@click.option(
    "--mirror",
    "mirrors",
    multiple=True,
    metavar="URL",
    callback=_web_addresses,
    help="Download from this address instead. Can be given several times.",
)
@options.json_events
def fetch(mirrors: tuple[str, ...], as_json: bool) -> None:
    """Download MNIST and verify it.

    Puts about 12 MB into data/mnist. Files that are already there and verified are left unchanged.

    \b
    Example:
      python cli.py data fetch
    """
    training, test = mnist.read_or_download(datasets.MNIST, mirrors or mnist.MIRRORS, output.notice, output.Bar)
    counts = {"training": len(training.labels), "test": len(test.labels)}
    if as_json:
        output.event("result", folder=datasets.MNIST, verified=True, **counts)
    else:
        click.echo(f"MNIST is in {datasets.MNIST}, verified: {_digits(counts)}.")


@data.command()
@options.json_events
def strokes(as_json: bool) -> None:
    """Draw the digits 0 to 9.

    Puts about 55 MB into data/strokes. 'train' draws the digits it needs if they are missing, so this command is
    optional. The same version of this program always draws the same digits.

    \b
    Example:
      python cli.py data strokes
    """
    for digit in track(range(10), "strokes", output.Bar):
        stroke_cache.ensure_saved(datasets.STROKES, digit)
    counts = {"training": 10 * stroke_cache.TRAINING, "test": 10 * stroke_cache.TEST}
    if as_json:
        output.event("result", folder=datasets.STROKES, **counts)
    else:
        click.echo(f"Strokes are in {datasets.STROKES}: {_digits(counts)}.")


def _digits(counts: dict[str, int]) -> str:
    return f"{counts['training']:,} training and {counts['test']:,} test digits"
