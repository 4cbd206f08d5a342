"""The step downhill: how the next parameters follow from the gradients, and how long each step is."""

import math
from collections.abc import Callable
from typing import TypeAlias

from tinygrad_mnist.network import Gradients, Layer, Parameters, Rates

Velocity: TypeAlias = Gradients | None
"""How fast each parameter moves, in the parameter's place; None where nothing has moved yet, or nothing is kept."""

Step: TypeAlias = Callable[[Parameters, Velocity, Gradients, Rates], tuple[Parameters, Velocity]]
"""A rule that takes parameters downhill. What it is to remember of the way, it returns, and is given the next time."""

KEPT = 0.9
"""The share of its speed that the ball keeps at each step."""


def plain(
    parameters: Parameters, velocity: Velocity, gradients: Gradients, rates: Rates
) -> tuple[Parameters, Velocity]:
    """Return the parameters after a step of gradient descent: each less its gradient times its learning rate.

    w = w - rate * dw
    """
    stepped = tuple(
        Layer(w - rate.w * dw, b - rate.b * db)
        for (w, b), (dw, db), rate in zip(parameters, gradients, rates, strict=True)
    )
    return stepped, velocity


def momentum(
    parameters: Parameters, velocity: Velocity, gradients: Gradients, rates: Rates
) -> tuple[Parameters, Velocity]:
    """Return the parameters after a step with momentum, and their velocity: a ball that keeps nine tenths of its speed.

    v = 0.9 * v + dw
    w = w - rate * v

    Where the gradient stays the same, v grows to ten times it. (Polyak, Some methods of speeding up the convergence of
    iteration methods, 1964; in this form Sutskever and others, On the importance of initialization and momentum, 2013.)
    """
    if velocity is None:
        velocity = gradients
    else:
        velocity = tuple(
            Layer(KEPT * v + dw, KEPT * u + db) for (v, u), (dw, db) in zip(velocity, gradients, strict=True)
        )
    return plain(parameters, velocity, velocity, rates)


STEPS: dict[str, Step] = {"plain": plain, "momentum": momentum}
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
