"""The slope of a square is exactly 2x, in floats and in fractions."""

from fractions import Fraction

import numpy as np

from tests.witnesses.drawing import drawn, st
from tinygrad_mnist.passes import square


@drawn(st.floats(-(2.0**1023), 2.0**1023, exclude_min=True, exclude_max=True))
def test_the_slope_of_a_square_is_exactly_2x_for_every_float(x: float) -> None:
    assert Fraction(float(square.backward(np.ones(1), np.array([x]))[0])) == 2 * Fraction(x)


@drawn(st.fractions(), st.fractions(), st.fractions().filter(bool))
def test_central_differences_of_a_square_have_no_error_for_any_step_in_fractions(
    x: Fraction, dy: Fraction, h: Fraction
) -> None:
    # ((x + h)^2 - (x - h)^2) / 2h = 4xh / 2h = 2x, without a limit.
    measured = (square.forward(x + h) - square.forward(x - h)) / (2 * h)
    assert square.backward(dy, x) == dy * measured
