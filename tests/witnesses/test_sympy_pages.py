"""The pages that the chapter does not need, run on symbols, are SymPy's derivatives of their rules."""

from itertools import product
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tests.witnesses.rules import Symbols, derivative, symbols, sympy
from tinygrad_mnist.arrays.backend import NUMPY
from tinygrad_mnist.passes import (
    batch_norm,
    broadcast,
    layer_norm,
    max_pool,
    patches,
    softmax_cross_entropy,
    squared_error,
    tanh,
)

EPSILON = sympy.Symbol("epsilon", positive=True)


def assert_equal(ours: Any, derived: Any) -> None:
    """Check that expressions agree to 30 digits at numbers which no rule knows of."""
    ours, derived = np.asarray(ours, dtype=object), np.asarray(derived, dtype=object)
    assert ours.shape == derived.shape
    for one, other in zip(ours.flat, derived.flat, strict=True):
        difference = sympy.sympify(one - other)
        names = sorted(difference.free_symbols, key=str)
        numbers = {name: sympy.Rational(7 * k * k + 3 * k + 2, 5 * k + 11) for k, name in enumerate(names)}
        assert abs(sympy.N(difference.subs(numbers), 40)) < sympy.Rational(1, 10**30)


@pytest.fixture
def functions_of_symbols(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the passes use SymPy's functions, entry by entry, and a symbol for epsilon."""
    for name in ("exp", "sqrt", "tanh"):
        monkeypatch.setattr(NUMPY, name, np.vectorize(getattr(sympy, name), otypes=[object]))
    for page in (layer_norm, batch_norm):
        monkeypatch.setattr(page, "EPSILON", EPSILON)


def test_the_gradient_of_the_squared_error_is_sympys_derivative() -> None:
    y, t = symbols("y", 3, 2), symbols("t", 3, 2)
    loss = sum((one - other) ** 2 for one, other in zip(y.flat, t.flat, strict=True)) / sympy.Integer(6)
    assert_equal(squared_error.forward(y, t), loss)
    assert_equal(squared_error.backward(y, t), derivative(loss, y))


def test_tanh_is_the_quotient_and_its_slope_sympys_derivative(functions_of_symbols: None) -> None:
    z, dh = symbols("z", 4), symbols("dh", 4)
    h = np.array([(sympy.exp(z) - sympy.exp(-z)) / (sympy.exp(z) + sympy.exp(-z)) for z in z])
    assert_equal(tanh.forward(z), h)
    assert_equal(tanh.backward(dh, h), derivative(np.sum(dh * h), z))
    slope = 1 - sympy.tanh(z[0]) ** 2  # in the tails, where the code returns 0
    assert sympy.limit(slope.rewrite(sympy.exp) / (4 * sympy.exp(-2 * z[0])), z[0], sympy.oo) == 1


def softmax_rule(z: Symbols) -> Symbols:
    """Return p[n,o] = e^z[n,o] / sum_k e^z[n,k]."""
    return np.array([[sympy.exp(entry) / sum(map(sympy.exp, row)) for entry in row] for row in z], dtype=object)


def test_the_jacobian_of_the_softmax_is_p_times_delta_minus_p() -> None:
    z = symbols("z", 1, 3)
    (p,) = softmax_rule(z)
    for k, o in product(range(3), range(3)):
        assert_equal(sympy.diff(p[k], z[0, o]), p[k] * (int(k == o) - p[o]))


def test_softmax_cross_entropy_and_its_gradient_are_right_for_all_probabilities(
    functions_of_symbols: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    z, t = symbols("z", 2, 3), symbols("t", 2, 3)
    t[:, 2] = 1 - t[:, 0] - t[:, 1]
    # Symbols cannot be compared. The logits are not shifted here, and the targets are taken as they are.
    monkeypatch.setattr(softmax_cross_entropy, "_minus_largest", lambda logits: logits)
    monkeypatch.setattr(softmax_cross_entropy, "_probabilities", lambda _, t: t)
    p = softmax_rule(z)
    assert_equal(softmax_cross_entropy.softmax(z), p)
    loss = -sum(t * sympy.log(p) for t, p in zip(t.flat, p.flat, strict=True)) / sympy.Integer(2)
    assert_equal(softmax_cross_entropy.backward(z, t), derivative(loss, z))


def test_a_sum_over_copies_is_sympys_derivative() -> None:
    x, dy = symbols("x", 3, 1), symbols("dy", 2, 3, 4)
    loss = sum(dy[m, n, k] * x[n, 0] for m, n, k in np.ndindex(2, 3, 4))
    assert_equal(broadcast.backward(dy, (3, 1)), derivative(loss, x))


@pytest.mark.parametrize(("size", "stride"), [(2, 1), (2, 2), (3, 2)])
def test_patches_follow_their_rule_and_their_gradient_is_sympys_derivative(size: int, stride: int) -> None:
    x = symbols("x", 1, 5, 4, 2)
    c = patches.forward(x, size, stride)
    _, rows, columns, _ = c.shape
    rule = np.empty((1, rows, columns, size, size, 2), dtype=object)
    for n, p, q, u, v, i in np.ndindex(rule.shape):
        rule[n, p, q, u, v, i] = x[n, stride * p + u, stride * q + v, i]
    assert np.array_equal(c, rule.reshape(c.shape))
    dc = symbols("dc", *c.shape)
    assert_equal(patches.backward(dc, x.shape, size, stride), derivative(np.sum(dc * c), x))


def test_the_gradient_of_a_unique_winner_is_sympys_derivative() -> None:
    x = np.random.default_rng(0).permutation(16).reshape(1, 4, 4, 1)
    named, dh = symbols("x", *x.shape), symbols("dh", 1, 2, 2, 1)
    blocks = named.reshape(1, 2, 2, 2, 2, 1)
    loss = sum(dh[0, p, q, i] * sympy.Max(*blocks[0, p, :, q, :, i].flat) for p, q, i in np.ndindex(2, 2, 1))
    values = dict(zip(named.flat, map(int, x.flat), strict=True))
    derived = np.vectorize(lambda entry: entry.subs(values), otypes=[object])(derivative(loss, named))
    upstream = np.arange(1.0, 5.0).reshape(1, 2, 2, 1)
    named_upstream = dict(zip(dh.flat, upstream.flat, strict=True))
    expected = [float(entry.subs(named_upstream)) for entry in derived.flat]
    np.testing.assert_array_equal(max_pool.backward(upstream, x.astype(float), 2).ravel(), expected)


def norm_rule(x: Symbols, axis: int) -> Symbols:
    """Return (x - mean) / sqrt(var + epsilon), with the mean and the variance along an axis."""
    count = sympy.Integer(x.shape[axis])
    mean = np.sum(x, axis=axis, keepdims=True) / count
    var = np.sum((x - mean) ** 2, axis=axis, keepdims=True) / count
    return (x - mean) / np.vectorize(lambda v: sympy.sqrt(v + EPSILON), otypes=[object])(var)


@pytest.mark.parametrize(("page", "axis"), [(layer_norm, 1), (batch_norm, 0)])
@pytest.mark.parametrize(("rows", "inputs"), [(2, 3), (1, 2), (2, 1)])
def test_the_three_gradients_of_a_norm_are_sympys_derivatives(
    page: ModuleType, axis: int, rows: int, inputs: int, functions_of_symbols: None
) -> None:
    x, dy = symbols("x", rows, inputs), symbols("dy", rows, inputs)
    gamma, beta = symbols("gamma", inputs), symbols("beta", inputs)
    y = gamma * norm_rule(x, axis) + beta
    assert_equal(page.forward(x, gamma, beta), y)
    for ours, argument in zip(page.backward(dy, x, gamma), (x, gamma, beta), strict=True):
        assert_equal(ours, derivative(np.sum(dy * y), argument))
