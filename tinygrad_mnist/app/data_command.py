"""data: the available data sets, where they are, and how to get more."""

from pathlib import Path

import click

from tinygrad_mnist import datasets
from tinygrad_mnist.app import command_line, options, output
from tinygrad_mnist.datasets import folders, idx_names, mnist, strokes
from tinygrad_mnist.datasets.digits import DataSet
from tinygrad_mnist.errors import DataError


@click.group(cls=command_line.Group, invoke_without_command=True)
@options.json_events
def data(as_json: bool) -> None:
    """Show the available data sets.

    Also shows where they are, and whether they are verified. Data sets are in the folder data/ of a checkout, or else
    in your cache. TINYGRAD_MNIST_DATA, an environment variable, can name a different folder for them, or one with
    MNIST's four files.

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
    lines = [f"MNIST in {of_mnist}"]
    for name, state in files.items():
        lines.append(f"  {idx_names.most_files(of_mnist).get(name, Path(name)).name:<28}{state}")
    if folders.named() is not None:
        lines.append(f"  {folders.VARIABLE} names {folders.named()}.")
    if folders.named() != of_mnist and set(files.values()) != {"verified"}:
        lines.append("  'data fetch' downloads the missing files.")
    lines.append(f"strokes in {of_strokes}, drawn by this program")
    lines.append(f"  digits {', '.join(map(str, drawn)) or 'none yet'}")
    if len(drawn) < 10:
        lines.append("  'data strokes' draws the missing digits.")
    found = {"mnist": {"folder": of_mnist, "files": files}, "strokes": {"folder": of_strokes, "digits": drawn}}
    output.report(as_json, found, {}, "\n".join(map(output.printable, lines)))


@data.command()
@click.option("--mirror", "mirrors", multiple=True, metavar="URL", help="Another server, instead of the usual ones.")
@options.json_events
def fetch(mirrors: tuple[str, ...], as_json: bool) -> None:
    """Download MNIST and verify it.

    Downloads 12 MB and unpacks 55 MB. Files that are already there and verified are left unchanged. If
    TINYGRAD_MNIST_DATA names a folder with MNIST's files, they are verified instead, and nothing is downloaded.

    \b
    Example:
      python cli.py data fetch
    """
    found = datasets.load_mnist(output.CONSOLE, mirrors or mnist.MIRRORS)
    _report(as_json, found, {"folder": folders.of_mnist(), "verified": True})


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
    _report(as_json, found, {"folder": folder})


def _report(as_json: bool, found: DataSet, facts: output.Facts) -> None:
    training, test = len(found.training.labels), len(found.test.labels)
    lines = {"data": found.origin, "digits": f"{training:,} for training, {test:,} for testing"}
    output.report(as_json, {**facts, "training": training, "test": test}, lines)
