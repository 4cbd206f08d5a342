"""Right backwards of functions with kinks, in which any value between the slopes of both sides is right."""

from typing import Any

import numpy as np

from tests.check.corpus.entry import numbers, right

X, Y = numbers(4, 3), numbers(4, 3, seed=1)


def max_pool(x: Any) -> Any:
    """Return the largest of each 2x2 window of x (N, H, W)."""
    n, height, width = x.shape
    return x.reshape(n, height // 2, 2, width // 2, 2).max(axis=(2, 4))


def max_pool_backward(dy: Any, x: Any) -> Any:
    """Return dx: everything goes to the first largest pixel of the window."""
    n, height, width = x.shape
    windows = x.reshape(n, height // 2, 2, width // 2, 2).transpose(0, 1, 3, 2, 4).reshape(*dy.shape, 4)
    dwindows = np.zeros_like(windows)
    np.put_along_axis(dwindows, windows.argmax(axis=-1)[..., None], dy[..., None], axis=-1)
    return dwindows.reshape(*dy.shape, 2, 2).transpose(0, 1, 3, 2, 4).reshape(x.shape).copy()


def max_of_rows_backward(dy: Any, x: Any) -> Any:
    """Return dx of the largest entry of each row, shared among equals."""
    largest = x == x.max(axis=1, keepdims=True)
    return (dy[:, None] * largest / largest.sum(axis=1, keepdims=True)).astype(x.dtype)


def sort_backward(dy: Any, x: Any) -> Any:
    """Return dx of rows that are sorted."""
    dx = np.empty_like(x)
    np.put_along_axis(dx, x.argsort(axis=-1, kind="stable"), dy, axis=-1)
    return dx


def median_backward(dy: Any, x: Any) -> Any:
    """Return dx of the median of rows with an odd number of entries."""
    dx = np.zeros_like(x)
    middle = x.argsort(axis=1)[:, x.shape[1] // 2, None]
    np.put_along_axis(dx, middle, dy[:, None], axis=1)
    return dx


def norm_backward(dy: Any, x: Any) -> Any:
    """Return dx of the length of x, which has no direction at 0."""
    length = np.linalg.norm(x)
    return dy * x / length if length > 0 else np.zeros_like(x)


def hinge(z: Any, t: Any) -> Any:
    """Return the mean hinge loss for targets -1 and 1."""
    return np.maximum(1 - t * z, 0).mean()


def hinge_backward(dy: Any, z: Any, t: Any) -> Any:
    """Return dz of `hinge`."""
    return dy * np.where(t * z < 1, -t, 0).astype(z.dtype) / z.size


def triplet(a: Any, p: Any, n: Any) -> Any:
    """Return how much nearer the wrong one is than the right one, with a margin of 1."""
    return np.maximum(((a - p) ** 2).sum(1) - ((a - n) ** 2).sum(1) + 1, 0).sum()


def triplet_backward(dy: Any, a: Any, p: Any, n: Any) -> Any:
    """Return da, dp and dn of `triplet`."""
    active = dy * (((a - p) ** 2).sum(1) - ((a - n) ** 2).sum(1) + 1 > 0)[:, None]
    return 2 * active * (n - p), 2 * active * (p - a), 2 * active * (a - n)


def winner(x: Any, y: Any) -> Any:
    """Return dx and dy of the larger of x and y, half of it to each if they are equal."""
    return np.where(x > y, 1, np.where(x < y, 0, 0.5)).astype(x.dtype)


ENTRIES = [
    right("abs", np.abs, lambda dy, x: dy * np.sign(x), X),
    right("relu", lambda x: np.maximum(x, 0), lambda dy, x: dy * (x > 0), X),
    right("relu with 1 at 0", lambda x: np.maximum(x, 0), lambda dy, x: dy * (x >= 0), X),
    right("relu by a mask", lambda x: x * (x > 0), lambda dy, x: np.where(x > 0, dy, 0), X),
    right("relu with zeros in x", lambda x: np.maximum(x, 0), lambda dy, x: dy * (x > 0), np.round(X)),
    right("leaky relu", lambda x: np.where(x > 0, x, 0.01 * x), lambda dy, x: np.where(x > 0, dy, 0.01 * dy), X),
    right("relu6", lambda x: np.clip(x, 0, 6), lambda dy, x: dy * ((x > 0) & (x < 6)), 4 * X),
    right("clip", lambda x: np.clip(x, -0.5, 0.5), lambda dy, x: dy * (abs(x) < 0.5), X),
    right("hard sigmoid", lambda x: np.clip(0.2 * x + 0.5, 0, 1), lambda dy, x: 0.2 * dy * (abs(x) < 2.5), 3 * X),
    right("soft threshold", lambda x: np.sign(x) * np.maximum(abs(x) - 0.3, 0), lambda dy, x: dy * (abs(x) > 0.3), X),
    right(
        "two kinks 1e-7 apart",
        lambda x: np.maximum(x - 0.25, 0) + np.maximum(x - 0.2500001, 0),
        lambda dy, x: dy * (x > 0.25) + dy * (x > 0.2500001),
        X,
    ),
    right("kink at 1e6", lambda x: np.maximum(x - 1e6, 0), lambda dy, x: dy * (x > 1e6), 1e6 + 10 * X),
    right("kink at 1e-9", lambda x: np.maximum(x, 1e-9), lambda dy, x: dy * (x > 1e-9), X),
    right(
        "sawtooth of kinks",
        lambda x: abs(abs(abs(x) - 1) - 0.5),
        lambda dy, x: dy * np.sign(x) * np.sign(abs(x) - 1) * np.sign(abs(abs(x) - 1) - 0.5),
        X,
    ),
    right("max pool", max_pool, max_pool_backward, numbers(2, 4, 6)),
    right("max of rows", lambda x: x.max(axis=1), max_of_rows_backward, numbers(4, 5)),
    right("max of rows with equals", lambda x: x.max(axis=1), max_of_rows_backward, np.round(numbers(4, 5))),
    right("sort", lambda x: np.sort(x, axis=-1), sort_backward, numbers(4, 5)),
    right("median", lambda x: np.median(x, axis=1), median_backward, numbers(4, 5)),
    right("norm", np.linalg.norm, norm_backward, X),
    right("norm without a case for 0", np.linalg.norm, lambda dy, x: dy * x / np.linalg.norm(x), numbers(5)),
    right(
        "mean distance",
        lambda x, y: abs(x - y).mean(),
        lambda dz, x, y: (dz * np.sign(x - y) / x.size, -dz * np.sign(x - y) / x.size),
        X,
        Y,
    ),
    right("maximum of two", np.maximum, lambda dz, x, y: (dz * winner(x, y), dz * winner(y, x)), X, Y),
    right("minimum of two", np.minimum, lambda dz, x, y: (dz * (x < y), dz * (x >= y)), X, Y),
    right("hinge", hinge, hinge_backward, numbers(6), np.array([1, -1, 1, 1, -1, -1]), wrt="z"),
    right("triplet", triplet, triplet_backward, numbers(3, 2), numbers(3, 2, seed=1), numbers(3, 2, seed=2)),
    right(
        "piecewise without a kink",
        lambda x: np.where(x > 1, x * x, 2 * x - 1),
        lambda dy, x: np.where(x > 1, 2 * x, 2) * dy,
        2 * X,
    ),
    right(
        "straight lines through a table",
        lambda x: np.interp(x, [-2, 0, 1], [0, 1, 5]).astype(x.dtype),
        lambda dy, x: dy * np.select([(x < -2) | (x > 1), x < 0], [0, 0.5], 4).astype(x.dtype),
        X,
    ),
]
