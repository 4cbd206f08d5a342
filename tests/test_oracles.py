"""The oracles: they find known slopes, and expose a wrong derivative."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests import oracles

Close = Callable[[Any, Any, float], None]


@pytest.mark.parametrize("x", [-1.0, 0.5, 1.0])
@pytest.mark.parametrize(
    ("function", "slope"),
    [(lambda x: x**2, lambda x: 2 * x), (math.sin, math.cos), (lambda x: x**3, lambda x: 3 * x**2)],
)
def test_central_differences_find_known_slopes(
    function: Callable[[float], float], slope: Callable[[float], float], x: float
) -> None:
    # The error of a central difference is h^2/6 times the third derivative, which is at most 6 here.
    assert oracles.differences(function, x, order=2) == pytest.approx(slope(x), rel=0, abs=1.1e-6)


@pytest.mark.parametrize(
    ("function", "slope"),
    [(np.square, lambda x: 2 * x), (np.sin, np.cos), (lambda x: x**3, lambda x: 3 * x**2)],
)
@pytest.mark.parametrize("shape", [(), (4,), (2, 3)])
def test_fourth_order_differences_find_known_gradients_to_ten_digits(
    function: Callable[[Any], Any], slope: Callable[[Any], Any], shape: tuple[int, ...], close: Close
) -> None:
    x = np.linspace(0.5, 3, math.prod(shape)).reshape(shape)
    close(oracles.gradient(lambda x: np.sum(function(x)), x), slope(x), 1e-10)


def test_halving_the_step_divides_the_error_by_sixteen() -> None:
    def error(step: float) -> float:
        return abs(float(oracles.gradient(np.sin, np.array(1.0), step)) - math.cos(1.0))

    assert error(0.1) / error(0.05) == pytest.approx(16, rel=0.02)


def test_the_error_at_the_default_step_is_mostly_rounding() -> None:
    mpmath = pytest.importorskip("mpmath")

    def slope(x: float) -> Any:
        """Return the formula of order 4 without rounding."""
        h = mpmath.mpf(oracles.STEP)
        coarse, fine = ((mpmath.sin(x + step) - mpmath.sin(x - step)) / (2 * step) for step in (h, h / 2))
        return (4 * fine - coarse) / 3

    points = np.linspace(-1, 1, 201)
    with mpmath.workdps(50):
        truncation = np.mean([float(abs(slope(x) - mpmath.cos(x))) for x in points])
        error = np.mean([float(abs(oracles.differences(np.sin, x) - mpmath.cos(x))) for x in points])
    assert 3e-14 < error < 3e-13
    assert truncation == pytest.approx(oracles.STEP**4 / 480 * np.mean(np.cos(points)), rel=1e-3)
    assert truncation / error == pytest.approx(0.02, abs=0.01)


def test_the_point_is_not_overwritten() -> None:
    x = np.array([1.0, 2.0])
    x.flags.writeable = False
    oracles.gradient(np.sum, x)
    np.testing.assert_array_equal(x, [1, 2])


@pytest.mark.parametrize("wrong", [lambda x: 2 * x + 1e-7, lambda x: -2 * x, lambda x: x, np.zeros_like])
def test_a_wrong_derivative_is_found(wrong: Callable[[Any], Any], close: Close) -> None:
    x = np.array([3.0, 4.0, 10.0])
    with pytest.raises(AssertionError, match="off by"):
        close(wrong(x), oracles.gradient(lambda x: np.sum(x * x), x), 1e-9)


@pytest.mark.parametrize("dtype", [int, np.float16, np.float32])
def test_numbers_of_a_coarser_dtype_are_moved_in_float64(dtype: Any, close: Close) -> None:
    x = np.array([3, 4, 10], dtype)
    close(oracles.gradient(lambda x: np.sum(x * x), x), np.array([6.0, 8.0, 20.0]), 1e-10)
