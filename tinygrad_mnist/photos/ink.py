"""Isolates the digit among a photo's marks, and gives it the form that MNIST's digits have.

    grays --marks.find--> marks --cut_out--> ink of the digit --normalize--> image

The size, the box and the center of mass follow LeCun, Cortes and Burges, The MNIST database.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.datasets.strokes import BOX, center
from tinygrad_mnist.photos.marks import Fault, Mark
from tinygrad_mnist.photos.paper import Floats

MIN_PEN = 0.4
"""Parts of a digit have at least this share of its thickness. What is thinner is a speck or printed."""

NEAR, NEAR_SOLID = 0.2, 0.1
"""The largest distance of a part from the digit, as a share of the digit's length. A solid part may be a blot."""

MAX_GAP = 1 / 8
"""The widest gap between two parts of one digit, as a share of its height. Two digits have a wider gap."""

EDGE = 0.25
"""The digit ends at this share of the ink's darkness. Chosen on enlarged training digits of MNIST."""

Bytes = NDArray[np.uint8]


def is_second(mark: Mark, digit: Mark) -> bool:
    """Return whether a mark is a second digit, with paper between it and the digit."""
    heights = sorted([mark.mask.shape[0], digit.mask.shape[0]])
    is_large = heights[0] >= heights[1] / 2 and mark.mask.sum() >= digit.mask.sum() / 4
    is_digit = mark is not digit and not mark.faults and mark.thickness >= MIN_PEN * digit.thickness
    return is_digit and is_large and _distance(mark, digit) > MAX_GAP * heights[1]


def is_part(mark: Mark, digit: Mark) -> bool:
    """Return whether a mark, which is no second digit, belongs to the digit: it is near, and of the same pen."""
    near = NEAR_SOLID if Fault.SOLID in mark.faults else NEAR
    is_near = _distance(mark, digit) <= near * digit.length and Fault.CUT not in mark.faults
    is_pen = MIN_PEN * digit.thickness <= mark.thickness <= 1.2 * digit.thickness + 1
    return mark is digit or (is_pen and is_near and not mark.surrounds(digit))


def _distance(first: Mark, second: Mark) -> int:
    """Return the distance between two marks' boxes, down or across, whichever is more, or 0 if they overlap."""
    gaps = (max(a.start - b.stop, b.start - a.stop, 0) for a, b in zip(first.box, second.box, strict=True))
    return int(max(gaps))


def cut_out(parts: Sequence[Mark]) -> Floats:
    """Return the ink (H, W) of a digit's parts, the main part first, from 0 to 1, cropped to its box."""
    from scipy import ndimage

    layer, darkness = parts[0].layer, parts[0].darkness
    mask = np.isin(layer.labels, [mark.number for mark in parts])
    rows, columns = (np.flatnonzero((mask & (layer.ink >= EDGE * darkness)).any(axis=axis)) for axis in (1, 0))
    floor = min(2 * float(np.percentile(layer.ink, 25)) / 0.3186, EDGE * darkness)
    ink = ((layer.ink - floor) / (darkness - floor)).clip(0, 1) * ndimage.binary_dilation(mask, iterations=2)
    digit: Floats = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return digit


def normalize(digit: Floats) -> Bytes:
    """Return the image (28, 28) of a digit's ink (H, W), from 0 to 1: it fills the box and is centered by mass.

    Each pixel is a mean of the pixels that it replaces. One in twenty inked pixels is full, even if the pen is thin.
    """
    from PIL import Image

    height, width = digit.shape
    scale = BOX / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = np.asarray(Image.fromarray(digit).resize(size, Image.Resampling.HAMMING)).clip(0, 1)
    small = (small / np.percentile(small[small > 0], 95)).clip(0, 1)
    box = np.zeros((1, BOX, BOX), np.uint8)
    top, left = ((BOX - length) // 2 for length in small.shape)
    box[0, top : top + small.shape[0], left : left + small.shape[1]] = np.rint(255 * small)
    image: Bytes = center(box)[0]
    return image
