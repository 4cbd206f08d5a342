"""What people read: how many predictions are right. None of this trains, since its derivative is 0."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.backend import Array, array_namespace, require_entries, require_same_shape


def accuracy(z: Array, t: Array) -> float:
    """Return the share, 0 to 1, of logits z (N, O) that say what the targets t (N, O) say.

    With one output, it is right where z > 0 (which is p > 1/2) and t = 1, or neither. With more, where the largest z
    stands in the column of the 1. Raises ValueError where z and t differ in shape or are empty.

    >>> accuracy(np.array([[2.0], [-1.0], [-3.0]]), np.array([[1], [0], [1]]))
    0.6666666666666666
    """
    require_same_shape(z=z, t=t)
    require_entries(z=z)
    xp = array_namespace(z)
    # A logit that is not a number is on neither side of 0.
    right = xp.argmax(z, axis=1) == xp.argmax(t, axis=1) if z.shape[1] > 1 else xp.where(t == 1, z > 0, z <= 0)
    return int(xp.count_nonzero(right)) / int(z.shape[0])


def confusion(labels: NDArray[Any], said: NDArray[Any], digits: Sequence[int]) -> NDArray[np.int64]:
    """Return how often each digit (row) was taken for each digit (column), both in the order of `digits`.

    labels and said are (N,), on the host, each entry one of `digits`.

    >>> confusion(np.array([3, 3, 7]), np.array([3, 7, 7]), (3, 7))
    array([[1, 1],
           [0, 1]])
    """
    counts = [[np.count_nonzero((labels == row) & (said == column)) for column in digits] for row in digits]
    return np.array(counts, dtype=np.int64)


def accuracy_per_digit(counts: NDArray[np.int64], digits: Sequence[int]) -> dict[str, float]:
    """Return, from a confusion table, the share of each digit's images that were named right.

    Raises ValueError where a digit has no images.

    >>> accuracy_per_digit(np.array([[1, 1], [0, 1]]), (3, 7))
    {'3': 0.5, '7': 1.0}
    """
    totals = counts.sum(axis=1)
    for digit, total in zip(digits, totals, strict=True):
        if total == 0:
            raise ValueError(f"there are no images of digit {digit} to measure")
    return {
        str(digit): float(right / total)
        for digit, right, total in zip(digits, np.diagonal(counts), totals, strict=True)
    }
