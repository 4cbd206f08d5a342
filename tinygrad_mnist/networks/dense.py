"""The dense network: linear passes with a relu between them, chained by hand, forward and then backward.

    x --first linear--> z --relu--> h --linear--> z --relu--> h --linear--> z --loss with t--> L
      <-first linear-- dz <-relu-- dh <-linear-- dz <-relu-- dh <-linear-- dz <---- loss ---- 1

Read the upper line from left to right, then the lower line from right to left. There may be any number of hidden
layers, each a linear pass and a relu. With none, the network is just the first linear pass.
"""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tinygrad_mnist.arrays.backend import Array
from tinygrad_mnist.arrays.layers import Gradients, Layer, Parameters
from tinygrad_mnist.networks import chunks
from tinygrad_mnist.passes import first_linear, linear, relu

CHUNK = 4096
"""How many images `logits` converts to floats at a time: 12 MB of float32, no matter how large the data set is."""


class Cache(NamedTuple):
    """What backward needs of a layer's forward pass."""

    x: Array  # (N, I): the input, which is the images in the first layer and h in the others
    z: Array  # (N, O): the output


def initialize(sizes: Sequence[int], rng: np.random.Generator, dtype: str) -> Parameters:
    """Return parameters on the host for layers of these sizes, inputs first, drawn as `draw` does."""
    return draw(list(itertools.pairwise(sizes)), rng, dtype)


def draw(shapes: Sequence[tuple[int, int]], rng: np.random.Generator, dtype: str) -> Parameters:
    """Return parameters on the host for weights of these shapes (I, O): normally distributed weights, biases of 0.

    In z = sum_i x_i w_i, with I inputs and independent weights of mean 0, the mean of z^2 is I var(w) times the mean of
    x^2. With var(w) = 1/I the two are equal, and no sigmoid starts saturated (LeCun and others, Efficient BackProp,
    1998, section 4.6). A relu halves the mean square of a symmetric z. Here the layer before the relu makes up for that
    with var(w) = 2/I. He and others, Delving deep into rectifiers, 2015, section 2.2, let the layer after the relu do
    so, and take 2/I for all layers for simplicity, although their derivation has 1/I for the first.
    """
    layers = []
    for number, (inputs, outputs) in enumerate(shapes, start=1):
        variance = (1 if number == len(shapes) else 2) / inputs
        w = rng.standard_normal((inputs, outputs)) * np.sqrt(variance)
        layers.append(Layer(w.astype(dtype), np.zeros(outputs, dtype)))
    return tuple(layers)


def forward(x: Array, parameters: Parameters) -> tuple[Array, list[Cache]]:
    """Return the logits z (N, O) for images x (N, I) of pixels from 0 to 255, and a cache for each layer."""
    (w, b), *later_layers = parameters
    z = first_linear.forward(x, w, b)
    cache = [Cache(x, z)]
    for w, b in later_layers:
        h = relu.forward(z)
        z = linear.forward(h, w, b)
        cache.append(Cache(h, z))
    return z, cache


def backward(dz: Array, cache: Sequence[Cache], parameters: Parameters) -> Gradients:
    """Return the gradients, given dz (N, O), the derivative of the loss with respect to the logits.

    This is `forward` in reverse. Each pass turns the derivative with respect to its output into the derivatives with
    respect to its inputs; the relu turns dh of one layer into dz of the layer before. With two pixels (1 and 0.4 of
    white), one hidden unit and one output, you can follow every number. Forward, with the target 1 and the mean loss:

    >>> from tinygrad_mnist.arrays.layers import map_layers
    >>> from tinygrad_mnist.passes import mean_loss, sigmoid
    >>> x, t = np.array([[255.0, 102.0]]), np.array([[1.0]])
    >>> first, last = Layer(np.array([[0.5], [-0.25]]), np.array([0.1])), Layer(np.array([[2.0]]), np.array([-1.0]))
    >>> z, cache = forward(x, (first, last))
    >>> cache[0].z, cache[1].x, z  # 1 * 0.5 + 0.4 * -0.25 + 0.1, its relu, and 0.5 * 2 - 1
    (array([[0.5]]), array([[0.5]]), array([[0.]]))
    >>> p = sigmoid.forward(z)
    >>> p, mean_loss.forward(p, t)  # the distance from the target is 1 - 0.5
    (array([[0.5]]), np.float64(0.5))

    Backward, pass by pass:

    >>> dp = mean_loss.backward(p, t)  # (1 - 2 * 1) / 1
    >>> dz2 = sigmoid.backward(dp, p)  # -1 * 0.5 * (1 - 0.5)
    >>> dh, dw2, db2 = linear.backward(dz2, cache[1].x, last.w)  # -0.25 * 2, 0.5 * -0.25, -0.25
    >>> dz1 = relu.backward(dh, cache[0].z)  # z was positive
    >>> dw1, db1 = first_linear.backward(dz1, x)  # 1 * -0.5 and 0.4 * -0.5, -0.5
    >>> dp, dz2, dh, dz1
    (array([[-1.]]), array([[-0.25]]), array([[-0.5]]), array([[-0.5]]))
    >>> dw1.T, db1, dw2, db2
    (array([[-0.5, -0.2]]), array([-0.5]), array([[-0.125]]), array([-0.25]))

    All gradients are negative, so a step of gradient descent raises every parameter, and the loss falls:

    >>> gradients = backward(dz2, cache, (first, last))  # the same numbers
    >>> stepped = map_layers(lambda w, dw: w - 0.1 * dw, (first, last), gradients)
    >>> z, _ = forward(x, stepped)
    >>> mean_loss.forward(sigmoid.forward(z), t).round(4)
    np.float64(0.4382)
    """
    gradients = []
    for k in range(len(parameters) - 1, 0, -1):
        dh, dw, db = linear.backward(dz, cache[k].x, parameters[k].w)
        gradients.append(Layer(dw, db))
        dz = relu.backward(dh, cache[k - 1].z)
    dw, db = first_linear.backward(dz, cache[0].x)
    gradients.append(Layer(dw, db))
    return tuple(reversed(gradients))


def logits(images: Array, rows: Array, parameters: Parameters) -> Array:
    """Return the logits z (N, O) for the rows (N,) of images (M, I), computed in chunks to save memory."""
    return chunks.logits(forward, images, rows, parameters, CHUNK)
