"""evaluate: how well a trained network does on the test digits."""

from pathlib import Path

import click
import numpy as np

from tinygrad_mnist import backend, checkpoint, datasets, metrics, network
from tinygrad_mnist.commands import options, report
from tinygrad_mnist.errors import DataError
from tinygrad_mnist.network import Layer


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@options.data
@options.backend
@options.json_events
def evaluate(model: Path, source: str, backend_name: str, as_json: bool) -> None:
    """Measure a trained network on test digits.

    MODEL is a file that 'train --save' wrote.

    \b
    Example:
      python cli.py train --save model.npz
      python cli.py evaluate model.npz
    """
    trained = checkpoint.load(model)
    place = backend.choose(backend_name)
    data = datasets.load(source, trained.digits, report.notice, report.DownloadBar)
    inputs = trained.layer_sizes[0]
    images = data.test.pixels
    if images.shape[1] != inputs:
        raise DataError(f"{model} was trained on images of {inputs} pixels, and these have {images.shape[1]}.")
    parameters = tuple(Layer(*map(place.place, layer)) for layer in trained.parameters)
    z = network.predict(place.place(images), place.place(data.test.places), parameters)
    said = backend.to_host(network.decide(z, trained.digits))
    counts = metrics.confusion(data.test.labels, said, trained.digits)
    accuracy = float(np.trace(counts) / counts.sum())
    shares = metrics.accuracy_per_digit(counts, trained.digits)
    if as_json:
        report.event(
            "result",
            digits=trained.digits,
            data=data.name,
            backend=place.name,
            accuracy=accuracy,
            accuracy_per_digit=shares,
            confusion=counts.tolist(),
        )
        return
    report.line("model", f"{model}, layers {'-'.join(map(str, trained.layer_sizes))}, seed {trained.seed}")
    report.line("data", data.origin)
    report.line("device", place.description)
    report.line("accuracy", f"{report.percent(accuracy)}   {np.trace(counts):,} of {counts.sum():,} test digits")
    click.echo("\n" + report.confusion_table(counts.tolist(), trained.digits, shares))
