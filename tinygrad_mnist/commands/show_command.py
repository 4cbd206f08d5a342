"""show: digits, ideal digits, and a network's weights and mistakes, as pictures in the terminal or in a file."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click
import numpy as np

from tinygrad_mnist import datasets, metrics, similarity
from tinygrad_mnist.arrays.backend import Array, Backend, to_host
from tinygrad_mnist.commands import options
from tinygrad_mnist.console import command_line, output, plots
from tinygrad_mnist.console.pictures import lines, side_by_side, sign_names, signed_lines
from tinygrad_mnist.datasets.digits import MAX_PIXEL
from tinygrad_mnist.errors import PlotError
from tinygrad_mnist.runs import checkpoint
from tinygrad_mnist.runs.inference import logits_of_digits
from tinygrad_mnist.runs.unit_pictures import strongest_units

Facts = dict[str, Any]

MAX_PICTURES = 1000
"""The largest number of pictures that fits a plot."""


def count_option(default: int) -> Callable[[options.Command], options.Command]:
    """Return the option --count with this default."""
    kind = options.WholeNumber(1, MAX_PICTURES)
    return click.option("--count", "-n", type=kind, default=default, help="Largest number of pictures.")


@click.group(cls=command_line.Group, invoke_without_command=True)
@options.data
@options.digits_to_show
@count_option(6)
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
    data = datasets.load(source, digits, output.notice, output.Bar)
    total = len(data.test.labels)
    positions = np.arange(total) if seed is None else np.random.default_rng(seed).permutation(total)
    chosen = data.test.take(positions[:count])
    shown = _records(position=positions[:count], label=chosen.labels)
    captions = [f"{one['label']}   number {one['position']}" for one in shown]
    result = {"digits": digits, "data": data.name, "test": total, "shown": shown}
    report = {"data": data.origin, "digits": f"{len(shown):,} of {total:,} test digits"}
    _present(chosen.images, captions, f"Test digits: {data.name}", result, report, plot, as_json)


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
    data = datasets.load(source, digits, output.notice, output.Bar)
    images = [data.training.only([digit]).images for digit in digits]
    ideals = np.stack([similarity.ideal(some.reshape(len(some), -1)).reshape(some.shape[1:]) for some in images])
    shown = _records(digit=digits, images=map(len, images), ink=ideals.mean(axis=(1, 2)))
    captions = [f"{one['digit']}   mean of {one['images']:,}" for one in shown]
    result = {"digits": digits, "data": data.name, "shown": shown}
    pixels = np.rint(MAX_PIXEL * ideals).astype(np.uint8)
    _present(pixels, captions, f"Ideal digits: {data.name}", result, {"data": data.origin}, plot, as_json)


@show.command()
@options.model
@count_option(10)
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
    units, captions, pictures = strongest_units(model, trained, count)
    least, largest = pictures.min(axis=(1, 2)), pictures.max(axis=(1, 2))
    shown = _records(unit=units, name=captions, bias=trained.parameters[0].b[units], least=least, largest=largest)
    sizes = trained.layer_sizes
    result = {"digits": trained.digits, "layers": sizes, "shown": shown}
    raises, lowers = sign_names() if plot is None else ("blue", "red")
    report = {"model": f"{model}, layers {output.layers(sizes)}", "pixels": f"{raises} counts for, {lowers} against"}
    title = f"Weights: {click.format_filename(model, shorten=True)}"
    _present(pictures, captions, title, result, report, plot, as_json)


@show.command()
@options.model
@options.data
@count_option(6)
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
    data = datasets.load(source, trained.digits, output.notice, output.Bar)
    z = to_host(logits_of_digits(model, trained, data.test, backend))
    mistakes = metrics.most_wrong(z, metrics.targets(data.test.labels, trained.digits))
    worst = mistakes[:count]
    chosen, z = data.test.take(worst), z[worst]
    predicted, confidence = metrics.classify(z, trained.digits), metrics.confidence(z)
    shown = _records(position=worst, label=chosen.labels, predicted=predicted, confidence=confidence, logits=z)
    captions = [
        f"{one['label']} predicted as {one['predicted']}, {output.probability(one['confidence'])}" for one in shown
    ]
    total = len(data.test.labels)
    if plot is not None and not shown:
        raise PlotError(f"there is nothing to plot: {model} predicts all {total:,} test digits correctly.")
    about = {"digits": trained.digits, "data": data.name, "backend": backend.name}
    result = {**about, "test": total, "wrong": len(mistakes), "shown": shown}
    report = {
        "model": f"{model}, layers {output.layers(trained.layer_sizes)}",
        "data": data.origin,
        "wrong": f"{len(mistakes):,} of {total:,} test digits, the worst first",
    }
    title = f"Worst mistakes: {click.format_filename(model, shorten=True)}"
    _present(chosen.images, captions, title, result, report, plot, as_json)


def _present(
    pictures: Array, captions: list[str], title: str, result: Facts, report: Facts, plot: Path | None, as_json: bool
) -> None:
    """Draw pictures (K, H, W), bytes of images or floats of weights, and print the JSON result or the report."""
    signed = pictures.dtype != np.uint8
    if plot is not None:
        (plots.weights if signed else plots.digits)(pictures, captions, title, plot)
    if as_json:
        output.event("result", **result, plot=plot)
        return
    for label, text in report.items():
        output.line(label, text)
    if plot is not None:
        output.line("plot", plot)
    elif captions:
        drawn = signed_lines(pictures) if signed else [lines(picture) for picture in pictures]
        output.page("\n" + side_by_side(drawn, captions))


def _records(**columns: Iterable[Any]) -> list[Facts]:
    """Return one record for each row of the columns, with values that JSON can represent."""
    plain = (np.asarray(list(column)).tolist() for column in columns.values())
    return [dict(zip(columns, row, strict=True)) for row in zip(*plain, strict=True)]
