"""Whether a picture looks like the digits that a network was trained on. A network alone answers for everything.

The training images of each digit are modeled as a normal distribution, on coarse and blurred pixels of unit length:
along the axes on which the digit's images differ most, with the variance there, and with one small variance for
everything else (probabilistic principal components, Tipping and Bishop 1999). The distance of a picture from the digit
that the network predicts is Mahalanobis's. Its limit is exceeded by a stated share of held-out digits.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.datasets.digits import Digits
from tinygrad_mnist.errors import require

FALSE_ALARMS = 0.01
"""The share of held-out digits that are farther from their own digit than the limit."""

AXES = 30
"""The number of axes per digit. More find noise, fewer find smileys. Chosen on drawings and MNIST's training digits."""

SIDE = 14
"""The side of the coarse images, in pixels, or up to half more."""

SAMPLE, FEWEST = 1500, 50
"""The most training images of a digit that are used, and the fewest for which the distances mean something."""

HELD_OUT = 5000
"""The most held-out digits whose distances are measured, or up to twice as many."""

BINOMIAL = (1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16)
"""The weights of the blur along each axis: nearly a Gaussian with a standard deviation of one pixel."""

Floats = NDArray[np.float32]


class Outliers(NamedTuple):
    """The distributions of C digits, on D coarse pixels with K axes."""

    means: Floats  # (C, D)
    axes: Floats  # (C, K, D)
    variances: Floats  # (C, K + 1): along each axis, and along all other directions
    limits: Floats  # (C,): the largest distance that is not an outlier

    def are(self, images: NDArray[np.uint8], which: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Return a mask (N,) of the images (N, H, W) that do not look like their digits, by position (N,)."""
        distances = self.distances(coarse(images))
        return distances[np.arange(len(which)), which] > self.limits[which]

    def distances(self, x: Floats) -> Floats:
        """Return the squared distances (N, C) of coarse images (N, D) from each digit."""
        columns = []
        for mean, axes, variances in zip(self.means, self.axes, self.variances, strict=True):
            apart = x - mean
            along = np.square(apart @ axes.T)
            across = np.square(apart).sum(axis=1) - along.sum(axis=1)
            columns.append((along / variances[:-1]).sum(axis=1) + across / variances[-1])
        return np.stack(columns, axis=1)

    def require_valid(self, digits: int, height: int, width: int) -> None:
        """Raise ValueError unless these are the distributions of so many digits in images (height, width)."""
        pixels = coarse(np.zeros((1, height, width), np.uint8)).shape[1]
        axes = min(AXES, pixels // 4)
        shapes = ((digits, pixels), (digits, axes, pixels), (digits, axes + 1), (digits,))
        for name, array, shape in zip(self._fields, self, shapes, strict=True):
            is_valid = array.dtype == np.float32 and array.shape == shape and np.isfinite(array).all()
            require(is_valid, f"outlier_{name} is not {shape} finite numbers")
        require((self.variances > 0).all(), "outlier_variances has a variance that is not above 0")


def coarse(images: NDArray[np.uint8]) -> Floats:
    """Return images (N, H, W) as rows (N, D) of unit length, or of zeros: blurred, and reduced to about SIDE pixels."""
    pixels: Floats = (images / np.float32(255)).astype(np.float32)
    for axis in (1, 2):
        size = pixels.shape[axis]
        step = max(1, round(size / SIDE))
        if step > 1:
            pixels = _blurred(pixels, axis)
        pixels = np.add.reduceat(pixels, np.arange(0, size, step), axis=axis).astype(np.float32)
    rows = pixels.reshape(len(images), -1)
    unit: Floats = rows / np.linalg.norm(rows, axis=1, keepdims=True).clip(1e-9)
    return unit


def _blurred(pixels: Floats, axis: int) -> Floats:
    padded = np.pad(pixels, [(2, 2) if number == axis else (0, 0) for number in range(3)])
    blurred = np.zeros_like(pixels)
    for first, weight in enumerate(BINOMIAL):
        blurred += np.float32(weight) * np.take(padded, np.arange(first, first + pixels.shape[axis]), axis)
    return blurred


def learned(training: Digits, held_out: Digits, digits: Sequence[int]) -> Outliers | None:
    """Return the distributions of the training images, with limits that FALSE_ALARMS of the held-out ones exceed.

    Returns None if there are too few images of one of the digits.
    """
    parts = [training.take(np.flatnonzero(training.labels == digit)[:SAMPLE]) for digit in digits]
    if min(len(part.labels) for part in parts) < FEWEST:
        return None
    means, axes, variances = zip(*(_distribution(coarse(part.images)) for part in parts), strict=True)
    unlimited = np.full(len(digits), np.inf, np.float32)
    outliers = Outliers(np.stack(means), np.stack(axes), np.stack(variances), unlimited)
    sample = held_out.sample(HELD_OUT)
    which = np.argmax(sample.labels[:, None] == np.asarray(digits), axis=1)
    distances = outliers.distances(coarse(sample.source))[np.arange(len(which)), which]
    # The digits differ in their distances, but few held-out ones of each may be there. So only a factor is common.
    medians = np.array([np.median(distances[which == k]) if (which == k).any() else 1.0 for k in range(len(digits))])
    factor = np.quantile(distances / medians[which], 1 - FALSE_ALARMS)
    return outliers._replace(limits=(factor * medians).astype(np.float32))


def _distribution(x: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the mean (D,) of images (N, D), the axes (K, D) on which they differ most, and the variances (K + 1,)."""
    mean = x.mean(axis=0)
    values, vectors = np.linalg.eigh(np.cov((x - mean).T, bias=True))
    count = min(AXES, x.shape[1] // 4)
    # Few images, or pixels that are black in all of them, have directions without any variance.
    values = np.maximum(values, 1e-3 * values.mean()).astype(np.float32) + np.float32(1e-9)
    variances = np.append(values[::-1][:count], values[::-1][count:].mean())
    return mean, np.ascontiguousarray(vectors.T[::-1][:count], np.float32), variances.astype(np.float32)
