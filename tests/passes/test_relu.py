"""ReLU: negative numbers become 0, and get no gradient."""

import numpy as np

from tests import oracles
from tests.fixtures import Close, Draw
from tinygrad_mnist.passes import relu


def test_negative_numbers_become_0_and_positive_ones_stay() -> None:
    np.testing.assert_array_equal(
        relu.forward(np.array([-np.inf, -1e-300, 0.0, 1e-300, np.inf])), [0, 0, 0, 1e-300, np.inf]
    )


def test_dz_agrees_with_finite_differences(draw: Draw, close: Close) -> None:
    z, dh = draw(8, 3), draw(8, 3)
    assert np.abs(z).min() > 2 * oracles.STEP, "a nudge must not cross the kink"
    close(relu.backward(dh, z), oracles.gradient(lambda z: np.sum(dh * relu.forward(z)), z), 1e-9)


def test_at_the_kink_the_slope_is_taken_to_be_0(draw: Draw) -> None:
    np.testing.assert_array_equal(relu.backward(draw(3), np.zeros(3)), np.zeros(3))
    np.testing.assert_array_equal(relu.backward(draw(3), -np.zeros(3)), np.zeros(3))
