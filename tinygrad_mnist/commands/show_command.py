"""show: digits, ideal digits, and a network's weights and mistakes, as pictures in the terminal or in a file."""

import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
from click.core import ParameterSource
from numpy.typing import NDArray

from tinygrad_mnist import backend, baseline, checkpoint, datasets, metrics, network
from tinygrad_mnist.checkpoint import Checkpoint
from tinygrad_mnist.commands import drawing, options, plots, report
from tinygrad_mnist.commands.evaluate import logits
from tinygrad_mnist.errors import CheckpointError, PlotError

MOST = 1000
"""As many pictures as anybody looks at, and a plot has room for."""


def at_most(count: int) -> Callable[[options.Command], options.Command]:
    """Add --count, with this many as the default."""
    return click.option(
        *("--count", "-n"),
        type=options.Whole(1, MOST),
        default=count,
        show_default=True,
        help="At most so many pictures.",
    )


@click.group(invoke_without_command=True)
@options.data
@options.digits_to_show
@at_most(6)
@click.option("--seed", type=options.Whole(0), help="Draw some by this seed, instead of the first ones.")
@options.plot
@options.json_events
@click.pass_context
def show(
    context: click.Context,
    source: str,
    digits: tuple[int, ...],
    count: int,
    seed: int | None,
    plot: Path | None,
    as_json: bool,
) -> None:
    """Show digits as pictures.

    Test digits, with their labels, in the terminal or with --plot in a file. The number beside a label is
    the digit's place among all those test digits that --digits names, counted from 0.

    \b
    Examples:
      python cli.py show
      python cli.py show --digits 0-9 --count 20 --seed 1
      python cli.py show ideal
      python cli.py show weights model.npz
      python cli.py show wrong model.npz --plot wrong.png
    """
    if context.invoked_subcommand is not None:
        _refuse_options(context)
        return
    data = datasets.load(source, digits, report.notice, report.Bar)
    total = len(data.test.labels)
    order = np.arange(total) if seed is None else np.random.default_rng(seed).permutation(total)
    chosen = data.test.take(order[:count])
    shown = _records(position=order[:count], label=chosen.labels)
    captions = [f"{one['label']}   number {one['position']}" for one in shown]
    if plot is not None:
        plots.digits(chosen.images, captions, f"Test digits: {data.name}", plot)
    if as_json:
        report.event("result", digits=digits, data=data.name, test=total, shown=shown, plot=_name(plot))
        return
    report.line("data", data.origin)
    report.line("digits", f"{len(shown):,} of {total:,} to test")
    _to_person(plot, lambda: map(drawing.lines, chosen.images), captions)


@show.command()
@options.data
@options.digits_to_show
@options.plot
@options.json_events
def ideal(source: str, digits: tuple[int, ...], plot: Path | None, as_json: bool) -> None:
    """Show the ideal digits.

    The ideal 3 is the mean of all training threes. 'baseline' tells digits apart by these alone.

    \b
    Examples:
      python cli.py show ideal
      python cli.py show ideal --digits 0-9
    """
    data = datasets.load(source, digits, report.notice, report.Bar)
    images = [data.training.only([digit]).images for digit in digits]
    ideals = np.stack([baseline.ideal(some.reshape(len(some), -1)).reshape(some.shape[1:]) for some in images])
    greys = np.rint(network.BRIGHTEST * ideals).astype(np.uint8)
    shown = _records(digit=digits, images=map(len, images), ink=ideals.mean(axis=(1, 2)))
    captions = [f"{one['digit']}   mean of {one['images']:,}" for one in shown]
    if plot is not None:
        plots.digits(greys, captions, f"Ideal digits: {data.name}", plot)
    if as_json:
        report.event("result", digits=digits, data=data.name, shown=shown, plot=_name(plot))
        return
    report.line("data", data.origin)
    _to_person(plot, lambda: map(drawing.lines, greys), captions)


@show.command()
@click.argument("model", type=click.Path(path_type=Path))
@at_most(10)
@options.plot
@options.json_events
def weights(model: Path, count: int, plot: Path | None, as_json: bool) -> None:
    """Show a network's weights.

    MODEL is a file that 'train --save' wrote. Each picture is what one unit of the first layer adds up:
    pixels in blue speak for, pixels in red against. Of hidden units, those come first that the next layer
    listens to most.

    \b
    Examples:
      python cli.py show weights model.npz
      python cli.py show weights model.npz --plot weights.svg
    """
    plots.require_other(plot, model)
    trained = checkpoint.load(model)
    sizes, (first, *behind) = trained.layer_sizes, trained.parameters
    side = math.isqrt(sizes[0])
    if side**2 != sizes[0]:
        raise CheckpointError(f"{model} was trained on images of {sizes[0]} pixels, which make no square to be shown.")
    units = (metrics.strongest_units(behind[0].w) if behind else np.arange(sizes[-1]))[:count]
    pictures = first.w.T[units].reshape(-1, side, side)
    least, largest = pictures.min(axis=(1, 2)), pictures.max(axis=(1, 2))
    captions = _names(trained, units)
    if plot is not None:
        plots.weights(pictures, captions, f"Weights: {click.format_filename(model, shorten=True)}", plot)
    if as_json:
        shown = _records(unit=units, name=captions, bias=first.b[units], least=least, largest=largest)
        about = {"digits": trained.digits, "layers": sizes, "hidden": bool(behind)}
        report.event("result", **about, shown=shown, plot=_name(plot))
        return
    report.line("model", f"{model}, layers {'-'.join(map(str, sizes))}")
    speaks_for, against = drawing.signs() if plot is None else ("blue", "red")
    report.line("pixels", f"{speaks_for} speaks for, {against} against")
    _to_person(plot, lambda: drawing.signed_lines(pictures), captions)


@show.command()
@click.argument("model", type=click.Path(path_type=Path))
@options.data
@at_most(6)
@options.backend
@options.plot
@options.json_events
def wrong(model: Path, source: str, count: int, backend_name: str, plot: Path | None, as_json: bool) -> None:
    """Show what a network gets most wrong.

    MODEL is a file that 'train --save' wrote. Of the test digits that it takes for another, those come
    first where it believes most in the other. The share is how sure it is of that.

    \b
    Examples:
      python cli.py show wrong model.npz
      python cli.py show wrong model.npz --count 12 --plot wrong.png
    """
    plots.require_other(plot, model)
    trained = checkpoint.load(model)
    place = backend.choose(backend_name)
    data = datasets.load(source, trained.digits, report.notice, report.Bar)
    z = backend.to_host(logits(model, trained, data.test, place))
    mistakes = metrics.most_wrong(z, network.targets(data.test.labels, trained.digits))
    worst = mistakes[:count]
    chosen, z = data.test.take(worst), z[worst]
    said, sureness = network.decide(z, trained.digits), network.certainty(z)
    shown = _records(position=worst, label=chosen.labels, said=said, sureness=sureness, logits=z)
    captions = [f"{one['label']} read as {one['said']}, {report.probability(one['sureness'])}" for one in shown]
    total = len(data.test.labels)
    if plot is not None:
        if not shown:
            raise PlotError(f"there is nothing to plot: {model} reads all {total:,} test digits right.")
        plots.digits(chosen.images, captions, f"Most wrong: {click.format_filename(model, shorten=True)}", plot)
    if as_json:
        about = {"digits": trained.digits, "data": data.name, "backend": place.name}
        report.event("result", **about, test=total, wrong=len(mistakes), shown=shown, plot=_name(plot))
        return
    report.line("model", f"{model}, layers {'-'.join(map(str, trained.layer_sizes))}")
    report.line("data", data.origin)
    report.line("wrong", f"{len(mistakes):,} of {total:,} test digits, the worst first")
    _to_person(plot, lambda: map(drawing.lines, chosen.images), captions)


def _records(**columns: Iterable[Any]) -> list[dict[str, Any]]:
    """Return columns as records for JSON: one for each row, with what the columns have in it."""
    plain = (np.asarray(list(column)).tolist() for column in columns.values())
    return [dict(zip(columns, row, strict=True)) for row in zip(*plain, strict=True)]


def _names(trained: Checkpoint, units: NDArray[np.intp]) -> list[str]:
    """Return what the pictures of these units of the first layer are called."""
    digits, behind = trained.digits, trained.parameters[1:]
    if not behind:
        return [f"{digits[0]} against {digits[1]}"] if len(digits) == 2 else [f"digit {digits[unit]}" for unit in units]
    if len(behind) > 1:
        return [f"unit {unit}" for unit in units]
    # What the last layer makes of a unit alone says which digit that speaks for.
    return [
        f"unit {unit}, for {digit}"
        for unit, digit in zip(units, network.decide(behind[0].w[units], digits), strict=True)
    ]


def _to_person(plot: Path | None, draw: Callable[[], Iterable[Sequence[str]]], captions: Sequence[str]) -> None:
    """Print pictures, if there are any, or the name of the file that they are in."""
    if plot is not None:
        report.line("plot", str(plot))
    elif captions:
        click.echo("\n" + drawing.side_by_side(list(draw()), captions))


def _name(plot: Path | None) -> str | None:
    return None if plot is None else str(plot)


def _refuse_options(context: click.Context) -> None:
    """Raise click.UsageError where an option stands in front of a command: it would be dropped."""
    for option in context.command.params:
        if option.name and context.get_parameter_source(option.name) is ParameterSource.COMMANDLINE:
            raise click.UsageError(
                f"{option.opts[0]} in front of {context.invoked_subcommand!r} would be dropped: options go behind it."
            )
