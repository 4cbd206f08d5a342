"""A short description of an image: the directions in which its ink grows darker, in the cells of a coarse grid.

These are histograms of oriented gradients (Dalal and Triggs, Histograms of oriented gradients for human detection,
2005). They change little if a stroke moves by a pixel, and much if it ends, bends or crosses another one differently.
"""

import numpy as np
from numpy.typing import NDArray

CELLS, DIRECTIONS = 4, 8
"""The cells along a side of the grid, and the directions that are told apart in each."""

COLUMNS = CELLS * CELLS * DIRECTIONS
"""The length of a description."""

CHUNK = 500
"""How many images are described at a time, to save memory."""

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]


def described(images: Bytes) -> Bytes:
    """Return the descriptions (N, COLUMNS) of images (N, H, W) that are at least CELLS pixels high and wide.

    A pixel's gradient counts with its length, divided between the two directions that it lies between. An image's
    counts are divided by their length as a vector. Their square roots let faint directions matter too. A black image
    has zeros only.
    """
    return np.concatenate([_described(part) for part in np.array_split(images, max(1, len(images) // CHUNK))])


def _described(images: Bytes) -> Bytes:
    pixels = _blurred(_blurred(images.astype(np.float32), 1), 2)
    dy, dx = (np.gradient(pixels, axis=axis) for axis in (1, 2))
    number, y, x = place = np.nonzero((dy != 0) | (dx != 0))
    length = np.hypot(dy[place], dx[place])
    turn = np.arctan2(dy[place], dx[place]) * np.float32(DIRECTIONS / (2 * np.pi)) % DIRECTIONS
    before = turn.astype(np.intp)
    _, height, width = images.shape
    cell = (number * CELLS + y * CELLS // height) * CELLS + x * CELLS // width
    counts = np.zeros(len(images) * COLUMNS)
    for direction, share in ((before, 1 + before - turn), (before + 1, turn - before)):
        counts += np.bincount(cell * DIRECTIONS + direction % DIRECTIONS, share * length, len(counts))
    rows = counts.reshape(len(images), COLUMNS)
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True).clip(1e-9)
    rooted: Bytes = np.rint(255 * np.sqrt(unit)).astype(np.uint8)
    return rooted


def _blurred(pixels: Floats, axis: int) -> Floats:
    """Return the mean of each pixel and its neighbors along an axis, with the weights 1/4, 1/2 and 1/4."""
    padded = np.pad(pixels, [(1, 1) if number == axis else (0, 0) for number in range(3)])
    before, here, after = (np.take(padded, np.arange(pixels.shape[axis]) + shift, axis) for shift in range(3))
    blurred: Floats = (before + 2 * here + after) / np.float32(4)
    return blurred
