"""Right backwards of functions that work entry by entry."""

from functools import partial
from typing import Any

import numpy as np
from scipy import special

from tests.check.corpus.entry import numbers, positive, right

X, Y, POSITIVE = numbers(4, 3), numbers(4, 3, seed=1), positive(4, 3)
WIDE = 4 * numbers(6, 3)
"""From the middle of a sigmoid into its tails."""


def expit(x: Any) -> Any:
    """Return 1 / (1 + e^-x), without overflow, also for complex numbers."""
    return np.exp(np.minimum(x, 0)) / (1 + np.exp(np.minimum(x, -x)))


def gelu(x: Any) -> Any:
    """Return x times the probability that a normal number is below x."""
    return x * (1 + special.erf(x / np.sqrt(2.0).astype(x.dtype))) / 2


def gelu_backward(dy: Any, x: Any) -> Any:
    """Return dx of `gelu`."""
    density = np.exp(-x * x / 2) / x.dtype.type(np.sqrt(2 * np.pi))
    return dy * ((1 + special.erf(x / x.dtype.type(np.sqrt(2)))) / 2 + x * density)


def gelu_tanh(x: Any) -> Any:
    """Return the approximation of gelu with a tanh."""
    return 0.5 * x * (1 + np.tanh(0.7978845608028654 * (x + 0.044715 * x**3)))


def gelu_tanh_backward(dy: Any, x: Any) -> Any:
    """Return dx of `gelu_tanh`."""
    t = np.tanh(0.7978845608028654 * (x + 0.044715 * x**3))
    return dy * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * 0.7978845608028654 * (1 + 3 * 0.044715 * x * x))


def mish_backward(dy: Any, x: Any) -> Any:
    """Return dx of x tanh(log(1 + e^x))."""
    t = np.tanh(np.logaddexp(0, x))
    return dy * (t + x * (1 - t * t) * special.expit(x))


def huber(x: Any) -> Any:
    """Return x^2 / 2 near 0, and a straight line beyond 1."""
    return np.where(abs(x) < 1, x * x / 2, abs(x) - 0.5)


def float32_inside(x: Any) -> Any:
    """Return tanh, computed in float32 to save memory."""
    return np.tanh(x.astype(np.float32)).astype(x.dtype)


def float32_inside_backward(dy: Any, x: Any) -> Any:
    """Return dx of `float32_inside`, computed in float32 as well."""
    t = np.tanh(x.astype(np.float32))
    return (dy.astype(np.float32) * (1 - t * t)).astype(x.dtype)


def power(x: Any, exponent: float) -> Any:
    """Return x to the power of the exponent."""
    return x**exponent


def power_backward(dy: Any, x: Any, exponent: float) -> Any:
    """Return dx of `power`."""
    return dy * exponent * x ** (exponent - 1)


class Swish:
    """A function with a number in it, which is called like any other."""

    def __init__(self, beta: float) -> None:
        self.beta = beta

    def __call__(self, x: Any) -> Any:
        return x * expit(self.beta * x)

    def backward(self, dy: Any, x: Any) -> Any:
        p = expit(self.beta * x)
        return dy * (p + x * self.beta * p * (1 - p))


SWISH = Swish(1.5)

ENTRIES = [
    right("tanh", np.tanh, lambda dy, x: dy * (1 - np.tanh(x) ** 2), X),
    right("sigmoid", expit, lambda dy, x: dy * expit(x) * expit(-x), WIDE),
    right("naive sigmoid", lambda x: 1 / (1 + np.exp(-x)), lambda dy, x: dy * expit(x) * (1 - expit(x)), X),
    right("scipy.special.expit", special.expit, lambda dy, x: dy * special.expit(x) * special.expit(-x), WIDE),
    right("gelu with erf", gelu, gelu_backward, X),
    right("gelu with tanh", gelu_tanh, gelu_tanh_backward, X),
    right("softplus", lambda x: np.logaddexp(0, x), lambda dy, x: dy * special.expit(x), WIDE),
    right("mish", lambda x: x * np.tanh(np.logaddexp(0, x)), mish_backward, X),
    right("silu", lambda x: x * expit(x), lambda dy, x: dy * expit(x) * (1 + x * expit(-x)), WIDE),
    right("swish object", SWISH, SWISH.backward, X),
    right(
        "elu", lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))), lambda dy, x: dy * np.exp(np.minimum(x, 0)), X
    ),
    right("exp", np.exp, lambda dy, x: dy * np.exp(x), X),
    right("expm1", np.expm1, lambda dy, x: dy * np.exp(x), X),
    right("log", np.log, lambda dy, x: dy / x, POSITIVE),
    right("log1p", np.log1p, lambda dy, x: dy / (1 + x), positive(5)),
    right("sqrt", np.sqrt, lambda dy, x: dy / (2 * np.sqrt(x)), POSITIVE),
    right("reciprocal", lambda x: 1 / x, lambda dy, x: -dy / (x * x), POSITIVE),
    right("square", np.square, lambda dy, x: dy * 2 * x, X),
    right("cube", lambda x: x**3, lambda dy, x: 3 * dy * x * x, X),
    right("square root power", partial(power, exponent=1.5), partial(power_backward, exponent=1.5), POSITIVE),
    right("sin", np.sin, lambda dy, x: dy * np.cos(x), X),
    right("cos", np.cos, lambda dy, x: -dy * np.sin(x), X),
    right("erf", special.erf, lambda dy, x: dy * x.dtype.type(2 / np.sqrt(np.pi)) * np.exp(-x * x), X),
    right("arctan", np.arctan, lambda dy, x: dy / (1 + x * x), X),
    right("arcsinh", np.arcsinh, lambda dy, x: dy / np.sqrt(1 + x * x), X),
    right("bell curve", lambda x: np.exp(-x * x), lambda dy, x: -2 * dy * x * np.exp(-x * x), X),
    right("log cosh", lambda x: np.logaddexp(x, -x), lambda dy, x: dy * np.tanh(x), X),
    right("log gamma", special.gammaln, lambda dy, x: dy * special.digamma(x), POSITIVE),
    right("x sin x", lambda x: x * np.sin(x), lambda dy, x: dy * (np.sin(x) + x * np.cos(x)), X),
    right("softsign", lambda x: x / (1 + abs(x)), lambda dy, x: dy / (1 + abs(x)) ** 2, X),
    right("x times its size", lambda x: x * abs(x), lambda dy, x: 2 * dy * abs(x), X),
    right("huber", huber, lambda dy, x: dy * np.clip(x, -1, 1), X),
    right("float32 inside", float32_inside, float32_inside_backward, X),
    right("product of two arrays", lambda x, y: x * y, lambda dz, x, y: (dz * y, dz * x), X, Y),
    right("quotient of two arrays", lambda x, y: x / y, lambda dz, x, y: (dz / y, -dz * x / (y * y)), X, POSITIVE),
    right(
        "x to the power of y",
        lambda x, y: x**y,
        lambda dz, x, y: (dz * y * x ** (y - 1), dz * x**y * np.log(x)),
        positive(3, 2),
        numbers(3, 2),
    ),
    right("length of (x, y)", np.hypot, lambda dz, x, y: (dz * x / np.hypot(x, y), dz * y / np.hypot(x, y)), X, Y),
    right("a single number", np.sin, lambda dy, x: dy * np.cos(x), np.array(0.7)),
    right("float32 arguments", np.tanh, lambda dy, x: dy * (1 - np.tanh(x) ** 2), X.astype(np.float32)),
]
