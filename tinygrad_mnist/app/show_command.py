"""show: digits, ideal digits, and a network's weights and mistakes, as pictures in the terminal or in a file."""

import math
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist import metrics, similarity
from tinygrad_mnist.app import command_line, options, output, pictures, plots
from tinygrad_mnist.app.options import Load
from tinygrad_mnist.app.output import Facts, probability
from tinygrad_mnist.arrays.backend import Backend, to_host
from tinygrad_mnist.datasets.digits import MAX_PIXEL
from tinygrad_mnist.runs import checkpoint
from tinygrad_mnist.runs.checkpoint import Checkpoint, logits

_count = partial(
    click.option, *("--count", "-n"), type=options.Number(int, 1, 100), help="Largest number of pictures, up to 100."
)


class Shown(NamedTuple):
    """Pictures (K, H, W), bytes of images or floats of weights, with a caption and a record each."""

    pictures: NDArray[Any]
    captions: list[str]
    records: list[Facts]


@click.group(cls=command_line.Group, invoke_without_command=True)
@options.data
@options.digits_to_show
@_count(default=6)
@click.option("--seed", type=options.SEED, help="Choose digits at random, with this seed.")
@options.plot
@options.json_events
def show(load: Load, digits: tuple[int, ...], count: int, seed: int | None, plot: Path | None, as_json: bool) -> None:
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
    data = load(digits)
    total = len(data.test.labels)
    positions = np.arange(total) if seed is None else np.random.default_rng(seed).permutation(total)
    chosen = data.test.take(positions[:count])
    records = _records(position=positions[:count], label=chosen.labels)
    shown = Shown(chosen.images, [f"{one['label']}   number {one['position']}" for one in records], records)
    lines = {"data": data.origin, "digits": f"{len(records):,} of {total:,} test digits"}
    about = {"digits": digits, "data": data.name, "test": total}
    _present(shown, f"Test digits: {data.name}", about, lines, plot, as_json)


@show.command()
@options.data
@options.digits_to_show
@options.plot
@options.json_events
def ideal(load: Load, digits: tuple[int, ...], plot: Path | None, as_json: bool) -> None:
    """Show the ideal digits.

    The ideal 3 is the mean of all training images of a 3. 'baseline' tells digits apart with the ideal digits only.

    \b
    Examples:
      python cli.py show ideal
      python cli.py show ideal --digits 0-9
    """
    data = load(digits)
    images = [data.training.only([digit]).images for digit in digits]
    ideals = np.stack([similarity.ideal(some.reshape(len(some), -1)).reshape(some.shape[1:]) for some in images])
    records = _records(digit=digits, images=map(len, images), ink=ideals.mean(axis=(1, 2)))
    captions = [f"{one['digit']}   mean of {one['images']:,}" for one in records]
    shown = Shown(np.rint(MAX_PIXEL * ideals).astype(np.uint8), captions, records)
    about = {"digits": digits, "data": data.name}
    _present(shown, f"Ideal digits: {data.name}", about, {"data": data.origin}, plot, as_json)


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
    trained = checkpoint.load(model)
    first, units = trained.parameters[0], _strongest_units(trained)[:count]
    side = math.isqrt(len(first.w))  # of a patch of a convolution
    drawn = first.w.T[units].reshape(-1, *((side, side) if trained.settings.features else trained.view.shape))
    names, least, largest = _names(trained, units), drawn.min(axis=(1, 2)), drawn.max(axis=(1, 2))
    records = _records(unit=units, name=names, bias=first.b[units], least=least, largest=largest)
    layers = f"{model}, layers {output.layers(trained.layer_sizes)}"
    lines = {"model": layers, "pixels": "blue or + counts for, red or - against"}
    facts = {"digits": trained.digits, "layers": trained.layer_sizes}
    _present(Shown(drawn, names, records), f"Weights: {model.name}", facts, lines, plot, as_json)


@show.command()
@options.model
@options.data
@_count(default=6)
@options.backend
@options.plot
@options.json_events
def wrong(model: Path, load: Load, count: int, backend: Backend, plot: Path | None, as_json: bool) -> None:
    """Show a network's worst mistakes.

    MODEL is a file that 'train --save' wrote. Shows the test digits that the network predicts incorrectly, the most
    confident mistakes first, with the probability that it gives to its prediction.

    \b
    Examples:
      python cli.py show wrong model.npz
      python cli.py show wrong model.npz --count 12 --plot wrong.png
    """
    trained = checkpoint.load(model)
    data = load(trained.digits, scaling=trained.view.scaling)
    z, total = to_host(logits(trained, data.test.pixels, data.test.rows, backend)), len(data.test.labels)
    mistakes = metrics.most_wrong(z, metrics.targets(data.test.labels, trained.digits))
    chosen, z = data.test.take(mistakes[:count]), z[mistakes[:count]]
    predicted, confidence = metrics.classify(z, trained.digits), metrics.confidence(z)
    columns = {"position": mistakes[:count], "label": chosen.labels, "predicted": predicted, "confidence": confidence}
    records = _records(**columns, logits=z)
    captions = [f"{one['label']} predicted as {one['predicted']}, {probability(one['confidence'])}" for one in records]
    counted = {"test": total, "wrong": len(mistakes)}
    facts = {"digits": trained.digits, "data": data.name, "backend": backend.name, **counted}
    lines = {
        "model": f"{model}, layers {output.layers(trained.layer_sizes)}",
        "data": data.origin,
        "wrong": f"{len(mistakes):,} of {total:,} test digits, the worst first",
    }
    _present(Shown(chosen.images, captions, records), f"Worst mistakes: {model.name}", facts, lines, plot, as_json)


def _strongest_units(trained: Checkpoint) -> NDArray[np.intp]:
    """Return the units of the first layer, those with the strongest weights in the next layer first.

    Without a hidden layer, they are the outputs in their order.
    """
    units = trained.parameters[0].w.shape[1]
    if len(trained.parameters) == 1:
        return np.arange(units)
    next_w = trained.parameters[1].w
    # In a convolution, each feature has a row of weights for each place in a patch.
    by_unit = next_w.reshape(-1, units, next_w.shape[1]).transpose(1, 0, 2).reshape(units, -1)
    strongest: NDArray[np.intp] = metrics.strongest_units(by_unit)
    return strongest


def _names(trained: Checkpoint, units: NDArray[np.intp]) -> list[str]:
    """Return what each of these units of the first layer is called."""
    digits, later_layers = trained.digits, trained.parameters[1:]
    if not later_layers:
        return [f"{digits[0]} against {digits[1]}"] if len(digits) == 2 else [f"digit {digits[unit]}" for unit in units]
    if len(later_layers) > 1:
        return [f"{'feature' if trained.settings.features else 'unit'} {unit}" for unit in units]
    # A unit's weights in the last layer are the logits that it contributes.
    supported = metrics.classify(later_layers[0].w[units], digits)
    return [f"unit {unit}, for {digit}" for unit, digit in zip(units, supported, strict=True)]


def _records(**columns: Iterable[Any]) -> list[Facts]:
    """Return one record for each row of the columns, with values that JSON can represent."""
    plain = (np.asarray(list(column)).tolist() for column in columns.values())
    return [dict(zip(columns, row, strict=True)) for row in zip(*plain, strict=True)]


def _present(shown: Shown, title: str, facts: Facts, lines: Facts, plot: Path | None, as_json: bool) -> None:
    """Draw the pictures, and print the JSON result or the report. Raises PlotError if there is nothing to plot."""
    text = ""
    if plot is not None:
        plots.pictures(shown.pictures, shown.captions, title, plot)
    elif shown.captions:
        signed = shown.pictures.dtype != np.uint8
        drawn = pictures.signed_lines(shown.pictures) if signed else [*map(pictures.lines, shown.pictures)]
        text = "\n" + pictures.side_by_side(drawn, shown.captions)
    output.report(as_json, {**facts, "shown": shown.records, "plot": plot}, {**lines, "plot": plot}, text)
