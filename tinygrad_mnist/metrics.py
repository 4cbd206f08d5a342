"""Targets, predicted digits, probabilities, accuracy and mistakes. Of these, only the targets enter a loss."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.arrays.backend import Array, array_namespace, asarray_like
from tinygrad_mnist.arrays.shapes import require_entries, require_same_shape
from tinygrad_mnist.passes import sigmoid, softmax_cross_entropy


def targets(labels: Array, digits: Sequence[int]) -> Array:
    """Return the targets t for labels (N,), as bytes 0 and 1.

    For two digits, t is (N, 1), with 1 for the first digit. For more, t is (N, O), with 1 in the column of the label.

    >>> targets(np.array([3, 7, 7]), (3, 7)).T
    array([[1, 0, 0]], dtype=uint8)
    >>> targets(np.array([2, 0]), (0, 1, 2))
    array([[0, 0, 1],
           [1, 0, 0]], dtype=uint8)
    """
    xp = array_namespace(labels)
    columns = digits[:1] if len(digits) == 2 else digits
    return xp.stack([xp.astype(labels == digit, xp.uint8) for digit in columns], axis=1)


def classify(z: Array, digits: Sequence[int]) -> Array:
    """Return the predicted digits (N,) for logits z (N, O), out of the digits that `targets` was given.

    For two digits, the first is predicted if z > 0, which means p > 1/2. For more, it is the one with the largest z.

    >>> classify(np.array([[0.9], [-0.1], [0.0]]), (3, 7))
    array([3, 7, 7])
    """
    xp = array_namespace(z)
    position = xp.argmax(z, axis=1) if len(digits) > 2 else xp.astype(z[:, 0] <= 0, xp.int64)
    return xp.take(asarray_like(np.asarray(digits), like=z), position, axis=0)


def confidence(z: Array) -> Array:
    """Return the probability (N,), from 0 to 1, of each digit that `classify` returns, given the logits z (N, O).

    For two digits, the first has the probability 1 / (1 + e^-z), and the second 1 / (1 + e^z). The larger of the two is
    the sigmoid of |z|. For more digits, it is the largest of the row's `probabilities`.

    >>> confidence(np.array([[0.0], [-2.0], [2.0]]))
    array([0.5       , 0.88079708, 0.88079708])
    """
    xp = array_namespace(z)
    return sigmoid.forward(xp.abs(z[:, 0])) if z.shape[1] == 1 else xp.max(probabilities(z), axis=1)


def probabilities(z: Array) -> Array:
    """Return the probability (N, C), from 0 to 1, of each digit, given the logits z (N, O). Each row sums to 1.

    With one output there are two digits, with p = 1 / (1 + e^-z) and 1 / (1 + e^z). With more, p is the softmax of z.

    >>> probabilities(np.array([[0.0], [2.0]]))
    array([[0.5       , 0.5       ],
           [0.88079708, 0.11920292]])
    """
    xp = array_namespace(z)
    if z.shape[1] == 1:
        return xp.concat([sigmoid.forward(z), sigmoid.forward(-z)], axis=1)
    return softmax_cross_entropy.softmax(z)


def correct(z: Array, t: Array) -> Array:
    """Return a mask (N,) of the rows of logits z (N, O) whose predictions match the targets t (N, O).

    With one output, a row is correct if z > 0 and t = 1, or z <= 0 and t = 0. With more outputs, it is correct if its
    largest z is in the column of the 1. Raises ValueError if z and t differ in shape or have no entries.
    """
    require_same_shape(z=z, t=t)
    require_entries(z=z)
    xp = array_namespace(z)
    if z.shape[1] > 1:
        return xp.argmax(z, axis=1) == xp.argmax(t, axis=1)
    # NaN is neither above 0 nor below.
    return xp.where(t == 1, z > 0, z <= 0)[:, 0]


def accuracy(z: Array, t: Array) -> float:
    """Return the share, from 0 to 1, of the rows of logits z (N, O) that are `correct` for the targets t (N, O).

    Raises ValueError if z and t differ in shape or have no entries.

    >>> accuracy(np.array([[2.0], [-1.0], [-3.0]]), np.array([[1], [0], [1]]))
    0.6666666666666666
    """
    return int(array_namespace(z).count_nonzero(correct(z, t))) / int(z.shape[0])


def most_wrong(z: Array, t: Array) -> Array:
    """Return the positions of the rows of logits z (N, O) that are not `correct`, the worst first.

    The worst is the one in which the logit of the predicted digit exceeds that of the true digit by the most. With one
    output, the logit of the second digit is -z. Raises ValueError if z and t differ in shape or have no entries.

    >>> most_wrong(np.array([[2.0], [-9.0], [-3.0], [5.0]]), np.array([[0], [1], [0], [1]]))
    array([1, 0])
    """
    xp = array_namespace(z)
    (wrong,) = xp.nonzero(~correct(z, t))
    of_true_digit = xp.where(t == 1, z, -z if z.shape[1] == 1 else 0)
    excess = xp.max(xp.abs(z) if z.shape[1] == 1 else z, axis=1) - xp.sum(of_true_digit, axis=1)
    return xp.take(wrong, xp.argsort(xp.take(excess, wrong, axis=0), descending=True), axis=0)


def strongest_units(w: Array) -> Array:
    """Return the positions (I,) of hidden units, those with the strongest weights in the next layer first.

    The strength is the length of the unit's row in the next layer's weights w (I, O). Ties keep their order.

    >>> strongest_units(np.array([[1.0, 0.0], [3.0, -4.0], [2.0, 2.0]]))
    array([1, 2, 0])
    """
    xp = array_namespace(w)
    return xp.argsort(xp.sum(w * w, axis=1), descending=True)


def confusion(labels: NDArray[Any], predicted: NDArray[Any], digits: Sequence[int]) -> NDArray[np.int64]:
    """Return the confusion matrix: how often each digit (row) was predicted as each digit (column).

    Rows and columns are in the order of `digits`. labels and predicted are (N,), on the host, with entries in `digits`.

    >>> confusion(np.array([3, 3, 7]), np.array([3, 7, 7]), (3, 7))
    array([[1, 1],
           [0, 1]])
    """
    counts = [[np.count_nonzero((labels == row) & (predicted == column)) for column in digits] for row in digits]
    return np.array(counts, dtype=np.int64)


def accuracy_per_digit(counts: NDArray[np.int64], digits: Sequence[int]) -> dict[str, float]:
    """Return, by digit, the share of its images, from 0 to 1, that were predicted correctly, given a confusion matrix.

    Raises ValueError if a digit has no images.

    >>> accuracy_per_digit(np.array([[1, 1], [0, 1]]), (3, 7))
    {'3': 0.5, '7': 1.0}
    """
    totals = counts.sum(axis=1)
    for digit, total in zip(digits, totals, strict=True):
        if total == 0:
            raise ValueError(f"there are no images of digit {digit} to measure")
    return {
        str(digit): float(correct / total)
        for digit, correct, total in zip(digits, np.diagonal(counts), totals, strict=True)
    }
