"""Squared error: the mean of squares, as scikit-learn computes it, with the slope of each."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tinygrad_mnist.check import oracles
from tinygrad_mnist.passes import squared_error

Draw = Callable[..., Any]
Close = Callable[[Any, Any, float], None]

both = pytest.mark.parametrize("function", [squared_error.forward, squared_error.backward])


@pytest.mark.parametrize("shape", [(1, 1), (50, 1), (7, 3)])
def test_it_agrees_with_scikit_learn(shape: tuple[int, ...], draw: Draw) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    y, t = draw(*shape), draw(*shape)
    assert squared_error.forward(y, t) == pytest.approx(metrics.mean_squared_error(t, y), rel=1e-14)


@pytest.mark.parametrize("shape", [(1,), (20,), (6, 2), (2, 3, 4)])
def test_dy_agrees_with_finite_differences(shape: tuple[int, ...], draw: Draw, close: Close) -> None:
    y, t = draw(*shape), draw(*shape)
    close(squared_error.backward(y, t), oracles.gradient(lambda y: squared_error.forward(y, t), y), 1e-9)


def test_a_right_prediction_has_neither_a_loss_nor_a_gradient(draw: Draw) -> None:
    y = draw(6, 2)
    assert squared_error.forward(y, y) == 0
    np.testing.assert_array_equal(squared_error.backward(y, y), 0)


@pytest.mark.parametrize("kind", ["bool", "uint8", "int64", "float32"])
def test_targets_may_have_any_dtype(kind: str, draw: Draw) -> None:
    y, t = draw(6, 2), np.array([[0, 1]] * 6)
    assert squared_error.forward(y, t.astype(kind)) == squared_error.forward(y, t.astype(float))
    np.testing.assert_array_equal(squared_error.backward(y, t.astype(kind)), squared_error.backward(y, t.astype(float)))


@both
def test_targets_of_a_different_shape_are_refused_by_name(function: Callable[..., Any], draw: Draw) -> None:
    with pytest.raises(ValueError, match=r"y has shape \(64, 1\) and t has shape \(64,\)"):
        function(draw(64, 1), draw(64))


@both
def test_an_empty_array_is_refused(function: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match=r"y has shape \(0, 1\)"):
        function(np.zeros((0, 1)), np.zeros((0, 1)))
