"""Finds what is drawn on paper: the ink of a photo, without shade, tables and printed lines.

The paper is the lightest thing near every pixel, so the edge of a sheet or of a shadow leaves no ink, unless something
dark and narrow lies there. (Closing and opening of grays: Serra, Image Analysis and Mathematical Morphology, 1982.)
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]

SIDE = 256
"""The longer side of a picture in which marks are searched for. All lengths below are in its pixels."""

MIN_LIGHT = 76
"""Paper counts as at least this light, out of 255. So the noise of a dark table is not strong ink."""

THIN, PIECE = 5, 20
"""The widest printed line, and the shortest piece that shows where one runs."""

SUPPORT = (0.55, 0.35)
"""The share of a straight line through the picture that is printed, down and across. A 1 is long and straight too."""

EIGHT = np.ones((3, 3))
"""A pixel is connected to its eight neighbors."""


def fit(grays: Floats) -> Floats:
    """Return a picture (H, W) at the size whose longer side is SIDE."""
    from PIL import Image

    scale = SIDE / max(grays.shape)
    height, width = (max(1, round(scale * size)) for size in grays.shape)
    return np.asarray(Image.fromarray(grays.astype(np.float32)).resize((width, height), Image.Resampling.BILINEAR))


def subtract(grays: Floats, window: int) -> tuple[Floats, Floats]:
    """Return the ink (H, W) of dark ink on light paper, from 0 (paper) to 1 (black), and the grays of the paper (H, W).

    The window must be wider than a stroke.
    """
    from scipy import ndimage

    smooth = ndimage.gaussian_filter(grays, 0.6)
    paper = ndimage.grey_closing(smooth, size=(window, window), mode="nearest")
    ink = (paper - smooth) / np.maximum(paper, MIN_LIGHT)
    # With noise, the lightest pixel is lighter than the paper. Most pixels are paper, so the median tells by how much.
    return (ink - np.median(ink)).clip(0), paper


def remove_lines(ink: Floats, level: float) -> Floats:
    """Return ink (H, W) without the long, thin and straight lines, down and across, that are darker than a level."""
    down, across = SUPPORT
    return _remove_across(_remove_across(ink, level, across).T, level, down).T


def _remove_across(ink: Floats, level: float, support: float) -> Floats:
    """Return ink (H, W) without lines from left to right, which may be tilted by a few degrees."""
    from scipy import ndimage

    thick = ndimage.grey_opening(ink, size=(THIN, 1))
    runs = ndimage.maximum_filter1d((ink - thick > level).view(np.uint8), 3, axis=0)
    runs = ndimage.maximum_filter1d(ndimage.minimum_filter1d(runs, 2 * THIN + 1), 2 * THIN + 1)
    labels, _ = ndimage.label(runs, EIGHT)
    lines, x = np.zeros_like(runs), np.arange(ink.shape[1])
    for number, (down, along) in enumerate(ndimage.find_objects(labels), 1):
        if along.stop - along.start < PIECE:
            continue
        # A digit interrupts a printed line, but the line goes on behind it.
        piece = labels[down, along] == number
        rows, columns = np.nonzero(piece)
        slope, start = np.polyfit(columns + along.start, rows + down.start, 1)
        y = np.rint(start + slope * x).astype(int).clip(0, len(ink) - 1)
        if runs[y, x].mean() >= support:
            lines[down, along] |= piece
    return np.where(ndimage.maximum_filter1d(lines, 3, axis=0) > 0, thick, ink)
