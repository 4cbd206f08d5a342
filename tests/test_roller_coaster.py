"""The book's roller coaster: passes chained by hand fit a parabola, with the losses that the book prints."""

from typing import Any

import numpy as np
import pytest

from tinygrad_mnist.passes import linear, square

# The book's figures, printed to six and four digits after the point.
NOISE = [
    *(1.926915, 1.487284, 0.900717, -2.105521, -0.758131, 1.078318, 0.800801, 1.68062, 0.35586, -0.686623),
    *(-0.493356, 0.241488, -0.231624, 0.041759, -0.251575, 0.859859, -0.309727, -0.39571, 0.803409, -0.621595),
]
FIRST_PARAMETERS = [-0.7658386, -0.7506223, 1.3525478]
FIRST_GRADIENT = [-53195.8594, -3419.7146, -253.8908]
LOSSES = [25823.8086, 5435.5366, 1577.4496, 847.3781, 709.2227, 683.0757, 678.1245, 677.184, 677.0025, 676.9644]


def loss_and_gradient(speed: Any, x: Any, w: Any, b: Any) -> tuple[float, Any, Any]:
    """Return the mean squared error of x w + b, and its derivatives by w and b."""
    error = linear.forward(x, w, b) - speed
    loss = np.mean(square.forward(error))
    d_error = square.backward(np.full_like(error, 1 / error.size), error)
    _, dw, db = linear.backward(d_error, x, w)
    return float(loss), dw, db


def test_the_parabola_is_fitted_with_the_books_losses() -> None:
    time = np.arange(20.0)[:, np.newaxis]
    speed = 3 * np.array(NOISE)[:, np.newaxis] + 0.75 * (time - 9.5) ** 2 + 1
    x = np.concat([time**2, time], axis=1)
    *slopes, offset = FIRST_PARAMETERS
    w, b = np.array(slopes)[:, np.newaxis], np.array([offset])

    _, dw, db = loss_and_gradient(speed, x, w, b)
    assert [*dw[:, 0], *db] == pytest.approx(FIRST_GRADIENT, rel=1e-6)

    losses = []
    for _ in LOSSES:
        loss, dw, db = loss_and_gradient(speed, x, w, b)
        losses.append(loss)
        w, b = w - 1e-5 * dw, b - 1e-5 * db
    assert losses == pytest.approx(LOSSES, rel=1e-6)
