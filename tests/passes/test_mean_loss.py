"""Mean loss: the book's figures, its gradient, and targets of a different shape, which must never broadcast."""

from typing import Any

import numpy as np
import pytest

from tests import oracles
from tests.fixtures import Close, Draw
from tinygrad_mnist.passes import mean_loss

SHAPES = [(1, 1), (6, 1), (5, 3)]


def targets(shape: tuple[int, ...]) -> Any:
    """Return alternating zeros and ones, as integers."""
    return np.arange(np.prod(shape)).reshape(shape) % 2


@pytest.mark.parametrize(("last", "loss"), [(0.2, 0.4333), (0.8, 0.2333)])
def test_the_books_three_predictions_have_its_loss(last: float, loss: float) -> None:
    p, t = np.array([[0.9], [0.4], [last]]), np.array([[1], [0], [1]])
    assert mean_loss.forward(p, t) == pytest.approx(loss, rel=0, abs=5e-5)


def test_the_distances_are_those_of_the_book() -> None:
    for p, t, distance in zip((0.9, 0.4, 0.2), (1, 0, 1), (0.1, 0.4, 0.8), strict=True):
        assert mean_loss.forward(np.array([p]), np.array([t])) == pytest.approx(distance, rel=1e-15)


@pytest.mark.parametrize("shape", SHAPES)
def test_dp_agrees_with_finite_differences(shape: tuple[int, ...], draw: Draw, close: Close) -> None:
    p, t = draw(*shape), targets(shape)
    close(mean_loss.backward(p, t), oracles.gradient(lambda p: mean_loss.forward(p, t), p), 1e-9)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_mean_is_over_all_entries_and_taken_once(shape: tuple[int, ...], draw: Draw, close: Close) -> None:
    close(np.abs(mean_loss.backward(draw(*shape), targets(shape))), np.full(shape, 1 / np.prod(shape)), 1e-15)


@pytest.mark.parametrize("t", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_a_target_between_0_and_1_is_the_probability_of_a_1(t: float, close: Close) -> None:
    p = np.array([[0.2], [0.7]])
    expected = np.mean(t * (1 - p) + (1 - t) * p)
    assert mean_loss.forward(p, np.full_like(p, t)) == pytest.approx(expected, rel=1e-15)
    gradient = oracles.gradient(lambda p: mean_loss.forward(p, np.full_like(p, t)), p)
    np.testing.assert_allclose(mean_loss.backward(p, np.full_like(p, t)), gradient, rtol=1e-9, atol=1e-12)
