"""evaluate: the accuracy of a trained network on the test digits."""

from pathlib import Path

import click
import numpy as np

from tinygrad_mnist import metrics
from tinygrad_mnist.app import command_line, options, output, plots
from tinygrad_mnist.arrays.backend import Backend, to_host
from tinygrad_mnist.runs import checkpoint
from tinygrad_mnist.runs.checkpoint import logits


@click.command(cls=command_line.Command)
@options.model
@options.data
@options.backend
@options.plot
@options.json_events
def evaluate(model: Path, load: options.Load, backend: Backend, plot: Path | None, as_json: bool) -> None:
    """Measure a trained network on the test digits.

    Prints the accuracy and the confusion matrix. MODEL is a file that 'train --save' wrote.

    \b
    Examples:
      python cli.py train --save model.npz
      python cli.py evaluate model.npz
      python cli.py evaluate model.npz --plot confusion.png
    """
    trained = checkpoint.load(model)
    data = load(trained.digits, scaling=trained.view.scaling)
    z = logits(trained, data.test.pixels, data.test.rows, backend)
    predicted = to_host(metrics.classify(z, trained.digits))
    counts = metrics.confusion(data.test.labels, predicted, trained.digits)
    accuracy = float(np.trace(counts) / counts.sum())
    shares = metrics.accuracy_per_digit(counts, trained.digits)
    if plot is not None:
        plots.confusion(counts, trained.digits, shares, plot)
    about = {"digits": trained.digits, "data": data.name, "backend": backend.name, "plot": plot}
    lines = {
        "model": f"{model}, layers {output.layers(trained.layer_sizes)}, seed {trained.settings.seed}",
        "data": data.origin,
        "device": backend.description,
        "accuracy": f"{output.percent(accuracy)}   {np.trace(counts):,} of {counts.sum():,} test digits",
        "plot": plot,
    }
    measured = {"accuracy": accuracy, "accuracy_per_digit": shares, "confusion": counts.tolist()}
    table = output.confusion_table(counts.tolist(), trained.digits, shares)
    output.report(as_json, about | measured, lines, f"\n{table}")
