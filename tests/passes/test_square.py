"""Square: the book's warm-up figures, and the hand-derived 2x against finite differences."""

import numpy as np
import pytest

from tests import oracles
from tests.fixtures import Close, Draw
from tinygrad_mnist.passes import square


def test_the_square_of_3_is_9_with_slope_6() -> None:
    assert square.forward(3) == 9
    assert square.backward(1, 3) == 6


def test_the_squares_of_3_4_10_add_up_to_125_with_gradient_6_8_20() -> None:
    x = np.array([3.0, 4.0, 10.0])
    assert np.sum(square.forward(x)) == 125
    np.testing.assert_array_equal(square.backward(np.ones(3), x), [6, 8, 20])


@pytest.mark.parametrize("shape", [(), (1,), (5, 3), (2, 3, 4)])
def test_dx_agrees_with_finite_differences(shape: tuple[int, ...], draw: Draw, close: Close) -> None:
    x, dy = np.asarray(draw(*shape)), np.asarray(draw(*shape))
    expected = oracles.gradient(lambda x: np.sum(dy * square.forward(x)), x)
    close(square.backward(dy, x), expected, 1e-9)
