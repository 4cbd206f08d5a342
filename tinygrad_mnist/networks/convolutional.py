"""The convolutional network: two convolutions, then dense layers, chained by hand, forward and then backward.

A convolution is patches, then linear: the same small weights look at every patch of an image. With images of 28 by 28
pixels, 16 and 64 features, 128 hidden units and ten digits:

    x (N, 784)                   the pixels of N images
      patches                    c (N, 12, 12, 25)      5 by 5 pixels, at every second row and column
      first linear, relu         h (N, 12, 12, 16)      16 features of each patch
      patches                    c (N, 4, 4, 400)       5 by 5 places with 16 features each
      linear, relu               h (N, 4, 4, 64)        64 features of each patch of features
      linear, relu               h (N, 128)             from all 1,024 of them
      linear                     z (N, 10)              the logits

This is the network of Simard, Steinkraus and Platt, Best practices for convolutional neural networks applied to visual
document analysis, 2003, which has 5 and 50 features and 100 hidden units. The stride of 2 takes the place of pooling.
Backward is the same list from the bottom to the top, with the backward of each pass.
"""

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tinygrad_mnist.arrays.backend import Array, array_namespace
from tinygrad_mnist.arrays.layers import Gradients, Layer, Parameters
from tinygrad_mnist.networks import chunks, dense
from tinygrad_mnist.passes import first_linear, linear, patches, relu

SIZE, STRIDE = 5, 2
"""The size of a patch, and the distance between two of them."""

CONVOLUTIONS = 2
"""The number of layers that are convolutions. All later ones are dense."""

CHUNK = 1000
"""How many images `logits` looks at at a time: their patches of features take 26 MB of float32 with 16 features."""


class Cache(NamedTuple):
    """What backward needs of a layer's forward pass."""

    x: Array  # (M, I): the input, with a row for each patch in a convolution and for each image in a dense layer
    z: Array  # (M, O): the output


def patch_counts(pixels: int) -> list[int]:
    """Return how many patches the images (H, W) and then the features have along each side: 12 and 4 for 784 pixels.

    Raises ValueError if the images are not square, or too small for two convolutions.
    """
    side = math.isqrt(pixels)
    counts = [side]
    for _ in range(CONVOLUTIONS):
        counts.append((counts[-1] - SIZE) // STRIDE + 1)
    if side * side != pixels or counts[-1] < 1:
        raise ValueError(f"a convolutional network needs square images of at least 13 by 13 pixels, not {pixels}")
    return counts[1:]


def weight_shapes(sizes: Sequence[int]) -> list[tuple[int, int]]:
    """Return the shapes of the weights for these sizes: pixels, features of both convolutions, hidden units, outputs.

    Raises ValueError if there are too few sizes, or as `patch_counts` does.

    >>> weight_shapes((784, 16, 64, 128, 10))
    [(25, 16), (400, 64), (1024, 128), (128, 10)]
    """
    if len(sizes) < CONVOLUTIONS + 2:
        raise ValueError(f"a convolutional network needs {CONVOLUTIONS} numbers of features")
    pixels, *features = sizes[: CONVOLUTIONS + 1]
    *_, last = patch_counts(pixels)
    convolutions = [(SIZE * SIZE * i, o) for i, o in itertools.pairwise((1, *features))]
    return convolutions + list(itertools.pairwise((last * last * features[-1], *sizes[CONVOLUTIONS + 1 :])))


def initialize(sizes: Sequence[int], rng: np.random.Generator, dtype: str) -> Parameters:
    """Return parameters on the host for `weight_shapes(sizes)`, drawn as `dense.draw` does."""
    return dense.draw(weight_shapes(sizes), rng, dtype)


def forward(x: Array, parameters: Parameters) -> tuple[Array, list[Cache]]:
    """Return the logits z (N, O) for images x (N, H*W) of pixels from 0 to 255, and a cache for each layer."""
    (w1, b1), (w2, b2), *later_layers = parameters
    xp, images = array_namespace(x), x.shape[0]
    first, second = patch_counts(x.shape[1])
    side = math.isqrt(x.shape[1])
    c = xp.reshape(patches.forward(xp.reshape(x, (images, side, side, 1)), SIZE, STRIDE), (-1, w1.shape[0]))
    z = first_linear.forward(c, w1, b1)
    cache = [Cache(c, z)]
    h = xp.reshape(relu.forward(z), (images, first, first, w1.shape[1]))
    c = xp.reshape(patches.forward(h, SIZE, STRIDE), (-1, w2.shape[0]))
    z = linear.forward(c, w2, b2)
    cache.append(Cache(c, z))
    z = xp.reshape(z, (images, second * second * w2.shape[1]))
    for w, b in later_layers:
        h = relu.forward(z)
        z = linear.forward(h, w, b)
        cache.append(Cache(h, z))
    return z, cache


def backward(dz: Array, cache: Sequence[Cache], parameters: Parameters) -> Gradients:
    """Return the gradients, given dz (N, O), the derivative of the loss with respect to the logits."""
    xp, images, gradients = array_namespace(dz), dz.shape[0], []
    for k in range(len(parameters) - 1, 1, -1):
        dh, dw, db = linear.backward(dz, cache[k].x, parameters[k].w)
        gradients.append(Layer(dw, db))
        dz = relu.backward(dh, xp.reshape(cache[k - 1].z, dh.shape))
    dz = xp.reshape(dz, cache[1].z.shape)
    dc, dw, db = linear.backward(dz, cache[1].x, parameters[1].w)
    gradients.append(Layer(dw, db))
    first, second = (math.isqrt(layer.z.shape[0] // images) for layer in cache[:2])
    dc = xp.reshape(dc, (images, second, second, dc.shape[1]))
    dh = patches.backward(dc, (images, first, first, cache[0].z.shape[1]), SIZE, STRIDE)
    dz = relu.backward(xp.reshape(dh, cache[0].z.shape), cache[0].z)
    dw, db = first_linear.backward(dz, cache[0].x)
    gradients.append(Layer(dw, db))
    return tuple(reversed(gradients))


def logits(images: Array, rows: Array, parameters: Parameters) -> Array:
    """Return the logits z (N, O) for the rows (N,) of images (M, I), computed in chunks to save memory."""
    return chunks.logits(forward, images, rows, parameters, CHUNK)
