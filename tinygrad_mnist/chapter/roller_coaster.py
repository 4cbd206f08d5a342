"""The book's first fit: a parabola through the speed of a roller coaster, by gradient descent."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.chapter import book_figures
from tinygrad_mnist.passes import linear, square

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

    L = 1/n sum_i e[i]^2, with the errors e = z - speed. The chain starts at the mean, with 1/n for each square, and
    goes back through the square to e. The derivative with respect to z is the same as with respect to e. From z it
    goes through the linear pass to a, b and c.
    """
    x, w = _inputs(), parabola[:2, np.newaxis]
    error = predict(parabola)[:, np.newaxis] - SPEED[:, np.newaxis]
    loss = np.mean(square.forward(error))
    dz = square.backward(np.full_like(error, 1 / error.size), error)
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
