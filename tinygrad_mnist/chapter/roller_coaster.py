"""The book's first fit: a parabola through the speed of a roller coaster, by gradient descent."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.chapter import book
from tinygrad_mnist.passes import linear, square

TIME = np.arange(20.0)
"""Seconds at which the speed was measured."""

SPEED = 0.75 * (TIME - 9.5) ** 2 + 1 + 3 * np.array(book.NOISE)
"""What was measured then."""

Parabola = NDArray[np.float64]
"""(3,): a, b and c of a t^2 + b t + c."""


class Step(NamedTuple):
    """Where the descent stands before a step: the parabola, its loss, and the derivative of that by a, b and c."""

    parabola: Parabola
    loss: float
    gradient: Parabola


def predict(parabola: Parabola) -> NDArray[np.float64]:
    """Return the speed (20,) that the parabola a t^2 + b t + c has at each time.

    It is a linear pass whose inputs are t^2 and t: x (20, 2), w = a and b, and the bias is c.
    """
    z: NDArray[np.float64] = linear.forward(_inputs(), parabola[:2, np.newaxis], parabola[2:])
    return z[:, 0]


def measure(parabola: Parabola) -> Step:
    """Return the loss, which is the mean squared error, and its gradient.

    L = 1/n sum_i e[i]^2, and e = z - speed. So the chain goes back from the mean, 1/n for each square, through the
    square to the error, which is the same as to z, and through the linear pass to a, b and c.
    """
    x, w = _inputs(), parabola[:2, np.newaxis]
    error = predict(parabola)[:, np.newaxis] - SPEED[:, np.newaxis]
    loss = np.mean(square.forward(error))
    dz = square.backward(np.full_like(error, 1 / error.size), error)
    _, dw, db = linear.backward(dz, x, w)
    return Step(parabola, float(loss), np.concatenate([dw[:, 0], db]))


def descend(learning_rate: float, steps: int) -> list[Step]:
    """Return where a descent from the book's first parabola stands before each of so many steps, and after them."""
    here = measure(np.array(book.FIRST_PARAMETERS))
    way = [here]
    for _ in range(steps):
        here = measure(here.parabola - learning_rate * here.gradient)
        way.append(here)
    return way


def best() -> Step:
    """Return where the descent would end if it went on for ever: the parabola with the least mean squared error."""
    return measure(np.polyfit(TIME, SPEED, 2))


def _inputs() -> NDArray[np.float64]:
    return np.stack([TIME**2, TIME], axis=1)
