"""The forward rules of the passes as SymPy expressions. SymPy derives the gradients, and knows nothing of ours."""

from typing import Any, TypeAlias

import numpy as np
import pytest
from numpy.typing import NDArray

from tinygrad_mnist.arrays.layers import Parameters
from tinygrad_mnist.losses import LOSSES
from tinygrad_mnist.networks import dense
from tinygrad_mnist.passes import cross_entropy

sympy = pytest.importorskip("sympy")

Symbols: TypeAlias = NDArray[Any]
"""An array of SymPy's symbols or expressions."""

# All different, so that a transposed result cannot pass. N*O is a power of 2, so that 1/n is exact.
N, I, O = 4, 3, 2  # noqa: E741 - the letters of the pages


def symbols(name: str, *shape: int) -> Symbols:
    """Return an array of symbols, one for each entry."""
    return np.array(sympy.symbols(f"{name}:{np.prod(shape)}", real=True), dtype=object).reshape(shape)


def linear_rule(x: Symbols, w: Symbols, b: Symbols) -> Symbols:
    """Return z[n,o] = sum_i x[n,i] w[i,o] + b[o]."""
    (rows, inputs), outputs = x.shape, w.shape[1]
    return np.array(
        [[sum(x[n, i] * w[i, o] for i in range(inputs)) + b[o] for o in range(outputs)] for n in range(rows)]
    )


def first_linear_rule(x: Symbols, w: Symbols, b: Symbols) -> Symbols:
    """Return z[n,o] = sum_i x[n,i] / 255 w[i,o] + b[o]."""
    return linear_rule(x * sympy.Rational(1, 255), w, b)


def relu_rule(z: Symbols) -> Symbols:
    """Return h[i] = max(z[i], 0)."""
    return np.vectorize(lambda z: sympy.Piecewise((z, z > 0), (0, True)), otypes=[object])(z)


def sigmoid_rule(z: Symbols) -> Symbols:
    """Return p[i] = 1 / (1 + e^-z[i])."""
    return np.vectorize(lambda z: 1 / (1 + sympy.exp(-z)), otypes=[object])(z)


def mean_loss_rule(p: Symbols, t: Symbols) -> Any:
    """Return L = 1/n sum_i e[i]. e[i] is 1 - p[i] with the probability t[i], and p[i] with the probability 1 - t[i]."""
    return sympy.Rational(1, p.size) * sum(t * (1 - p) + (1 - t) * p for p, t in zip(p.flat, t.flat, strict=True))


def cross_entropy_rule(p: Symbols, t: Symbols) -> Any:
    """Return L = 1/n sum_i e[i]. e[i] is -log p[i] with the probability t[i], and -log (1 - p[i]) with 1 - t[i]."""
    return sympy.Rational(1, p.size) * sum(
        -t * sympy.log(p) - (1 - t) * sympy.log(1 - p) for p, t in zip(p.flat, t.flat, strict=True)
    )


def hard_mean_loss_rule(p: Symbols, t: Symbols) -> Any:
    """Return L = 1/n sum_i e[i]. e[i] is 1 - p[i] if t[i] = 1, and p[i] if t[i] = 0."""
    distances = [sympy.Piecewise((1 - p, sympy.Eq(t, 1)), (p, True)) for p, t in zip(p.flat, t.flat, strict=True)]
    return sympy.Rational(1, p.size) * sum(distances)


def hard_cross_entropy_rule(p: Symbols, t: Symbols) -> Any:
    """Return L = 1/n sum_i e[i]. e[i] is -log p[i] if t[i] = 1, and -log (1 - p[i]) if t[i] = 0."""
    entries = [
        sympy.Piecewise((-sympy.log(p), sympy.Eq(t, 1)), (-sympy.log(1 - p), True))
        for p, t in zip(p.flat, t.flat, strict=True)
    ]
    return sympy.Rational(1, p.size) * sum(entries)


HARD_LOSS_RULES = {"mean": hard_mean_loss_rule, "cross-entropy": hard_cross_entropy_rule}


def derivative(loss: Any, variables: Symbols) -> Symbols:
    """Return SymPy's derivative of the loss with respect to every variable."""
    return np.array([sympy.diff(loss, entry) for entry in variables.flat], dtype=object).reshape(variables.shape)


def chained(loss: str, x: NDArray[Any], t: NDArray[Any], parameters: Parameters) -> list[NDArray[Any]]:
    """Return our derivative of a loss with respect to each array of the parameters."""
    z, cache = dense.forward(x, parameters)
    # The value of the cross-entropy compares numbers, which symbols do not allow. Its gradient does not compare any.
    dz = cross_entropy.backward(z, t) if loss == "cross-entropy" else LOSSES[loss](z, t)[1]
    return [gradient for layer in dense.backward(dz, cache, parameters) for gradient in layer]
