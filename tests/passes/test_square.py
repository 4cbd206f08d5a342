"""Square: the book's warm-up figures, and the hand-derived 2x against finite differences."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tinygrad_mnist.check import oracles
from tinygrad_mnist.passes import square

Draw = Callable[..., Any]
Close = Callable[[Any, Any, float], None]


def test_the_square_of_3_is_9_with_slope_6() -> None:
    assert square.forward(3) == 9
    assert square.backward(1, 3) == 6


def test_the_squares_of_3_4_10_add_up_to_125_with_gradient_6_8_20() -> None:
    x = np.array([3.0, 4.0, 10.0])
    assert np.sum(square.forward(x)) == 125
    np.testing.assert_array_equal(square.backward(np.ones(3), x), [6, 8, 20])


@pytest.mark.parametrize("shape", [(), (1,), (5, 3), (2, 3, 4)])
def test_dx_agrees_with_finite_differences(shape: tuple[int, ...], draw: Draw, close: Close) -> None:
    x, dy = np.asarray(draw(*shape)), np.asarray(draw(*shape))
    expected = oracles.gradient(lambda x: np.sum(dy * square.forward(x)), x)
    close(square.backward(dy, x), expected, 1e-9)


def test_dx_agrees_with_the_complex_step_to_the_last_digit(draw: Draw, close: Close) -> None:
    x = draw(5, 3)
    h = 1e-30  # nothing is subtracted, so the step may be as small as it likes
    close(square.backward(np.ones((5, 3)), x), square.forward(x + 1j * h).imag / h, 1e-15)


@pytest.mark.parametrize("dtype", ["float32", "float64", "longdouble", "complex64", "complex128"])
def test_shape_and_dtype_are_those_of_the_argument(dtype: str, draw: Draw) -> None:
    x, dy = draw(5, 3, dtype=dtype), draw(5, 3, dtype=dtype)
    for result in (square.forward(x), square.backward(dy, x)):
        assert result.shape == (5, 3)
        assert result.dtype == dtype


def test_float32_agrees_with_float64(draw: Draw, close: Close) -> None:
    x, dy = draw(50, 3), draw(50, 3)
    x32, dy32 = x.astype("float32"), dy.astype("float32")
    close(square.forward(x32), square.forward(x), 1e-5)
    close(square.backward(dy32, x32), square.backward(dy, x), 1e-5)


def test_no_argument_is_written_to(draw: Draw) -> None:
    x, dy = draw(5, 3).copy(), draw(5, 3).copy()
    before = x.copy(), dy.copy()
    square.forward(x)
    square.backward(dy, x)
    np.testing.assert_array_equal((x, dy), before)


def test_a_derivative_of_a_different_shape_is_refused_by_name(draw: Draw) -> None:
    with pytest.raises(ValueError, match=r"\(64,\).*\(64, 1\)"):
        square.backward(draw(64), draw(64, 1))


def test_it_runs_on_a_different_device(draw: Draw, on_device1: Draw, close: Close) -> None:
    x, dy = draw(5, 3), draw(5, 3)
    close(square.forward(on_device1(x)), square.forward(x), 0)
    close(square.backward(on_device1(dy), on_device1(x)), square.backward(dy, x), 0)
