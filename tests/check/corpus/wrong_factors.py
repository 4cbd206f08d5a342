"""Wrong backwards by a factor, a sign, a transpose, or in how they use the upstream gradient."""

from typing import Any

import numpy as np

from tests.check.corpus.entry import numbers, positive, wrong
from tests.check.corpus.right_products import linear, linear_backward

X, W, B = numbers(5, 4), numbers(4, 3), numbers(3)
SQUARE = numbers(4, 4), numbers(4, 4, seed=1), numbers(4)
IMAGES = numbers(2, 2, 4, 5), numbers(3, 2, 2, 2), numbers(3)
TOKENS = numbers(2, 3, 4), numbers(2, 3, 4, seed=1), numbers(2, 3, 4, seed=2)


def changed(backward: Any, position: int, change: Any) -> Any:
    """Return a backward in which one of the gradients is changed."""

    def wrong_backward(dout: Any, *arguments: Any) -> Any:
        gradients = list(backward(dout, *arguments))
        gradients[position] = change(gradients[position])
        return tuple(gradients)

    return wrong_backward


def one_entry(gradient: Any) -> Any:
    """Return the gradient with one entry off by a hundredth."""
    off = gradient.copy()
    off.flat[1] *= 1.01
    return off


def first_rows(gradient: Any) -> Any:
    """Return the gradient with zeros in its second half."""
    half = gradient.copy()
    half[len(half) // 2 :] = 0
    return half


ENTRIES = [
    wrong("the weight gradient is negated", linear, changed(linear_backward, 1, np.negative), X, W, B),
    wrong("the weight gradient is doubled", linear, changed(linear_backward, 1, lambda d: 2 * d), X, W, B),
    wrong("the bias gradient is 0", linear, changed(linear_backward, 2, np.zeros_like), X, W, B),
    wrong("the input gradient is 0", linear, changed(linear_backward, 0, np.zeros_like), X, W, B),
    wrong("the input gradient is all ones", linear, changed(linear_backward, 0, np.ones_like), X, W, B),
    wrong(
        "the weight gradient is a mean over rows",
        linear,
        lambda dz, x, w, b: (dz @ w.T, x.T @ dz / len(x), dz.sum(0)),
        X,
        W,
        B,
    ),
    wrong("the bias gradient is a mean over rows", linear, changed(linear_backward, 2, lambda d: d / 5), X, W, B),
    wrong(
        "the weight gradient is multiplied by the rows",
        linear,
        lambda dz, x, w, b: (dz @ w.T, x.T @ dz * len(x), dz.sum(0)),
        X,
        W,
        B,
    ),
    wrong("the weight gradient is transposed", linear, changed(linear_backward, 1, lambda d: d.T.copy()), *SQUARE),
    wrong(
        "the bias gradient is summed over the outputs",
        linear,
        lambda dz, x, w, b: (dz @ w.T, x.T @ dz, dz.sum(1)),
        *SQUARE,
    ),
    wrong("input and weights are exchanged", linear, lambda dz, x, w, b: (dz @ x.T, w.T @ dz, dz.sum(0)), *SQUARE),
    wrong("the weights are not transposed", linear, lambda dz, x, w, b: (dz @ w, x.T @ dz, dz.sum(0)), *SQUARE),
    wrong("two gradients are exchanged", np.matmul, lambda dz, x, w: (x.T @ dz, dz @ w.T), SQUARE[0], SQUARE[1]),
    wrong("one entry is off by a hundredth", linear, changed(linear_backward, 1, one_entry), X, W, B),
    wrong("only the first rows have a gradient", linear, changed(linear_backward, 0, first_rows), X, W, B),
    wrong("everything is 0.05 % too large", linear, changed(linear_backward, 1, lambda d: d * 1.0005), X, W, B),
    wrong(
        "a small gradient is wrong beside a large one",
        lambda x: x * np.array([1, 1e-6], x.dtype),
        lambda dy, x: dy * np.array([1, 2e-6], x.dtype),
        numbers(4, 2),
    ),
    wrong(
        "the slope of a large number is off by a millionth",
        lambda x: x * x,
        lambda dy, x: 2.000002 * dy * x,
        X,
        dtypes=("float64",),
    ),
    wrong("the upstream gradient is ignored", np.tanh, lambda dy, x: 1 - np.tanh(x) ** 2, X),
    wrong("the upstream gradient is used twice", np.tanh, lambda dy, x: dy * dy * (1 - np.tanh(x) ** 2), X),
    wrong("the size of the upstream gradient is used", np.tanh, lambda dy, x: abs(dy) * (1 - np.tanh(x) ** 2), X),
    wrong("the upstream gradient is averaged", np.tanh, lambda dy, x: dy.mean() * (1 - np.tanh(x) ** 2), X),
    wrong(
        "the upstream gradient is clipped at 1", np.tanh, lambda dy, x: np.clip(dy, -1, 1) * (1 - np.tanh(x) ** 2), X
    ),
    wrong(
        "the upstream gradient is clipped at 5", np.tanh, lambda dy, x: np.clip(dy, -5, 5) * (1 - np.tanh(x) ** 2), X
    ),
    wrong(
        "the upstream gradient is clipped at 1000",
        np.tanh,
        lambda dy, x: np.clip(dy, -1e3, 1e3) * (1 - np.tanh(x) ** 2),
        X,
    ),
    wrong("small upstream gradients are dropped", np.sin, lambda dy, x: np.where(abs(dy) < 1e-4, 0, dy) * np.cos(x), X),
    wrong(
        "the gradient is normalized to length 10",
        np.sin,
        lambda dy, x: dy * np.cos(x) * min(1, 10 / max(np.linalg.norm(dy), 1e-30)),
        X,
    ),
    wrong("the slope is not squared", np.tanh, lambda dy, x: dy * (1 - np.tanh(x)), X),
    wrong("only one of two paths is counted", lambda x: x * np.sin(x), lambda dy, x: dy * np.sin(x), X),
    wrong(
        "the sign of the divisor is wrong",
        lambda x, y: x / y,
        lambda dz, x, y: (dz / y, dz * x / (y * y)),
        numbers(4, 3),
        positive(4, 3),
    ),
    wrong("the logarithm has slope log", np.log, lambda dy, x: dy * np.log(x), positive(4, 3)),
]
