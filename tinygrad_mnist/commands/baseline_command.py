"""baseline: pixel similarity, what any learning has to beat."""

from collections.abc import Callable, Sequence
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist import backend, datasets, metrics
from tinygrad_mnist import baseline as pixels
from tinygrad_mnist.backend import Array, Backend
from tinygrad_mnist.commands import options, report
from tinygrad_mnist.datasets.digits import DataSet, Digits

MEASURES: dict[str, Callable[[Array, Array], Array]] = {"l1": pixels.l1, "squared": pixels.squared}


@click.command()
@options.data
@options.digits
@options.backend
@options.json_events
def baseline(source: str, digits: tuple[int, ...], backend_name: str, as_json: bool) -> None:
    """Tell digits apart without learning.

    Which ideal digit is nearer? The ideal 3 is the mean of all training threes. A test digit counts as a
    3 where it is nearer to the ideal 3 than to the ideal 7, by absolute (L1) or by squared differences of
    its pixels.

    \b
    Examples:
      python cli.py baseline
      python cli.py baseline --digits 4,9
    """
    place = backend.choose(backend_name)
    data = datasets.load(source, digits, report.notice, report.Bar)
    counts = _counts(data, digits, place)
    per_digit = {name: metrics.accuracy_per_digit(table, digits) for name, table in counts.items()}
    # The mean of the digits' accuracies, as the book has it, so that a rarer digit weighs as much.
    result = {
        name: {"accuracy_per_digit": shares, "accuracy": float(np.mean(list(shares.values())))}
        for name, shares in per_digit.items()
    }
    if as_json:
        report.event("result", digits=digits, data=data.name, backend=place.name, **result)
        return
    report.line("data", data.origin)
    report.line("device", place.description)
    click.echo(f"\n{'nearest by':<10}{'L1':>22}{'squared':>22}")
    for number, digit in enumerate(digits):
        cells = (_cell(per_digit[name][str(digit)], counts[name][number]) for name in MEASURES)
        click.echo(f"digit {digit}   " + "".join(cells))
    click.echo("mean      " + "".join(f"{result[name]['accuracy']:>22.4f}" for name in MEASURES))


def _counts(data: DataSet, digits: Sequence[int], place: Backend) -> dict[str, Any]:
    """Return a confusion table for each measure."""
    ideals = [pixels.ideal(place.place(_rows(data.training.only([digit])))) for digit in digits]
    images = place.place(_rows(data.test))
    counts = {}
    for name, measure in MEASURES.items():
        nearest = backend.to_host(pixels.nearest([measure(images, ideal) for ideal in ideals]))
        counts[name] = metrics.confusion(data.test.labels, np.asarray(digits)[nearest], digits)
    return counts


def _rows(digits: Digits) -> NDArray[np.uint8]:
    return digits.images.reshape(len(digits.labels), -1)


def _cell(share: float, row: Any) -> str:
    right = round(share * row.sum())
    return f"{f'{right}/{row.sum()} = {share:.4f}':>22}"
