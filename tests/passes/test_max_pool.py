"""Max pool: the winner of every block, what it gets backward, and what happens if several pixels win."""

import re
from itertools import product
from typing import Any

import numpy as np
import pytest

from tests import oracles
from tests.fixtures import Close, Draw
from tinygrad_mnist.passes import max_pool

CASES = [
    ((2, 4, 6, 3), 2),
    ((2, 7, 9, 2), 3),
    ((1, 5, 4, 1), 2),
    ((3, 4, 5, 2), 4),
    ((2, 3, 3, 2), 1),
    ((1, 1, 1, 1), 1),
]

each_case = pytest.mark.parametrize(("shape", "size"), CASES)


def shuffled(*shape: int) -> Any:
    """Return the whole numbers from 0 up in a random order, so that no two pixels are close to each other."""
    return np.random.default_rng(0).permutation(int(np.prod(shape))).reshape(shape).astype(float)


@each_case
def test_every_block_keeps_its_largest_number(shape: tuple[int, ...], size: int, draw: Draw) -> None:
    x = draw(*shape)
    h = max_pool.forward(x, size)
    assert h.shape == (shape[0], shape[1] // size, shape[2] // size, shape[3])
    for n, p, q, i in product(*map(range, h.shape)):
        assert h[n, p, q, i] == np.max(x[n, size * p : size * (p + 1), size * q : size * (q + 1), i])


@each_case
def test_dx_agrees_with_finite_differences(shape: tuple[int, ...], size: int, draw: Draw, close: Close) -> None:
    x = shuffled(*shape)
    dh = draw(*max_pool.forward(x, size).shape)
    expected = oracles.gradient(lambda x: np.sum(dh * max_pool.forward(x, size)), x)
    close(max_pool.backward(dh, x, size), expected, 1e-9)


def test_winners_that_are_equal_share_the_gradient() -> None:
    x = np.array([[1.0, 1.0, 0.0, 3.0], [1.0, 1.0, 3.0, 3.0]]).reshape(1, 2, 4, 1)
    dx = max_pool.backward(np.array([4.0, 9.0]).reshape(1, 1, 2, 1), x, 2)
    np.testing.assert_array_equal(dx[0, :, :, 0], [[1, 1, 0, 3], [1, 1, 3, 3]])


def test_a_share_lies_between_the_slopes_of_the_two_sides() -> None:
    x, h = np.ones((1, 2, 2, 1)), 1e-3
    nudge = np.zeros_like(x)
    nudge[0, 0, 0, 0] = h
    right = (max_pool.forward(x + nudge, 2) - max_pool.forward(x, 2)) / h
    left = (max_pool.forward(x, 2) - max_pool.forward(x - nudge, 2)) / h
    share = max_pool.backward(np.ones((1, 1, 1, 1)), x, 2)[0, 0, 0, 0]
    assert left.item() == 0 < share == 1 / 4 < right.item() == pytest.approx(1)


@pytest.mark.parametrize("ties", [False, True])
def test_no_gradient_is_lost_or_made_up(ties: bool, draw: Draw, close: Close) -> None:
    x, dh = draw(3, 7, 6, 2), draw(3, 3, 3, 2)
    dx = max_pool.backward(dh, np.round(x) if ties else x, 2)
    close(dx[:, :6].reshape(3, 3, 2, 3, 2, 2).sum(axis=(2, 4)), dh, 1e-15)


def test_pixels_in_no_block_get_no_gradient() -> None:
    dx = max_pool.backward(np.ones((1, 2, 1, 1)), np.zeros((1, 5, 3, 1)), 2)
    np.testing.assert_array_equal(dx[0, :, :, 0], [[0.25, 0.25, 0]] * 4 + [[0, 0, 0]])


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32"])
def test_numbers_of_any_dtype_are_compared(dtype: str) -> None:
    x = np.random.default_rng(0).integers(0, 256, (2, 4, 4, 1)).astype(dtype)
    h = max_pool.forward(x, 2)
    assert h.dtype == dtype
    np.testing.assert_array_equal(h, x.reshape(2, 2, 2, 2, 2, 1).max(axis=(2, 4)))


def test_negative_and_infinite_numbers_are_compared_too() -> None:
    x = np.array([[-np.inf, -5.0, np.inf, 7.0]]).reshape(1, 2, 2, 1)
    assert max_pool.forward(x, 2).item() == np.inf
    assert max_pool.forward(-np.abs(x), 1).min() == -np.inf
    np.testing.assert_array_equal(max_pool.backward(np.ones((1, 1, 1, 1)), x, 2).ravel(), [0, 0, 1, 0])


@pytest.mark.parametrize(
    ("shape", "size", "message"),
    [
        ((4, 4, 1), 2, "x has shape (4, 4, 1): images must have the shape (N, H, W, C)"),
        ((1, 4, 3, 1), 4, "x has shape (1, 4, 3, 1): no block of 4 by 4 pixels fits into its images"),
        ((1, 4, 3, 1), 0, "x has shape (1, 4, 3, 1): no block of 0 by 0 pixels fits into its images"),
    ],
)
def test_images_without_a_block_are_refused(shape: tuple[int, ...], size: int, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        max_pool.forward(np.zeros(shape), size)
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        max_pool.backward(np.zeros((1, 1, 1, 1)), np.zeros(shape), size)


def test_a_derivative_of_a_different_shape_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"dh has shape \(1, 2, 1, 1\) and h has shape \(1, 2, 2, 1\)"):
        max_pool.backward(np.zeros((1, 2, 1, 1)), np.zeros((1, 4, 4, 1)), 2)
