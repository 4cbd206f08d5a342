"""Broadcast: copies forward, sums backward, for any pair of shapes that fit."""

import re
from typing import Any

import numpy as np
import pytest

from tests.fixtures import Close, Draw
from tinygrad_mnist.passes import broadcast, linear

SHAPES = [
    ((), ()),
    ((), (2, 3)),
    ((3,), (3,)),
    ((3,), (2, 3)),
    ((1,), (3,)),
    ((3, 1), (2, 3, 4)),
    ((1, 3, 1), (2, 3, 1)),
    ((2, 1, 4), (2, 3, 4)),
    ((1,), (0,)),
    ((0,), (2, 0)),
]


def assert_sums_of_copies(shape: tuple[int, ...], wide: tuple[int, ...]) -> None:
    """Check the pass against the numbers of the entries, broadcast by NumPy, and a sum for each of them."""
    rng = np.random.default_rng(0)
    x, dy = rng.integers(-9, 9, shape), rng.integers(-9, 9, wide)
    source = np.broadcast_to(np.arange(x.size).reshape(shape), wide)
    dx = [np.sum(dy[source == number]) for number in range(x.size)]
    np.testing.assert_array_equal(broadcast.forward(x, wide), x.ravel()[source])
    np.testing.assert_array_equal(broadcast.backward(dy, shape), np.reshape(dx, shape))


@pytest.mark.parametrize(("shape", "wide"), SHAPES)
def test_what_is_copied_forward_is_summed_backward(shape: tuple[int, ...], wide: tuple[int, ...]) -> None:
    assert_sums_of_copies(shape, wide)


def test_the_rule_holds_for_any_pair_of_shapes() -> None:
    hypothesis, numpy = pytest.importorskip("hypothesis"), pytest.importorskip("hypothesis.extra.numpy")
    strategies = hypothesis.strategies

    @hypothesis.settings(max_examples=60)
    @hypothesis.given(numpy.array_shapes(min_dims=0, max_dims=4, max_side=3, min_side=0), strategies.data())
    def check(wide: tuple[int, ...], data: Any) -> None:
        kept = wide[data.draw(strategies.integers(0, len(wide))) :]
        shape = tuple(data.draw(strategies.sampled_from((1, size))) for size in kept)
        assert_sums_of_copies(shape, wide)

    check()


def test_the_gradient_of_a_bias_is_that_of_linear(draw: Draw, close: Close) -> None:
    dz = draw(5, 3)
    _, _, db = linear.backward(dz, draw(5, 4), draw(4, 3))
    close(broadcast.backward(dz, (3,)), db, 1e-15)


@pytest.mark.parametrize(("shape", "wide"), SHAPES)
def test_a_result_can_be_written_to(shape: tuple[int, ...], wide: tuple[int, ...], draw: Draw) -> None:
    x, dy = np.zeros(shape), np.zeros(wide)
    y, dx = broadcast.forward(x, wide), np.asarray(broadcast.backward(dy, shape))
    y += 1
    dx += 1
    assert not x.any()
    assert not dy.any()
    assert (y == 1).all()


@pytest.mark.parametrize(
    ("shape", "wide"), [((3,), (4,)), ((3,), (3, 1)), ((2, 3), (3,)), ((2,), ()), ((3,), (1,)), ((0,), (1,))]
)
def test_shapes_that_do_not_fit_are_refused_by_name(shape: tuple[int, ...], wide: tuple[int, ...]) -> None:
    message = re.escape(f"an array of shape {shape} cannot be broadcast to the shape {wide}")
    with pytest.raises(ValueError, match=message):
        broadcast.forward(np.zeros(shape), wide)
    with pytest.raises(ValueError, match=message):
        broadcast.backward(np.zeros(wide), shape)
