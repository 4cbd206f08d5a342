"""The network: passes chained by hand, forward and then backward in reverse.

    images --scale--> x --linear--> z --sigmoid--> p --mean loss with t--> L
                      dw, db <--linear-- dz <--sigmoid-- dp <--mean loss-- 1

The upper line is read from left to right, the lower one from right to left.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tinygrad_mnist.backend import Array, array_namespace
from tinygrad_mnist.passes import linear, mean_loss, sigmoid

ROWS_AT_ONCE = 4096
"""How many images `predict` widens to floats at once: 12 MB of float32, whatever the data set's size."""


class Parameters(NamedTuple):
    """What is learned."""

    w: Array  # (I, O)
    b: Array  # (O,)


class Gradients(NamedTuple):
    """The derivative of the loss by each parameter, shaped and typed as it."""

    dw: Array  # (I, O)
    db: Array  # (O,)


def initialise(inputs: int, outputs: int, rng: np.random.Generator, dtype: str) -> Parameters:
    """Return parameters on the host: random weights, no bias. `dtype` is float32 or float64.

    The weights are normal with variance 1/I, so that z starts with the mean square of x, which is at most 1, and no
    sigmoid is saturated (LeCun and others, Efficient BackProp, 1998, section 4.6).
    """
    w = rng.standard_normal((inputs, outputs)) / np.sqrt(inputs)
    return Parameters(w.astype(dtype), np.zeros(outputs, dtype))


def scale(images: Array, like: Array) -> Array:
    """Return x (N, I) from 0 to 1, with the type of `like`, from images (N, I) of bytes 0 to 255."""
    return array_namespace(images).astype(images, like.dtype) / 255


def forward(x: Array, parameters: Parameters) -> Array:
    """Return the predictions p (N, O) for x (N, I)."""
    w, b = parameters
    z = linear.forward(x, w, b)
    p = sigmoid.forward(z)
    return p


def backward(p: Array, t: Array, x: Array, parameters: Parameters) -> Gradients:
    """Return the gradients of the mean loss, given x (N, I), t (N, O) and p = forward(x, parameters).

    The chain of `forward` in reverse: each pass turns the derivative by its output into those by its inputs.
    """
    w, _ = parameters
    dp = mean_loss.backward(p, t)
    dz = sigmoid.backward(dp, p)
    _, dw, db = linear.backward(dz, x, w)
    return Gradients(dw, db)


def predict(images: Array, parameters: Parameters) -> Array:
    """Return p (N, O) for images (N, I) of bytes, a part at a time, so that memory stays small."""
    xp = array_namespace(images)
    count = images.shape[0]
    starts = range(0, max(count, 1), ROWS_AT_ONCE)
    parts = (images[start : min(start + ROWS_AT_ONCE, count), :] for start in starts)
    return xp.concat([forward(scale(part, parameters.w), parameters) for part in parts])


def targets(labels: Array, digits: Sequence[int]) -> Array:
    """Return t (N, 1): 1 where the label (N,) is the first of the two digits, 0 where it is the second.

    >>> targets(np.array([3, 7, 7]), (3, 7)).T
    array([[1, 0, 0]], dtype=uint8)
    """
    xp = array_namespace(labels)
    return xp.astype(labels == digits[0], xp.uint8)[:, None]


def decide(p: Array, digits: Sequence[int]) -> Array:
    """Return the digit (N,) that each prediction p (N, 1) stands for: the first where it exceeds 1/2.

    >>> decide(np.array([[0.9], [0.1], [0.5]]), (3, 7))
    array([3, 7, 7])
    """
    xp = array_namespace(p)
    first, second = (xp.full_like(p[:, 0], digit, dtype=xp.int64) for digit in digits)
    return xp.where(p[:, 0] > 0.5, first, second)
