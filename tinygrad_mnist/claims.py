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
from tinygrad_mnist.network import Gradients, Parameters
from tinygrad_mnist.passes import linear, mean_loss, sigmoid, square

Draw = Callable[..., NDArray[np.float64]]


def all_claims(seed: int = 0) -> dict[str, Claim]:
    """Return every claim by its name, each with random numbers of its own, the same for the same seed."""
    makers = (of_square, of_linear, of_linear_square, of_sigmoid, of_mean_loss, of_network, of_mnist_network)
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


def of_network(draw: Draw) -> Claim:
    """Claim dw and db of a small network, from its parameters to its loss."""
    return _network("network", draw, x=draw(8, 5), outputs=2)


def of_mnist_network(draw: Draw) -> Claim:
    """Claim the same of a network with as many inputs as MNIST has pixels, one in five of them inked."""
    ink = np.clip(draw(16, 784) - 0.8, 0, 1)
    return _network("network 784", draw, x=ink, outputs=2)


def _network(name: str, draw: Draw, x: NDArray[np.float64], outputs: int) -> Claim:
    t = (draw(len(x), outputs) > 0).astype(np.uint8)

    def predicted(w: Array, b: Array) -> tuple[Array, Array, Array]:
        """Return p, t and x of the type and on the device of w."""
        inputs = array_namespace(w).astype(beside(x, like=w), w.dtype)
        return network.forward(inputs, Parameters(w, b)), beside(t, like=w), inputs

    def forward(w: Array, b: Array) -> Array:
        p, targets, _ = predicted(w, b)
        return mean_loss.forward(p, targets)

    def call(backward: Callable[..., Gradients], upstream: Array, w: Array, b: Array) -> tuple[Array, ...]:
        return tuple(upstream * gradient for gradient in backward(*predicted(w, b), Parameters(w, b)))

    weights = {"w": draw(x.shape[1], outputs), "b": draw(outputs)}
    return Claim(name, weights, draw(), forward, network.backward, call)


def _drawn(rng: np.random.Generator) -> Draw:
    """Return a source of standard normal arrays that are the same in float32 and in float64."""

    def draw(*shape: int) -> NDArray[Any]:
        numbers = rng.standard_normal(math.prod(shape)).astype(np.float32).astype(np.float64)
        return numbers.reshape(shape)

    return draw
