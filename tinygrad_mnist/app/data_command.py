"""data: the available data sets, where they came from, and how to get more."""

import click

from tinygrad_mnist import datasets
from tinygrad_mnist.app import command_line, options, output
from tinygrad_mnist.datasets import folders, idx_names, mnist, stroke_cache


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
    folder = folders.of_mnist()
    files, origins = mnist.state(folder), mnist.origins(folder)
    of_strokes = folders.of_strokes()
    drawn = [digit for digit in range(10) if stroke_cache.path(of_strokes, digit).is_file()]
    if as_json:
        of_mnist = {"folder": folder, "files": files, "origins": origins}
        output.event("result", mnist=of_mnist, strokes={"folder": of_strokes, "digits": drawn})
        return
    output.echo(f"MNIST in {folder}")
    for name, state in files.items():
        output.echo(f"  {name:<25}{state}")
        if state != "missing":
            output.echo(f"    {origins.get(name) or idx_names.put_by_hand(folder, name)}")
    if folders.named() is not None:
        output.echo(f"  {folders.VARIABLE} names {folders.named()}.")
    if folders.named() != folder and set(files.values()) != {"verified"}:
        output.echo("  'data fetch' downloads the missing files.")
    output.echo(f"strokes in {of_strokes}, drawn by this program")
    output.echo(f"  digits {', '.join(map(str, drawn))}" if drawn else "  none yet")
    if len(drawn) < 10:
        output.echo("  'data strokes' draws the missing digits.")


def _web_addresses(_: click.Context, option: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """Return the mirrors. Refuses a value that is not the address of a web server."""
    from tinygrad_mnist.datasets import download  # slow to import

    for value in values:
        if not download.is_web_address(value):
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
    found, folder = datasets.load_mnist(output.CONSOLE, mirrors or None), folders.of_mnist()
    counts = {"training": len(found.training.labels), "test": len(found.test.labels)}
    if as_json:
        output.event("result", folder=folder, verified=True, **counts)
    else:
        output.echo(f"MNIST is in {folder}, verified: {_digits(counts)}.")


@data.command()
@options.json_events
def strokes(as_json: bool) -> None:
    """Draw the digits 0 to 9.

    Saves about 55 MB. 'train' draws the digits it needs if they are missing, so this command is optional. The same
    version of this program always draws the same digits.

    \b
    Example:
      python cli.py data strokes
    """
    for digit in output.CONSOLE.bar(range(10), "strokes"):
        stroke_cache.ensure_saved(folders.of_strokes(), digit, output.CONSOLE)
    counts = {"training": 10 * stroke_cache.TRAINING, "test": 10 * stroke_cache.TEST}
    if as_json:
        output.event("result", folder=folders.of_strokes(), **counts)
    else:
        output.echo(f"Strokes are in {folders.of_strokes()}: {_digits(counts)}.")


def _digits(counts: dict[str, int]) -> str:
    return f"{counts['training']:,} training and {counts['test']:,} test digits"
