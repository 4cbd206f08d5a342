"""Right backwards of losses, lookups and masks, in which some arguments are not differentiated."""

from typing import Any

import numpy as np
from scipy import special

from tests.check.corpus.entry import numbers, positive, right
from tests.check.corpus.right_reductions import log_softmax, softmax

X, Y, P, Q = numbers(4, 3), numbers(4, 3, seed=1), positive(4, 3), positive(4, 3, seed=1)
ROWS = numbers(5, 3)
LABELS = np.array([0, 2, 1, 2, 0])
BITS = np.array([[0, 1, 1], [1, 0, 0], [0, 0, 1], [1, 1, 0]], dtype=np.uint8)
MASK = np.array([[0, 2, 2], [2, 0, 2], [2, 2, 0], [0, 0, 2]])


def cross_entropy(x: Any, labels: Any) -> Any:
    """Return the mean cross-entropy of logits x (N, K) for labels (N,)."""
    return -log_softmax(x)[np.arange(len(labels)), labels].mean()


def cross_entropy_backward(dy: Any, x: Any, labels: Any) -> Any:
    """Return dx of `cross_entropy`."""
    dx = softmax(x)
    dx[np.arange(len(labels)), labels] -= 1
    return dy * dx / len(labels)


def binary(z: Any, t: Any) -> Any:
    """Return the mean cross-entropy of logits for targets of 0 and 1."""
    return (np.logaddexp(0, z) - t * z).mean()


def binary_backward(dy: Any, z: Any, t: Any) -> Any:
    """Return dz of `binary`."""
    return dy * (special.expit(z) - t) / z.dtype.type(z.size)


def embedding_backward(dy: Any, table: Any, rows: Any) -> Any:
    """Return dtable: a row that is looked up twice gets both."""
    dtable = np.zeros_like(table)
    np.add.at(dtable, rows, dy)
    return dtable


def divergence_backward(dy: Any, p: Any, q: Any) -> Any:
    """Return dp and dq of the divergence sum p log(p / q)."""
    return dy * (np.log(p / q) + 1), -dy * p / q


def focal(z: Any, t: Any) -> Any:
    """Return the focal loss: the cross-entropy times the square of what is missing to certainty."""
    s = np.where(t == 1, z, -z)
    return (special.expit(-s) ** 2 * np.logaddexp(0, -s)).sum()


def focal_backward(dy: Any, z: Any, t: Any) -> Any:
    """Return dz of `focal`."""
    sign = np.where(t == 1, 1, -1).astype(z.dtype)
    s = sign * z
    q = special.expit(-s)
    return dy * sign * (-2 * q * q * (1 - q) * np.logaddexp(0, -s) - q**3)


def scattered(x: Any, rows: Any) -> Any:
    """Return the sums of the rows of x that go to the same place."""
    y = np.zeros((3, x.shape[1]), x.dtype)
    np.add.at(y, rows, x)
    return y


def squared_error_backward(dy: Any, y: Any, t: Any) -> Any:
    """Return dy and dt of the mean squared error."""
    d = dy * 2 * (y - t) / y.size
    return d, -d


ENTRIES = [
    right("mean squared error", lambda y, t: ((y - t) ** 2).mean(), squared_error_backward, X, Y),
    right("cross-entropy with labels", cross_entropy, cross_entropy_backward, ROWS, LABELS, wrt="x"),
    right(
        "cross-entropy with int32 labels",
        cross_entropy,
        cross_entropy_backward,
        ROWS,
        LABELS.astype(np.int32),
        wrt=["x"],
    ),
    right("cross-entropy in the tails", cross_entropy, cross_entropy_backward, 30 * ROWS, LABELS, wrt="x"),
    right("binary cross-entropy with bytes", binary, binary_backward, X, BITS, wrt="z"),
    right("binary cross-entropy with bools", binary, binary_backward, X, BITS == 1, wrt="z"),
    right("binary cross-entropy with fractions", binary, binary_backward, X, P / 2, wrt="z"),
    right(
        "embedding",
        lambda table, rows: table[rows],
        embedding_backward,
        numbers(6, 3),
        np.array([1, 4, 1, 0]),
        wrt="table",
    ),
    right("scatter", scattered, lambda dy, x, rows: dy[rows], numbers(5, 2), np.array([0, 2, 2, 1, 0]), wrt="x"),
    right(
        "choose",
        lambda x, column: np.take_along_axis(x, column, 1),
        lambda dy, x, column: np.where(np.arange(x.shape[1]) == column, dy, 0),
        X,
        np.array([[0], [2], [1], [1]]),
        wrt="x",
    ),
    right(
        "dropout with a given mask",
        lambda x, mask: x * mask,
        lambda dy, x, mask: dy * mask,
        X,
        MASK.astype(float),
        wrt="x",
    ),
    right(
        "dropout with an integer mask",
        lambda x, mask: x * mask,
        lambda dy, x, mask: (dy * mask).astype(x.dtype),
        X,
        MASK.astype(np.int8),
        wrt="x",
    ),
    right(
        "chosen by a mask",
        lambda x, y, mask: np.where(mask, x, y),
        lambda dz, x, y, mask: (dz * mask, dz * ~mask),
        X,
        Y,
        MASK > 0,
        wrt=("x", "y"),
    ),
    right("divergence", lambda p, q: (p * np.log(p / q)).sum(), divergence_backward, P, Q),
    right("focal loss", focal, focal_backward, X, BITS, wrt="z"),
    right(
        "poisson loss",
        lambda z, count: (np.exp(z) - count * z).sum(),
        lambda dy, z, count: (dy * (np.exp(z) - count)).astype(z.dtype),
        X,
        BITS.astype(np.int64) * 3,
        wrt="z",
    ),
    right(
        "a number that is not an array",
        lambda x, s: s * np.sin(x),
        lambda dy, x, s: s * dy * np.cos(x),
        numbers(4),
        3,
        wrt="x",
    ),
    right(
        "a word as an argument",
        lambda x, kind: np.tanh(x) if kind == "tanh" else x * x,
        lambda dy, x, kind: dy * (1 - np.tanh(x) ** 2 if kind == "tanh" else 2 * x),
        X,
        "tanh",
        wrt="x",
    ),
]
