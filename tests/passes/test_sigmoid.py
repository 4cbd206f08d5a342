"""Sigmoid: exact in both tails, no warnings, and its slope against finite differences."""

import numpy as np
import pytest

from tests import oracles
from tests.fixtures import Close, Draw
from tinygrad_mnist.passes import mean_loss, sigmoid

# As far out as e^z is still a normal number of the type.
REACH = [("float64", 700), ("float32", 80)]


def test_the_books_three_numbers_as_logits_give_its_loss_and_gradient() -> None:
    z, t = np.array([[0.9], [0.4], [0.2]]), np.array([[1], [0], [1]])
    p = sigmoid.forward(z)
    dz = sigmoid.backward(mean_loss.backward(p, t), p)
    assert mean_loss.forward(p, t) == pytest.approx(0.445968, rel=0, abs=5e-7)
    np.testing.assert_allclose(dz, [[-0.068500], [0.080087], [-0.082506]], rtol=0, atol=5e-7)


@pytest.mark.parametrize(("dtype", "reach"), REACH)
def test_p_keeps_its_full_accuracy_in_both_tails(dtype: str, reach: int) -> None:
    hypothesis, mpmath = pytest.importorskip("hypothesis"), pytest.importorskip("mpmath")
    floats = hypothesis.strategies.floats(-reach, reach, width=np.dtype(dtype).itemsize * 8)

    @hypothesis.given(floats)
    def check(z: float) -> None:
        with np.errstate(all="raise", under="ignore"):  # NumPy 2.1 calls e^-1e-39 an underflow, though it is 1
            p = sigmoid.forward(np.array([z], dtype))[0]
        with mpmath.workdps(40):
            exact = 1 / (1 + mpmath.exp(-mpmath.mpf(z)))
            assert abs(mpmath.mpf(float(p)) / exact - 1) <= 8 * float(np.finfo(dtype).eps)

    check()


@pytest.mark.parametrize(("dtype", "reach"), REACH)
def test_p_at_minus_z_is_1_minus_p_at_z(dtype: str, reach: int, close: Close) -> None:
    z = np.linspace(-reach, reach, 10_001, dtype=dtype)
    close(sigmoid.forward(-z), 1 - sigmoid.forward(z), 2 * float(np.finfo(dtype).eps))


@pytest.mark.parametrize(("dtype", "reach"), REACH)
def test_p_never_falls_as_z_rises(dtype: str, reach: int) -> None:
    # The two forms meet at 0: there a step down would show.
    z = np.sort(np.concat([np.linspace(-reach, reach, 10_001), np.linspace(-1e-3, 1e-3, 10_001)])).astype(dtype)
    p = sigmoid.forward(z)
    assert np.all(np.diff(p) >= -np.finfo(dtype).eps * p[1:])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_no_number_is_too_large(dtype: str) -> None:
    largest = np.finfo(dtype).max
    z = np.array([-np.inf, -largest, -1000, 1000, largest, np.inf], dtype)
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        p = sigmoid.forward(z)
        dz = sigmoid.backward(np.ones_like(p), p)
    np.testing.assert_array_equal(p, [0, 0, 0, 1, 1, 1])
    np.testing.assert_array_equal(dz, 0)


@pytest.mark.parametrize("shape", [(1,), (5, 3), (2, 3, 4)])
def test_dz_agrees_with_finite_differences(shape: tuple[int, ...], draw: Draw, close: Close) -> None:
    z, dp = 3 * draw(*shape), draw(*shape)
    expected = oracles.gradient(lambda z: np.sum(dp * sigmoid.forward(z)), z)
    close(sigmoid.backward(dp, sigmoid.forward(z)), expected, 1e-9)
