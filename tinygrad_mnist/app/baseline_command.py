"""baseline: pixel similarity, the accuracy that a trained network has to beat."""

import click
import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist import metrics, similarity
from tinygrad_mnist.app import command_line, options, output
from tinygrad_mnist.arrays.backend import Array, Backend, to_host
from tinygrad_mnist.datasets.digits import DataSet, Digits

DISTANCES = {"l1": similarity.l1, "squared": similarity.squared}


@click.command(cls=command_line.Command)
@options.data
@options.digits
@options.backend
@options.json_events
def baseline(load: options.Load, digits: tuple[int, ...], backend: Backend, as_json: bool) -> None:
    """Tell digits apart without learning.

    The ideal 3 is the mean of all training images of a 3. A test digit is classified as a 3 if it is closer to the
    ideal 3 than to the ideal 7, measured by the absolute (L1) or the squared differences of their pixels.

    \b
    Examples:
      python cli.py baseline
      python cli.py baseline --digits 4,9
    """
    data = load(digits)
    counts = _confusion_matrices(data, digits, backend)
    shares = {name: metrics.accuracy_per_digit(matrix, digits) for name, matrix in counts.items()}
    # The mean of the digits' accuracies, as in the book, so that a rare digit counts as much as a frequent one.
    means = {name: float(np.mean(list(per_digit.values()))) for name, per_digit in shares.items()}
    result = {name: {"accuracy_per_digit": shares[name], "accuracy": means[name]} for name in DISTANCES}
    about = {"digits": digits, "data": data.name, "backend": backend.name}
    table = [f"\n{'distance':<10}{'L1':>22}{'squared':>22}"]
    for row, digit in enumerate(digits):
        cells = (f"{n[row, row]}/{n[row].sum()} = {shares[name][str(digit)]:.4f}" for name, n in counts.items())
        table.append(f"digit {digit}   " + "".join(f"{cell:>22}" for cell in cells))
    table.append("mean      " + "".join(f"{mean:>22.4f}" for mean in means.values()))
    lines = {"data": data.origin, "device": backend.description}
    output.report(as_json, about | result, lines, "\n".join(table))


def _confusion_matrices(data: DataSet, digits: tuple[int, ...], backend: Backend) -> dict[str, NDArray[np.int64]]:
    """Return the confusion matrix of each distance, by its name."""

    def on_device(some: Digits) -> Array:
        return backend.to_device(some.images.reshape(len(some.labels), -1))

    ideals = [similarity.ideal(on_device(data.training.only([digit]))) for digit in digits]
    images, matrices = on_device(data.test), {}
    for name, distance in DISTANCES.items():
        nearest = to_host(similarity.nearest([distance(images, ideal) for ideal in ideals]))
        matrices[name] = metrics.confusion(data.test.labels, np.asarray(digits)[nearest], digits)
    return matrices
