"""show: digits, ideal digits, and a network's weights and mistakes, as pictures in the terminal or in a file."""

from functools import partial
from pathlib import Path

import click
import numpy as np

from tinygrad_mnist import datasets
from tinygrad_mnist.app import command_line, exhibits, options, output, plots, wording
from tinygrad_mnist.app.exhibits import Exhibit, Facts
from tinygrad_mnist.app.pictures import lines, side_by_side, sign_names, signed_lines
from tinygrad_mnist.arrays.backend import Backend
from tinygrad_mnist.errors import PlotError
from tinygrad_mnist.runs import checkpoint

MAX_PICTURES = 1000
"""The largest number of pictures that fits a plot."""


_count = partial(
    click.option, *("--count", "-n"), type=options.WholeNumber(1, MAX_PICTURES), help="Largest number of pictures."
)


@click.group(cls=command_line.Group, invoke_without_command=True)
@options.data
@options.digits_to_show
@_count(default=6)
@click.option("--seed", type=options.SEED, help="Choose digits at random, with this seed.")
@options.plot
@options.json_events
def show(source: str, digits: tuple[int, ...], count: int, seed: int | None, plot: Path | None, as_json: bool) -> None:
    """Show digits as pictures.

    Shows test digits with their labels, in the terminal or with --plot in a file. The number after a label is the
    position of the digit, from 0, among all test digits that --digits selects.

    \b
    Examples:
      python cli.py show
      python cli.py show --digits 0-9 --count 20 --seed 1
      python cli.py show ideal
      python cli.py show weights model.npz
      python cli.py show wrong model.npz --plot wrong.png
    """
    if options.subcommand_follows():
        return
    data = datasets.load(source, digits, output.CONSOLE)
    exhibit, total = exhibits.some_digits(data.test, count, seed), len(data.test.labels)
    result = {"digits": digits, "data": data.name, "test": total}
    report = {"data": data.origin, "digits": f"{len(exhibit.shown):,} of {total:,} test digits"}
    _present(exhibit, f"Test digits: {data.name}", result, report, plot, as_json)


@show.command()
@options.data
@options.digits_to_show
@options.plot
@options.json_events
def ideal(source: str, digits: tuple[int, ...], plot: Path | None, as_json: bool) -> None:
    """Show the ideal digits.

    The ideal 3 is the mean of all training images of a 3. 'baseline' tells digits apart with the ideal digits only.

    \b
    Examples:
      python cli.py show ideal
      python cli.py show ideal --digits 0-9
    """
    data = datasets.load(source, digits, output.CONSOLE)
    exhibit, result = exhibits.ideal_digits(data, digits), {"digits": digits, "data": data.name}
    _present(exhibit, f"Ideal digits: {data.name}", result, {"data": data.origin}, plot, as_json)


@show.command()
@options.model
@_count(default=10)
@options.plot
@options.json_events
def weights(model: Path, count: int, plot: Path | None, as_json: bool) -> None:
    """Show a network's weights.

    MODEL is a file that 'train --save' wrote. Each picture shows the weights of one unit of the first layer: ink on a
    blue pixel raises the unit's output, and ink on a red pixel lowers it. The hidden units with the strongest weights
    in the next layer come first.

    \b
    Examples:
      python cli.py show weights model.npz
      python cli.py show weights model.npz --plot weights.svg
    """
    plots.require_not_model(plot, model)
    trained = checkpoint.load(model)
    exhibit, sizes = exhibits.first_weights(trained, count), trained.layer_sizes
    result = {"digits": trained.digits, "layers": sizes}
    raises, lowers = sign_names() if plot is None else ("blue", "red")
    report = {"model": f"{model}, layers {wording.layers(sizes)}", "pixels": f"{raises} counts for, {lowers} against"}
    title = f"Weights: {click.format_filename(model, shorten=True)}"
    _present(exhibit, title, result, report, plot, as_json)


@show.command()
@options.model
@options.data
@_count(default=6)
@options.backend
@options.plot
@options.json_events
def wrong(model: Path, source: str, count: int, backend: Backend, plot: Path | None, as_json: bool) -> None:
    """Show a network's worst mistakes.

    MODEL is a file that 'train --save' wrote. Shows the test digits that the network predicts incorrectly, the most
    confident mistakes first, with the probability that it gives to its prediction.

    \b
    Examples:
      python cli.py show wrong model.npz
      python cli.py show wrong model.npz --count 12 --plot wrong.png
    """
    plots.require_not_model(plot, model)
    trained = checkpoint.load(model)
    data = datasets.load(source, trained.digits, output.CONSOLE, trained.normalize)
    exhibit, mistakes = exhibits.worst_mistakes(trained, data.test, count, backend)
    total = len(data.test.labels)
    if plot is not None and not exhibit.shown:
        raise PlotError(f"there is nothing to plot: {model} predicts all {total:,} test digits correctly.")
    about = {"digits": trained.digits, "data": data.name, "backend": backend.name, "test": total, "wrong": mistakes}
    report = {
        "model": f"{model}, layers {wording.layers(trained.layer_sizes)}",
        "data": data.origin,
        "wrong": f"{mistakes:,} of {total:,} test digits, the worst first",
    }
    title = f"Worst mistakes: {click.format_filename(model, shorten=True)}"
    _present(exhibit, title, about, report, plot, as_json)


def _present(exhibit: Exhibit, title: str, result: Facts, report: Facts, plot: Path | None, as_json: bool) -> None:
    """Draw the pictures, and print the JSON result or the report."""
    pictures, captions, shown = exhibit
    signed = pictures.dtype != np.uint8
    if plot is not None:
        (plots.weights if signed else plots.digits)(pictures, captions, title, plot)
    if as_json:
        output.event("result", **result, shown=shown, plot=plot)
        return
    for label, text in report.items():
        output.line(label, text)
    if plot is not None:
        output.line("plot", plot)
    elif captions:
        drawn = signed_lines(pictures) if signed else [lines(picture) for picture in pictures]
        output.page("\n" + side_by_side(drawn, captions))
