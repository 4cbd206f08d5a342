"""Distorted training digits: in every epoch, each digit looks as if it had been written a little differently.

Affine and elastic distortions, after Simard, Steinkraus and Platt, Best practices for convolutional neural networks
applied to visual document analysis, 2003. Each output pixel is read at a displaced position of the input:
out[y, x] = in[y + dy, x + dx].
"""

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

SIGMA = 4.0
"""Width, in pixels, of the Gaussian that makes neighboring pixels move together (Simard's sigma)."""

ELASTIC = 0.9
"""Standard deviation of the elastic displacement, in pixels."""

ANGLE, SLANT, LOG_SCALE = 0.1, 0.1, 0.08
"""Standard deviations of the rotation (radians), the slant, and the logarithms of the factors of height and width."""

SHIFT = 0.4
"""Standard deviation of the shift, in pixels."""

NEGLIGIBLE = 0.01
"""The size of a singular value, relative to the largest one, below which smooth noise does without it."""

IMAGES_AT_ONCE = 128
"""The number of images that are distorted together. Their coordinates take 800 KB, which fits a processor's cache."""

Floats = NDArray[Any]
"""Coordinates and noise: float32, which takes half the time of float64."""


def distort(images: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return images (N, H, W), each distorted differently. They depend only on the images and on the state of `rng`.

    The images are distorted in parts, by one thread per processor. Every part has its own random numbers, so the order
    in which they finish does not matter. The state of `rng` changes.
    """
    starts = range(0, len(images), IMAGES_AT_ONCE)
    parts = [images[start : start + IMAGES_AT_ONCE] for start in starts]
    # The default pool has more threads than processors, for tasks that wait. These tasks do not wait.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        distorted = pool.map(_distort_part, parts, rng.spawn(len(parts)))
        return np.concatenate([*distorted, images[:0]])


def _distort_part(images: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    return resample(images, *displacements(images.shape, rng))


def displacements(shape: tuple[int, ...], rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return dy and dx (N, H, W) in pixels: for each image, an affine map about its center plus smooth noise."""
    count, height, width = shape
    y = (np.arange(height, dtype=np.float32) - (height - 1) / 2)[:, None]
    x = (np.arange(width, dtype=np.float32) - (width - 1) / 2)[None, :]
    spreads = np.array([ANGLE, SLANT, LOG_SCALE, LOG_SCALE, SHIFT, SHIFT], np.float32)
    drawn = spreads[:, None, None, None] * rng.standard_normal((6, count, 1, 1), dtype=np.float32)
    angle, slant, (y_scale, x_scale), (down, right) = drawn[0], drawn[1], np.exp(drawn[2:4]), drawn[4:6]
    # The map is linear, so rows and columns can be mapped separately. They are far fewer than the pixels.
    columns_x, columns_y = affine(x, np.float32(0), angle, slant, x_scale, y_scale)
    rows_x, rows_y = affine(np.float32(0), y, angle, slant, x_scale, y_scale)
    dy = (rows_y - y) + (columns_y + down)
    dx = rows_x + (columns_x - x + right)
    elastic = smooth_noise((2, *shape), rng) * np.float32(ELASTIC)
    return dy + elastic[0], dx + elastic[1]


def affine(x: Any, y: Any, angle: Any, slant: Any, x_scale: Any, y_scale: Any) -> tuple[Any, Any]:
    """Return the images of the points (x, y): scaled and slanted first, then rotated, all about the origin.

    All arguments are numbers, or arrays that can be broadcast together.
    y points down, as the rows of an image do. angle is in radians, from x toward y. slant is the shift of x per unit of
    y. The map is linear: the image of a sum of points is the sum of their images. Strokes are bent with it, too.

    >>> affine(1.0, 0.0, angle=np.pi / 2, slant=0.0, x_scale=2.0, y_scale=1.0)[1].round(9)
    np.float64(2.0)
    """
    x, y = x_scale * x + slant * y, y_scale * y
    cos, sin = np.cos(angle), np.sin(angle)
    return x * cos - y * sin, x * sin + y * cos


def smooth_noise(shape: tuple[int, ...], rng: np.random.Generator) -> Floats:
    """Return noise (..., H, W) with mean 0 and standard deviation 1, in which neighboring entries are similar.

    It is white noise after a Gaussian filter along both axes. As matrix products, with white noise z (H, W) and filters
    g (H, H) and f (W, W), that would be g z f^T. But smooth noise needs far fewer random numbers than it has entries:
    by their singular value decompositions, g = u s v^T and f = u' s' v'^T, it is

        g z f^T = u s (v^T z v') s' u'^T

    v and v' are orthogonal, and white noise that is rotated or reflected is white noise: v^T z v' has the distribution
    of z itself. And s quickly falls to almost 0. So the noise has the distribution of (u s) z (u' s')^T, of which only
    the first columns of u s and u' s' matter. For 28 pixels they are 8, and z has 64 entries in place of 784.
    """
    *images, height, width = shape
    rows, columns = _filter(height), _filter(width)
    z = rng.standard_normal((*images, rows.shape[1], columns.shape[1]), dtype=np.float32)
    return np.asarray(rows @ z @ columns.T)


@cache
def _filter(size: int) -> Floats:
    """Return u s (size, K) of the Gaussian filter for a column of pixels, with the K singular values that matter.

    The rows of the filter have length 1, so the standard deviation of white noise stays 1.
    """
    positions = np.arange(size)
    weights = np.exp(-0.5 * ((positions[:, None] - positions[None, :]) / SIGMA) ** 2)
    u, s, _ = np.linalg.svd(weights / np.linalg.norm(weights, axis=1, keepdims=True))
    # The sign of a column is not determined. This one is the same on every machine: each column starts above 0.
    u *= np.copysign(1, u[0])
    return np.asarray((u * s)[:, s > NEGLIGIBLE * s[0]], np.float32)


def resample(images: NDArray[np.uint8], dy: Floats, dx: Floats) -> NDArray[np.uint8]:
    """Return the images (N, H, W) read at displaced positions: linear between pixels, and 0 beyond the edges."""
    count, height, width = images.shape
    # With zeros around the images, every position is between four pixels.
    padded = np.pad(images, ((0, 0), (1, 2), (1, 2))).astype(np.float32)
    y = (np.arange(1, height + 1, dtype=np.float32)[:, None] + dy).clip(0, height + 1)
    x = (np.arange(1, width + 1, dtype=np.float32) + dx).clip(0, width + 1)
    top, left = np.floor(y), np.floor(x)
    y -= top
    x -= left
    _, tall, wide = padded.shape
    of_image = tall * wide * np.arange(count)[:, None, None]
    number = of_image + (wide * top + left).astype(np.intp)
    pixels = padded.reshape(-1)
    # The neighbor to the right is one pixel further on in memory, and the one below a whole row.
    above = _between(pixels.take(number), pixels[1:].take(number), x)
    below = _between(pixels[wide:].take(number), pixels[wide + 1 :].take(number), x)
    return (_between(above, below, y) + np.float32(0.5)).astype(np.uint8)


def _between(a: Floats, b: Floats, share: Floats) -> Floats:
    """Return the numbers at this share of the way from a to b."""
    return np.asarray(a + share * (b - a))
