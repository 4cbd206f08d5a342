"""Wrong backwards at kinks: the wrong side, the wrong value at the kink, and ties."""

from typing import Any

import numpy as np

from tests.check.corpus.entry import numbers, wrong, wrong_backwards

X, Y = numbers(4, 3), numbers(4, 3, seed=1)
WHOLE = np.round(numbers(4, 5))
"""Whole numbers, among which there are zeros and equal ones."""


def relu(x: Any) -> Any:
    """Return max(x, 0)."""
    return np.maximum(x, 0)


def all_of_the_largest(dy: Any, x: Any) -> Any:
    """Return dx in which each of several equal largest entries gets everything."""
    return dy[:, None] * (x == x.max(axis=1, keepdims=True))


def none_of_the_largest(dy: Any, x: Any) -> Any:
    """Return dx in which equal largest entries get nothing."""
    largest = x == x.max(axis=1, keepdims=True)
    return dy[:, None] * (largest & (largest.sum(axis=1, keepdims=True) == 1))


def overlapping_pool(x: Any) -> Any:
    """Return the largest of each two neighbors."""
    return np.maximum(x[:, :-1], x[:, 1:])


def overlapping_pool_backward(dy: Any, x: Any) -> Any:
    """Return dx in which a number that wins twice is counted once."""
    dx = np.zeros_like(x)
    left = x[:, :-1] >= x[:, 1:]
    dx[:, 1:] = np.where(left, 0, dy)
    dx[:, :-1] = np.where(left, dy, dx[:, :-1])
    return dx


ENTRIES = [
    wrong("abs has slope 1 on both sides", np.abs, lambda dy, x: dy * np.ones_like(x), X),
    wrong("abs has the wrong sign on the left", np.abs, lambda dy, x: dy * (x > 0), X),
    wrong("abs has slope 2 at 0", np.abs, lambda dy, x: dy * np.where(x == 0, 2, np.sign(x)), X),
    wrong("relu has slope -1 at 0", relu, lambda dy, x: dy * np.where(x == 0, -1, x > 0), X),
    wrong("relu is NaN at 0", relu, lambda dy, x: dy * np.where(x == 0, np.nan, x > 0), X),
    wrong("relu has slope 0 on the right", relu, lambda dy, x: dy * (x < 0), X),
    wrong("relu looks at the upstream gradient", relu, lambda dy, x: dy * (dy > 0), X),
    wrong("relu is ignored", relu, lambda dy, x: dy * 1, X),
    wrong("relu has slope 2 at 0, at numbers with zeros", relu, lambda dy, x: dy * np.where(x == 0, 2, x > 0), WHOLE),
    *wrong_backwards(
        lambda x: np.where(x > 0, x, 0.01 * x),
        (X,),
        {
            "leaky relu leaks the wrong share": lambda dy, x: np.where(x > 0, dy, 0.1 * dy),
            "leaky relu is a relu": lambda dy, x: dy * (x > 0),
        },
    ),
    wrong("each of equal maxima gets everything", lambda x: x.max(axis=1), all_of_the_largest, WHOLE),
    wrong("equal maxima get nothing", lambda x: x.max(axis=1), none_of_the_largest, WHOLE),
    wrong(
        "the smallest gets the gradient",
        lambda x: x.max(axis=1),
        lambda dy, x: dy[:, None] * (x == x.min(1, keepdims=True)),
        X,
    ),
    *wrong_backwards(
        np.maximum,
        (np.array([1.0, 2, 3, -1]), np.array([1.0, 1, 4, -1])),
        {
            "maximum gives everything to both if equal": lambda dz, x, y: (dz * (x >= y), dz * (y >= x)),
            "maximum gives nothing if equal": lambda dz, x, y: (dz * (x > y), dz * (y > x)),
        },
    ),
    wrong("maximum exchanges its arguments", np.maximum, lambda dz, x, y: (dz * (x < y), dz * (x >= y)), X, Y),
    wrong("a pool counts a double winner once", overlapping_pool, overlapping_pool_backward, numbers(3, 5)),
    wrong("clip has slope 1 below", lambda x: np.clip(x, -0.5, 0.5), lambda dy, x: dy * (x < 0.5), X),
    wrong("the hinge is inactive", lambda z: np.maximum(1 - z, 0), lambda dy, z: -dy * (z < 0), X),
    wrong("the hinge has the wrong sign", lambda z: np.maximum(1 - z, 0), lambda dy, z: dy * (z < 1), X),
    wrong(
        "mean distance has slope 0 for small distances",
        lambda x: abs(x).mean(),
        lambda dy, x: dy * np.where(abs(x) < 0.1, 0, np.sign(x)) / x.size,
        X,
    ),
    wrong(
        "a square joins a line at the wrong place",
        lambda x: np.where(x > 1, x * x, 2 * x - 1),
        lambda dy, x: np.where(x > 1.2, 2 * x, 2) * dy,
        X,
    ),
]
