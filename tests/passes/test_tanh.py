"""Tanh: accurate in the middle and in both tails, with the slope that SymPy and finite differences find."""

import numpy as np
import pytest

from tests import oracles
from tests.fixtures import Close, Draw
from tinygrad_mnist.passes import sigmoid, tanh


def test_it_is_the_sigmoid_from_minus_1_to_1(draw: Draw, close: Close) -> None:
    z = 3 * draw(50, 3)
    close(tanh.forward(z), 2 * sigmoid.forward(2 * z) - 1, 1e-15)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_h_and_its_slope_keep_their_full_accuracy(dtype: str) -> None:
    hypothesis, mpmath = pytest.importorskip("hypothesis"), pytest.importorskip("mpmath")
    floats = hypothesis.strategies.floats(-25, 25, width=np.dtype(dtype).itemsize * 8)
    eps = float(np.finfo(dtype).eps)

    @hypothesis.given(floats)
    def check(z: float) -> None:
        h = tanh.forward(np.array([z], dtype))
        slope = tanh.backward(np.ones(1, dtype), h)
        with mpmath.workdps(60):
            exact = mpmath.tanh(mpmath.mpf(z))
            assert abs(mpmath.mpf(float(h[0])) - exact) <= 8 * eps * abs(exact)
            # The slope of the rounded h, from which alone it is computed.
            exact = 1 - mpmath.mpf(float(h[0])) ** 2
            assert abs(mpmath.mpf(float(slope[0])) - exact) <= 3 * eps * exact

    check()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_no_number_is_too_large(dtype: str) -> None:
    largest = np.finfo(dtype).max
    z = np.array([-np.inf, -largest, -1000, 1000, largest, np.inf], dtype)
    h = tanh.forward(z)
    np.testing.assert_array_equal(h, [-1, -1, -1, 1, 1, 1])
    np.testing.assert_array_equal(tanh.backward(np.ones_like(h), h), 0)


@pytest.mark.parametrize("shape", [(), (1,), (5, 3), (2, 3, 4)])
def test_dz_agrees_with_finite_differences(shape: tuple[int, ...], draw: Draw, close: Close) -> None:
    z, dh = draw(*shape), draw(*shape)
    expected = oracles.gradient(lambda z: np.sum(dh * tanh.forward(z)), z)
    close(tanh.backward(dh, tanh.forward(z)), expected, 1e-9)
