"""ReLU: negative numbers become 0, and get no gradient."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tinygrad_mnist.check import oracles
from tinygrad_mnist.passes import relu

Draw = Callable[..., Any]
Close = Callable[[Any, Any, float], None]


def test_negative_numbers_become_0_and_positive_ones_stay() -> None:
    np.testing.assert_array_equal(
        relu.forward(np.array([-np.inf, -1e-300, 0.0, 1e-300, np.inf])), [0, 0, 0, 1e-300, np.inf]
    )


def test_nan_stays_nan() -> None:
    assert np.isnan(relu.forward(np.array([np.nan]))).all()


@pytest.mark.parametrize("shape", [(), (4,), (5, 3), (0, 2)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_shapes_and_dtypes_are_kept(shape: tuple[int, ...], dtype: str, draw: Draw) -> None:
    z, dh = draw(*shape, dtype=dtype), draw(*shape, dtype=dtype)
    for array in (relu.forward(z), relu.backward(dh, z)):
        assert array.shape == shape
        assert array.dtype == dtype


def test_dz_agrees_with_finite_differences(draw: Draw, close: Close) -> None:
    z, dh = draw(8, 3), draw(8, 3)
    assert np.abs(z).min() > 2 * oracles.STEP, "a nudge must not cross the kink"
    close(relu.backward(dh, z), oracles.gradient(lambda z: np.sum(dh * relu.forward(z)), z), 1e-9)


def test_at_the_kink_the_slope_is_taken_to_be_0(draw: Draw) -> None:
    np.testing.assert_array_equal(relu.backward(draw(3), np.zeros(3)), np.zeros(3))
    np.testing.assert_array_equal(relu.backward(draw(3), -np.zeros(3)), np.zeros(3))


def test_a_derivative_of_a_different_shape_is_refused_by_name(draw: Draw) -> None:
    with pytest.raises(ValueError, match=r"\(64,\).*\(64, 1\)"):
        relu.backward(draw(64), draw(64, 1))


def test_it_runs_on_a_different_device(draw: Draw, on_device1: Draw, close: Close) -> None:
    z, dh = draw(5, 3), draw(5, 3)
    close(relu.forward(on_device1(z)), relu.forward(z), 0)
    close(relu.backward(on_device1(dh), on_device1(z)), relu.backward(dh, z), 0)
