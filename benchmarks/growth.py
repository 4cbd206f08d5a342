"""Measures how the time of an epoch grows with the work: up to a hundred times the digits or the hidden units.

    pip install -r requirements-bench.txt
    python -m benchmarks.growth --data DIR

The time should grow linearly: each additional digit or hidden unit should take the same additional time. Draws
growth.png, and writes its section of RESULTS.md. Takes two minutes on two cores.
"""

import statistics
import time
from pathlib import Path

import click
import numpy as np
from matplotlib.figure import Figure

from benchmarks.results import machine, table, write_section
from tinygrad_mnist import datasets, train
from tinygrad_mnist.arrays.backend import choose_backend
from tinygrad_mnist.arrays.examples import Examples
from tinygrad_mnist.datasets.digits import Digits
from tinygrad_mnist.runs.run import examples
from tinygrad_mnist.train import Settings

PLOT = Path(__file__).with_name("growth.png")
TIMES = (1, 3, 10, 30, 100)
WIDTHS = (30, 100, 300, 1000, 3000)
PAIR = (3, 7)
LINEAR = Settings(batch=256, epochs=1)

Points = dict[int, float]
"""The seconds of an epoch, by the amount of work."""


@click.command()
@click.option("--data", required=True, type=click.Path(exists=True, file_okay=False), help="A folder with MNIST.")
@click.option("--rounds", default=5, show_default=True, type=click.IntRange(1), help="Measured epochs for each point.")
def main(data: str, rounds: int) -> None:
    """Measure, draw the plot, and write the tables."""
    digits = datasets.load(data, PAIR).training
    count = len(digits.labels)
    by_digits = {count * times: _epoch(_repeat(digits, times), LINEAR, rounds) for times in TIMES}
    once = _repeat(digits, 1)
    by_width = {
        width: _epoch(once, Settings(hidden=(width,), loss="cross-entropy", batch=256, epochs=1), rounds)
        for width in WIDTHS
    }
    draw({"digits, linear model": by_digits, f"hidden units, {count:,} digits": by_width})
    text = "\n\n".join(
        [
            f"{machine()}. Medians of {rounds} epochs, batch 256, all pixels.",
            _table("digits (3 and 7, linear model)", "digit", by_digits),
            _table(f"hidden units ({count:,} digits)", "hidden unit", by_width),
            f"![Time of an epoch by digits and by hidden units]({PLOT.name})",
        ]
    )
    write_section("Growth", text)
    click.echo(text)


def _repeat(digits: Digits, times: int) -> Examples:
    """Return the digits as examples in memory, repeated this many times."""
    repeated = Digits.of(np.tile(digits.images, (times, 1, 1)), np.tile(digits.labels, times))
    return examples(repeated, PAIR, choose_backend("numpy"))


def _epoch(training: Examples, settings: Settings, rounds: int) -> float:
    """Return the median time of an epoch, in seconds."""
    validation = Examples(training.images, training.rows[:1], training.t[:1])
    seconds = []
    for _ in range(rounds + 1):
        begun = time.perf_counter()
        train.train(training, validation, settings)
        seconds.append(time.perf_counter() - begun)
    # The first epoch warms up the caches.
    return statistics.median(seconds[1:])


def largest_deviation(points: Points) -> float:
    """Return the largest relative difference between a point and the straight line through the first and the last."""
    work, seconds = np.array(list(points)), np.array(list(points.values()))
    line = np.interp(work, work[[0, -1]], seconds[[0, -1]])
    return float(np.max(np.abs(seconds / line - 1)))


def _table(name: str, unit: str, points: Points) -> str:
    header = [name, "milliseconds per epoch", f"microseconds per {unit}"]
    rows = [[f"{work:,}", f"{1000 * each:.1f}", f"{1e6 * each / work:.2f}"] for work, each in points.items()]
    return (
        f"{table(header, rows)}\n\nThe largest deviation from the straight line through the first and the last point "
        f"is {largest_deviation(points):.0%}."
    )


def draw(curves: dict[str, Points]) -> None:
    """Draw each curve in its own panel, with the straight line through its first and last points."""
    figure = Figure(figsize=(9, 4), layout="constrained")
    panels = figure.subplots(1, len(curves))
    for panel, (name, points) in zip(panels, curves.items(), strict=True):
        work, seconds = list(points), list(points.values())
        panel.plot([work[0], work[-1]], [seconds[0], seconds[-1]], color="0.7", label="straight line")
        panel.plot(work, seconds, "o", label="measured")
        panel.set(xlabel=name, ylabel="seconds per epoch", xlim=0, ylim=0)
        panel.xaxis.set_major_formatter("{x:,.0f}")
        panel.legend()
    figure.savefig(PLOT, dpi=100)


if __name__ == "__main__":
    main()
