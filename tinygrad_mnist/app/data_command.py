"""data: the available data sets, where they came from, and how to get more."""

from pathlib import Path

import click

from tinygrad_mnist import datasets
from tinygrad_mnist.app import command_line, options, output
from tinygrad_mnist.datasets import folders, idx_names, mnist, strokes
from tinygrad_mnist.errors import DataError


@click.group(cls=command_line.Group, invoke_without_command=True)
@options.json_events
def data(as_json: bool) -> None:
    """Show the available data sets.

    Also shows where their files came from, and whether they are verified. Data sets are in the folder data/ of a
    checkout, or else in your cache. TINYGRAD_MNIST_DATA, an environment variable, can name a different folder for them,
    or one with MNIST's four files.

    \b
    Examples:
      python cli.py data
      python cli.py data fetch
      python cli.py data strokes
    """
    if options.subcommand_follows():
        return
    of_mnist, of_strokes = folders.of_mnist(), folders.of_strokes()
    files, drawn = mnist.state(of_mnist), strokes.saved(of_strokes)
    if as_json:
        found = {"mnist": {"folder": of_mnist, "files": files}, "strokes": {"folder": of_strokes, "digits": drawn}}
        output.event("result", **found)
        return
    output.echo(f"MNIST in {of_mnist}")
    for name, state in files.items():
        output.echo(f"  {next(idx_names.candidates(of_mnist, name), Path(name)).name:<25}{state}")
    if folders.named() is not None:
        output.echo(f"  {folders.VARIABLE} names {folders.named()}.")
    if folders.named() != of_mnist and set(files.values()) != {"verified"}:
        output.echo("  'data fetch' downloads the missing files.")
    output.echo(f"strokes in {of_strokes}, drawn by this program")
    output.echo(f"  digits {', '.join(map(str, drawn))}" if drawn else "  none yet")
    if len(drawn) < 10:
        output.echo("  'data strokes' draws the missing digits.")


def _web_addresses(_: click.Context, option: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """Return the mirrors. Refuses a value that is not the address of a web server."""
    for value in values:
        if not value.startswith(("http://", "https://")):
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

    Downloads 12 MB and unpacks 55 MB. Files that are already there and verified are left unchanged. If
    TINYGRAD_MNIST_DATA names a folder with MNIST's files, they are verified instead, and nothing is downloaded.

    \b
    Example:
      python cli.py data fetch
    """
    found, folder = datasets.load_mnist(output.CONSOLE, mirrors or mnist.MIRRORS), folders.of_mnist()
    counts = {"training": len(found.training.labels), "test": len(found.test.labels)}
    if as_json:
        output.event("result", folder=folder, verified=True, **counts)
    else:
        output.echo(f"MNIST is in {folder}, verified: {_digits(counts)}.")


@data.command("strokes")
@options.json_events
def draw_strokes(as_json: bool) -> None:
    """Draw the digits 0 to 9.

    Saves about 55 MB. 'train' draws the digits it needs if they are missing, so this command is optional. The same
    version of this program always draws the same digits.

    \b
    Example:
      python cli.py data strokes
    """
    found, folder = datasets.load_strokes(range(10), output.CONSOLE), folders.of_strokes()
    if len(strokes.saved(folder)) < 10:
        raise DataError(f"the drawn digits cannot be saved in {folder}")
    counts = {"training": len(found.training.labels), "test": len(found.test.labels)}
    if as_json:
        output.event("result", folder=folder, **counts)
    else:
        output.echo(f"Strokes are in {folder}: {_digits(counts)}.")


def _digits(counts: dict[str, int]) -> str:
    return f"{counts['training']:,} training and {counts['test']:,} test digits"
