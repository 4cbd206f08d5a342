"""The book's roller coaster: passes chained by hand fit a parabola, with the losses that the book prints."""

from typing import Any

import numpy as np
import pytest

from tests import oracles
from tinygrad_mnist.chapter import act_descent, book_figures

hypothesis = pytest.importorskip("hypothesis")
st = hypothesis.strategies

PARABOLA = st.tuples(*[st.floats(-10, 10)] * 3).map(np.array)


def test_the_descent_has_the_books_losses() -> None:
    states = act_descent.descend(1e-5, 10)
    # The book prints the noise to six decimal places, so not all digits of the losses can be the same.
    assert states[0].gradient.tolist() == pytest.approx(book_figures.FIRST_GRADIENT, rel=1e-6)
    assert [state.loss for state in states] == pytest.approx(book_figures.LOSSES, rel=1e-6)


@hypothesis.given(PARABOLA)
def test_the_gradient_agrees_with_finite_differences(parabola: Any) -> None:
    state = act_descent.evaluate(parabola)
    measured = oracles.gradient(lambda parabola: act_descent.evaluate(parabola).loss, parabola)
    assert state.gradient.tolist() == pytest.approx(measured.tolist(), rel=1e-7, abs=1e-4)


@hypothesis.given(PARABOLA)
def test_no_parabola_has_a_smaller_loss_than_the_best_fit(parabola: Any) -> None:
    assert act_descent.evaluate(parabola).loss > act_descent.best_fit().loss


def test_the_best_fit_is_close_to_the_parabola_that_the_speed_was_made_from() -> None:
    # 0.75 (t - 9.5)^2 + 1 is 0.75 t^2 - 14.25 t + 68.6875, and the noise has a standard deviation of 3.
    original = np.array([0.75, -14.25, 68.6875])
    assert act_descent.best_fit().loss < act_descent.evaluate(original).loss < 3 * 3
