"""What people read: how many predictions are right, and which are not. None of this trains: its derivative is 0."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.backend import Array, array_namespace, require_entries, require_same_shape


def right(z: Array, t: Array) -> Array:
    """Return whether each row of logits z (N, O) says what its targets t (N, O) say: a mask (N,).

    With one output, it does where z > 0 (which is p > 1/2) and t = 1, or neither. With more, where the largest z
    stands in the column of the 1. Raises ValueError where z and t differ in shape or are empty.
    """
    require_same_shape(z=z, t=t)
    require_entries(z=z)
    xp = array_namespace(z)
    if z.shape[1] > 1:
        return xp.argmax(z, axis=1) == xp.argmax(t, axis=1)
    # A logit that is not a number is on neither side of 0.
    return xp.where(t == 1, z > 0, z <= 0)[:, 0]


def accuracy(z: Array, t: Array) -> float:
    """Return the share, 0 to 1, of logits z (N, O) that say what the targets t (N, O) say, as `right` has it.

    Raises ValueError where z and t differ in shape or are empty.

    >>> accuracy(np.array([[2.0], [-1.0], [-3.0]]), np.array([[1], [0], [1]]))
    0.6666666666666666
    """
    return int(array_namespace(z).count_nonzero(right(z, t))) / int(z.shape[0])


def most_wrong(z: Array, t: Array) -> Array:
    """Return the positions of those rows of logits z (N, O) that are not `right`, the worst first.

    The worst is where the logit of the digit that is said exceeds that of the digit in t by most. With one output,
    the logit of the second digit is -z. Raises ValueError where z and t differ in shape or are empty.

    >>> most_wrong(np.array([[2.0], [-9.0], [-3.0], [5.0]]), np.array([[0], [1], [0], [1]]))
    array([1, 0])
    """
    xp = array_namespace(z)
    (wrong,) = xp.nonzero(~right(z, t))
    of_truth = xp.where(t == 1, z, -z if z.shape[1] == 1 else 0)
    too_much = xp.max(xp.abs(z) if z.shape[1] == 1 else z, axis=1) - xp.sum(of_truth, axis=1)
    return xp.take(wrong, xp.argsort(xp.take(too_much, wrong, axis=0), descending=True), axis=0)


def strongest_units(w: Array) -> Array:
    """Return the positions (I,) of hidden units, those first that the layer behind them listens to most.

    That is by the length of each unit's row in that layer's weights w (I, O); of equals, the first comes first.

    >>> strongest_units(np.array([[1.0, 0.0], [3.0, -4.0], [2.0, 2.0]]))
    array([1, 2, 0])
    """
    xp = array_namespace(w)
    return xp.argsort(xp.sum(w * w, axis=1), descending=True)


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
