"""Mean loss: the book's figures, its gradient, and targets of another shape, which must never broadcast."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tinygrad_mnist import oracles
from tinygrad_mnist.passes import mean_loss, sigmoid

Draw = Callable[..., Any]
Close = Callable[[Any, Any, float], None]

SHAPES = [(1, 1), (6, 1), (5, 3)]


def targets(shape: tuple[int, ...]) -> Any:
    """Return zeros and ones by turns, as whole numbers."""
    return np.arange(np.prod(shape)).reshape(shape) % 2


@pytest.mark.parametrize(("last", "loss"), [(0.2, 0.4333), (0.8, 0.2333)])
def test_the_books_three_predictions_have_its_loss(last: float, loss: float) -> None:
    p, t = np.array([[0.9], [0.4], [last]]), np.array([[1], [0], [1]])
    assert mean_loss.forward(p, t) == pytest.approx(loss, rel=0, abs=5e-5)


def test_the_distances_are_the_books() -> None:
    for p, t, distance in zip((0.9, 0.4, 0.2), (1, 0, 1), (0.1, 0.4, 0.8), strict=True):
        assert mean_loss.forward(np.array([p]), np.array([t])) == pytest.approx(distance, rel=1e-15)


@pytest.mark.parametrize("shape", SHAPES)
def test_dp_is_what_finite_differences_say(shape: tuple[int, ...], draw: Draw, close: Close) -> None:
    p, t = draw(*shape), targets(shape)
    close(mean_loss.backward(p, t), oracles.gradient(lambda p: mean_loss.forward(p, t), p), 1e-9)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_mean_is_over_all_entries_and_taken_once(shape: tuple[int, ...], draw: Draw, close: Close) -> None:
    close(np.abs(mean_loss.backward(draw(*shape), targets(shape))), np.full(shape, 1 / np.prod(shape)), 1e-15)


@pytest.mark.parametrize("dtype", ["float32", "float64", "longdouble", "complex64"])
def test_the_loss_is_one_number_and_dp_is_shaped_and_typed_as_p(dtype: str, draw: Draw) -> None:
    p, t = draw(5, 3, dtype=dtype), targets((5, 3))
    loss, dp = mean_loss.forward(p, t), mean_loss.backward(p, t)
    assert loss.shape == ()
    assert loss.dtype == dtype
    assert dp.shape == (5, 3)
    assert dp.dtype == dtype


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "float32", "float64"])
def test_the_type_of_the_targets_changes_nothing(dtype: str, draw: Draw) -> None:
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
    mean_loss.of_logits(p, t)
    np.testing.assert_array_equal((p, t), before)


@pytest.mark.parametrize("function", [mean_loss.forward, mean_loss.backward, mean_loss.of_logits])
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
def test_targets_of_another_shape_are_refused_by_name(
    function: Callable[..., Any], p: tuple[int, ...], t: tuple[int, ...], named: str
) -> None:
    with pytest.raises(ValueError, match=named):
        function(np.zeros(p), np.zeros(t))


@pytest.mark.parametrize("function", [mean_loss.forward, mean_loss.backward, mean_loss.of_logits])
def test_there_is_no_mean_of_nothing(function: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match=r"\(0, 1\)"):
        function(np.zeros((0, 1)), np.zeros((0, 1)))


def test_it_runs_on_another_device(draw: Draw, on_device1: Draw, close: Close) -> None:
    p, t = draw(5, 3), targets((5, 3))
    close(mean_loss.forward(on_device1(p), on_device1(t)), mean_loss.forward(p, t), 1e-15)
    close(mean_loss.backward(on_device1(p), on_device1(t)), mean_loss.backward(p, t), 0)
    for there, here in zip(mean_loss.of_logits(on_device1(p), on_device1(t)), mean_loss.of_logits(p, t), strict=True):
        close(there, here, 1e-15)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(64, 1), (7, 3)])
@pytest.mark.parametrize("spread", [1e-3, 1, 5])
def test_from_logits_it_is_what_the_sigmoid_and_it_are_one_after_the_other(
    spread: float, shape: tuple[int, int], dtype: str, draw: Draw, close: Close
) -> None:
    z, t = np.asarray(spread, dtype) * draw(*shape, dtype=dtype), targets(shape)
    p = sigmoid.forward(z)
    loss, dz = mean_loss.of_logits(z, t)
    rounding = np.finfo(dtype).eps
    close(loss, mean_loss.forward(p, t), 4 * rounding)
    close(dz, sigmoid.backward(mean_loss.backward(p, t), p), 4 * rounding)


@pytest.mark.parametrize("shape", SHAPES)
def test_dz_from_logits_is_what_finite_differences_say(shape: tuple[int, ...], draw: Draw, close: Close) -> None:
    z, t = draw(*shape), targets(shape)
    expected = oracles.gradient(lambda z: mean_loss.forward(sigmoid.forward(z), t), z)
    close(mean_loss.of_logits(z, t)[1], expected, 1e-9)


def test_from_logits_the_books_three_numbers_have_its_loss_and_gradients() -> None:
    loss, dz = mean_loss.of_logits(np.array([[0.9], [0.4], [0.2]]), np.array([[1], [0], [1]]))
    assert loss == pytest.approx(0.445968, rel=0, abs=5e-7)
    assert dz.ravel() == pytest.approx([-0.068500, 0.080087, -0.082506], rel=0, abs=5e-7)


@pytest.mark.parametrize("dtype", ["float32", "float64", "longdouble", "complex64"])
@pytest.mark.parametrize("targets_dtype", ["bool", "uint8", "int64", "float32"])
def test_from_logits_both_are_typed_as_the_logits_whatever_the_targets(
    targets_dtype: str, dtype: str, draw: Draw
) -> None:
    z, t = draw(5, 3, dtype=dtype), targets((5, 3))
    loss, dz = mean_loss.of_logits(z, t.astype(targets_dtype))
    assert loss.shape == ()
    assert dz.shape == (5, 3)
    assert loss.dtype == dz.dtype == dtype
    np.testing.assert_array_equal(dz, mean_loss.of_logits(z, t)[1])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_prediction_that_is_sure_and_right_keeps_its_small_loss_and_slope(dtype: str, close: Close) -> None:
    loss, dz = mean_loss.of_logits(np.array([[60.0], [-60.0]], dtype), np.array([[1], [0]]))
    close(loss, math.exp(-60), 4 * np.finfo(dtype).eps)
    close(dz, np.array([[-0.5], [0.5]]) * math.exp(-60), 4 * np.finfo(dtype).eps)


@pytest.mark.parametrize("z", [-800.0, -math.inf, 800.0, math.inf])
@pytest.mark.parametrize("t", [0, 1])
def test_a_logit_without_bounds_is_wholly_right_or_wrong_and_teaches_nothing(z: float, t: int) -> None:
    loss, dz = mean_loss.of_logits(np.array([[z]]), np.array([[t]]))
    assert loss == (t == (z < 0))
    assert dz == 0
