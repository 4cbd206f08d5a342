"""What this project claims: that each pass, and the network, has the gradient that stands beside it.

All numbers are random, by seed, with standard deviation 1, and rounded to float32 so that both types see the same ones.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist import network
from tinygrad_mnist.backend import Array, array_namespace, beside
from tinygrad_mnist.gradcheck import Claim
from tinygrad_mnist.network import LOSSES, Gradients, Layer, Parameters, Passed
from tinygrad_mnist.passes import cross_entropy, linear, mean_loss, relu, sigmoid, square

Draw = Callable[..., NDArray[np.float64]]


def all_claims(seed: int = 0) -> dict[str, Claim]:
    """Return every claim by its name, each with random numbers of its own, the same for the same seed."""
    makers = (
        *(of_square, of_linear, of_linear_square, of_first_linear, of_sigmoid, of_relu, of_mean_loss, of_logits),
        *(of_cross_entropy, of_line, of_mnist_line, of_hidden, of_two_hidden),
    )
    claims = [make(_drawn(np.random.default_rng((seed, number)))) for number, make in enumerate(makers)]
    return {claim.name: claim for claim in claims}


def of_square(draw: Draw) -> Claim:
    """Claim dx of y = x^2."""
    return Claim(
        name="square",
        arguments={"x": draw(4, 3)},
        upstream=draw(4, 3),
        forward=square.forward,
        written=square.backward,
        call=lambda backward, dy, x: (backward(dy, x),),
    )


def of_linear(draw: Draw) -> Claim:
    """Claim dx, dw and db of z = x w + b, with as many rows, inputs and outputs as cannot be confused."""
    return _linear("linear", draw, rows=5, inputs=4, outputs=3)


def of_linear_square(draw: Draw) -> Claim:
    """Claim the same where every matrix is square: there a transposed or exchanged one has the right shape."""
    return _linear("linear 3x3", draw, rows=3, inputs=3, outputs=3)


def _linear(name: str, draw: Draw, rows: int, inputs: int, outputs: int) -> Claim:
    return Claim(
        name=name,
        arguments={"x": draw(rows, inputs), "w": draw(inputs, outputs), "b": draw(outputs)},
        upstream=draw(rows, outputs),
        forward=linear.forward,
        written=linear.backward,
        call=lambda backward, dz, x, w, _: backward(dz, x, w),
    )


def of_first_linear(draw: Draw) -> Claim:
    """Claim dw and db alone, as the first pass of a network asks for them: its x is the data."""
    x = draw(6, 4)

    def x_beside(w: Array) -> Array:
        return array_namespace(w).astype(beside(x, like=w), w.dtype)

    return Claim(
        name="first linear",
        arguments={"w": draw(4, 2), "b": draw(2)},
        upstream=draw(6, 2),
        forward=lambda w, b: linear.forward(x_beside(w), w, b),
        written=linear.backward_to_parameters,
        call=lambda backward, dz, w, _: backward(dz, x_beside(w)),
    )


def of_sigmoid(draw: Draw) -> Claim:
    """Claim dz of p = sigmoid(z), from the middle well into both tails."""
    return Claim(
        name="sigmoid",
        arguments={"z": 4 * draw(6, 2)},
        upstream=draw(6, 2),
        forward=sigmoid.forward,
        written=sigmoid.backward,
        call=lambda backward, dp, z: (backward(dp, sigmoid.forward(z)),),
    )


def of_mean_loss(draw: Draw) -> Claim:
    """Claim dp of the mean loss. It is handed a random gradient too, and hands it on, though in a network it is 1."""
    t = (draw(6, 2) > 0).astype(np.uint8)
    return Claim(
        name="mean loss",
        arguments={"p": draw(6, 2)},
        upstream=draw(),
        forward=lambda p: mean_loss.forward(p, beside(t, like=p)),
        written=mean_loss.backward,
        call=lambda backward, upstream, p: (upstream * backward(p, beside(t, like=p)),),
    )


def of_logits(draw: Draw) -> Claim:
    """Claim dz of the sigmoid and the mean loss in one, as the derivative of what they give one after the other."""
    t = (draw(6, 2) > 0).astype(np.uint8)
    return Claim(
        name="sigmoid+loss",
        arguments={"z": draw(6, 2)},
        upstream=draw(),
        forward=lambda z: mean_loss.forward(sigmoid.forward(z), beside(t, like=z)),
        written=mean_loss.of_logits,
        call=lambda of_logits, upstream, z: (upstream * of_logits(z, beside(t, like=z))[1],),
    )


def of_relu(draw: Draw) -> Claim:
    """Claim dz of h = relu(z)."""
    return Claim(
        name="relu",
        arguments={"z": draw(6, 4)},
        upstream=draw(6, 4),
        forward=relu.forward,
        written=relu.backward,
        call=lambda backward, dh, z: (backward(dh, z),),
    )


def of_cross_entropy(draw: Draw) -> Claim:
    """Claim dz of the cross-entropy, from the middle well into both tails."""
    t = (draw(6, 2) > 0).astype(np.uint8)
    return Claim(
        name="cross-entropy",
        arguments={"z": 4 * draw(6, 2)},
        upstream=draw(),
        forward=lambda z: cross_entropy.forward(z, beside(t, like=z)),
        written=cross_entropy.backward,
        call=lambda backward, upstream, z: (upstream * backward(z, beside(t, like=z)),),
    )


def of_line(draw: Draw) -> Claim:
    """Claim dw and db of a small network without a hidden layer, from its parameters to its loss."""
    return _network("line", "mean", (5, 2), draw, x=draw(8, 5))


def of_mnist_line(draw: Draw) -> Claim:
    """Claim the same of a network with as many inputs as MNIST has pixels, one in five of them inked."""
    return _network("line 784", "mean", (784, 2), draw, x=np.clip(draw(16, 784) - 0.8, 0, 1))


def of_hidden(draw: Draw) -> Claim:
    """Claim the gradients of a network with a hidden layer, by the mean loss."""
    return _network("hidden", "mean", (5, 6, 2), draw, x=draw(8, 5))


def of_two_hidden(draw: Draw) -> Claim:
    """Claim the gradients of a network with two hidden layers, by the cross-entropy."""
    return _network("two hidden", "cross-entropy", (5, 6, 4, 3), draw, x=draw(8, 5))


def _network(name: str, loss: str, sizes: tuple[int, ...], draw: Draw, x: NDArray[np.float64]) -> Claim:
    """Claim the gradients by all parameters of a network of these sizes, at weights of standard deviation 1."""
    t = (draw(len(x), sizes[-1]) > 0).astype(np.uint8)
    numbers = [""] if len(sizes) == 2 else [str(layer) for layer in range(1, len(sizes))]
    arguments: dict[str, NDArray[np.float64]] = {}
    for number, inputs, outputs in zip(numbers, sizes, sizes[1:], strict=False):
        arguments |= {f"w{number}": draw(inputs, outputs), f"b{number}": draw(outputs)}

    def passed(*arrays: Array) -> tuple[list[Passed], Parameters]:
        """Return what passes through the network, and its parameters, from w, b, w, b and so on."""
        parameters = tuple(Layer(w, b) for w, b in zip(arrays[::2], arrays[1::2], strict=True))
        # The images have the type of the parameters, which may be complex where only one of them is nudged.
        xp = array_namespace(arrays[0])
        images = xp.astype(beside(x, like=arrays[0]), xp.result_type(*arrays))
        return network.forward(images, parameters), parameters

    def forward(*arrays: Array) -> Array:
        z = passed(*arrays)[0][-1].z
        return LOSSES[loss](z, beside(t, like=z))[0]

    def call(backward: Callable[..., Gradients], upstream: Array, *arrays: Array) -> list[Array]:
        through, parameters = passed(*arrays)
        z = through[-1].z
        dz = upstream * LOSSES[loss](z, beside(t, like=z))[1]
        return [array for layer in backward(dz, through, parameters) for array in layer]

    return Claim(name, arguments, draw(), forward, network.backward, call, chained=True)


def _drawn(rng: np.random.Generator) -> Draw:
    """Return a source of standard normal arrays that are the same in float32 and in float64."""

    def draw(*shape: int) -> NDArray[Any]:
        numbers = rng.standard_normal(math.prod(shape)).astype(np.float32).astype(np.float64)
        return numbers.reshape(shape)

    return draw
