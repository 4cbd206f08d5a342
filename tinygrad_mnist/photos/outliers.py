"""Whether a picture looks like the digits that a network was trained on. A network alone answers for everything.

A picture is odd if it is far from all training digits that are what the network takes it for: from the nearest of a
sample of them (Sun, Ming, Zhu and Li, Out-of-distribution detection with deep nearest neighbors, 2022), by the
descriptions of directions.py. And it is odd if the network finds little evidence for any digit (Liu, Wang, Owens and
Li, Energy-based out-of-distribution detection, 2020). Both are added, each in units of its spread among held-out
digits. A stated share of the held-out digits is odder than the limit.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.datasets.digits import Digits
from tinygrad_mnist.errors import require
from tinygrad_mnist.photos.directions import CELLS, COLUMNS, described

FALSE_ALARMS = 0.02
"""The share of the held-out digits that are odder than the limit."""

EACH, FEWEST = 800, 50
"""How many training images of each digit are remembered, or up to twice as many, and the fewest that are enough."""

SPREAD = 0.98
"""The spread is the distance of this quantile from the median."""

CHUNK = 500
"""How many images are compared at a time, to save memory."""

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float64]


class Outliers(NamedTuple):
    """What is remembered of the training digits of C kinds, and the limit of oddness."""

    known: Bytes  # (R, COLUMNS): the descriptions of a sample
    kinds: Bytes  # (R,): their positions among the network's digits
    weights: Floats  # (2,): of the distance, and of the evidence
    limit: Floats  # (): the largest oddness that is not an outlier

    def are(self, images: Bytes, z: NDArray[Any]) -> NDArray[np.bool_]:
        """Return a mask (N,) of the images (N, H, W) that do not look like what their logits z (N, O) say."""
        apart = distances(described(images), self.known, self.kinds)
        odd: NDArray[np.bool_] = self.weights @ _signs(apart, z) > self.limit
        return odd

    def require_valid(self, digits: int) -> None:
        """Raise ValueError unless these can be used with a network for so many digits."""
        is_known = self.known.dtype == np.uint8 and self.known.ndim == 2 and self.known.shape[1] == COLUMNS
        require(is_known, f"outlier_known is not bytes in {COLUMNS} columns")
        is_kind = self.kinds.dtype == np.uint8 and self.kinds.shape == self.known.shape[:1]
        require(is_kind and np.array_equal(np.unique(self.kinds), np.arange(digits)), "outlier_kinds lacks a digit")
        for name, shape in (("weights", (2,)), ("limit", ())):
            array = getattr(self, name)
            is_finite = array.dtype == np.float64 and array.shape == shape and np.isfinite(array).all()
            require(is_finite, f"outlier_{name} is not {shape} finite numbers")


Fit: TypeAlias = Callable[[NDArray[Any]], Outliers]
"""Returns the outliers for a network, given its logits z (N, O) for the held-out digits."""


def fitting(training: Digits, held_out: Digits, digits: Sequence[int]) -> Fit | None:
    """Return the function that fits outliers to networks for these digits, or None if they cannot be fitted.

    That is if there are few training images of a digit, or they are smaller than the grid of the descriptions.
    """
    each = [training.only([digit]).sample(EACH) for digit in digits]
    if min(len(part.labels) for part in each) < FEWEST or min(training.source.shape[1:]) < CELLS:
        return None
    known = described(np.concatenate([part.images for part in each]))
    kinds = np.repeat(np.arange(len(digits), dtype=np.uint8), [len(part.labels) for part in each])
    apart = distances(described(held_out.images), known, kinds)

    def fit(z: NDArray[Any]) -> Outliers:
        signs = _signs(apart, z)
        spreads = np.quantile(signs, SPREAD, axis=1) - np.median(signs, axis=1)
        weights = np.where(spreads > 0, 1 / spreads.clip(1e-9), 0.0)
        return Outliers(known, kinds, weights, np.asarray(np.quantile(weights @ signs, 1 - FALSE_ALARMS)))

    return fit


def distances(queries: Bytes, known: Bytes, kinds: Bytes) -> Floats:
    """Return the distance (N, C) of descriptions (N, COLUMNS) from the nearest known one (R, COLUMNS) of each kind."""
    x = queries.astype(np.float32)
    squared = np.empty((len(x), int(kinds.max()) + 1))
    for kind in range(squared.shape[1]):
        same = known[kinds == kind].astype(np.float32)
        for first in range(0, len(x), CHUNK):
            part = slice(first, first + CHUNK)
            squared[part, kind] = (np.square(same).sum(axis=1) - 2 * x[part] @ same.T).min(axis=1)
    apart: Floats = np.sqrt((squared + np.square(x).sum(axis=1, keepdims=True)).clip(0))
    return apart


def _signs(apart: Floats, z: NDArray[Any]) -> Floats:
    """Return two signs of oddness (2, N): the distance from the kind with the largest logit, and the lack of evidence.

    The evidence is the logarithm of the sum of the exponentials of the logits. A single logit has none: it only tells
    which of two digits is more likely.
    """
    if z.shape[1] == 1:
        kinds, evidence = (z[:, 0] <= 0).astype(np.intp), np.zeros(len(z))
    else:
        kinds, evidence = np.argmax(z, axis=1), np.logaddexp.reduce(z.astype(np.float64), axis=1)
    return np.stack([apart[np.arange(len(z)), kinds], -evidence])
