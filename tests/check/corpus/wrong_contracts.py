"""Wrong backwards that return right numbers once: they write to arguments, share memory, keep state, change types."""

from typing import Any

import numpy as np

from tests.check.corpus.entry import numbers, wrong, wrong_backwards
from tests.check.corpus.right_products import linear

X, W, B = numbers(5, 4), numbers(4, 3), numbers(3)
POINTS = numbers(4, 3)


def masked_by_shape() -> Any:
    """Return a relu's backward that keeps its mask for the next array of the same shape."""
    masks: dict[tuple[int, ...], Any] = {}

    def backward(dy: Any, x: Any) -> Any:
        mask = masks.setdefault(x.shape, x > 0)
        return dy * mask

    return backward


def remembering_first() -> Any:
    """Return a backward of x^2 that keeps the first x that it saw."""
    kept: list[Any] = []

    def backward(dy: Any, x: Any) -> Any:
        kept.append(x.copy())
        first = kept[0] if kept[0].shape == x.shape else x
        return 2 * dy * first.astype(x.dtype)

    return backward


def accumulating() -> Any:
    """Return a backward that adds its results up from call to call."""
    sums: dict[tuple[Any, ...], Any] = {}

    def backward(dz: Any, x: Any, w: Any, b: Any) -> Any:
        key = (x.shape, x.dtype)
        sums[key] = sums.get(key, 0) + x.T @ dz
        return dz @ w.T, sums[key].copy(), dz.sum(axis=0)

    return backward


def same_buffer() -> Any:
    """Return a backward that gives the same array in every call."""
    buffers: dict[tuple[Any, ...], Any] = {}

    def backward(dy: Any, x: Any) -> Any:
        dx = buffers.setdefault((x.shape, x.dtype), np.empty_like(x))
        np.multiply(2 * dy, x, out=dx)
        return dx

    return backward


def right_at_first() -> Any:
    """Return a backward that is right in its first three calls."""
    calls: list[int] = []

    def backward(dy: Any, x: Any) -> Any:
        calls.append(1)
        return (2 if len(calls) <= 3 else 1) * dy * x

    return backward


def counting_forward() -> Any:
    """Return a forward that changes a little with every call."""
    calls: list[int] = []

    def forward(x: Any) -> Any:
        calls.append(1)
        return x * x + 0.001 * len(calls) * x

    return forward


def random_forward(x: Any) -> Any:
    """Return x with a dropout of its own at each call."""
    return x * (np.random.default_rng().random(x.shape) < 0.5) * 2


def random_backward(dy: Any, x: Any) -> Any:
    """Return dx with another dropout."""
    return dy * (np.random.default_rng().random(x.shape) < 0.5) * 2


def overwrite_upstream(dy: Any, x: Any) -> Any:
    """Return dx of x^2, written into the upstream gradient."""
    dy *= 2 * x
    return dy


def overwrite_upstream_after(dy: Any, x: Any) -> Any:
    """Return dx of x^2, and leave zeros in the upstream gradient."""
    dx = 2 * dy * x
    dy[...] = 0
    return dx


def overwrite_argument(dy: Any, x: Any) -> Any:
    """Return dx of x^2, written into x."""
    x *= 2 * dy
    return x


def overwrite_in_forward(x: Any) -> Any:
    """Return a relu, written into its argument."""
    x[x < 0] = 0
    return x * 1


def overwrite_labels(dy: Any, x: Any, labels: Any) -> Any:
    """Return dx, and sort the labels."""
    dx = np.zeros_like(x)
    dx[np.arange(len(labels)), labels] = dy
    labels.sort()
    return dx


def overwrite_weights(dz: Any, x: Any, w: Any, b: Any) -> Any:
    """Return the gradients of `linear`, and take a step already."""
    dx, dw = dz @ w.T, x.T @ dz
    w -= 0.1 * dw
    return dx, dw, dz.sum(axis=0)


ENTRIES = [
    wrong("a mask is kept by shape", lambda x: np.maximum(x, 0), masked_by_shape(), POINTS),
    *wrong_backwards(
        lambda x: x * x,
        (POINTS,),
        {
            "the first input is kept": remembering_first(),
            "every call returns the same array": same_buffer(),
            "only the first three calls are right": right_at_first(),
            "the upstream gradient is overwritten with the result": overwrite_upstream,
            "the upstream gradient is set to 0": overwrite_upstream_after,
            "the argument is overwritten": overwrite_argument,
            "the gradient is always float32": lambda dy, x: (2 * dy * x).astype(np.float32),
            "the gradient is float16 inside": lambda dy, x: (2 * dy * x).astype(np.float16).astype(x.dtype),
            "the gradient is complex": lambda dy, x: 2 * dy * x + 0j,
            "the gradient contains NaN": lambda dy, x: np.where(x > 1, np.nan, 2 * dy * x),
            "the gradient contains infinity": lambda dy, x: np.where(x > 1, np.inf, 2 * dy * x),
        },
    ),
    wrong("gradients add up from call to call", linear, accumulating(), X, W, B),
    wrong("the weights are updated in the backward", linear, overwrite_weights, X, W, B),
    wrong("the forward changes with every call", counting_forward(), lambda dy, x: 2 * dy * x, POINTS),
    wrong("dropout is drawn anew in the backward", random_forward, random_backward, POINTS),
    wrong("the forward overwrites its argument", overwrite_in_forward, lambda dy, x: dy * (x > 0), POINTS),
    wrong(
        "the labels are sorted",
        lambda x, labels: x[np.arange(len(labels)), labels],
        overwrite_labels,
        POINTS,
        np.array([2, 0, 1, 0]),
        wrt="x",
    ),
    wrong("the result is the upstream gradient itself", lambda x: x + 1, lambda dy, x: dy, POINTS),
    wrong("the result is a view of the upstream gradient", lambda x: x.T.copy(), lambda dy, x: dy.T, POINTS),
    wrong(
        "the result is a view of an argument",
        lambda x: x * x / 2,
        lambda dy, x: x if (dy == 1).all() else dy * x,
        POINTS,
        upstream=np.ones((4, 3)),
    ),
    wrong("two results are one array", np.add, lambda dz, x, y: (dz * 1,) * 2, POINTS, numbers(4, 3, seed=1)),
    wrong(
        "the bias gradient is always float64",
        linear,
        lambda dz, x, w, b: (dz @ w.T, x.T @ dz, dz.sum(0, dtype=np.float64)),
        X,
        W,
        B,
        dtypes=("float64", "float32"),
    ),
    wrong(
        "the gradient is always float64",
        lambda x: x * x,
        lambda dy, x: 2 * dy * x.astype(np.float64),
        POINTS.astype(np.float32),
    ),
    wrong(
        "the gradient is made of integers", lambda x: x * x, lambda dy, x: (2 * dy * x).astype(int), np.round(POINTS)
    ),
    wrong(
        "one number is wrong in an array of 400",
        lambda x: x * x,
        lambda dy, x: 2 * dy * x * np.where(np.arange(x.size).reshape(x.shape) == 17, 1.1, 1).astype(x.dtype),
        numbers(20, 20),
    ),
]
