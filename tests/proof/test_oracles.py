"""The oracle itself: finite differences of functions whose slopes are known, and a planted mistake."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tinygrad_mnist import oracles

Close = Callable[[Any, Any, float], None]


@pytest.mark.parametrize("x", [-1.0, 0.5, 1.0])
@pytest.mark.parametrize(
    ("function", "slope"),
    [(lambda x: x**2, lambda x: 2 * x), (math.sin, math.cos), (lambda x: x**3, lambda x: 3 * x**2)],
)
def test_known_slopes_are_found(function: Callable[[float], float], slope: Callable[[float], float], x: float) -> None:
    # The error of a central difference is h^2/6 times the third derivative, which is 6 at most here.
    assert oracles.differences(function, x, order=2) == pytest.approx(slope(x), rel=0, abs=1.1e-6)


@pytest.mark.parametrize(
    ("function", "slope"),
    [(np.square, lambda x: 2 * x), (np.sin, np.cos), (lambda x: x**3, lambda x: 3 * x**2)],
)
@pytest.mark.parametrize("shape", [(), (4,), (2, 3)])
def test_known_gradients_are_found_to_ten_digits(
    function: Callable[[Any], Any], slope: Callable[[Any], Any], shape: tuple[int, ...], close: Close
) -> None:
    x = np.linspace(0.5, 3, math.prod(shape)).reshape(shape)
    close(oracles.gradient(lambda x: np.sum(function(x)), x), slope(x), 1e-10)


def test_halving_the_step_divides_the_error_by_sixteen() -> None:
    def error(step: float) -> float:
        return abs(float(oracles.gradient(np.sin, np.array(1.0), step)) - math.cos(1.0))

    assert error(0.1) / error(0.05) == pytest.approx(16, rel=0.02)


def test_the_point_is_not_moved() -> None:
    x = np.array([1.0, 2.0])
    x.flags.writeable = False
    oracles.gradient(np.sum, x)
    np.testing.assert_array_equal(x, [1, 2])


@pytest.mark.parametrize("wrong", [lambda x: 2 * x + 1e-7, lambda x: -2 * x, lambda x: x, np.zeros_like])
def test_a_wrong_derivative_is_seen(wrong: Callable[[Any], Any], close: Close) -> None:
    x = np.array([3.0, 4.0, 10.0])
    with pytest.raises(AssertionError, match="off by"):
        close(wrong(x), oracles.gradient(lambda x: np.sum(x * x), x), 1e-9)


@pytest.mark.parametrize("dtype", [int, np.float16, np.float32])
def test_numbers_of_a_coarser_type_are_nudged_in_float64(dtype: Any, close: Close) -> None:
    x = np.array([3, 4, 10], dtype)
    close(oracles.gradient(lambda x: np.sum(x * x), x), np.array([6.0, 8.0, 20.0]), 1e-10)


@pytest.mark.parametrize("x", [-3.0, -1e-8, 0.0, 0.5, 700.0])
@pytest.mark.parametrize(
    ("function", "slope"),
    [(np.square, lambda x: 2 * x), (np.sin, np.cos), (np.exp, np.exp), (lambda x: x**3, lambda x: 3 * x**2)],
)
def test_the_complex_step_is_exact_but_for_rounding(
    function: Callable[[Any], Any], slope: Callable[[Any], Any], x: float
) -> None:
    assert oracles.complex_step(function, x) == pytest.approx(slope(x), rel=1e-15, abs=oracles.TINY**2)


@pytest.mark.parametrize("off", [0.0, 1e-4, -2e-4, 1e-3 / 3, 9e-4])
def test_a_kink_within_the_step_is_a_jump_of_the_slope(off: float) -> None:
    assert oracles.slope_jump(lambda x: abs(x - off)) > 0.01


@pytest.mark.parametrize("function", [np.square, np.sin, np.exp, lambda x: abs(x - 0.0011), lambda x: x**3])
def test_a_smooth_function_has_no_jump(function: Callable[[Any], Any]) -> None:
    assert oracles.slope_jump(function) < 1e-8


def test_a_cube_has_order_2_and_a_square_no_error_to_have_an_order_of() -> None:
    assert oracles.observed_order([lambda s: (1 + s) ** 3]) == pytest.approx(2, abs=1e-6)
    assert oracles.observed_order([lambda s: (1 + s) ** 2, lambda s: 5 * s]) is None
