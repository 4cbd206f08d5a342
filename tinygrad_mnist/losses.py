"""Losses: from logits and targets to the loss and its gradient. This is where forward ends and backward begins.

z  (N, O)   logits
t  (N, O)   targets, from 0 to 1
L  ()       the loss
dz (N, O)   the derivative of L with respect to the logits
"""

from collections.abc import Callable
from typing import TypeAlias

from tinygrad_mnist.arrays.backend import Array
from tinygrad_mnist.passes import cross_entropy, mean_loss, sigmoid, softmax_cross_entropy

Loss: TypeAlias = Callable[[Array, Array], tuple[Array, Array]]
"""Takes z and t, and returns L and dz. Raises ValueError if z and t differ in shape or have no entries."""


def mean_of_sigmoid(z: Array, t: Array) -> tuple[Array, Array]:
    """Return L and dz of the mean loss of p = sigmoid(z)."""
    p = sigmoid.forward(z)
    loss = mean_loss.forward(p, t)
    dp = mean_loss.backward(p, t)
    dz = sigmoid.backward(dp, p)
    return loss, dz


def cross_entropy_of_sigmoid(z: Array, t: Array) -> tuple[Array, Array]:
    """Return L and dz of the cross-entropy, whose page includes the sigmoid."""
    loss = cross_entropy.forward(z, t)
    dz = cross_entropy.backward(z, t)
    return loss, dz


def cross_entropy_of_softmax(z: Array, t: Array) -> tuple[Array, Array]:
    """Return L and dz of the softmax cross-entropy, for three outputs or more."""
    return softmax_cross_entropy.forward(z, t), softmax_cross_entropy.backward(z, t)


LOSSES: dict[str, Loss] = {
    "mean": mean_of_sigmoid,
    "cross-entropy": cross_entropy_of_sigmoid,
    "softmax-cross-entropy": cross_entropy_of_softmax,
}
"""The losses by the names that `train --loss` takes."""
