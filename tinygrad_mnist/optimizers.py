"""Optimizers: how parameters are updated from their gradients, and how the learning rate changes with the epochs."""

import math
from collections.abc import Callable
from typing import TypeAlias

from tinygrad_mnist.arrays.layers import Gradients, Parameters, map_layers

Velocity: TypeAlias = Gradients | None
"""What an optimizer remembers about earlier gradients, for each parameter; None if it has nothing to remember yet."""

Optimizer: TypeAlias = Callable[[Parameters, Velocity, Gradients, float], tuple[Parameters, Velocity]]
"""Takes parameters, velocity, gradients and the learning rate; returns the next parameters and the next velocity."""

MOMENTUM = 0.9
"""The share of its velocity that `momentum` keeps at each step."""


def sgd(
    parameters: Parameters, velocity: Velocity, gradients: Gradients, learning_rate: float
) -> tuple[Parameters, Velocity]:
    """Take a step of gradient descent: w = w - r dw, with the learning rate r."""
    return map_layers(lambda w, dw: w - learning_rate * dw, parameters, gradients), velocity


def momentum(
    parameters: Parameters, velocity: Velocity, gradients: Gradients, learning_rate: float
) -> tuple[Parameters, Velocity]:
    """Take a step of gradient descent with momentum, starting from a velocity v of 0.

        v = 0.9 v + dw
        w = w - r v

    If the gradient does not change, v approaches 10 dw, because v = 0.9 v + dw has that solution. Polyak introduced
    momentum in "Some methods of speeding up the convergence of iteration methods", 1964. This form is that of
    `torch.optim.SGD`. In Sutskever and others, "On the importance of initialization and momentum in deep learning",
    2013, the rate is inside the velocity, v = 0.9 v - r dw and w = w + v. The two differ if r changes during training.
    """
    # The first velocity is 0.9 * 0 + dw.
    velocity = map_layers(lambda v, dw: MOMENTUM * v + dw, velocity, gradients) if velocity else gradients
    return map_layers(lambda w, v: w - learning_rate * v, parameters, velocity), velocity


OPTIMIZERS: dict[str, Optimizer] = {"sgd": sgd, "momentum": momentum}
"""The optimizers by the names that `train --optimizer` takes."""


def constant(epoch: int, epochs: int) -> float:  # noqa: ARG001 - every schedule takes the same arguments
    """Return 1: the learning rate stays as it is."""
    return 1.0


def cosine(epoch: int, epochs: int) -> float:
    """Return the learning rate's factor in this epoch (from 1 to `epochs`): half a cosine, from 1 to almost 0.

        (1 + cos(π (epoch - 1) / epochs)) / 2

    Loshchilov and Hutter, SGDR: stochastic gradient descent with warm restarts, 2017, equation 5, with no restart.

    >>> [round(cosine(epoch, 4), 3) for epoch in (1, 2, 3, 4)]
    [1.0, 0.854, 0.5, 0.146]
    """
    return (1 + math.cos(math.pi * (epoch - 1) / epochs)) / 2


SCHEDULES: dict[str, Callable[[int, int], float]] = {"constant": constant, "cosine": cosine}
"""The learning-rate schedules by the names that `train --schedule` takes."""
