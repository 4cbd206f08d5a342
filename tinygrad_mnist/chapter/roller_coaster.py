"""The book's first fit: a parabola through the speed of a roller coaster, by gradient descent."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.chapter import book_figures
from tinygrad_mnist.passes import linear, squared_error

TIME = np.arange(20.0)
"""The seconds at which the speed was measured."""

SPEED = 0.75 * (TIME - 9.5) ** 2 + 1 + 3 * np.array(book_figures.NOISE)
"""The speed measured at each of these seconds."""

Parabola = NDArray[np.float64]
"""(3,): a, b and c of a t^2 + b t + c."""


class State(NamedTuple):
    """A point of the descent: the parabola, its loss, and the derivative of the loss with respect to a, b and c."""

    parabola: Parabola
    loss: float
    gradient: Parabola


def predict(parabola: Parabola) -> NDArray[np.float64]:
    """Return the speed (20,) that the parabola a t^2 + b t + c predicts for each time.

    This is a linear pass with the inputs t^2 and t: x is (20, 2), w holds a and b, and the bias is c.
    """
    z: NDArray[np.float64] = linear.forward(_inputs(), parabola[:2, np.newaxis], parabola[2:])
    return z[:, 0]


def evaluate(parabola: Parabola) -> State:
    """Return the parabola with its loss, which is the mean squared error, and the gradient of the loss.

    The chain starts at the loss, and goes back through the linear pass to a, b and c.
    """
    x, w, b = _inputs(), parabola[:2, np.newaxis], parabola[2:]
    z, speed = linear.forward(x, w, b), SPEED[:, np.newaxis]
    loss = squared_error.forward(z, speed)
    dz = squared_error.backward(z, speed)
    _, dw, db = linear.backward(dz, x, w)
    return State(parabola, float(loss), np.concatenate([dw[:, 0], db]))


def descend(learning_rate: float, steps: int) -> list[State]:
    """Return the states of a descent from the book's first parabola: before the first step, and after each step."""
    states = [evaluate(np.array(book_figures.FIRST_PARAMETERS))]
    for _ in range(steps):
        states.append(evaluate(states[-1].parabola - learning_rate * states[-1].gradient))
    return states


def best_fit() -> State:
    """Return the parabola with the smallest loss, to which the descent would converge if it never stopped."""
    return evaluate(np.polyfit(TIME, SPEED, 2))


def _inputs() -> NDArray[np.float64]:
    return np.stack([TIME**2, TIME], axis=1)
