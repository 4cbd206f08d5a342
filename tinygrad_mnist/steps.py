"""The step downhill: how the next parameters follow from the gradients, and how long each step is."""

import math
from collections.abc import Callable
from typing import Protocol

from tinygrad_mnist.network import Gradients, Layer, Parameters


class Step(Protocol):
    """A rule that takes parameters downhill. It may remember where it comes from, so each training has its own."""

    def __call__(self, parameters: Parameters, gradients: Gradients, learning_rate: float) -> Parameters:
        """Return the parameters after one step."""


class Plain:
    """Gradient descent: each parameter less its gradient times the learning rate.

    w = w - learning_rate * dw
    """

    def __call__(self, parameters: Parameters, gradients: Gradients, learning_rate: float) -> Parameters:
        """Return the parameters after one step."""
        return tuple(
            Layer(w - learning_rate * dw, b - learning_rate * db)
            for (w, b), (dw, db) in zip(parameters, gradients, strict=True)
        )


class Momentum:
    """Gradient descent with momentum: a ball that keeps nine tenths of its speed at each step.

    v = 0.9 * v + dw
    w = w - learning_rate * v

    Where the gradient stays the same, v grows to ten times it. (Polyak, Some methods of speeding up the convergence of
    iteration methods, 1964; in this form Sutskever and others, On the importance of initialization and momentum, 2013.)
    """

    KEPT = 0.9

    def __init__(self) -> None:
        self.velocity: Gradients | None = None

    def __call__(self, parameters: Parameters, gradients: Gradients, learning_rate: float) -> Parameters:
        """Return the parameters after one step, and remember the velocity."""
        if self.velocity is None:
            self.velocity = gradients
        else:
            self.velocity = tuple(
                Layer(self.KEPT * v + dw, self.KEPT * u + db)
                for (v, u), (dw, db) in zip(self.velocity, gradients, strict=True)
            )
        return Plain()(parameters, self.velocity, learning_rate)


STEPS: dict[str, Callable[[], Step]] = {"plain": Plain, "momentum": Momentum}
"""The rules by their names."""


def constant(epoch: int, epochs: int) -> float:  # noqa: ARG001 - every schedule is asked the same
    """Return 1: the learning rate as it is given, from the first epoch to the last."""
    return 1.0


def cosine(epoch: int, epochs: int) -> float:
    """Return the share of the learning rate in this epoch, from 1: half a wave, from all of it to nearly nothing.

    share = (1 + cos(pi (epoch - 1) / epochs)) / 2

    (Loshchilov and Hutter, SGDR, 2017, equation 5, with one period.)

    >>> [round(cosine(epoch, 4), 3) for epoch in (1, 2, 3, 4)]
    [1.0, 0.854, 0.5, 0.146]
    """
    return (1 + math.cos(math.pi * (epoch - 1) / epochs)) / 2


SCHEDULES: dict[str, Callable[[int, int], float]] = {"constant": constant, "cosine": cosine}
"""The schedules by their names."""
