"""Patches: a loop over every pixel as the witness, and SciPy for the convolution that patches and linear are."""

import re
from itertools import product
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.fixtures import Close, Draw
from tinygrad_mnist.passes import linear, patches

# (N, H, W, C), size and stride: overlapping, side by side and apart, with and without pixels that are in no patch.
CASES = [
    ((2, 5, 6, 3), 3, 1),
    ((2, 7, 8, 2), 3, 2),
    ((2, 8, 7, 2), 2, 2),
    ((1, 9, 10, 1), 2, 3),
    ((3, 4, 4, 2), 4, 1),
    ((3, 4, 4, 2), 4, 9),
    ((1, 1, 1, 1), 1, 1),
    ((2, 5, 3, 4), 1, 1),
    ((2, 12, 12, 4), 5, 2),
]

each_case = pytest.mark.parametrize(("shape", "size", "stride"), CASES)


def looped(x: NDArray[Any], size: int, stride: int) -> NDArray[Any]:
    """Return the patches of x, cut out one by one."""
    _, height, width, _ = x.shape
    rows, columns = (range(0, length - size + 1, stride) for length in (height, width))
    return np.stack(
        [np.stack([x[:, r : r + size, s : s + size].reshape(len(x), -1) for s in columns], axis=1) for r in rows],
        axis=1,
    )


def looped_back(dc: NDArray[Any], shape: tuple[int, ...], size: int, stride: int) -> NDArray[Any]:
    """Return the sums of what every pixel gets from each of its patches."""
    images, rows, columns, _ = dc.shape
    dx = np.zeros(shape)
    for n, p, q in product(range(images), range(rows), range(columns)):
        r, s = stride * p, stride * q
        dx[n, r : r + size, s : s + size] += dc[n, p, q].reshape(size, size, shape[3])
    return dx


@each_case
def test_every_patch_is_cut_out_of_its_place(shape: tuple[int, ...], size: int, stride: int, draw: Draw) -> None:
    x = draw(*shape)
    np.testing.assert_array_equal(patches.forward(x, size, stride), looped(x, size, stride))


@each_case
def test_every_pixel_gets_the_sum_of_what_its_patches_get(
    shape: tuple[int, ...], size: int, stride: int, draw: Draw, close: Close
) -> None:
    dc = draw(*patches.forward(draw(*shape), size, stride).shape)
    close(patches.backward(dc, shape, size, stride), looped_back(dc, shape, size, stride), 1e-14)


def test_both_agree_with_the_loop_for_any_sizes() -> None:
    hypothesis = pytest.importorskip("hypothesis")
    small = hypothesis.strategies.integers(1, 4)

    @hypothesis.settings(max_examples=60)
    @hypothesis.given(small, small, small, small, small, small)
    def check(images: int, rows: int, columns: int, channels: int, size: int, stride: int) -> None:
        x = np.random.default_rng(0).integers(0, 256, (images, size + rows - 1, size + columns - 1, channels))
        c = patches.forward(x, size, stride)
        np.testing.assert_array_equal(c, looped(x, size, stride))
        np.testing.assert_array_equal(patches.backward(c, x.shape, size, stride), looped_back(c, x.shape, size, stride))

    check()


@pytest.mark.parametrize("stride", [1, 2])
def test_patches_and_linear_are_the_convolution_of_scipy(stride: int, draw: Draw, close: Close) -> None:
    signal = pytest.importorskip("scipy.signal")
    x, w, b = draw(2, 9, 8, 3), draw(3, 3, 3, 4), draw(4)
    c = patches.forward(x, 3, stride)
    z = linear.forward(c.reshape(-1, 27), w.reshape(27, 4), b).reshape(*c.shape[:3], 4)
    for n, o in product(range(2), range(4)):
        # What neural networks call a convolution is a cross-correlation: the filter is not turned around.
        full = sum(signal.correlate(x[n, :, :, i], w[:, :, i, o], mode="valid") for i in range(3)) + b[o]
        close(z[n, :, :, o], full[::stride, ::stride], 1e-14)


def test_pixels_in_no_patch_get_no_gradient() -> None:
    dx = patches.backward(np.ones((1, 2, 2, 4)), (1, 5, 5, 1), size=2, stride=2)
    np.testing.assert_array_equal(dx[0, :, :, 0], [[1, 1, 1, 1, 0]] * 4 + [[0] * 5])


@pytest.mark.parametrize("dtype", ["uint8", "bool", "float32", "complex64"])
def test_bytes_stay_bytes(dtype: str) -> None:
    x = np.random.default_rng(0).integers(0, 256, (2, 5, 5, 1)).astype(dtype)
    c = patches.forward(x, size=3, stride=2)
    assert c.dtype == dtype
    np.testing.assert_array_equal(c, looped(x, 3, 2))


@pytest.mark.parametrize(
    ("shape", "size", "stride", "message"),
    [
        ((5, 6, 1), 3, 1, "x has shape (5, 6, 1): images must have the shape (N, H, W, C)"),
        ((2, 25), 3, 1, "x has shape (2, 25): images must have the shape (N, H, W, C)"),
        ((2, 5, 6, 1), 6, 1, "x has shape (2, 5, 6, 1): no patch of 6 by 6 pixels fits into its images"),
        ((2, 0, 6, 1), 1, 1, "x has shape (2, 0, 6, 1): no patch of 1 by 1 pixels fits into its images"),
        ((2, 5, 6, 1), 0, 1, "patches have size 0 and stride 1: both must be 1 or more"),
        ((2, 5, 6, 1), 3, -1, "patches have size 3 and stride -1: both must be 1 or more"),
    ],
)
def test_patches_that_cannot_be_cut_out_are_refused(
    shape: tuple[int, ...], size: int, stride: int, message: str
) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        patches.forward(np.zeros(shape), size, stride)
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        patches.backward(np.zeros((2, 1, 1, 1)), shape, size, stride)


@pytest.mark.parametrize("wrong", [(2, 3, 4, 8), (2, 3, 4, 3, 3), (2, 3, 4), (1, 3, 4, 9), (2, 4, 3, 9)])
def test_a_derivative_of_a_different_shape_is_refused_by_name(wrong: tuple[int, ...]) -> None:
    message = f"dc has shape {wrong}: for x of shape (2, 5, 6, 1) it must be (2, 3, 4, 9)"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        patches.backward(np.zeros(wrong), (2, 5, 6, 1), 3, 1)
