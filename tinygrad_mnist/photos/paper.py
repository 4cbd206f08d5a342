"""Separates the ink of a photo from the paper, without shade, tables and printed lines.

The paper is the lightest thing near every pixel, so the edge of a sheet or of a shadow leaves no ink, unless something
dark and narrow lies there. (Closing and opening of grays: Serra, Image Analysis and Mathematical Morphology, 1982.)
The constants were chosen by trial on photos like those of benchmarks/scenes.py, unless another reason is given.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]

LONGER_SIDE = 256
"""The longer side of a picture in which ink is searched for. All lengths below are in its pixels."""

MIN_LIGHT = 76
"""Paper counts as at least this light, out of 255. So the noise of a dark table is not strong ink."""

MIN_CONTRAST = 0.04
"""The lightest ink, as a share of the paper."""

QUARTER = 0.3186
"""A quarter of a normal distribution is within this many standard deviations of its mean."""

THIN, PIECE = 5, 20
"""The widest printed line, and the shortest piece that shows where one runs."""

SUPPORT = (0.35, 0.55)
"""The share of a straight line through the picture that is printed, across and down. A 1 is long and straight too."""

EIGHT = np.ones((3, 3))
"""A pixel is connected to its eight neighbors."""


class Page(NamedTuple):
    """A picture's grays, its paper, and its ink from 0 (none) to 1 (black), all (H, W)."""

    grays: Floats
    paper: Floats
    ink: Floats
    faintest: float  # the least ink that is not noise
    window: int  # the side of the squares in which the paper is the lightest thing
    margin: int  # the pixels of paper that were added on each side


def fit(grays: Floats) -> Floats:
    """Return a picture (H, W) at the size whose longer side is LONGER_SIDE."""
    from PIL import Image

    scale = LONGER_SIDE / max(grays.shape)
    height, width = (max(1, round(scale * size)) for size in grays.shape)
    return np.asarray(Image.fromarray(grays.astype(np.float32)).resize((width, height), Image.Resampling.BILINEAR))


def page(grays: Floats, window: int, margin: int) -> Page:
    """Return the page with dark ink on light paper that grays (H, W) show. The window must be wider than a stroke."""
    from scipy import ndimage

    grays = np.pad(grays, margin, constant_values=float(np.percentile(grays, 95)))
    smooth = ndimage.gaussian_filter(grays, 0.6)
    paper = ndimage.grey_closing(smooth, size=(window, window), mode="nearest")
    ink = (paper - smooth) / np.maximum(paper, MIN_LIGHT)
    # With noise, the lightest pixel is lighter than the paper. Most pixels are paper, so the median tells by how much.
    ink = (ink - np.median(ink)).clip(0)
    faintest = max(4 * noise(ink), MIN_CONTRAST)
    for support in SUPPORT:
        ink = _without_lines(ink, faintest, support).T
    return Page(grays, paper, ink, faintest, window, margin)


def noise(ink: Floats) -> float:
    """Return the standard deviation of the ink of empty paper, which is most of a picture."""
    return float(np.percentile(ink, 25)) / QUARTER


def _without_lines(ink: Floats, level: float, support: float) -> Floats:
    """Return ink (H, W) without lines from left to right, above a level and tilted by a few degrees."""
    from scipy import ndimage

    thick = ndimage.grey_opening(ink, size=(THIN, 1))
    runs = ndimage.maximum_filter1d((ink - thick > level).view(np.uint8), 3, axis=0)
    runs = ndimage.grey_opening(runs, size=(1, 2 * THIN + 1))
    pieces, _ = ndimage.label(runs, EIGHT)
    lines, x = np.zeros_like(runs), np.arange(ink.shape[1])
    for number, (_, along) in enumerate(ndimage.find_objects(pieces), 1):
        if along.stop - along.start < PIECE:
            continue
        # A digit interrupts a printed line, but the line goes on behind it.
        rows, columns = np.nonzero(pieces == number)
        slope, start = np.polyfit(columns, rows, 1)
        y = np.rint(start + slope * x).astype(int).clip(0, len(ink) - 1)
        if runs[y, x].mean() >= support:
            lines[rows, columns] = 1
    return np.where(ndimage.maximum_filter1d(lines, 3, axis=0) > 0, thick, ink)
