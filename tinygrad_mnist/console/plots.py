"""Plots as files, PNG or SVG: curves of training, weights, digits, and what was taken for what.

They are drawn with matplotlib, which is optional. Nothing of it is kept between calls, and no display is needed. The
same data gives the same file, whatever the user's own settings of matplotlib are.
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

from tinygrad_mnist.checkpoint import require_writable
from tinygrad_mnist.commands import drawing, report
from tinygrad_mnist.errors import PlotError
from tinygrad_mnist.files import written_whole

FORMATS: dict[str, dict[str, None]] = {".png": {"Software": None}, ".svg": {"Creator": None, "Date": None}}
"""The endings of what can be written, with what is left out of each: it would differ from day to day."""

BLUE, ORANGE = "#0072b2", "#d55e00"
"""Two colours that nobody takes for each other (Okabe and Ito, Color Universal Design, 2008)."""

STYLE: dict[Any, Any] = {
    "axes.edgecolor": "0.5",
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "savefig.dpi": 150,
    "svg.fonttype": "none",  # text stays text, to be found and read aloud
    "svg.hashsalt": "tinygrad_mnist",
    "text.parse_math": False,  # names of files may have dollar signs
    "xtick.color": "0.5",
    "xtick.labelcolor": "0.2",
    "ytick.color": "0.5",
    "ytick.labelcolor": "0.2",
}

SIDE, GAP, MARGIN, CAPTION, TITLE = 1.12, 0.16, 0.2, 0.32, 0.48
"""Inches on a sheet of pictures: of 28 pixels, each is then 6 dots wide."""

LETTER = 0.065
"""The width of a letter of a caption, in inches, or a little more."""

NARROWEST = 2.6
"""Inches that a scale under the pictures needs."""

Shown = tuple[int, float, float]
"""An epoch: its number, its loss, and the accuracy on the held-out digits, from 0 to 1."""


def require_plottable(path: Path) -> None:
    """Refuse, before any work, what could not be plotted into `path`.

    Raises click.BadParameter where its ending is neither .png nor .svg, PlotError where matplotlib is missing, and
    CheckpointError where the file cannot be written.
    """
    if path.suffix.lower() not in FORMATS:
        raise click.BadParameter(f"{path} ends neither in .png nor in .svg.", param_hint="'--plot'")
    try:
        import matplotlib.figure  # noqa: F401 - whether it is there is the question
    except (ImportError, ValueError) as error:
        raise PlotError(
            f"a plot needs matplotlib, which cannot be imported ({error}): try pip install matplotlib."
        ) from error
    require_writable(path)


def require_other(plot: Path | None, model: Path) -> None:
    """Raise click.UsageError where the plot would take the place of the network."""
    if plot is not None and os.path.realpath(plot) == os.path.realpath(model):
        raise click.UsageError(f"--plot would overwrite the network in {model}: name another file.")


def training_curve(epochs: Sequence[Shown], path: Path, test_accuracy: float | None = None) -> None:
    """Plot loss and accuracy by epoch; the accuracy on the test digits, 0 to 1, is a line where it is known.

    Raises ValueError where there is no epoch, PlotError where the file cannot be written.
    """
    if not epochs:
        raise ValueError("there are no epochs to plot")
    numbers, losses, accuracies = zip(*epochs, strict=True)
    # Of equals, training keeps the one that has seen more.
    highest, best = max(zip(accuracies, numbers, strict=True))
    dots: dict[str, Any] = {"marker": "o", "markersize": 4, "clip_on": False}
    with _figure(path, 6.4, 5.2) as figure:
        from matplotlib.ticker import MaxNLocator, PercentFormatter

        figure.set_layout_engine("constrained")
        above, below = figure.subplots(2, 1, sharex=True)
        above.plot(numbers, losses, color=ORANGE, label="training digits", **dots)
        above.set(ylabel="loss", ylim=(0, None))
        held_out = f"held-out digits, highest {report.percent(highest)} in epoch {best}"
        below.plot(numbers, accuracies, color=BLUE, label=held_out, **dots)
        if test_accuracy is not None:
            label = f"test digits {report.percent(test_accuracy)}"
            below.axhline(test_accuracy, color="0.3", linestyle="--", linewidth=1, label=label)
        low, high = below.get_ylim()
        # A little room below, so that the line of the test digits does not lie on the axis.
        below.set(xlabel="epoch", ylabel="accuracy", ylim=(low - (high - low) / 20, min(1, high)))
        below.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        below.yaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
        for panel in (above, below):
            panel.grid(axis="y", color="0.92")
            # Above the panel, where no curve comes.
            panel.legend(loc="lower left", bbox_to_anchor=(-0.02, 1), frameon=False)


def confusion(counts: NDArray[np.int64], digits: Sequence[int], shares: dict[str, float], path: Path) -> None:
    """Plot the table of what each digit (row) was taken for (column), with the share named right beside each row.

    Digits named right are blue, mistakes are orange: the darkest is the largest share of its digit. Raises PlotError
    where the file cannot be written.
    """
    of_digit = counts / counts.sum(axis=1, keepdims=True)
    is_right = np.eye(len(digits), dtype=bool)
    with _figure(path, 2.6 + 0.56 * len(digits), 2 + 0.5 * len(digits)) as figure:
        figure.set_layout_engine("constrained")
        axes = figure.subplots()
        axes.spines[:].set_visible(False)
        for shown, colours in ((is_right, "Blues"), (~is_right, "Oranges")):
            part = np.where(shown, of_digit, np.nan)
            # The palest colours are for the largest share too, where that is small.
            axes.imshow(part, colours, vmin=0, vmax=1.7 * max(np.nanmax(part), 0.01), aspect="auto")
        for (row, column), count in np.ndenumerate(counts):
            axes.text(column, row, f"{count:,}" if count else "·", ha="center", va="center", color="0.1")
        for row, digit in enumerate(digits):
            axes.text(len(digits) - 0.4, row, report.percent(shares[str(digit)]), va="center", color="0.2")
        below_shares = (len(digits) - 0.4, len(digits) - 0.5)
        axes.annotate("right", below_shares, (0, -4), textcoords="offset points", va="top", color="0.2")
        places = range(len(digits))
        axes.set_xticks(places, digits, fontsize=11)
        axes.set_yticks(places, digits, fontsize=11)
        axes.tick_params(length=0)
        axes.set(xlabel="what the network said", ylabel="what it is")
        right, all_digits = int(np.trace(counts)), int(counts.sum())
        axes.set_title(f"{report.percent(right / all_digits)} right, {all_digits - right:,} of {all_digits:,} wrong")


def digits(images: NDArray[np.uint8], captions: Sequence[str], title: str, path: Path) -> None:
    """Plot images (K, H, W) of bytes, 255 is ink, with a caption under each. Raises PlotError as the others do."""
    with _sheet(path, images, captions, title) as (_, shown):
        for image in shown:
            image.set(cmap="gray_r", clim=(0, 255))


def weights(pictures: NDArray[Any], captions: Sequence[str], title: str, path: Path) -> None:
    """Plot weights (K, H, W) of pixels, blue above 0 and red below, with a caption under each.

    All have one scale, which stands below them. Raises PlotError where the file cannot be written.
    """
    limit = drawing.full_colour(pictures)
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
    """Give a figure with pictures (K, H, W) in rows, captions and a title, and the pictures to be coloured.

    `below` is how many inches are left free under them. The figure is written as `_figure` does.
    """
    from matplotlib.patches import Rectangle

    count, height, width = pictures.shape
    tall = SIDE * height / width
    columns = _columns(count)
    across = max(SIDE, max(map(len, captions)) * LETTER) + GAP
    down = tall + CAPTION
    wide = 2 * MARGIN + max(columns * across - GAP, 1.5 * LETTER * len(title), NARROWEST)
    high = TITLE + math.ceil(count / columns) * down + below
    with _figure(path, wide, high) as figure:
        # All lengths on the sheet are inches, from its upper left corner.
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        axes.text(MARGIN, 0.24, title, va="center", fontsize=11, color="0.1")
        shown = []
        for number, (picture, caption) in enumerate(zip(pictures, captions, strict=True)):
            x, y = MARGIN + number % columns * across, TITLE + number // columns * down
            shown.append(
                axes.imshow(picture, extent=(x, x + SIDE, y + tall, y), aspect="auto", interpolation="nearest")
            )
            axes.add_patch(Rectangle((x, y), SIDE, tall, fill=False, edgecolor="0.75", linewidth=0.8))
            axes.text(x, y + tall + 0.05, caption, va="top", fontsize=8, color="0.2")
        axes.set(xlim=(0, wide), ylim=(high, 0))
        yield figure, shown


def _columns(count: int) -> int:
    """Return how many pictures stand in a row: a few more than there are rows, with few places left empty."""
    some = range(math.isqrt(count - 1) + 1, math.isqrt(3 * count) + 1)
    return min(some, key=lambda columns: (-count % columns, columns))


@contextmanager
def _figure(path: Path, wide: float, high: float) -> Iterator[Any]:
    """Give a figure, so many inches wide and high, and write it into `path` once it is drawn."""
    import matplotlib
    from matplotlib.figure import Figure

    # The user's own settings are set aside, and are back afterwards. So is the word that a file's name, in a title, has
    # letters that the font lacks: boxes stand for them.
    with matplotlib.rc_context(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        figure = Figure(figsize=(wide, high))
        yield figure
        ending = path.suffix.lower()
        try:
            with written_whole(path) as file:
                figure.savefig(file, format=ending[1:], metadata=FORMATS[ending])
        except OSError as error:
            raise PlotError(f"{path} cannot be written: {error.strerror or error}.") from error
