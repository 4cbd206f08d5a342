"""SymPy as a witness: it derives each pass from the forward rule on its page, and knows nothing of the derivation.

Twice: the code's own backward, run on symbols, less SymPy's derivative is 0 identically, for all numbers at once; and
run on floats, it is the derivative's value, found to 40 digits.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import pytest
from numpy.typing import NDArray

from tinygrad_mnist import network
from tinygrad_mnist.backend import NUMPY
from tinygrad_mnist.network import LOSSES, Layer, Parameters, Passed
from tinygrad_mnist.passes import cross_entropy, linear, mean_loss, relu, sigmoid, square

mpmath = pytest.importorskip("mpmath")
sympy = pytest.importorskip("sympy")

Draw = Callable[..., Any]
Close = Callable[[Any, Any, float], None]
Symbols: TypeAlias = NDArray[Any]
"""An array of SymPy's symbols or expressions."""

# All different, so that no transposed result could pass; and N*O is a power of 2, so that 1/n is exact.
N, I, O = 4, 3, 2  # noqa: E741 - the letters of the pages
# Rows, inputs, hidden outputs and outputs of two layers; here 1/n is rounded.
TWO_LAYERS = 3, 2, 4, 1
DIGITS = 40
POINTS = 5
TOLERANCE = 1e-14
TARGETS = np.array([[1, 0], [1, 1], [0, 0], [0, 1]])


def symbols(name: str, *shape: int) -> Symbols:
    """Return an array of symbols, one for each entry."""
    return np.array(sympy.symbols(f"{name}:{np.prod(shape)}", real=True), dtype=object).reshape(shape)


def signed(name: str, signs: NDArray[Any]) -> Symbols:
    """Return an array of symbols that are known to be positive or negative, so that the code's conditions hold."""
    known = [
        sympy.Symbol(f"{name}{number}", positive=sign > 0, negative=sign < 0) for number, sign in enumerate(signs.flat)
    ]
    return np.array(known, dtype=object).reshape(signs.shape)


def linear_rule(x: Symbols, w: Symbols, b: Symbols) -> Symbols:
    """Return z[n,o] = sum_i x[n,i] w[i,o] + b[o]."""
    (rows, inputs), outputs = x.shape, w.shape[1]
    return np.array(
        [[sum(x[n, i] * w[i, o] for i in range(inputs)) + b[o] for o in range(outputs)] for n in range(rows)]
    )


def relu_rule(z: Symbols) -> Symbols:
    """Return h[i] = max(z[i], 0)."""
    return np.vectorize(lambda z: sympy.Piecewise((z, z > 0), (0, True)), otypes=[object])(z)


def sigmoid_rule(z: Symbols) -> Symbols:
    """Return p[i] = 1 / (1 + e^-z[i])."""
    return np.vectorize(lambda z: 1 / (1 + sympy.exp(-z)), otypes=[object])(z)


def mean_loss_rule(p: Symbols, t: Symbols) -> Any:
    """Return L = 1/n sum_i e[i], e[i] = 1 - p[i] where t[i] = 1, p[i] where t[i] = 0."""
    distances = [sympy.Piecewise((1 - p, sympy.Eq(t, 1)), (p, True)) for p, t in zip(p.flat, t.flat, strict=True)]
    return sympy.Rational(1, p.size) * sum(distances)


def cross_entropy_rule(p: Symbols, t: Symbols) -> Any:
    """Return L = 1/n sum_i e[i], e[i] = -log p[i] where t[i] = 1, -log (1 - p[i]) where t[i] = 0."""
    surprises = [
        sympy.Piecewise((-sympy.log(p), sympy.Eq(t, 1)), (-sympy.log(1 - p), True))
        for p, t in zip(p.flat, t.flat, strict=True)
    ]
    return sympy.Rational(1, p.size) * sum(surprises)


LOSS_RULES = {"mean": mean_loss_rule, "cross-entropy": cross_entropy_rule}


def derivative(loss: Any, by: Symbols) -> Symbols:
    """Return SymPy's derivative of the loss by every entry."""
    return np.array([sympy.diff(loss, entry) for entry in by.flat], dtype=object).reshape(by.shape)


def gradients(loss: Any, by: Sequence[Symbols], given: Sequence[Symbols] = ()) -> Callable[..., list[NDArray[Any]]]:
    """Return a function of the numbers for `by` and `given`: the derivative there by each of `by`, rounded once."""
    names = [entry for array in (*by, *given) for entry in array.flat]
    slopes = sympy.lambdify(names, [list(derivative(loss, array).flat) for array in by], "mpmath")

    def at(*numbers: NDArray[Any]) -> list[NDArray[Any]]:
        with mpmath.workdps(DIGITS):
            found = slopes(*(mpmath.mpf(float(number)) for array in numbers for number in array.flat))
        return [np.array(list(map(float, row))).reshape(array.shape) for row, array in zip(found, by, strict=True)]

    return at


def assert_identical(written: Symbols, derived: Symbols) -> None:
    """Check that two arrays of expressions are the same for all numbers."""
    assert written.shape == derived.shape
    for one, other in zip(written.flat, derived.flat, strict=True):
        difference = one - other
        somewhere = {symbol: 1 / (number + 2) for number, symbol in enumerate(sorted(difference.free_symbols, key=str))}
        assert abs(difference.subs(somewhere)) < 1e-12  # to simplify what is not 0 takes a minute
        assert sympy.simplify(difference) == 0


def chained(loss: str, x: NDArray[Any], t: NDArray[Any], parameters: Parameters) -> list[NDArray[Any]]:
    """Return what the code says is the derivative of a loss by each array of the parameters."""
    passed = network.forward(x, parameters)
    z = passed[-1].z
    # The cross-entropy's value asks which of two numbers is larger, and symbols have no answer; its gradient does not.
    dz = cross_entropy.backward(z, t) if loss == "cross-entropy" else LOSSES[loss](z, t)[1]
    written = network.backward(dz, passed, parameters)
    return [gradient for layer in written for gradient in layer]


@pytest.fixture
def exp_and_log_of_symbols(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the passes' exp and log1p be SymPy's, entry by entry."""
    monkeypatch.setattr(NUMPY, "exp", np.vectorize(sympy.exp, otypes=[object]))
    monkeypatch.setattr(NUMPY, "log1p", np.vectorize(lambda x: sympy.log(1 + x), otypes=[object]))


def test_square_is_2x_times_the_upstream_identically() -> None:
    x, dy = symbols("x", 3, 2), symbols("dy", 3, 2)
    assert_identical(square.backward(dy, x), derivative(np.sum(dy * x**2), by=x))


def test_linears_three_gradients_are_sympys_identically() -> None:
    x, w, b, dz = symbols("x", N, I), symbols("w", I, O), symbols("b", O), symbols("dz", N, O)
    loss = np.sum(dz * linear_rule(x, w, b))
    for written, argument in zip(linear.backward(dz, x, w), (x, w, b), strict=True):
        assert_identical(written, derivative(loss, by=argument))
    for written, argument in zip(linear.backward_to_parameters(dz, x), (w, b), strict=True):
        assert_identical(written, derivative(loss, by=argument))


@pytest.mark.parametrize("signs", [(1, 1), (1, -1), (-1, 1), (-1, -1)])
def test_relu_and_its_gradient_are_sympys_identically_for_every_pattern_of_signs(signs: tuple[int, int]) -> None:
    z, dh = signed("z", np.array([signs])), symbols("dh", 1, 2)
    h = relu_rule(z)
    assert_identical(relu.forward(z), h)
    # On the way back relu looks at the signs of its z alone.
    assert_identical(relu.backward(dh, np.array([signs])), derivative(np.sum(dh * h), by=z))


def test_relus_slope_is_0_to_the_left_and_1_to_the_right_and_at_the_kink_the_code_takes_the_left_one() -> None:
    z = sympy.Symbol("z", real=True)
    slope = sympy.diff(relu_rule(np.array(z)).item(), z)
    left, right = (slope.subs(z, anywhere) for anywhere in signed("z", np.array([-1, 1])))
    assert (left, right) == (0, 1)
    assert relu.backward(np.ones(1), np.zeros(1)).item() == float(left)


def test_the_slope_of_the_sigmoid_is_p_times_1_less_p_identically() -> None:
    z, dp = symbols("z", 3), symbols("dp", 3)
    p = sigmoid_rule(z)
    assert_identical(sigmoid.backward(dp, p), derivative(np.sum(dp * p), by=z))


def test_every_step_on_the_sigmoids_page_is_an_identity() -> None:
    z = sympy.Symbol("z", real=True)
    p = 1 / (1 + sympy.exp(-z))
    for one, other in (
        (p, sympy.exp(z) / (sympy.exp(z) + 1)),  # the two forms of forward
        (sympy.diff(p, z), sympy.exp(-z) / (1 + sympy.exp(-z)) ** 2),
        (1 - p, (1 + sympy.exp(-z) - 1) / (1 + sympy.exp(-z))),
        (p.subs(z, -z), 1 - p),
    ):
        assert sympy.simplify(one - other) == 0
    for sure in (sympy.Symbol("z", positive=True), sympy.Symbol("z", negative=True)):
        both = sympy.exp(sympy.Min(sure, 0)) / (1 + sympy.exp(-abs(sure)))  # the one line that is both
        assert sympy.simplify(both - p.subs(z, sure)) == 0
    assert sympy.limit(sympy.diff(p, z) / sympy.exp(-z), z, sympy.oo) == 1  # what is left where the code has 0
    assert sympy.diff(p, z).subs(z, 0) == sympy.Rational(1, 4)


def test_the_mean_losses_gradient_is_sympys_for_every_choice_of_targets() -> None:
    p, t = symbols("p", 2, 2), symbols("t", 2, 2)
    derived = derivative(mean_loss_rule(p, t), by=p)
    for chosen in np.ndindex(2, 2, 2, 2):
        targets = np.array(chosen).reshape(2, 2)
        values = dict(zip(t.flat, targets.flat, strict=True))
        exact = np.array([slope.subs(values) for slope in derived.flat], dtype=object).reshape(2, 2)
        assert_identical(mean_loss.backward(p, targets), exact)


@pytest.mark.parametrize("sign", [-1, 1])
def test_the_sigmoid_is_1_over_1_plus_e_to_the_minus_z_identically(sign: int, exp_and_log_of_symbols: None) -> None:
    z = signed("z", np.full((2, 2), sign))
    assert_identical(sigmoid.forward(z), sigmoid_rule(z))


@pytest.mark.parametrize("t", [0, 1])
@pytest.mark.parametrize("sign", [-1, 1])
def test_cross_entropy_and_its_gradient_are_those_of_the_logarithms_identically(
    sign: int, t: int, exp_and_log_of_symbols: None
) -> None:
    z, targets = signed("z", np.array([[sign]])), np.array([[t]])
    literal = cross_entropy_rule(sigmoid_rule(z), targets)
    stable = cross_entropy.forward(z, targets)
    assert stable != literal
    assert_identical(np.array([stable]), np.array([literal]))
    for loss in (stable, literal):
        assert_identical(cross_entropy.backward(z, targets), derivative(loss, by=z))


def test_every_step_on_cross_entropys_page_is_an_identity() -> None:
    z, s, large = sympy.Symbol("z", real=True), sympy.Symbol("s", negative=True), sympy.Symbol("s", positive=True)
    p = 1 / (1 + sympy.exp(-z))
    for one, other in (
        (-sympy.log(p), sympy.log(1 + sympy.exp(-z))),  # e[i] where t[i] = 1
        (-sympy.log(1 - p), sympy.log(1 + sympy.exp(z))),  # e[i] where t[i] = 0
        (sympy.log(1 + sympy.exp(s)), sympy.Max(s, 0) + sympy.log(1 + sympy.exp(-abs(s)))),
        (sympy.log(1 + sympy.exp(large)), sympy.Max(large, 0) + sympy.log(1 + sympy.exp(-abs(large)))),
        (sympy.diff(-sympy.log(p), z), p - 1),
        (sympy.diff(-sympy.log(1 - p), z), p),
    ):
        assert sympy.simplify(one - other) == 0


def test_cross_entropys_gradient_is_p_less_t_over_n_for_every_choice_of_targets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sigmoid, "forward", sigmoid_rule)  # its two forms are one: shown above
    z, t = symbols("z", 2, 2), symbols("t", 2, 2)
    derived = derivative(cross_entropy_rule(sigmoid_rule(z), t), by=z)
    for chosen in np.ndindex(2, 2, 2, 2):
        targets = np.array(chosen).reshape(2, 2)
        values = dict(zip(t.flat, targets.flat, strict=True))
        exact = np.array([slope.subs(values) for slope in derived.flat], dtype=object).reshape(2, 2)
        written = cross_entropy.backward(z, targets)
        np.testing.assert_array_equal(written, (sigmoid_rule(z) - targets) / 4)
        assert_identical(written, exact)


@pytest.mark.parametrize(("loss", "t"), [("mean", TARGETS), ("cross-entropy", TARGETS[::3])])  # fewer: it is slow
def test_the_chained_network_is_sympys_derivative_of_the_whole_identically(
    loss: str, t: NDArray[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sigmoid, "forward", sigmoid_rule)
    x, w, b = symbols("x", len(t), I), symbols("w", I, O), symbols("b", O)
    whole = LOSS_RULES[loss](sigmoid_rule(linear_rule(x, w, b)), t)
    for written, argument in zip(chained(loss, x, t, (Layer(w, b),)), (w, b), strict=True):
        assert_identical(written, derivative(whole, by=argument))


@pytest.mark.parametrize("signs", [(1, 1, 1, 1), (1, -1, 1, 1), (-1, 1, 1, -1), (-1, -1, -1, -1)])
def test_through_a_hidden_layer_the_chain_is_sympys_derivative_identically_whatever_relu_lets_through(
    signs: tuple[int, ...],
) -> None:
    pattern = np.array(signs).reshape(2, 2)
    x, first = symbols("x", 2, I), Layer(symbols("w", I, 2), symbols("b", 2))
    last, dz = Layer(symbols("v", 2, 3), symbols("c", 3)), symbols("dz", 2, 3)
    h = np.where(pattern > 0, linear_rule(x, *first), 0)  # what relu is on the signs of the pattern
    z = linear_rule(h, *last)
    # On the way back relu looks at the signs of its z alone.
    written = network.backward(dz, [Passed(x, pattern), Passed(h, z)], (first, last))
    for gradients_of_layer, layer in zip(written, (first, last), strict=True):
        for gradient, argument in zip(gradients_of_layer, layer, strict=True):
            assert_identical(gradient, derivative(np.sum(dz * z), by=argument))


def test_square_has_sympys_values(draw: Draw, close: Close) -> None:
    x, dy = symbols("x", 3, 2), symbols("dy", 3, 2)
    exact = gradients(np.sum(dy * x**2), by=[x], given=[dy])
    for _ in range(POINTS):
        numbers, upstream = draw(3, 2), draw(3, 2)
        close(square.backward(upstream, numbers), exact(numbers, upstream)[0], TOLERANCE)


def test_linear_has_sympys_values(draw: Draw, close: Close) -> None:
    x, w, b, dz = symbols("x", N, I), symbols("w", I, O), symbols("b", O), symbols("dz", N, O)
    exact = gradients(np.sum(dz * linear_rule(x, w, b)), by=[x, w, b], given=[dz])
    for _ in range(POINTS):
        inputs, weights, bias, upstream = draw(N, I), draw(I, O), draw(O), draw(N, O)
        expected = exact(inputs, weights, bias, upstream)
        for written, derived in zip(linear.backward(upstream, inputs, weights), expected, strict=True):
            close(written, derived, TOLERANCE)


def test_relu_has_sympys_values(draw: Draw, close: Close) -> None:
    z, dh = symbols("z", 3, 2), symbols("dh", 3, 2)
    exact = gradients(np.sum(dh * relu_rule(z)), by=[z], given=[dh])
    for _ in range(POINTS):
        numbers, upstream = draw(3, 2), draw(3, 2)
        close(relu.backward(upstream, numbers), exact(numbers, upstream)[0], TOLERANCE)


def test_sigmoid_has_sympys_values(draw: Draw, close: Close) -> None:
    z, dp = symbols("z", 3, 2), symbols("dp", 3, 2)
    exact = gradients(np.sum(dp * sigmoid_rule(z)), by=[z], given=[dp])
    for _ in range(POINTS):
        logits, upstream = 3 * draw(3, 2), draw(3, 2)
        written = sigmoid.backward(upstream, sigmoid.forward(logits))
        close(written, exact(logits, upstream)[0], TOLERANCE)


def test_mean_loss_has_sympys_values_where_1_over_n_is_rounded(draw: Draw, close: Close) -> None:
    p, t = symbols("p", 3, 1), symbols("t", 3, 1)
    exact = gradients(mean_loss_rule(p, t), by=[p], given=[t])
    for _ in range(POINTS):
        predictions, targets = draw(3, 1), np.where(draw(3, 1) > 0, 1, 0)
        close(mean_loss.backward(predictions, targets), exact(predictions, targets)[0], TOLERANCE)


def test_cross_entropy_has_sympys_values_where_1_over_n_is_rounded(draw: Draw, close: Close) -> None:
    z, t = symbols("z", 3, 1), symbols("t", 3, 1)
    exact = gradients(cross_entropy_rule(sigmoid_rule(z), t), by=[z], given=[t])
    for _ in range(POINTS):
        logits, targets = 3 * draw(3, 1), np.where(draw(3, 1) > 0, 1, 0)
        close(cross_entropy.backward(logits, targets), exact(logits, targets)[0], TOLERANCE)


@pytest.mark.parametrize("loss", LOSSES)
def test_the_network_has_sympys_values_by_weights_and_bias(loss: str, draw: Draw, close: Close) -> None:
    x, w, b, t = symbols("x", N, I), symbols("w", I, O), symbols("b", O), symbols("t", N, O)
    exact = gradients(LOSS_RULES[loss](sigmoid_rule(linear_rule(x, w, b)), t), by=[w, b], given=[x, t])
    for _ in range(POINTS):
        inputs, targets, layer = draw(N, I), np.where(draw(N, O) > 0, 1, 0), Layer(draw(I, O), draw(O))
        written = chained(loss, inputs, targets, (layer,))
        for gradient, derived in zip(written, exact(*layer, inputs, targets), strict=True):
            close(gradient, derived, TOLERANCE)


@pytest.mark.parametrize("loss", LOSSES)
def test_with_a_hidden_layer_it_has_sympys_values_by_both_layers(loss: str, draw: Draw, close: Close) -> None:
    rows, inputs, hidden, outputs = TWO_LAYERS
    x, t = symbols("x", rows, inputs), symbols("t", rows, outputs)
    w, b, v, c = (
        symbols("w", inputs, hidden),
        symbols("b", hidden),
        symbols("v", hidden, outputs),
        symbols("c", outputs),
    )
    p = sigmoid_rule(linear_rule(relu_rule(linear_rule(x, w, b)), v, c))
    exact = gradients(LOSS_RULES[loss](p, t), by=[w, b, v, c], given=[x, t])
    for _ in range(POINTS):
        images, targets = draw(*x.shape), np.where(draw(*t.shape) > 0, 1, 0)
        first, last = Layer(draw(*w.shape), draw(*b.shape)), Layer(draw(*v.shape), draw(*c.shape))
        assert np.abs(linear.forward(images, *first)).min() > 1e-6, "at a kink there is no slope to compare"
        written = chained(loss, images, targets, (first, last))
        for gradient, derived in zip(written, exact(*first, *last, images, targets), strict=True):
            close(gradient, derived, TOLERANCE)
