"""Wrong backwards by a factor, a sign, a transpose, or in how they use the upstream gradient."""

from typing import Any

import numpy as np

from tests.check.corpus.entry import numbers, positive, wrong, wrong_backwards
from tests.check.corpus.right_products import linear, linear_backward

X, W, B, POSITIVE = numbers(5, 4), numbers(4, 3), numbers(3), positive(4, 3)
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
    *wrong_backwards(
        linear,
        (X, W, B),
        {
            "the weight gradient is negated": changed(linear_backward, 1, np.negative),
            "the weight gradient is doubled": changed(linear_backward, 1, lambda d: 2 * d),
            "the bias gradient is 0": changed(linear_backward, 2, np.zeros_like),
            "the input gradient is 0": changed(linear_backward, 0, np.zeros_like),
            "the input gradient is all ones": changed(linear_backward, 0, np.ones_like),
            "the weight gradient is a mean over rows": lambda dz, x, w, b: (dz @ w.T, x.T @ dz / len(x), dz.sum(0)),
            "the bias gradient is a mean over rows": changed(linear_backward, 2, lambda d: d / 5),
            "the weight gradient is multiplied by the rows": lambda dz, x, w, b: (
                dz @ w.T,
                x.T @ dz * len(x),
                dz.sum(0),
            ),
            "one entry is off by a hundredth": changed(linear_backward, 1, one_entry),
            "only the first rows have a gradient": changed(linear_backward, 0, first_rows),
            "everything is 0.05 % too large": changed(linear_backward, 1, lambda d: d * 1.0005),
        },
    ),
    *wrong_backwards(
        linear,
        SQUARE,
        {
            "the weight gradient is transposed": changed(linear_backward, 1, lambda d: d.T.copy()),
            "the bias gradient is summed over the outputs": lambda dz, x, w, b: (dz @ w.T, x.T @ dz, dz.sum(1)),
            "input and weights are exchanged": lambda dz, x, w, b: (dz @ x.T, w.T @ dz, dz.sum(0)),
            "the weights are not transposed": lambda dz, x, w, b: (dz @ w, x.T @ dz, dz.sum(0)),
        },
    ),
    wrong("two gradients are exchanged", np.matmul, lambda dz, x, w: (x.T @ dz, dz @ w.T), SQUARE[0], SQUARE[1]),
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
    *wrong_backwards(
        np.tanh,
        (X,),
        {
            "the upstream gradient is ignored": lambda dy, x: 1 - np.tanh(x) ** 2,
            "the upstream gradient is used twice": lambda dy, x: dy * dy * (1 - np.tanh(x) ** 2),
            "the size of the upstream gradient is used": lambda dy, x: abs(dy) * (1 - np.tanh(x) ** 2),
            "the upstream gradient is averaged": lambda dy, x: dy.mean() * (1 - np.tanh(x) ** 2),
            "the upstream gradient is clipped at 1": lambda dy, x: np.clip(dy, -1, 1) * (1 - np.tanh(x) ** 2),
            "the upstream gradient is clipped at 5": lambda dy, x: np.clip(dy, -5, 5) * (1 - np.tanh(x) ** 2),
            "the upstream gradient is clipped at 1000": lambda dy, x: np.clip(dy, -1e3, 1e3) * (1 - np.tanh(x) ** 2),
            "the slope is not squared": lambda dy, x: dy * (1 - np.tanh(x)),
        },
    ),
    *wrong_backwards(
        np.sin,
        (X,),
        {
            "small upstream gradients are dropped": lambda dy, x: np.where(abs(dy) < 1e-4, 0, dy) * np.cos(x),
            "the gradient is normalized to length 10": lambda dy, x: (
                dy * np.cos(x) * min(1, 10 / max(np.linalg.norm(dy), 1e-30))
            ),
        },
    ),
    wrong("only one of two paths is counted", lambda x: x * np.sin(x), lambda dy, x: dy * np.sin(x), X),
    wrong(
        "the sign of the divisor is wrong", lambda x, y: x / y, lambda dz, x, y: (dz / y, dz * x / (y * y)), W, POSITIVE
    ),
    wrong("the logarithm has slope log", np.log, lambda dy, x: dy * np.log(x), POSITIVE),
]
