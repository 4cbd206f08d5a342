"""data: what data sets are there, where they came from, and making more of them."""

import os
from urllib.parse import urlsplit

import click

from tinygrad_mnist import datasets
from tinygrad_mnist.commands import options, report
from tinygrad_mnist.datasets import mnist, stroke_cache
from tinygrad_mnist.datasets.bars import shown


@click.group(invoke_without_command=True)
@options.json_events
@click.pass_context
def data(context: click.Context, as_json: bool) -> None:
    """Show which data sets are there.

    Where they came from, and whether they are verified. Data sets lie in the folder data/ of the current
    folder. The environment variable TINYGRAD_MNIST_DATA names another folder that has MNIST's four files.

    \b
    Examples:
      python cli.py data
      python cli.py data fetch
      python cli.py data strokes
    """
    if context.invoked_subcommand is not None:
        if as_json:
            raise click.UsageError(f"--json goes behind the command: data {context.invoked_subcommand} --json")
        return
    folder = datasets.mnist_folder()
    state, origins = mnist.state(folder), mnist.origins(folder)
    strokes = {digit: stroke_cache.path(datasets.STROKES, digit).is_file() for digit in range(10)}
    if as_json:
        report.event(
            "result",
            mnist={"folder": str(folder), "files": state, "origins": origins},
            strokes={"folder": str(datasets.STROKES), "digits": [digit for digit, there in strokes.items() if there]},
        )
        return
    click.echo(f"MNIST in {folder}")
    for name, said in state.items():
        click.echo(f"  {name:<25}{said}")
        if said != "missing":
            click.echo(f"    {origins.get(name, 'put there by hand')}")
    if os.environ.get(datasets.FOLDER_VARIABLE):
        click.echo(f"  the folder that {datasets.FOLDER_VARIABLE} names")
    elif set(state.values()) != {"verified"}:
        click.echo("  'data fetch' downloads what is missing.")
    click.echo(f"strokes in {datasets.STROKES}")
    drawn = [str(digit) for digit, there in strokes.items() if there]
    click.echo(f"  {'digits ' + ', '.join(drawn) if drawn else 'none yet'}, made offline by this program")
    if len(drawn) < len(strokes):
        click.echo("  'data strokes' draws the rest.")


def addresses(_: click.Context, option: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """Return the mirrors. Refuses what is no address of a web server."""
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
    callback=addresses,
    help="Download from here instead; may be given repeatedly.",
)
@options.json_events
def fetch(mirrors: tuple[str, ...], as_json: bool) -> None:
    """Download MNIST into data/mnist, about 12 MB, and verify it.

    Files that are there and verified are left as they are.

    \b
    Example:
      python cli.py data fetch
    """
    folder = datasets.MNIST
    training, test = mnist.read_own(folder, mirrors or mnist.MIRRORS, report.notice, report.Bar)
    counts = {"training": len(training.labels), "test": len(test.labels)}
    if as_json:
        report.event("result", folder=str(folder), verified=True, **counts)
        return
    click.echo(f"MNIST is in {folder}, verified: {counts['training']:,} training and {counts['test']:,} test digits.")


@data.command()
@options.json_events
def strokes(as_json: bool) -> None:
    """Draw the digits 0 to 9 offline and keep them in data/strokes, about 55 MB.

    'train' draws those it needs by itself. The same version of this program always draws the same.

    \b
    Example:
      python cli.py data strokes
    """
    for digit in shown(range(10), "strokes", report.Bar):
        stroke_cache.keep(datasets.STROKES, digit)
    counts = {"training": 10 * stroke_cache.TRAINING, "test": 10 * stroke_cache.TEST}
    if as_json:
        report.event("result", folder=str(datasets.STROKES), **counts)
        return
    click.echo(
        f"Strokes are in {datasets.STROKES}: {counts['training']:,} training and {counts['test']:,} test digits."
    )
