"""The gradient cases of this project: the passes and some small networks, with arrays to check their gradients at.

All numbers are random, from a seed. They can be represented in float32, so float32 and float64 see the same ones.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.arrays.backend import Array, array_namespace, asarray_like
from tinygrad_mnist.arrays.layers import Gradients, Layer, Parameters
from tinygrad_mnist.losses import LOSSES
from tinygrad_mnist.networks import dense
from tinygrad_mnist.networks.dense import Cache
from tinygrad_mnist.passes import cross_entropy, first_linear, linear, mean_loss, relu, sigmoid, square
from tinygrad_mnist.proof.gradcheck import GradientCase
from tinygrad_mnist.proof.page_cases import MAKERS

Draw = Callable[..., NDArray[np.float64]]
"""Returns a random array of the given shape."""


def all_cases(seed: int = 0) -> dict[str, GradientCase]:
    """Return every case by its name, each with random numbers of its own, the same for the same seed."""
    makers = [
        square_case,
        linear_case,
        square_linear_case,
        first_linear_case,
        sigmoid_case,
        relu_case,
        mean_loss_case,
        soft_mean_loss_case,
        mean_of_sigmoid_case,
        cross_entropy_case,
        soft_cross_entropy_case,
        one_layer_case,
        mnist_case,
        hidden_case,
        two_hidden_case,
        *MAKERS,
    ]
    cases = [make(_drawn(np.random.default_rng((seed, number)))) for number, make in enumerate(makers)]
    return {case.name: case for case in cases}


def square_case(draw: Draw) -> GradientCase:
    """Return the case of dx of y = x^2."""
    return GradientCase(
        name="square",
        arguments={"x": draw(4, 3)},
        upstream=draw(4, 3),
        forward=square.forward,
        backward=square.backward,
        call_backward=lambda backward, dy, x: (backward(dy, x),),
    )


def linear_case(draw: Draw) -> GradientCase:
    """Return the case of dx, dw and db of z = x w + b, with numbers of rows, inputs and outputs that all differ."""
    return _linear("linear", draw, rows=5, inputs=4, outputs=3)


def square_linear_case(draw: Draw) -> GradientCase:
    """Return the same case with square matrices, in which a transposed or exchanged matrix has the right shape."""
    return _linear("linear 3x3", draw, rows=3, inputs=3, outputs=3)


def _linear(name: str, draw: Draw, rows: int, inputs: int, outputs: int) -> GradientCase:
    return GradientCase(
        name=name,
        arguments={"x": draw(rows, inputs), "w": draw(inputs, outputs), "b": draw(outputs)},
        upstream=draw(rows, outputs),
        forward=linear.forward,
        backward=linear.backward,
        call_backward=lambda backward, dz, x, w, _: backward(dz, x, w),
    )


def first_linear_case(draw: Draw) -> GradientCase:
    """Return the case of dw and db of z = s (x w) + b, for images x."""
    x = _images(draw(6, 4))

    def x_like(array: Array) -> Array:
        return array_namespace(array).astype(asarray_like(x, like=array), array.dtype)

    return GradientCase(
        name="first linear",
        arguments={"w": draw(4, 2), "b": draw(2)},
        upstream=draw(6, 2),
        forward=lambda w, b: first_linear.forward(x_like(w), w, b),
        backward=first_linear.backward,
        call_backward=lambda backward, dz, w, _: backward(dz, x_like(w)),
    )


def sigmoid_case(draw: Draw) -> GradientCase:
    """Return the case of dz of p = sigmoid(z), from the middle into both tails."""
    return GradientCase(
        name="sigmoid",
        arguments={"z": 4 * draw(6, 2)},
        upstream=draw(6, 2),
        forward=sigmoid.forward,
        backward=sigmoid.backward,
        call_backward=lambda backward, dp, z: (backward(dp, sigmoid.forward(z)),),
    )


def relu_case(draw: Draw) -> GradientCase:
    """Return the case of dz of h = relu(z)."""
    return GradientCase(
        name="relu",
        arguments={"z": draw(6, 4)},
        upstream=draw(6, 4),
        forward=relu.forward,
        backward=relu.backward,
        call_backward=lambda backward, dh, z: (backward(dh, z),),
    )


def mean_loss_case(draw: Draw) -> GradientCase:
    """Return the case of dp of the mean loss, for targets 0 and 1."""
    return _loss("mean loss", "p", mean_loss, draw(6, 2), _hard(draw(6, 2)), draw())


def soft_mean_loss_case(draw: Draw) -> GradientCase:
    """Return the case of dp of the mean loss, for targets between 0 and 1."""
    return _loss("soft mean", "p", mean_loss, draw(6, 2), _soft(draw(6, 2)), draw())


def cross_entropy_case(draw: Draw) -> GradientCase:
    """Return the case of dz of the cross-entropy, for targets 0 and 1, from the middle into both tails."""
    return _loss("cross-entropy", "z", cross_entropy, 4 * draw(6, 2), _hard(draw(6, 2)), draw())


def soft_cross_entropy_case(draw: Draw) -> GradientCase:
    """Return the case of dz of the cross-entropy, for targets between 0 and 1."""
    return _loss("soft entropy", "z", cross_entropy, 4 * draw(6, 2), _soft(draw(6, 2)), draw())


def _loss(
    name: str, argument: str, page: Any, x: NDArray[Any], t: NDArray[Any], upstream: NDArray[Any]
) -> GradientCase:
    """Return the case of a loss. Its upstream gradient is a random number, which would be 1 in a network."""
    return GradientCase(
        name=name,
        arguments={argument: x},
        upstream=upstream,
        forward=lambda x: page.forward(x, asarray_like(t, like=x)),
        backward=page.backward,
        call_backward=lambda backward, upstream, x: (upstream * backward(x, asarray_like(t, like=x)),),
    )


def mean_of_sigmoid_case(draw: Draw) -> GradientCase:
    """Return the case of dz of the mean loss of the sigmoid, as training calls it."""
    t = _hard(draw(6, 2))
    return GradientCase(
        name="sigmoid+loss",
        arguments={"z": draw(6, 2)},
        upstream=draw(),
        forward=lambda z: mean_loss.forward(sigmoid.forward(z), asarray_like(t, like=z)),
        backward=LOSSES["mean"],
        call_backward=lambda loss, upstream, z: (upstream * loss(z, asarray_like(t, like=z))[1],),
        chained=True,
    )


def one_layer_case(draw: Draw) -> GradientCase:
    """Return the case of a small network without a hidden layer, from its parameters to its loss."""
    return _network("one layer", "mean", (5, 2), draw, x=_images(draw(8, 5)))


def mnist_case(draw: Draw) -> GradientCase:
    """Return the same case with as many inputs as MNIST has pixels, four in five of them black."""
    return _network("MNIST", "mean", (784, 2), draw, x=_images(np.clip(draw(16, 784) - 0.8, 0, 1)))


def hidden_case(draw: Draw) -> GradientCase:
    """Return the case of a network with a hidden layer and the mean loss."""
    return _network("hidden", "mean", (5, 6, 2), draw, x=_images(draw(8, 5)))


def two_hidden_case(draw: Draw) -> GradientCase:
    """Return the case of a network with two hidden layers and the cross-entropy."""
    return _network("two hidden", "cross-entropy", (5, 6, 4, 3), draw, x=_images(draw(8, 5)))


def _network(name: str, loss: str, sizes: tuple[int, ...], draw: Draw, x: NDArray[np.float64]) -> GradientCase:
    """Return the case of all parameters of a network of these sizes, at weights of standard deviation 1."""
    t = _hard(draw(len(x), sizes[-1]))
    numbers = [""] if len(sizes) == 2 else [str(layer) for layer in range(1, len(sizes))]
    arguments: dict[str, NDArray[np.float64]] = {}
    for number, inputs, outputs in zip(numbers, sizes, sizes[1:], strict=False):
        arguments |= {f"w{number}": draw(inputs, outputs), f"b{number}": draw(outputs)}

    def run_forward(*arrays: Array) -> tuple[Array, list[Cache], Parameters]:
        """Return the logits, the cache and the parameters, given w, b, w, b and so on."""
        parameters = tuple(Layer(w, b) for w, b in zip(arrays[::2], arrays[1::2], strict=True))
        # The images have the type of the parameters, which is complex if one of them takes a complex step.
        xp = array_namespace(arrays[0])
        images = xp.astype(asarray_like(x, like=arrays[0]), xp.result_type(*arrays))
        return *dense.forward(images, parameters), parameters

    def forward(*arrays: Array) -> Array:
        z, _, _ = run_forward(*arrays)
        return LOSSES[loss](z, asarray_like(t, like=z))[0]

    def call_backward(backward: Callable[..., Gradients], upstream: Array, *arrays: Array) -> list[Array]:
        z, cache, parameters = run_forward(*arrays)
        dz = upstream * LOSSES[loss](z, asarray_like(t, like=z))[1]
        return [array for layer in backward(dz, cache, parameters) for array in layer]

    return GradientCase(name, arguments, draw(), forward, dense.backward, call_backward, chained=True)


def _images(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return random images: whole numbers, with 255 for each 1."""
    return np.round(255 * numbers)


def _hard(numbers: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return random targets 0 and 1."""
    return (numbers > 0).astype(np.uint8)


def _soft(numbers: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return random targets between 0 and 1."""
    return sigmoid.forward(numbers).astype(np.float32)  # type: ignore[no-any-return]  # a pass takes any array


def _drawn(rng: np.random.Generator) -> Draw:
    """Return a source of random standard normal arrays, which are the same in float32 and in float64."""

    def draw(*shape: int) -> NDArray[Any]:
        numbers = rng.standard_normal(math.prod(shape)).astype(np.float32).astype(np.float64)
        return numbers.reshape(shape)

    return draw
