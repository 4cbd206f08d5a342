"""The gradient cases of the pages that people look up: losses, tanh, copies, patches, pools and norms."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.arrays.backend import Array, asarray_like
from tinygrad_mnist.passes import (
    batch_norm,
    broadcast,
    layer_norm,
    max_pool,
    patches,
    softmax_cross_entropy,
    squared_error,
    tanh,
)
from tinygrad_mnist.proof.gradcheck import GradientCase

Draw = Callable[..., NDArray[np.float64]]
"""Returns a random array of the given shape."""


def squared_error_case(draw: Draw) -> GradientCase:
    """Return the case of dy of the squared error."""
    return _loss("squared error", "y", squared_error, draw(6, 2), draw(6, 2), draw())


def softmax_case(draw: Draw) -> GradientCase:
    """Return the case of dz of the softmax cross-entropy, for classes, from the middle into both tails."""
    classes = np.argmax(draw(6, 3), axis=1)
    return _loss("softmax", "z", softmax_cross_entropy, 4 * draw(6, 3), classes, draw())


def soft_softmax_case(draw: Draw) -> GradientCase:
    """Return the case of dz of the softmax cross-entropy, for probabilities."""
    t = softmax_cross_entropy.softmax(draw(6, 3)).astype(np.float32)
    return _loss("soft softmax", "z", softmax_cross_entropy, 4 * draw(6, 3), t, draw())


def tanh_case(draw: Draw) -> GradientCase:
    """Return the case of dz of h = tanh(z), from the middle into both tails."""
    return GradientCase(
        name="tanh",
        arguments={"z": 2 * draw(6, 2)},
        upstream=draw(6, 2),
        forward=tanh.forward,
        backward=tanh.backward,
        call_backward=lambda backward, dh, z: (backward(dh, tanh.forward(z)),),
    )


def broadcast_case(draw: Draw) -> GradientCase:
    """Return the case of dx of a broadcast, with a new axis, an equal one and one that has the size 1 in x."""
    return GradientCase(
        name="broadcast",
        arguments={"x": draw(3, 1)},
        upstream=draw(2, 3, 4),
        forward=lambda x: broadcast.forward(x, (2, 3, 4)),
        backward=broadcast.backward,
        call_backward=lambda backward, dy, x: (backward(dy, x.shape),),
    )


def patches_case(draw: Draw) -> GradientCase:
    """Return the case of dx of patches that overlap."""
    return GradientCase(
        name="patches",
        arguments={"x": draw(1, 5, 5, 2)},
        upstream=draw(1, 2, 2, 18),
        forward=lambda x: patches.forward(x, 3, 2),
        backward=patches.backward,
        call_backward=lambda backward, dc, x: (backward(dc, x.shape, 3, 2),),
    )


def max_pool_case(draw: Draw) -> GradientCase:
    """Return the case of dx of the largest number of each block, in images that have pixels in no block."""
    return GradientCase(
        name="max pool",
        arguments={"x": draw(2, 5, 4, 1)},
        upstream=draw(2, 2, 2, 1),
        forward=lambda x: max_pool.forward(x, 2),
        backward=max_pool.backward,
        call_backward=lambda backward, dh, x: (backward(dh, x, 2),),
    )


def layer_norm_case(draw: Draw) -> GradientCase:
    """Return the case of dx, dgamma and dbeta of the layer norm."""
    return _norm("layer norm", layer_norm, draw)


def batch_norm_case(draw: Draw) -> GradientCase:
    """Return the case of dx, dgamma and dbeta of the batch norm."""
    return _norm("batch norm", batch_norm, draw)


def _norm(name: str, page: Any, draw: Draw) -> GradientCase:
    return GradientCase(
        name=name,
        arguments={"x": draw(6, 4), "gamma": draw(4), "beta": draw(4)},
        upstream=draw(6, 4),
        forward=page.forward,
        backward=page.backward,
        call_backward=lambda backward, dy, x, gamma, _: backward(dy, x, gamma),
    )


def _loss(
    name: str, argument: str, page: Any, x: NDArray[Any], t: NDArray[Any], upstream: NDArray[Any]
) -> GradientCase:
    """Return the case of a loss. Its upstream gradient is a random number, which would be 1 in a network."""

    def targets(x: Array) -> Array:
        return asarray_like(t, like=x)

    return GradientCase(
        name=name,
        arguments={argument: x},
        upstream=upstream,
        forward=lambda x: page.forward(x, targets(x)),
        backward=page.backward,
        call_backward=lambda backward, upstream, x: (upstream * backward(x, targets(x)),),
    )


MAKERS: tuple[Callable[[Draw], GradientCase], ...] = (
    squared_error_case,
    softmax_case,
    soft_softmax_case,
    tanh_case,
    broadcast_case,
    patches_case,
    max_pool_case,
    layer_norm_case,
    batch_norm_case,
)
"""What makes each case, from a source of random numbers."""
