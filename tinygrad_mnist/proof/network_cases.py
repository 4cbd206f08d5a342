"""The gradient cases of the losses and the dense networks, whose passes have cases of their own."""

import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.arrays.backend import Array, array_namespace, asarray_like
from tinygrad_mnist.arrays.layers import Layer, Parameters
from tinygrad_mnist.losses import LOSSES
from tinygrad_mnist.networks import convolutional, dense
from tinygrad_mnist.proof.case import Case, Draw, hard, images

SKIP = ("layouts", "sizes", "lines", "points")
"""The checks that chains leave to their passes, because they take seconds."""

SHAPES = (
    ("one layer", "mean", (5, 2), 8),
    ("hidden", "mean", (5, 6, 2), 8),
    ("two hidden", "cross-entropy", (5, 6, 4, 3), 8),
    ("equal widths", "cross-entropy", (4, 4, 4, 4), 5),
    ("narrow", "mean", (3, 1, 1, 2), 6),
    ("one row", "cross-entropy", (3, 6, 4, 2), 1),
    ("one output", "mean", (3, 4, 1), 7),
    ("eight layers", "cross-entropy", (3, 4, 4, 4, 4, 4, 4, 4, 2), 5),
)
"""The networks: a name, a loss, the sizes of their layers, and the number of images."""


def loss_cases(draw: Draw) -> Iterator[Case]:
    """Yield the cases of dz of the losses, as training calls them."""
    for name, loss in LOSSES.items():

        def forward(z: Array, t: Array, loss: Callable[..., Any] = loss) -> Array:
            return loss(z, t)[0]

        def backward(upstream: Array, z: Array, t: Array, loss: Callable[..., Any] = loss) -> Array:
            return upstream * loss(z, t)[1]

        # The rows of these targets have the sum 1, as the softmax needs.
        arguments = 2 * draw(6, 3), np.eye(3)[np.argmax(draw(6, 3), axis=1)]
        yield Case(f"loss {name}", forward, backward, arguments, {"source": loss, "wrt": "z"}, chained=True)


def network_cases(draw: Draw) -> Iterator[Case]:
    """Yield the cases of networks of many shapes, at weights of standard deviation 1."""
    for name, loss, sizes, rows in SHAPES:
        yield network_case(name, loss, sizes, images(draw(rows, sizes[0])), draw)
    yield convolutional_case(draw)
    # As many inputs as MNIST has pixels, four in five of them black.
    yield network_case("MNIST", "mean", (784, 2), images(np.clip(draw(16, 784) - 0.8, 0, 1)), draw)


def convolutional_case(draw: Draw) -> Case:
    """Return the case of all parameters of a convolutional network, on images so large that all patches overlap."""
    sizes, x, t = (17 * 17, 2, 4, 4, 3), images(np.clip(draw(3, 17 * 17) - 0.8, 0, 1)), np.eye(3)
    calculate_loss = LOSSES["softmax-cross-entropy"]

    def run_forward(arrays: Sequence[Array]) -> tuple[Array, Array, Any, Parameters]:
        parameters = tuple(Layer(w, b) for w, b in zip(arrays[::2], arrays[1::2], strict=True))
        z, cache = convolutional.forward(as_parameters(x, arrays), parameters)
        return *calculate_loss(z, asarray_like(t, like=z)), cache, parameters

    def forward(*arrays: Array) -> Array:
        return run_forward(arrays)[0]

    def backward(upstream: Array, *arrays: Array) -> list[Array]:
        _, dz, cache, parameters = run_forward(arrays)
        return [array for layer in convolutional.backward(upstream * dz, cache, parameters) for array in layer]

    arguments: dict[str, NDArray[np.float64]] = {}
    for number, (inputs, outputs) in enumerate(convolutional.weight_shapes(sizes), start=1):
        arguments |= {f"w{number}": draw(inputs, outputs) / 2, f"b{number}": draw(outputs) / 4}
    options = {"source": convolutional.backward, "skip": SKIP}
    return Case("convolutional", named(forward, arguments), backward, tuple(arguments.values()), options, chained=True)


def network_case(name: str, loss: str, sizes: Sequence[int], x: NDArray[np.float64], draw: Draw) -> Case:
    """Return the case of all parameters of a network of these sizes."""
    t = hard(draw(len(x), sizes[-1]))

    def run_forward(arrays: Sequence[Array]) -> tuple[Array, Array, Any, Parameters]:
        """Return the loss, dz, the cache and the parameters, given w, b, w, b and so on."""
        parameters = tuple(Layer(w, b) for w, b in zip(arrays[::2], arrays[1::2], strict=True))
        z, cache = dense.forward(as_parameters(x, arrays), parameters)
        return *LOSSES[loss](z, asarray_like(t, like=z)), cache, parameters

    def forward(*arrays: Array) -> Array:
        return run_forward(arrays)[0]

    def backward(upstream: Array, *arrays: Array) -> list[Array]:
        _, dz, cache, parameters = run_forward(arrays)
        return [array for layer in dense.backward(upstream * dz, cache, parameters) for array in layer]

    arguments = parameters_of(sizes, draw)
    options = {"source": dense.backward, "skip": SKIP}
    return Case(name, named(forward, arguments), backward, tuple(arguments.values()), options, chained=True)


def as_parameters(x: NDArray[Any], arrays: Sequence[Array]) -> Array:
    """Return images of the type of the parameters, which is complex if one of them takes a complex step."""
    xp = array_namespace(arrays[0])
    return xp.astype(asarray_like(x, like=arrays[0]), xp.result_type(*arrays))


def parameters_of(sizes: Sequence[int], draw: Draw) -> dict[str, NDArray[np.float64]]:
    """Return random parameters w1, b1, w2 and so on; w and b if there is one layer."""
    numbers = [""] if len(sizes) == 2 else [str(layer) for layer in range(1, len(sizes))]
    arguments: dict[str, NDArray[np.float64]] = {}
    for number, inputs, outputs in zip(numbers, sizes, sizes[1:], strict=False):
        arguments |= {f"w{number}": draw(inputs, outputs), f"b{number}": draw(outputs)}
    return arguments


def named(function: Callable[..., Any], names: Sequence[str] | dict[str, Any]) -> Callable[..., Any]:
    """Return a function of *arrays with names for them, which a report shows."""
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = [inspect.Parameter(name, kind) for name in names]
    function.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return function
