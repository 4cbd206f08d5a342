"""Losses: what training calls is the chain of the passes, with the book's figures."""

import math
from typing import Any

import numpy as np
import pytest
from scipy import special

from tests import oracles
from tests.fixtures import Close, Draw
from tinygrad_mnist.losses import LOSSES
from tinygrad_mnist.passes import cross_entropy, mean_loss, sigmoid

SHAPES = [(1, 1), (6, 1), (5, 3)]

OF_SIGMOID = [name for name in LOSSES if not name.startswith("softmax")]
"""The losses whose targets need not have the sum 1 in a row."""


def targets(shape: tuple[int, ...]) -> Any:
    """Return alternating zeros and ones, as integers."""
    return np.arange(np.prod(shape)).reshape(shape) % 2


@pytest.mark.parametrize("loss", OF_SIGMOID)
@pytest.mark.parametrize("shape", SHAPES)
def test_dz_agrees_with_finite_differences_of_the_loss(
    shape: tuple[int, ...], loss: str, draw: Draw, close: Close
) -> None:
    z = draw(*shape)
    for t in (targets(shape), sigmoid.forward(draw(*shape))):
        close(LOSSES[loss](z, t)[1], oracles.gradient(lambda z, t=t: LOSSES[loss](z, t)[0], z), 1e-9)


def test_the_mean_loss_of_the_sigmoid_is_the_four_passes_one_after_the_other(draw: Draw) -> None:
    z, t = draw(7, 3), targets((7, 3))
    p = sigmoid.forward(z)
    loss, dz = LOSSES["mean"](z, t)
    assert loss == mean_loss.forward(p, t)
    np.testing.assert_array_equal(dz, sigmoid.backward(mean_loss.backward(p, t), p))


def test_the_cross_entropy_is_that_of_its_page(draw: Draw) -> None:
    z, t = draw(7, 3), targets((7, 3))
    loss, dz = LOSSES["cross-entropy"](z, t)
    assert loss == cross_entropy.forward(z, t)
    np.testing.assert_array_equal(dz, cross_entropy.backward(z, t))


def test_the_books_three_numbers_as_logits_have_its_loss_and_gradients() -> None:
    z, t = np.array([[0.9], [0.4], [0.2]]), np.array([[1], [0], [1]])
    loss, dz = LOSSES["mean"](z, t)
    assert loss == pytest.approx(0.445968, rel=0, abs=5e-7)
    assert dz.ravel() == pytest.approx([-0.068500, 0.080087, -0.082506], rel=0, abs=5e-7)


@pytest.mark.parametrize("loss", LOSSES)
def test_an_empty_batch_has_no_loss(loss: str) -> None:
    with pytest.raises(ValueError, match=r"z has shape \(0, 1\)|p has shape \(0, 1\)"):
        LOSSES[loss](np.zeros((0, 1)), np.zeros((0, 1)))


@pytest.mark.parametrize("loss", OF_SIGMOID)
@pytest.mark.parametrize("dtype", ["float32", "float64", "longdouble", "complex64"])
def test_the_loss_and_dz_have_the_dtype_of_the_logits_for_targets_of_any_dtype(
    dtype: str, loss: str, draw: Draw
) -> None:
    z, t = draw(5, 3, dtype=dtype), targets((5, 3))
    expected = LOSSES[loss](z, t)
    assert [(result.shape, result.dtype) for result in expected] == [((), dtype), ((5, 3), dtype)]
    for kind in ("bool", "uint8", "int64", "float32"):
        for result, same in zip(LOSSES[loss](z, t.astype(kind)), expected, strict=True):
            np.testing.assert_array_equal(result, same, strict=True)


@pytest.mark.parametrize("z", [-800.0, -math.inf, 800.0, math.inf])
@pytest.mark.parametrize("t", [0, 1])
def test_an_unbounded_logit_is_entirely_right_or_wrong_and_has_no_slope(z: float, t: int) -> None:
    loss, dz = LOSSES["mean"](np.array([[z]]), np.array([[t]]))
    assert loss == (t == (z < 0))
    assert dz == 0


@pytest.mark.parametrize("loss", OF_SIGMOID)
def test_it_runs_on_a_different_device(loss: str, draw: Draw, on_device1: Draw, close: Close) -> None:
    z, t = draw(5, 3), targets((5, 3))
    for there, here in zip(LOSSES[loss](on_device1(z), on_device1(t)), LOSSES[loss](z, t), strict=True):
        close(there, here, 1e-15)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "float32"])
def test_the_softmax_cross_entropy_takes_targets_of_any_dtype(draw: Draw, close: Close, dtype: str) -> None:
    z, t = draw(5, 3), np.eye(3)[[0, 2, 2, 1, 0]]
    loss, dz = LOSSES["softmax-cross-entropy"](z, t.astype(dtype))
    assert float(loss) == pytest.approx(float(-np.log(special.softmax(z, axis=1))[t == 1].mean()), rel=1e-12)
    close(dz, (special.softmax(z, axis=1) - t) / 5, 1e-12)
