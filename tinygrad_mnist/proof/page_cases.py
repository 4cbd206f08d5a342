"""The gradient cases of the pages, one line each where the page is called as `verify` calls it.

To add a page, yield a `Case`: a name, the page's forward, a backward that takes the upstream gradient and all arguments
of the forward, and the arguments. If that backward only calls the page's, `source` names the latter, so that an error
is shown with its line.
"""

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import numpy as np

from tinygrad_mnist.arrays.backend import Array
from tinygrad_mnist.passes import (
    batch_norm,
    broadcast,
    cross_entropy,
    first_linear,
    layer_norm,
    linear,
    max_pool,
    mean_loss,
    patches,
    relu,
    sigmoid,
    softmax_cross_entropy,
    square,
    squared_error,
    tanh,
)
from tinygrad_mnist.proof.case import Case, Draw, hard, images

Backward = Callable[..., Any]

BACKWARDS: dict[ModuleType, Backward] = {
    square: square.backward,
    linear: lambda dz, x, w, b: linear.backward(dz, x, w),  # noqa: ARG005 - each takes what the forward takes
    first_linear: lambda dz, x, w, b: first_linear.backward(dz, x),  # noqa: ARG005
    sigmoid: lambda dp, z: sigmoid.backward(dp, sigmoid.forward(z)),
    tanh: lambda dh, z: tanh.backward(dh, tanh.forward(z)),
    relu: relu.backward,
    broadcast: lambda dy, x, wide: broadcast.backward(dy, x.shape),  # noqa: ARG005
    patches: lambda dc, x, size, stride: patches.backward(dc, x.shape, size, stride),
    max_pool: max_pool.backward,
    layer_norm: lambda dy, x, gamma, beta: layer_norm.backward(dy, x, gamma),  # noqa: ARG005
    batch_norm: lambda dy, x, gamma, beta: batch_norm.backward(dy, x, gamma),  # noqa: ARG005
    # A loss is the last function, so its upstream gradient is 1 in a network.
    mean_loss: lambda upstream, p, t: upstream * mean_loss.backward(p, t),
    cross_entropy: lambda upstream, z, t: upstream * cross_entropy.backward(z, t),
    squared_error: lambda upstream, y, t: upstream * squared_error.backward(y, t),
    softmax_cross_entropy: lambda upstream, z, t: upstream * softmax_cross_entropy.backward(z, t),
}
"""The backward of each page, in the form that `verify` calls."""

WRT: dict[ModuleType, str | tuple[str, ...]] = {
    first_linear: ("w", "b"),
    mean_loss: "p",
    cross_entropy: "z",
    squared_error: "y",
    softmax_cross_entropy: "z",
}
"""What the pages differentiate with respect to that do not do so for every array of floats."""


def page_case(name: str, page: ModuleType, *arguments: Any, **options: Any) -> Case:
    """Return the case of a page at these arguments, with more options of `verify` if it needs them."""
    options = {"source": page.backward, **options}
    if page in WRT:
        options["wrt"] = WRT[page]
    return Case(name, page.forward, BACKWARDS[page], arguments, options)


def page_cases(draw: Draw) -> Iterator[Case]:
    """Yield the cases of the pages."""
    yield page_case("square", square, draw(4, 3))
    yield page_case("linear", linear, draw(5, 4), draw(4, 3), draw(3))
    yield page_case("linear 3x3", linear, draw(3, 3), draw(3, 3), draw(3))
    yield page_case("first linear", first_linear, images(draw(6, 4)), draw(4, 2), draw(2))
    yield page_case("sigmoid", sigmoid, 4 * draw(6, 2))
    yield page_case("tanh", tanh, 2 * draw(6, 2))
    yield page_case("relu", relu, draw(6, 4))
    yield page_case("broadcast", broadcast, draw(3, 1), (2, 3, 4))
    yield page_case("patches", patches, draw(3, 5, 6, 2), 3, 2)
    yield page_case("max pool", max_pool, draw(2, 5, 4, 3), 2)
    # Pixels that are equal share the gradient, which shows if they grow together.
    yield page_case("pool of ties", max_pool, np.repeat(draw(2, 2, 2, 1), 2, axis=1), 2)
    yield page_case("layer norm", layer_norm, draw(6, 4), draw(4), draw(4))
    yield page_case("batch norm", batch_norm, draw(6, 4), draw(4), draw(4))
    yield page_case("mean loss", mean_loss, draw(6, 2), hard(draw(6, 2)))
    yield page_case("soft mean", mean_loss, draw(6, 2), soft(draw(6, 2)))
    yield page_case("cross-entropy", cross_entropy, 4 * draw(6, 2), hard(draw(6, 2)))
    yield page_case("soft entropy", cross_entropy, 4 * draw(6, 2), soft(draw(6, 2)))
    yield page_case("squared error", squared_error, draw(6, 2), draw(6, 2))
    yield page_case("softmax", softmax_cross_entropy, 4 * draw(6, 3), np.argmax(draw(6, 3), axis=1))
    yield page_case("soft softmax", softmax_cross_entropy, 4 * draw(6, 3), probabilities(draw(6, 3)))


def soft(numbers: Array) -> Array:
    """Return random targets between 0 and 1."""
    return sigmoid.forward(numbers).astype(np.float32)


def probabilities(numbers: Array) -> Array:
    """Return random rows of probabilities."""
    return softmax_cross_entropy.softmax(numbers).astype(np.float32)
