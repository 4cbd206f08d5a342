"""Plots in PNG or SVG files: training curves, confusion matrices, digits and weights.

They are drawn with matplotlib, which is optional. They need no display, and change none of matplotlib's settings. The
same data always gives the same file, regardless of the user's settings.
"""

import math
import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.app import output, wording
from tinygrad_mnist.app.pictures import full_color
from tinygrad_mnist.errors import PlotError
from tinygrad_mnist.files import atomic_write
from tinygrad_mnist.runs.checkpoint import require_writable
from tinygrad_mnist.runs.run import CurvePoint

FORMATS: dict[str, dict[str, None]] = {".png": {"Software": None}, ".svg": {"Creator": None, "Date": None}}
"""The file formats by their endings, each with the metadata to leave out because it changes between two plots."""

BLUE, ORANGE = "#0072b2", "#d55e00"
"""Two colors that color-blind people can distinguish too (Okabe and Ito, Color Universal Design, 2008)."""

STYLE: dict[Any, Any] = {
    "axes.edgecolor": "0.5",
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "savefig.dpi": 150,
    "svg.fonttype": "none",  # text stays text, for search and for screen readers
    "svg.hashsalt": "tinygrad_mnist",
    "text.parse_math": False,  # a file name may contain dollar signs
    "xtick.color": "0.5",
    "xtick.labelcolor": "0.2",
    "ytick.color": "0.5",
    "ytick.labelcolor": "0.2",
}

SIDE, GAP, MARGIN, CAPTION, TITLE = 1.12, 0.16, 0.2, 0.32, 0.48
"""The lengths on a sheet of pictures, in inches. Each of 28 pixels in a row is then 6 dots wide."""

LETTER, SCALE_WIDTH = 0.065, 2.6
"""The width of a letter in a caption, rounded up, and the smallest width of the color scale, in inches."""


def require_plottable(path: Path) -> None:
    """Check, before any work, that a plot can be written to `path`.

    Raises click.BadParameter if it ends neither in .png nor in .svg, PlotError if matplotlib is missing, and
    CheckpointError if the file cannot be written.
    """
    if path.suffix.lower() not in FORMATS:
        raise click.BadParameter(f"{path} ends neither in .png nor in .svg.", param_hint="'--plot'")
    try:
        import matplotlib.figure  # noqa: F401 - only to see whether it can be imported
    except (ImportError, ValueError) as error:
        raise PlotError(
            f"matplotlib cannot be imported ({error}): install it with 'pip install matplotlib'."
        ) from error
    require_writable(path)


def require_not_model(plot: Path | None, model: Path) -> None:
    """Raise click.UsageError if the plot would overwrite the model."""
    if plot is not None and os.path.realpath(plot) == os.path.realpath(model):
        raise click.UsageError(f"--plot would overwrite the network in {model}: name a different file.")


def training_curve(points: Sequence[CurvePoint], path: Path, test_accuracy: float | None = None) -> None:
    """Plot the loss and the validation accuracy of each epoch, and the test accuracy as a line if it is given.

    Accuracies are from 0 to 1. Raises ValueError if there are no epochs, and PlotError if the file cannot be written.
    """
    if not points:
        raise ValueError("there are no epochs to plot")
    epochs, losses, accuracies = zip(*points, strict=True)
    # If several epochs are equally good, training keeps the last of them.
    highest, best = max(zip(accuracies, epochs, strict=True))
    dots: dict[str, Any] = {"marker": "o", "markersize": 4, "clip_on": False}
    with _figure(path, 6.4, 5.2) as figure:
        from matplotlib.ticker import MaxNLocator, PercentFormatter

        figure.set_layout_engine("constrained")
        upper, lower = figure.subplots(2, 1, sharex=True)
        upper.plot(epochs, losses, color=ORANGE, label="training digits", **dots)
        upper.set(ylabel="loss", ylim=(0, None))
        label = f"validation digits, highest {wording.percent(highest)} in epoch {best}"
        lower.plot(epochs, accuracies, color=BLUE, label=label, **dots)
        if test_accuracy is not None:
            label = f"test digits, {wording.percent(test_accuracy)}"
            lower.axhline(test_accuracy, color="0.3", linestyle="--", linewidth=1, label=label)
        low, high = lower.get_ylim()
        # Some space at the bottom keeps the line of the test accuracy away from the axis.
        lower.set(xlabel="epoch", ylabel="accuracy", ylim=(low - (high - low) / 20, min(1, high)))
        lower.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        lower.yaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
        for panel in (upper, lower):
            panel.grid(axis="y", color="0.92")
            # Above the panel, it covers no part of a curve.
            panel.legend(loc="lower left", bbox_to_anchor=(-0.02, 1), frameon=False)


def confusion(counts: NDArray[np.int64], digits: Sequence[int], shares: dict[str, float], path: Path) -> None:
    """Plot a confusion matrix, with the accuracy of each digit at the end of its row.

    Correct predictions are blue and wrong ones orange; the darker, the larger their share of the true digit. Raises
    PlotError if the file cannot be written.
    """
    share_of_digit = counts / counts.sum(axis=1, keepdims=True)
    is_correct = np.eye(len(digits), dtype=bool)
    with _figure(path, 2.6 + 0.56 * len(digits), 2 + 0.5 * len(digits)) as figure:
        figure.set_layout_engine("constrained")
        axes = figure.subplots()
        axes.spines[:].set_visible(False)
        for mask, colors in ((is_correct, "Blues"), (~is_correct, "Oranges")):
            part = np.where(mask, share_of_digit, np.nan)
            # Only the lighter colors are used, so that black numbers can be read on them.
            axes.imshow(part, colors, vmin=0, vmax=1.7 * max(np.nanmax(part), 0.01), aspect="auto")
        for (row, column), count in np.ndenumerate(counts):
            axes.text(column, row, f"{count:,}" if count else "·", ha="center", va="center", color="0.1")
        right = len(digits) - 0.4
        for row, digit in enumerate(digits):
            axes.text(right, row, wording.percent(shares[str(digit)]), va="center", color="0.2")
        place = {"xy": (right, len(digits) - 0.5), "xytext": (0, -4), "textcoords": "offset points"}
        axes.annotate("correct", **place, annotation_clip=False, va="top", color="0.2")
        axes.set_xticks(range(len(digits)), digits, fontsize=11)
        axes.set_yticks(range(len(digits)), digits, fontsize=11)
        axes.tick_params(length=0)
        axes.set(xlabel="predicted digit", ylabel="true digit")
        correct, total = int(np.trace(counts)), int(counts.sum())
        axes.set_title(f"{wording.percent(correct / total)} correct, {total - correct:,} of {total:,} wrong")


def digits(images: NDArray[np.uint8], captions: Sequence[str], title: str, path: Path) -> None:
    """Plot images (K, H, W) of bytes, where 255 is ink, above their captions. Raises PlotError as the others do."""
    with _sheet(path, images, captions, title) as (_, shown):
        for image in shown:
            image.set(cmap="gray_r", clim=(0, 255))


def weights(pictures: NDArray[Any], captions: Sequence[str], title: str, path: Path) -> None:
    """Plot the weights (K, H, W) of pixels above their captions: blue above 0 and red below, all on one scale.

    Raises PlotError if the file cannot be written.
    """
    limit = full_color(pictures)
    with _sheet(path, pictures, captions, title, below=0.62) as (figure, shown):
        for image in shown:
            image.set(cmap="RdBu", clim=(-limit, limit))
        wide, high = figure.get_size_inches()
        scale = figure.add_axes((MARGIN / wide, 0.5 / high, 1 - 2 * MARGIN / wide, 0.1 / high))
        figure.colorbar(shown[0], scale, orientation="horizontal", extend="both").outline.set_visible(False)
        scale.tick_params(labelsize=8)
        scale.set_xlabel("weight of a pixel:  ← against    for →", fontsize=9, color="0.2")


@contextmanager
def _sheet(
    path: Path, pictures: NDArray[Any], captions: Sequence[str], title: str, below: float = 0
) -> Iterator[tuple[Any, list[Any]]]:
    """Give a figure with pictures (K, H, W) in rows, captions and a title; and the pictures, which need colors.

    `below` is the free space under them, in inches. The figure is written in the same way as by `_figure`.
    """
    from matplotlib.patches import Rectangle

    title = output.printable(title)
    count, height, width = pictures.shape
    tall = SIDE * height / width
    columns = _columns(count)
    across = max(SIDE, max(map(len, captions)) * LETTER) + GAP
    down = tall + CAPTION
    wide = 2 * MARGIN + max(columns * across - GAP, 1.5 * LETTER * len(title), SCALE_WIDTH)
    high = TITLE + math.ceil(count / columns) * down + below
    with _figure(path, wide, high) as figure:
        # The coordinates on the sheet are inches from its upper left corner.
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        axes.text(MARGIN, 0.24, title, va="center", fontsize=11, color="0.1")
        shown = []
        for number, (picture, caption) in enumerate(zip(pictures, captions, strict=True)):
            x, y = MARGIN + number % columns * across, TITLE + number // columns * down
            extent = (x, x + SIDE, y + tall, y)
            shown.append(axes.imshow(picture, extent=extent, aspect="auto", interpolation="nearest"))
            axes.add_patch(Rectangle((x, y), SIDE, tall, fill=False, edgecolor="0.75", linewidth=0.8))
            axes.text(x, y + tall + 0.05, caption, va="top", fontsize=8, color="0.2")
        axes.set(xlim=(0, wide), ylim=(high, 0))
        yield figure, shown


def _columns(count: int) -> int:
    """Return the number of pictures in a row: slightly more than there are rows, with few places left empty."""
    candidates = range(math.isqrt(count - 1) + 1, math.isqrt(3 * count) + 1)
    return min(candidates, key=lambda columns: (-count % columns, columns))


@contextmanager
def _figure(path: Path, wide: float, high: float) -> Iterator[Any]:
    """Give a figure with this size in inches, and write it to `path` once it is drawn."""
    import matplotlib
    from matplotlib.figure import Figure

    # The user's settings are restored afterwards. A title may be a file name with letters that the font does not have:
    # they are drawn as boxes, without a warning.
    with matplotlib.rc_context(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        figure = Figure(figsize=(wide, high))
        yield figure
        ending = path.suffix.lower()
        try:
            with atomic_write(path) as file:
                figure.savefig(file, format=ending[1:], metadata=FORMATS[ending])
        except OSError as error:
            raise PlotError(f"{path} cannot be written: {error.strerror or error}.") from error
