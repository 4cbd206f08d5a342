"""Layers: the parameters of a network, and everything that has one array for each of them."""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from tinygrad_mnist.arrays.backend import Array


class Layer(NamedTuple):
    """The parameters of a linear pass, or their gradients, or their velocities."""

    w: Array  # (I, O)
    b: Array  # (O,)


Parameters: TypeAlias = tuple[Layer, ...]
"""What a network learns, layer by layer from the input to the output."""

Gradients: TypeAlias = tuple[Layer, ...]
"""The derivative of the loss with respect to each parameter, in the same position, with the same shape and dtype."""


def map_layers(function: Callable[..., Any], *networks: tuple[Layer, ...]) -> tuple[Layer, ...]:
    """Return the layers that result from calling `function` on the arrays in the same position of each network.

    >>> w, dw = (Layer(5.0, 1.0),), (Layer(2.0, 3.0),)
    >>> map_layers(lambda w, dw: w - 0.1 * dw, w, dw)
    (Layer(w=4.8, b=0.7),)
    """
    return tuple(Layer(*map(function, *layers)) for layers in zip(*networks, strict=True))
