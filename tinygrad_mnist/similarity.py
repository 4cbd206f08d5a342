"""Pixel similarity: which ideal digit is an image closest to? This is the baseline that a trained network has to beat.

The ideal 3 is the mean of all training threes, pixel by pixel. There are no parameters and no gradients.
"""

from collections.abc import Sequence

from tinygrad_mnist.arrays.backend import Array, array_namespace


def ideal(images: Array) -> Array:
    """Return the mean image (I,), in float64 from 0 to 1, of images (N, I) of bytes from 0 to 255."""
    xp = array_namespace(images)
    return xp.mean(xp.astype(images, xp.float64), axis=0) / 255


def l1(images: Array, ideal: Array) -> Array:
    """Return the mean absolute difference (N,) between images (N, I) of bytes and an ideal digit (I,)."""
    xp = array_namespace(images)
    return xp.mean(xp.abs(xp.astype(images, xp.float64) / 255 - ideal), axis=1)


def squared(images: Array, ideal: Array) -> Array:
    """Return the mean squared difference (N,) between images (N, I) of bytes and an ideal digit (I,)."""
    xp = array_namespace(images)
    difference = xp.astype(images, xp.float64) / 255 - ideal
    return xp.mean(difference * difference, axis=1)


def nearest(distances: Sequence[Array]) -> Array:
    """Return the position (N,) of the smallest of O distances (N,) for each image; the first if there is a tie."""
    xp = array_namespace(distances[0])
    return xp.argmin(xp.stack(list(distances)), axis=0)
