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
from tinygrad_mnist.network import Parameters
from tinygrad_mnist.passes import linear, mean_loss, sigmoid, square

mpmath = pytest.importorskip("mpmath")
sympy = pytest.importorskip("sympy")

Draw = Callable[..., Any]
Close = Callable[[Any, Any, float], None]
Symbols: TypeAlias = NDArray[Any]
"""An array of SymPy's symbols or expressions."""

# All different, so that no transposed result could pass; and N*O is a power of 2, so that 1/n is exact.
N, I, O = 4, 3, 2  # noqa: E741 - the letters of the pages
DIGITS = 40
POINTS = 5
TOLERANCE = 1e-14
TARGETS = np.array([[1, 0], [1, 1], [0, 0], [0, 1]])


def symbols(name: str, *shape: int) -> Symbols:
    """Return an array of symbols, one for each entry."""
    return np.array(sympy.symbols(f"{name}:{np.prod(shape)}", real=True), dtype=object).reshape(shape)


def linear_rule(x: Symbols, w: Symbols, b: Symbols) -> Symbols:
    """Return z[n,o] = sum_i x[n,i] w[i,o] + b[o]."""
    return np.array([[sum(x[n, i] * w[i, o] for i in range(I)) + b[o] for o in range(O)] for n in range(N)])


def sigmoid_rule(z: Symbols) -> Symbols:
    """Return p[i] = 1 / (1 + e^-z[i])."""
    return np.vectorize(lambda z: 1 / (1 + sympy.exp(-z)), otypes=[object])(z)


def mean_loss_rule(p: Symbols, t: Symbols) -> Any:
    """Return L = 1/n sum_i e[i], e[i] = 1 - p[i] where t[i] = 1, p[i] where t[i] = 0."""
    distances = [sympy.Piecewise((1 - p, sympy.Eq(t, 1)), (p, True)) for p, t in zip(p.flat, t.flat, strict=True)]
    return sympy.Rational(1, p.size) * sum(distances)


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


def test_square_is_2x_times_the_upstream_identically() -> None:
    x, dy = symbols("x", 3, 2), symbols("dy", 3, 2)
    assert_identical(square.backward(dy, x), derivative(np.sum(dy * x**2), by=x))


def test_linears_three_gradients_are_sympys_identically() -> None:
    x, w, b, dz = symbols("x", N, I), symbols("w", I, O), symbols("b", O), symbols("dz", N, O)
    loss = np.sum(dz * linear_rule(x, w, b))
    for written, argument in zip(linear.backward(dz, x, w), (x, w, b), strict=True):
        assert_identical(written, derivative(loss, by=argument))


def test_the_slope_of_the_sigmoid_is_p_times_1_less_p_identically() -> None:
    z, dp = symbols("z", 3), symbols("dp", 3)
    p = sigmoid_rule(z)
    assert_identical(sigmoid.backward(dp, p), derivative(np.sum(dp * p), by=z))


def test_every_step_on_the_sigmoids_page_is_an_identity() -> None:
    z = sympy.Symbol("z", real=True)
    p = 1 / (1 + sympy.exp(-z))
    for one, other in (
        (p, sympy.exp(z) / (sympy.exp(z) + 1)),  # the two branches of forward
        (sympy.diff(p, z), sympy.exp(-z) / (1 + sympy.exp(-z)) ** 2),
        (1 - p, (1 + sympy.exp(-z) - 1) / (1 + sympy.exp(-z))),
        (p.subs(z, -z), 1 - p),
    ):
        assert sympy.simplify(one - other) == 0
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


def test_the_chained_network_is_sympys_derivative_of_the_whole_identically() -> None:
    x, w, b = symbols("x", N, I), symbols("w", I, O), symbols("b", O)
    p = sigmoid_rule(linear_rule(x, w, b))
    loss = mean_loss_rule(p, TARGETS)
    for written, argument in zip(network.backward(p, TARGETS, x, Parameters(w, b)), (w, b), strict=True):
        assert_identical(written, derivative(loss, by=argument))


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


def test_the_network_has_sympys_values_by_weights_and_bias(draw: Draw, close: Close) -> None:
    x, w, b, t = symbols("x", N, I), symbols("w", I, O), symbols("b", O), symbols("t", N, O)
    exact = gradients(mean_loss_rule(sigmoid_rule(linear_rule(x, w, b)), t), by=[w, b], given=[x, t])
    for _ in range(POINTS):
        inputs, targets, parameters = draw(N, I), np.where(draw(N, O) > 0, 1, 0), Parameters(draw(I, O), draw(O))
        written = network.backward(network.forward(inputs, parameters), targets, inputs, parameters)
        for gradient, derived in zip(written, exact(*parameters, inputs, targets), strict=True):
            close(gradient, derived, TOLERANCE)
