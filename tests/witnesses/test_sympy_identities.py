"""Our backward passes, run on symbols, are SymPy's derivatives of the forward rules: for all numbers at once."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.witnesses.rules import (
    HARD_LOSS_RULES,
    I,
    N,
    O,
    Symbols,
    chained,
    cross_entropy_rule,
    derivative,
    first_linear_rule,
    hard_cross_entropy_rule,
    hard_mean_loss_rule,
    linear_rule,
    mean_loss_rule,
    relu_rule,
    sigmoid_rule,
    symbols,
    sympy,
)
from tinygrad_mnist.arrays.backend import NUMPY
from tinygrad_mnist.arrays.layers import Layer
from tinygrad_mnist.networks import dense
from tinygrad_mnist.networks.dense import Cache
from tinygrad_mnist.passes import cross_entropy, first_linear, linear, mean_loss, relu, sigmoid, square

TARGETS = np.array([[1, 0], [1, 1], [0, 0], [0, 1]])


def signed(name: str, signs: NDArray[Any]) -> Symbols:
    """Return an array of symbols that are known to be positive or negative, so that code can compare them with 0."""
    known = [
        sympy.Symbol(f"{name}{number}", positive=sign > 0, negative=sign < 0) for number, sign in enumerate(signs.flat)
    ]
    return np.array(known, dtype=object).reshape(signs.shape)


def assert_identical(ours: Symbols, derived: Symbols) -> None:
    """Check that two arrays of expressions are the same for all numbers."""
    assert ours.shape == derived.shape
    for one, other in zip(ours.flat, derived.flat, strict=True):
        difference = one - other
        numbers = {symbol: 1 / (number + 2) for number, symbol in enumerate(sorted(difference.free_symbols, key=str))}
        assert abs(difference.subs(numbers)) < 1e-12  # a quick check: to simplify a wrong difference takes a minute
        assert sympy.simplify(difference) == 0


@pytest.fixture
def exp_and_log_of_symbols(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the passes use SymPy's exp and log, entry by entry."""
    monkeypatch.setattr(NUMPY, "exp", np.vectorize(sympy.exp, otypes=[object]))
    monkeypatch.setattr(NUMPY, "log1p", np.vectorize(lambda x: sympy.log(1 + x), otypes=[object]))


@pytest.fixture
def exact_scale(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the first linear pass use 1/255 without rounding."""
    monkeypatch.setattr(first_linear, "S", sympy.Rational(1, 255))


def test_the_gradient_of_square_is_sympys_derivative() -> None:
    x, dy = symbols("x", 3, 2), symbols("dy", 3, 2)
    assert_identical(square.backward(dy, x), derivative(np.sum(dy * x**2), x))


def test_the_three_gradients_of_linear_are_sympys_derivatives() -> None:
    x, w, b, dz = symbols("x", N, I), symbols("w", I, O), symbols("b", O), symbols("dz", N, O)
    loss = np.sum(dz * linear_rule(x, w, b))
    for ours, argument in zip(linear.backward(dz, x, w), (x, w, b), strict=True):
        assert_identical(ours, derivative(loss, argument))


def test_first_linear_follows_its_rule_and_its_gradients_are_sympys_derivatives(exact_scale: None) -> None:
    x, w, b, dz = symbols("x", N, I), symbols("w", I, O), symbols("b", O), symbols("dz", N, O)
    z = first_linear_rule(x, w, b)
    assert_identical(first_linear.forward(x, w, b), z)
    for ours, argument in zip(first_linear.backward(dz, x), (w, b), strict=True):
        assert_identical(ours, derivative(np.sum(dz * z), argument))


def test_the_scale_of_first_linear_is_1_over_255_rounded_once() -> None:
    assert float(sympy.Rational(1, 255)) == first_linear.S


@pytest.mark.parametrize("signs", [(1, 1), (1, -1), (-1, 1), (-1, -1)])
def test_relu_and_its_gradient_are_right_for_every_pattern_of_signs(signs: tuple[int, int]) -> None:
    z, dh = signed("z", np.array([signs])), symbols("dh", 1, 2)
    h = relu_rule(z)
    assert_identical(relu.forward(z), h)
    # The backward of relu uses only the signs of z.
    assert_identical(relu.backward(dh, np.array([signs])), derivative(np.sum(dh * h), z))


def test_the_slope_of_relu_is_0_on_the_left_and_1_on_the_right_and_the_code_takes_0_at_the_kink() -> None:
    z = sympy.Symbol("z", real=True)
    slope = sympy.diff(relu_rule(np.array(z)).item(), z)
    left, right = (slope.subs(z, number) for number in signed("z", np.array([-1, 1])))
    assert (left, right) == (0, 1)
    assert relu.backward(np.ones(1), np.zeros(1)).item() == float(left)


def test_the_slope_of_the_sigmoid_is_p_times_1_minus_p() -> None:
    z, dp = symbols("z", 3), symbols("dp", 3)
    p = sigmoid_rule(z)
    assert_identical(sigmoid.backward(dp, p), derivative(np.sum(dp * p), z))


def test_every_step_of_the_derivation_of_the_sigmoid_is_an_identity() -> None:
    z = sympy.Symbol("z", real=True)
    p = 1 / (1 + sympy.exp(-z))
    for one, other in (
        (p, sympy.exp(z) / (sympy.exp(z) + 1)),  # the two forms of forward
        (sympy.diff(p, z), sympy.exp(-z) / (1 + sympy.exp(-z)) ** 2),
        (1 - p, (1 + sympy.exp(-z) - 1) / (1 + sympy.exp(-z))),
        (p.subs(z, -z), 1 - p),
    ):
        assert sympy.simplify(one - other) == 0
    for known in (sympy.Symbol("z", positive=True), sympy.Symbol("z", negative=True)):
        both = sympy.exp(sympy.Min(known, 0)) / (1 + sympy.exp(-abs(known)))  # the line that is both forms
        assert sympy.simplify(both - p.subs(z, known)) == 0
    assert sympy.limit(sympy.diff(p, z) / sympy.exp(-z), z, sympy.oo) == 1  # the slope where the code returns 0
    assert sympy.diff(p, z).subs(z, 0) == sympy.Rational(1, 4)


@pytest.mark.parametrize("sign", [-1, 1])
def test_the_sigmoid_is_1_over_1_plus_e_to_the_minus_z(sign: int, exp_and_log_of_symbols: None) -> None:
    z = signed("z", np.full((2, 2), sign))
    assert_identical(sigmoid.forward(z), sigmoid_rule(z))


def at_targets(expressions: Symbols, t: Symbols, targets: NDArray[Any]) -> Symbols:
    """Return the expressions with numbers in place of the symbols for targets."""
    values = dict(zip(t.flat, targets.flat, strict=True))
    return np.array([entry.subs(values) for entry in expressions.flat], dtype=object).reshape(expressions.shape)


def test_the_mean_loss_and_its_gradient_are_right_for_every_choice_of_hard_targets() -> None:
    p, t = symbols("p", 2, 2), symbols("t", 2, 2)
    loss = hard_mean_loss_rule(p, t)
    derived = derivative(loss, p)
    for chosen in np.ndindex(2, 2, 2, 2):
        targets = np.array(chosen).reshape(2, 2)
        assert_identical(mean_loss.backward(p, targets), at_targets(derived, t, targets))
        assert_identical(np.array([mean_loss.forward(p, targets)]), at_targets(np.array([loss]), t, targets))


def test_the_mean_loss_and_its_gradient_are_right_for_all_soft_targets() -> None:
    p, t = symbols("p", 2, 2), symbols("t", 2, 2)
    loss = mean_loss_rule(p, t)
    assert_identical(np.array([mean_loss.forward(p, t)]), np.array([loss]))
    assert_identical(mean_loss.backward(p, t), derivative(loss, p))


@pytest.mark.parametrize("t", [0, 1])
@pytest.mark.parametrize("sign", [-1, 1])
def test_cross_entropy_and_its_gradient_are_right_for_hard_targets(
    sign: int, t: int, exp_and_log_of_symbols: None
) -> None:
    z, targets = signed("z", np.array([[sign]])), np.array([[t]])
    literal = hard_cross_entropy_rule(sigmoid_rule(z), targets)
    stable = cross_entropy.forward(z, targets)
    assert stable != literal
    assert_identical(np.array([stable]), np.array([literal]))
    for loss in (stable, literal):
        assert_identical(cross_entropy.backward(z, targets), derivative(loss, z))


@pytest.mark.parametrize("sign", [-1, 1])
def test_cross_entropy_and_its_gradient_are_right_for_all_soft_targets(sign: int, exp_and_log_of_symbols: None) -> None:
    z, t = signed("z", np.array([[sign]])), symbols("t", 1, 1)
    literal = cross_entropy_rule(sigmoid_rule(z), t)
    stable = cross_entropy.forward(z, t)
    assert stable != literal
    assert_identical(np.array([stable]), np.array([literal]))
    for loss in (stable, literal):
        assert_identical(cross_entropy.backward(z, t), derivative(loss, z))


def test_every_step_of_the_derivation_of_cross_entropy_is_an_identity() -> None:
    z, s, large = sympy.Symbol("z", real=True), sympy.Symbol("s", negative=True), sympy.Symbol("s", positive=True)
    t = sympy.Symbol("t", real=True)
    p = 1 / (1 + sympy.exp(-z))
    e = -(t * sympy.log(p) + (1 - t) * sympy.log(1 - p))
    for one, other in (
        (-sympy.log(p), sympy.log(1 + sympy.exp(-z))),  # e[i] if t[i] = 1
        (-sympy.log(1 - p), sympy.log(1 + sympy.exp(z))),  # e[i] if t[i] = 0
        (sympy.log(1 + sympy.exp(s)), sympy.Max(s, 0) + sympy.log(1 + sympy.exp(-abs(s)))),
        (sympy.log(1 + sympy.exp(large)), sympy.Max(large, 0) + sympy.log(1 + sympy.exp(-abs(large)))),
        (sympy.diff(-sympy.log(p), z), p - 1),
        (sympy.diff(-sympy.log(1 - p), z), p),
        (-(t / p - (1 - t) / (1 - p)), (p - t) / (p * (1 - p))),
        (sympy.diff(e, z), p - t),
    ):
        assert sympy.simplify(one - other) == 0


def test_the_gradient_of_cross_entropy_is_p_minus_t_over_n_for_every_choice_of_hard_targets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sigmoid, "forward", sigmoid_rule)  # the same, by a test above
    z, t = symbols("z", 2, 1), symbols("t", 2, 1)
    derived = derivative(hard_cross_entropy_rule(sigmoid_rule(z), t), z)
    for chosen in np.ndindex(2, 2):
        targets = np.array(chosen).reshape(2, 1)
        ours = cross_entropy.backward(z, targets)
        np.testing.assert_array_equal(ours, (sigmoid_rule(z) - targets) / 2)
        assert_identical(ours, at_targets(derived, t, targets))


@pytest.mark.parametrize(
    ("loss", "t"),
    [
        ("mean", TARGETS[:1]),
        pytest.param("mean", TARGETS, marks=pytest.mark.exhaustive),
        pytest.param("cross-entropy", TARGETS[::3], marks=pytest.mark.exhaustive),
    ],
)
def test_the_chain_without_hidden_layers_is_sympys_derivative_of_the_network(
    loss: str, t: NDArray[Any], exact_scale: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sigmoid, "forward", sigmoid_rule)
    x, w, b = symbols("x", len(t), I), symbols("w", I, O), symbols("b", O)
    value = HARD_LOSS_RULES[loss](sigmoid_rule(first_linear_rule(x, w, b)), t)
    for ours, argument in zip(chained(loss, x, t, (Layer(w, b),)), (w, b), strict=True):
        assert_identical(ours, derivative(value, argument))


@pytest.mark.parametrize("signs", [(1, -1, 1, 1), (-1, 1, 1, -1)])
def test_the_chain_through_a_hidden_layer_is_right_for_several_patterns_of_signs(
    signs: tuple[int, ...], exact_scale: None
) -> None:
    pattern = np.array(signs).reshape(2, 2)
    x, first = symbols("x", 2, I), Layer(symbols("w", I, 2), symbols("b", 2))
    last, dz = Layer(symbols("v", 2, 3), symbols("c", 3)), symbols("dz", 2, 3)
    h = np.where(pattern > 0, first_linear_rule(x, *first), 0)  # the relu for this pattern of signs
    z = linear_rule(h, *last)
    # The backward of relu uses only the signs of z.
    ours = dense.backward(dz, [Cache(x, pattern), Cache(h, z)], (first, last))
    for gradients_of_layer, layer in zip(ours, (first, last), strict=True):
        for gradient, argument in zip(gradients_of_layer, layer, strict=True):
            assert_identical(gradient, derivative(np.sum(dz * z), argument))
