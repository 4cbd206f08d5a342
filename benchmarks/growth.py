"""How the cost of an epoch grows with the work: up to a hundred times the digits, up to a hundred times the width.

    pip install -r requirements-bench.txt
    python -m benchmarks.growth --data DIR

Straight lines are asked for: what is added to the work is added to the time, at the same price. Draws growth.png, and
writes its section of RESULTS.md. Takes two minutes on two cores.
"""

import statistics
import time
from pathlib import Path

import click
import numpy as np

from benchmarks.results import machine, table, write_section
from tinygrad_mnist import datasets, network, train
from tinygrad_mnist.datasets.digits import DataSet
from tinygrad_mnist.train import Examples, Settings

PLOT = Path(__file__).with_name("growth.png")
TIMES = (1, 3, 10, 30, 100)
WIDTHS = (30, 100, 300, 1000, 3000)
PAIR = (3, 7)
ROUNDS = 5

Points = dict[int, float]
"""Seconds an epoch, by the amount of work."""


@click.command()
@click.option("--data", required=True, type=click.Path(exists=True, file_okay=False), help="A folder with MNIST.")
def main(data: str) -> None:
    """Measure, draw the plot, and write the table."""
    digits = datasets.load(data, PAIR)
    count = len(digits.training.labels)
    by_digits = {count * times: _epoch(_repeated(digits, times), Settings(batch=256, epochs=1)) for times in TIMES}
    once = _repeated(digits, 1)
    by_width = {
        width: _epoch(once, Settings(hidden=(width,), loss="cross-entropy", batch=256, epochs=1)) for width in WIDTHS
    }
    draw({"digits, a line": by_digits, "hidden units, 12,396 digits": by_width})
    text = "\n\n".join(
        [
            f"{machine()}. Medians of {ROUNDS} epochs, batch 256.",
            _grown("digits, a line between 3 and 7", by_digits),
            _grown(f"hidden units, {count:,} digits", by_width),
            f"![time by work]({PLOT.name})",
        ]
    )
    write_section("Growth", text)
    click.echo(text)


def _repeated(digits: DataSet, times: int) -> Examples:
    """Return the training digits in memory, so many times over."""
    images = np.tile(digits.training.images.reshape(len(digits.training.labels), -1), (times, 1))
    t = network.targets(np.tile(digits.training.labels, times), PAIR)
    return Examples(images, np.arange(len(images)), t)


def _epoch(examples: Examples, settings: Settings) -> float:
    """Return the seconds of an epoch."""
    few = Examples(examples.images, examples.rows[:1], examples.t[:1])
    took = []
    for _ in range(ROUNDS + 1):
        begun = time.perf_counter()
        train.train(examples, few, settings)
        took.append(time.perf_counter() - begun)
    # The first one warms up.
    return statistics.median(took[1:])


def farthest(points: Points) -> float:
    """Return how far the points lie from the straight line through the first and the last, as a share of its height."""
    work, took = np.array(list(points)), np.array(list(points.values()))
    line = np.interp(work, work[[0, -1]], took[[0, -1]])
    return float(np.max(np.abs(took / line - 1)))


def _grown(what: str, points: Points) -> str:
    rows = [[f"{work:,}", f"{1000 * took:.1f}", f"{1e6 * took / work:.2f}"] for work, took in points.items()]
    said = f"From the straight line through the ends, the others are off by {farthest(points):.0%} at most."
    return f"{table([what, 'ms an epoch', 'us for each'], rows)}\n\n{said}"


def draw(curves: dict[str, Points]) -> None:
    """Draw each curve in a panel of its own, beside the straight line through its ends."""
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(1, len(curves), figsize=(9, 4), layout="constrained")
    for panel, (name, points) in zip(panels, curves.items(), strict=True):
        work, took = list(points), list(points.values())
        panel.plot([work[0], work[-1]], [took[0], took[-1]], color="0.7", label="straight line")
        panel.plot(work, took, "o", label="measured")
        panel.set(xlabel=name, ylabel="seconds an epoch", xlim=0, ylim=0)
        panel.legend()
    figure.savefig(PLOT, dpi=100)


if __name__ == "__main__":
    main()
