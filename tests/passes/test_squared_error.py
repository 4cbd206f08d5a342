"""Squared error: the mean of squares, as scikit-learn computes it, with the slope of each."""

import numpy as np
import pytest

from tests import oracles
from tests.fixtures import Close, Draw
from tinygrad_mnist.passes import squared_error


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
