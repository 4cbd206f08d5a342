"""Distorted training digits: in every epoch, each digit looks as if it had been written a little differently.

Affine and elastic distortions, after Simard, Steinkraus and Platt, Best practices for convolutional neural networks
applied to visual document analysis, 2003. Each output pixel is read at a displaced position of the input:
out[y, x] = in[y + dy, x + dx].
"""

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.datasets.warp import affine

SIGMA = 4.0
"""Width, in pixels, of the Gaussian that makes neighboring pixels move together (Simard's sigma)."""

ELASTIC = 0.9
"""Standard deviation of the elastic displacement, in pixels."""

ANGLE, SLANT, LOG_SCALE = 0.1, 0.1, 0.08
"""Standard deviations of the rotation (radians), the slant, and the logarithms of the factors of height and width."""

SHIFT = 0.4
"""Standard deviation of the shift, in pixels."""

IMAGES_AT_ONCE = 512
"""The number of images that are distorted together. Their coordinates take 5 MB."""

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


def smooth_noise(shape: tuple[int, ...], rng: np.random.Generator) -> Floats:
    """Return noise (..., H, W) with mean 0 and standard deviation 1, in which neighboring entries are similar."""
    *_, height, width = shape
    rows, columns = _gaussian(height), _gaussian(width)
    # A Gaussian filter along an axis is a matrix product, which processors compute fast.
    noise: Floats = rows @ rng.standard_normal(shape, dtype=np.float32) @ columns.T
    return noise


def _gaussian(size: int) -> Floats:
    """Return the matrix (size, size) that blurs a column. Its rows have length 1, so the standard deviation stays 1."""
    positions = np.arange(size)
    weights = np.exp(-0.5 * ((positions[:, None] - positions[None, :]) / SIGMA) ** 2)
    unit: Floats = (weights / np.linalg.norm(weights, axis=1, keepdims=True)).astype(np.float32)
    return unit


def resample(images: NDArray[np.uint8], dy: Floats, dx: Floats) -> NDArray[np.uint8]:
    """Return the images (N, H, W) read at displaced positions: linear between pixels, and 0 beyond the edges."""
    # Slow to import, and only needed for distortions.
    from scipy import ndimage

    count, height, width = images.shape
    # One tall picture with a gap of zeros between the images needs two coordinates for each pixel instead of three.
    tall = np.pad(images, ((0, 0), (1, 1), (0, 0))).reshape(-1, width)
    pitch = height + 2
    y = (np.arange(height, dtype=np.float32)[:, None] + dy).clip(-1, height)
    y += (pitch * np.arange(count, dtype=np.float32) + 1)[:, None, None]
    x = np.arange(width, dtype=np.float32) + dx
    resampled: NDArray[np.uint8] = ndimage.map_coordinates(tall, [y, x], order=1, output=np.uint8)
    return resampled
