"""The book's roller coaster: passes chained by hand fit a parabola, with the losses that the book prints."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tinygrad_mnist import oracles
from tinygrad_mnist.chapter import book, roller_coaster

hypothesis = pytest.importorskip("hypothesis")
st = hypothesis.strategies

Close = Callable[[Any, Any, float], None]

PARABOLA = st.tuples(*[st.floats(-10, 10)] * 3).map(np.array)


def test_the_parabola_is_fitted_with_the_books_losses() -> None:
    way = roller_coaster.descend(1e-5, 10)
    # The noise is printed to six digits after the point, so the losses cannot be the same to all of theirs.
    assert way[0].gradient.tolist() == pytest.approx(book.FIRST_GRADIENT, rel=1e-6)
    assert [step.loss for step in way] == pytest.approx(book.LOSSES, rel=1e-6)


@hypothesis.given(PARABOLA)
def test_the_gradient_is_what_finite_differences_say(parabola: Any) -> None:
    step = roller_coaster.measure(parabola)
    measured = oracles.gradient(lambda parabola: roller_coaster.measure(parabola).loss, parabola)
    assert step.gradient.tolist() == pytest.approx(measured.tolist(), rel=1e-7, abs=1e-4)


@hypothesis.given(PARABOLA)
def test_no_parabola_is_better_than_the_best(parabola: Any) -> None:
    assert roller_coaster.measure(parabola).loss > roller_coaster.best().loss


def test_at_the_best_there_is_no_slope() -> None:
    assert np.max(np.abs(roller_coaster.best().gradient)) < 1e-9


def test_the_best_is_what_the_speed_was_made_of_but_for_the_noise() -> None:
    # 0.75 (t - 9.5)^2 + 1 is 0.75 t^2 - 14.25 t + 68.6875, and the noise has a spread of 3.
    made = np.array([0.75, -14.25, 68.6875])
    assert roller_coaster.best().loss < roller_coaster.measure(made).loss < 3 * 3
