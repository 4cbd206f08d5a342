"""Plots, with matplotlib, and digits as images."""

import io
from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from PIL import Image

from tinygrad_mnist.app.plots import BLUE, ORANGE, STYLE
from tinygrad_mnist.chapter.section import Picture


def digit(picture: Picture) -> bytes:
    """Return an image as PNG, dark on white."""
    file = io.BytesIO()
    Image.fromarray(255 - picture.image).save(file, "PNG")
    return file.getvalue()


def curves(picture: Picture) -> bytes:
    """Return a plot of curves: dots for a few points, and a line for many."""

    def draw(axes: Any) -> None:
        for (x, y), color in zip(picture.curves, (BLUE, ORANGE), strict=False):
            axes.plot(x, y, "o" if len(x) < 100 else "-", color=color, markersize=5)

    return plot(draw)


def accuracies(runs: dict[str, list[dict[str, Any]]]) -> bytes:
    """Return a plot with a dot for the test accuracy of each run of each row."""

    def draw(axes: Any) -> None:
        for row, results in enumerate(runs.values()):
            wrong = [100 * (1 - result["test_accuracy"]) for result in results]
            axes.plot(wrong, np.full(len(wrong), row), "o", color=BLUE, alpha=0.6, markersize=5)
        axes.set_yticks(range(len(runs)), runs)
        axes.invert_yaxis()
        axes.set(
            xscale="log",
            xticks=(0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
            xlabel="wrong on the test digits, in percent (logarithmic)",
        )
        axes.minorticks_off()
        axes.xaxis.set_major_formatter("{x:g}")
        axes.grid(axis="x", color="0.9")

    return plot(draw, high=0.9 + 0.28 * len(runs))


def plot(draw: Callable[[Any], None], wide: float = 6.4, high: float = 3.2) -> bytes:
    """Return a plot as SVG, of this size in inches."""
    with rc_context(STYLE):
        figure = Figure(figsize=(wide, high), layout="constrained")
        draw(figure.subplots())
        file = io.BytesIO()
        figure.savefig(file, format="svg", metadata={"Creator": None, "Date": None})
    return file.getvalue()
