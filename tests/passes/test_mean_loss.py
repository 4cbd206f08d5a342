"""Mean loss: the book's figures, its gradient, and targets of a different shape, which must never broadcast."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tinygrad_mnist.check import oracles
from tinygrad_mnist.passes import mean_loss

Draw = Callable[..., Any]
Close = Callable[[Any, Any, float], None]

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


@pytest.mark.parametrize("dtype", ["float32", "float64", "longdouble", "complex64"])
def test_the_loss_is_one_number_and_dp_has_the_shape_and_dtype_of_p(dtype: str, draw: Draw) -> None:
    p, t = draw(5, 3, dtype=dtype), targets((5, 3))
    loss, dp = mean_loss.forward(p, t), mean_loss.backward(p, t)
    assert loss.shape == ()
    assert loss.dtype == dtype
    assert dp.shape == (5, 3)
    assert dp.dtype == dtype


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "float32", "float64"])
def test_the_dtype_of_the_targets_changes_nothing(dtype: str, draw: Draw) -> None:
    p, t = draw(5, 3, dtype="float32"), targets((5, 3))
    assert mean_loss.forward(p, t.astype(dtype)) == mean_loss.forward(p, t)
    assert mean_loss.backward(p, t.astype(dtype)).dtype == "float32"
    np.testing.assert_array_equal(mean_loss.backward(p, t.astype(dtype)), mean_loss.backward(p, t))


def test_float32_agrees_with_float64(draw: Draw, close: Close) -> None:
    p, t = draw(500, 3), targets((500, 3))
    p32 = p.astype("float32")
    close(mean_loss.forward(p32, t), mean_loss.forward(p, t), 1e-5)
    close(mean_loss.backward(p32, t), mean_loss.backward(p, t), 1e-5)


def test_no_argument_is_written_to(draw: Draw) -> None:
    p, t = draw(5, 3).copy(), targets((5, 3))
    before = p.copy(), t.copy()
    mean_loss.forward(p, t)
    mean_loss.backward(p, t)
    np.testing.assert_array_equal((p, t), before)


@pytest.mark.parametrize("function", [mean_loss.forward, mean_loss.backward])
@pytest.mark.parametrize(
    ("p", "t", "named"),
    [
        ((64, 1), (64,), r"\(64, 1\).*\(64,\)"),
        ((64,), (64, 1), r"\(64,\).*\(64, 1\)"),
        ((64, 1), (1, 1), r"\(64, 1\).*\(1, 1\)"),
        ((64, 1), (64, 3), r"\(64, 1\).*\(64, 3\)"),
        ((64, 1), (), r"\(64, 1\).*\(\)"),
    ],
)
def test_targets_of_a_different_shape_are_refused_by_name(
    function: Callable[..., Any], p: tuple[int, ...], t: tuple[int, ...], named: str
) -> None:
    with pytest.raises(ValueError, match=named):
        function(np.zeros(p), np.zeros(t))


@pytest.mark.parametrize("function", [mean_loss.forward, mean_loss.backward])
def test_an_empty_array_is_refused(function: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match=r"\(0, 1\)"):
        function(np.zeros((0, 1)), np.zeros((0, 1)))


def test_it_runs_on_a_different_device(draw: Draw, on_device1: Draw, close: Close) -> None:
    p, t = draw(5, 3), targets((5, 3))
    close(mean_loss.forward(on_device1(p), on_device1(t)), mean_loss.forward(p, t), 1e-15)
    close(mean_loss.backward(on_device1(p), on_device1(t)), mean_loss.backward(p, t), 0)


@pytest.mark.parametrize("t", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_a_target_between_0_and_1_is_the_probability_of_a_1(t: float, close: Close) -> None:
    p = np.array([[0.2], [0.7]])
    expected = np.mean(t * (1 - p) + (1 - t) * p)
    assert mean_loss.forward(p, np.full_like(p, t)) == pytest.approx(expected, rel=1e-15)
    gradient = oracles.gradient(lambda p: mean_loss.forward(p, np.full_like(p, t)), p)
    np.testing.assert_allclose(mean_loss.backward(p, np.full_like(p, t)), gradient, rtol=1e-9, atol=1e-12)
