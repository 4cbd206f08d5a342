"""Distorted training digits: every epoch shows each digit as if it were written a little differently.

Affine and elastic distortions, after Simard, Steinkraus and Platt, Best practices for convolutional neural networks
applied to visual document analysis, 2003. An image is read at displaced places: out[y, x] = in[y + dy, x + dx].
"""

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.datasets.warp import affine

SMOOTH = 4.0
"""Width of the Gaussian that makes neighbouring pixels move together, in pixels (Simard's sigma)."""

ELASTIC = 0.9
"""Spread of the elastic displacement, in pixels."""

TURN, SLANT, GROW = 0.1, 0.1, 0.08
"""Spread of the rotation (radians), of the slant (sideways over upwards) and of the logarithm of both sizes."""

SHIFT = 0.4
"""Spread of the shift, in pixels."""

IMAGES_AT_ONCE = 512
"""How many images are distorted together: their coordinates take 5 MB."""

Floats = NDArray[Any]
"""float32: it is what the images are read with, and takes half the time."""


def distort(images: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return images (N, H, W), each distorted in its own way; the same for the same state of `rng`, which moves on.

    Parts are distorted side by side, by as many threads as there are processors. Each has random numbers of its own,
    so that it does not matter which comes first.
    """
    starts = range(0, len(images), IMAGES_AT_ONCE)
    parts = [images[start : start + IMAGES_AT_ONCE] for start in starts]
    # By itself a pool has more threads than processors, for work that waits; this does not.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        distorted = pool.map(_distort_part, parts, rng.spawn(len(parts)))
        return np.concatenate([*distorted, images[:0]])


def _distort_part(images: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    return read_at(images, *displacements(images.shape, rng))


def displacements(shape: tuple[int, ...], rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return dy and dx (N, H, W) in pixels: an affine map about the middle, and smooth noise, for each image."""
    count, height, width = shape
    y = (np.arange(height, dtype=np.float32) - (height - 1) / 2)[:, None]
    x = (np.arange(width, dtype=np.float32) - (width - 1) / 2)[None, :]
    spreads = np.array([TURN, SLANT, GROW, GROW, SHIFT, SHIFT], np.float32)
    drawn = spreads[:, None, None, None] * rng.standard_normal((6, count, 1, 1), dtype=np.float32)
    turn, slant, (tall, wide), (down, right) = drawn[0], drawn[1], np.exp(drawn[2:4]), drawn[4:6]
    # The map is linear, so that rows and columns can be moved apart from each other: far fewer than all the pixels.
    columns_x, columns_y = affine(x, np.float32(0), turn, slant, wide, tall)
    rows_x, rows_y = affine(np.float32(0), y, turn, slant, wide, tall)
    dy = (rows_y - y) + (columns_y + down)
    dx = rows_x + (columns_x - x + right)
    elastic = smooth_noise((2, *shape), rng) * np.float32(ELASTIC)
    return dy + elastic[0], dx + elastic[1]


def smooth_noise(shape: tuple[int, ...], rng: np.random.Generator) -> Floats:
    """Return noise (..., H, W) of spread 1 in which neighbours are alike."""
    *_, height, width = shape
    rows, columns = _gaussian(height), _gaussian(width)
    # A Gaussian filter along an axis is a product with a matrix, and that is what processors do best.
    noise: Floats = rows @ rng.standard_normal(shape, dtype=np.float32) @ columns.T
    return noise


def _gaussian(size: int) -> Floats:
    """Return the matrix (size, size) that blurs a column; its rows have length 1, so that the spread stays 1."""
    places = np.arange(size)
    weights = np.exp(-0.5 * ((places[:, None] - places[None, :]) / SMOOTH) ** 2)
    unit: Floats = (weights / np.linalg.norm(weights, axis=1, keepdims=True)).astype(np.float32)
    return unit


def read_at(images: NDArray[np.uint8], dy: Floats, dx: Floats) -> NDArray[np.uint8]:
    """Return the images (N, H, W) read at displaced places, between pixels linearly, paper beyond the edges."""
    # Slow to import, and not needed without distortions.
    from scipy import ndimage

    count, height, width = images.shape
    # One tall picture with paper between the images: then two coordinates do instead of three.
    tall = np.pad(images, ((0, 0), (1, 1), (0, 0))).reshape(-1, width)
    pitch = height + 2
    y = (np.arange(height, dtype=np.float32)[:, None] + dy).clip(-1, height)
    y += (pitch * np.arange(count, dtype=np.float32) + 1)[:, None, None]
    x = np.arange(width, dtype=np.float32) + dx
    read: NDArray[np.uint8] = ndimage.map_coordinates(tall, [y, x], order=1, output=np.uint8)
    return read
