"""Plots in PNG or SVG files: training curves, confusion matrices, digits and weights.

They are drawn with matplotlib, which is optional. They need no display, and neither use the user's settings of
matplotlib nor change them.
"""

import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.app import output
from tinygrad_mnist.app.pictures import full_color
from tinygrad_mnist.errors import PlotError
from tinygrad_mnist.files import atomic_write
from tinygrad_mnist.runs.checkpoint import require_writable
from tinygrad_mnist.runs.run import CurvePoint

BLUE, ORANGE = "#0072b2", "#d55e00"
"""Two colors that color-blind people can distinguish too (Okabe and Ito, Color Universal Design, 2008)."""

STYLE: dict[Any, Any] = {
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "legend.frameon": False,
    "savefig.dpi": 150,
    "svg.fonttype": "none",  # text stays text, for search and for screen readers
    "text.parse_math": False,  # a file name may contain dollar signs
}


def require_plottable(path: Path) -> Path:
    """Return the path of a plot, after a check that it can be written there.

    Raises click.BadParameter if it ends neither in .png nor in .svg, PlotError if matplotlib is missing, and
    CheckpointError if the file cannot be written.
    """
    if path.suffix.lower() not in (".png", ".svg"):
        raise click.BadParameter(f"{path} ends neither in .png nor in .svg.", param_hint="'--plot'")
    try:
        import matplotlib.figure  # noqa: F401 - only to see whether it can be imported
    except (ImportError, ValueError) as error:
        raise PlotError(f"matplotlib cannot be imported ({error}): install it with 'pip install matplotlib'") from error
    require_writable(path)
    return path


def training_curve(points: Sequence[CurvePoint], test_accuracy: float, path: Path) -> None:
    """Plot the loss and the validation accuracy of each epoch, and the test accuracy as a line.

    Accuracies are from 0 to 1. Raises PlotError if the file cannot be written.
    """
    epochs, losses, accuracies = zip(*points, strict=True)
    # If several epochs are equally good, training keeps the last of them.
    highest, best = max(zip(accuracies, epochs, strict=True))
    with _figure(path, 6.4, 5.2) as figure:
        upper, lower = figure.subplots(2, 1, sharex=True)
        upper.plot(epochs, losses, "o-", color=ORANGE, markersize=4, label="training digits")
        label = f"validation digits, highest {output.percent(highest)} in epoch {best}"
        lower.plot(epochs, accuracies, "o-", color=BLUE, markersize=4, label=label)
        label = f"test digits, {output.percent(test_accuracy)}"
        lower.axhline(test_accuracy, color="0.3", linestyle="--", linewidth=1, label=label)
        upper.set(ylabel="loss", ylim=(0, None))
        lower.set(xlabel="epoch", ylabel="accuracy")
        lower.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
        lower.yaxis.set_major_formatter(lambda share, _: output.percent(share))
        for panel in (upper, lower):
            panel.grid(axis="y", color="0.92")
            panel.legend(loc="lower left", bbox_to_anchor=(-0.02, 1))  # above the panel, it covers no curve


def confusion(counts: NDArray[np.int64], digits: Sequence[int], shares: dict[str, float], path: Path) -> None:
    """Plot a confusion matrix, with the accuracy of each digit at the end of its row.

    Correct predictions are blue and wrong ones orange; the darker, the larger their share of the true digit. Raises
    PlotError if the file cannot be written.
    """
    places, share_of_digit = range(len(digits)), counts / counts.sum(axis=1, keepdims=True)
    is_correct, right, total = np.eye(len(digits), dtype=bool), int(np.trace(counts)), int(counts.sum())
    with _figure(path, 2.6 + 0.56 * len(digits), 2 + 0.5 * len(digits)) as figure:
        axes = figure.subplots()
        for mask, colors in ((is_correct, "Blues"), (~is_correct, "Oranges")):
            part = np.where(mask, share_of_digit, np.nan)
            # Only the lighter colors are used, so that black numbers can be read on them.
            axes.imshow(part, colors, vmin=0, vmax=1.7 * max(np.nanmax(part), 0.01), aspect="auto")
        for (row, column), count in np.ndenumerate(counts):
            axes.text(column, row, f"{count:,}" if count else "·", ha="center", va="center")
        accuracies = [f"{digit}   {output.percent(shares[str(digit)])}" for digit in digits]
        axes.set(xlabel="predicted digit", xticks=places, xticklabels=digits)
        axes.set(ylabel="true digit, and how many are correct", yticks=places, yticklabels=accuracies)
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0)
        axes.set_title(f"{output.percent(right / total)} correct, {total - right:,} of {total:,} wrong")


def pictures(pictures: NDArray[Any], captions: Sequence[str], title: str, path: Path) -> None:
    """Plot pictures (K, H, W) under their captions: bytes of images, of which 255 is ink, or floats of weights.

    Weights above 0 are blue and those below 0 red, all on one scale. Raises PlotError if there are no pictures, or if
    the file cannot be written.
    """
    if not captions:
        raise PlotError("there is nothing to plot, because all test digits are predicted correctly")
    count, signed = len(pictures), pictures.dtype != np.uint8
    limit = full_color(pictures) if signed else 255
    # Full rows, and not more of them than columns.
    columns = min(range(math.isqrt(count - 1) + 1, math.isqrt(3 * count) + 1), key=lambda some: (-count % some, some))
    rows, wide = math.ceil(count / columns), max(1.25, 0.07 * max(map(len, captions)))
    with _figure(path, max(wide * columns, 0.1 * len(title), 2.6), 1.5 * rows + 0.5 + 0.7 * signed) as figure:
        figure.suptitle(output.printable(title), fontsize=11)
        for number, (picture, caption) in enumerate(zip(pictures, captions, strict=True), start=1):
            panel = figure.add_subplot(rows, columns, number)
            image = panel.imshow(picture, "RdBu" if signed else "gray_r", vmin=-limit * signed, vmax=limit)
            panel.set_title(caption, fontsize=8, loc="center")
            panel.set(xticks=[], yticks=[])
            panel.spines[:].set(visible=True, color="0.75")
        if signed:
            bar = figure.colorbar(image, ax=figure.axes, orientation="horizontal", extend="both", aspect=40)
            bar.set_label("weight of a pixel:  ← against    for →", fontsize=9)


@contextmanager
def _figure(path: Path, wide: float, high: float) -> Iterator[Any]:
    """Give a figure with this size in inches, and write it to `path` once it is drawn."""
    from matplotlib import style
    from matplotlib.figure import Figure

    # A title may be a file name with letters that the font does not have: they are drawn as boxes, without a warning.
    with style.context(STYLE, after_reset=True), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        figure = Figure(figsize=(wide, high), layout="constrained")
        yield figure
        try:
            with atomic_write(path) as file:
                figure.savefig(file, format=path.suffix[1:].lower())
        except OSError as error:
            raise PlotError(f"{path} cannot be written: {error.strerror or error}.") from error
