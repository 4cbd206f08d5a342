"""evaluate: how well a trained network does on the test digits."""

from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist import backend, checkpoint, datasets, metrics, network
from tinygrad_mnist import train as training
from tinygrad_mnist.backend import Array, Backend
from tinygrad_mnist.checkpoint import Checkpoint
from tinygrad_mnist.commands import options, plots, report
from tinygrad_mnist.datasets.digits import Digits
from tinygrad_mnist.errors import CheckpointError, DataError


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@options.data
@options.backend
@options.plot
@options.json_events
def evaluate(model: Path, source: str, backend_name: str, plot: Path | None, as_json: bool) -> None:
    """Measure a trained network on test digits.

    MODEL is a file that 'train --save' wrote.

    \b
    Examples:
      python cli.py train --save model.npz
      python cli.py evaluate model.npz
      python cli.py evaluate model.npz --plot confusion.png
    """
    plots.require_other(plot, model)
    trained = checkpoint.load(model)
    place = backend.choose(backend_name)
    data = datasets.load(source, trained.digits, report.notice, report.Bar)
    said = backend.to_host(network.decide(logits(model, trained, data.test, place), trained.digits))
    counts = metrics.confusion(data.test.labels, said, trained.digits)
    accuracy = float(np.trace(counts) / counts.sum())
    shares = metrics.accuracy_per_digit(counts, trained.digits)
    if plot is not None:
        plots.confusion(counts, trained.digits, shares, plot)
    if as_json:
        report.event(
            "result",
            digits=trained.digits,
            data=data.name,
            backend=place.name,
            accuracy=accuracy,
            accuracy_per_digit=shares,
            confusion=counts.tolist(),
            plot=str(plot) if plot else None,
        )
        return
    report.line("model", f"{model}, layers {'-'.join(map(str, trained.layer_sizes))}, seed {trained.seed}")
    report.line("data", data.origin)
    report.line("device", place.description)
    report.line("accuracy", f"{report.percent(accuracy)}   {np.trace(counts):,} of {counts.sum():,} test digits")
    click.echo("\n" + report.confusion_table(counts.tolist(), trained.digits, shares))
    if plot is not None:
        click.echo()
        report.line("plot", str(plot))


def logits(model: Path, trained: Checkpoint, digits: Digits, place: Backend) -> Array:
    """Return the logits z (N, O) that a trained network, read from the file `model`, gives to digits.

    They are where they were computed. Raises DataError where the images have another size than it was trained on.
    """
    inputs, images = trained.layer_sizes[0], digits.pixels
    if images.shape[1] != inputs:
        raise DataError(f"{model} was trained on images of {inputs} pixels, and these have {images.shape[1]}.")
    return finite_logits(model, trained, images, digits.places, place)


def finite_logits(
    model: Path, trained: Checkpoint, images: NDArray[np.uint8], rows: NDArray[np.intp], place: Backend
) -> Array:
    """Return the logits z (N, O) for the rows (N,) of images (M, I), where they were computed.

    Raises CheckpointError where one is not finite: a digit could be read from it by chance alone.
    """
    parameters = training.layers_moved(trained.parameters, place.place)
    z = network.predict(place.place(images), place.place(rows), parameters)
    xp = backend.array_namespace(z)
    if not bool(xp.all(xp.isfinite(z))):
        raise CheckpointError(f"{model} has weights so large that its answers are no numbers: train it again.")
    return z
