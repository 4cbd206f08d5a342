"""The slope of a square is exactly 2x, in floats and in fractions, and every oracle finds it."""

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest

from tests.witnesses.drawing import drawn, hypothesis, st
from tinygrad_mnist.check import oracles
from tinygrad_mnist.passes import square


@hypothesis.given(st.floats(-(2.0**1023), 2.0**1023, exclude_min=True, exclude_max=True))
def test_the_slope_of_a_square_is_exactly_2x_for_every_float(x: float) -> None:
    assert Fraction(float(square.backward(np.ones(1), np.array([x]))[0])) == 2 * Fraction(x)


@drawn(st.fractions(), st.fractions(), st.fractions().filter(bool))
def test_central_differences_of_a_square_have_no_error_for_any_step_in_fractions(
    x: Fraction, dy: Fraction, h: Fraction
) -> None:
    # ((x + h)^2 - (x - h)^2) / 2h = 4xh / 2h = 2x, without a limit.
    measured = (square.forward(x + h) - square.forward(x - h)) / (2 * h)
    assert square.backward(dy, x) == dy * measured


@drawn(st.floats(-100, 100))
def test_differences_of_a_square_find_2x(x: float) -> None:
    for order in (2, 4):
        slope = oracles.differences(square.forward, at=x, order=order)
        assert slope == pytest.approx(square.backward(1.0, x), rel=1e-10, abs=1e-10)


@pytest.mark.parametrize("oracle", [lambda line: oracles.differences(line, order=2), oracles.differences])
def test_differences_find_the_slopes_of_the_book(oracle: Callable[[oracles.Line], float]) -> None:
    assert oracle(lambda s: square.forward(3 + s)) == pytest.approx(6, rel=1e-10)
    x = np.array([3.0, 4.0, 10.0])
    lines = oracles.lines_through(lambda x: np.sum(square.forward(x)), x, oracles.each_entry(x))
    assert [line(0.0) for line in lines] == [125, 125, 125]
    assert [oracle(line) for line in lines] == pytest.approx([6, 8, 20], rel=1e-9)


@pytest.mark.parametrize("x", [3.0, 4.0, 10.0, 1e-150, 2.0**500])
def test_a_complex_step_finds_2x_without_any_error(x: float) -> None:
    assert oracles.complex_step(square.forward, at=x) == square.backward(1.0, x)


def test_every_oracle_finds_2x_from_minus_100_to_100() -> None:
    for x in map(float, range(-100, 101)):
        dx = square.backward(1.0, x)
        assert dx == x + x
        assert oracles.complex_step(square.forward, at=x) == dx
        for order in (2, 4):
            assert oracles.differences(square.forward, at=x, order=order) == pytest.approx(dx, rel=1e-10, abs=1e-10)


@pytest.mark.parametrize("x", [-100.0, -3.0, -0.5, 0.0, 1e-3, 1.0, 10.0, 100.0])
def test_a_cube_has_order_2_and_a_square_has_none_because_its_third_derivative_is_0(x: float) -> None:
    # The error of a central difference is h^2/6 times the third derivative, plus higher terms that are 0 for both.
    assert oracles.observed_order([lambda s: (x + s) * square.forward(x + s)]) == pytest.approx(2.0, abs=0.01)
    assert oracles.observed_order([lambda s: square.forward(x + s)]) is None
