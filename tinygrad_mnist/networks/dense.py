"""The network: passes chained by hand, forward and then backward in reverse.

    x --linear--> z --relu--> h --linear--> z --relu--> h --linear--> z --loss with t--> L
       <-linear-- dz <-relu-- dh <-linear-- dz <-relu-- dh <-linear-- dz <---- loss ---- 1

The upper line is read from left to right, the lower one from right to left. There may be any number of hidden layers
(linear, then relu), and none: then it is linear and loss alone.
"""

import itertools
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

from tinygrad_mnist.backend import Array, array_namespace, beside
from tinygrad_mnist.passes import cross_entropy, linear, mean_loss, relu, sigmoid

ROWS_AT_ONCE = 4096
"""How many images `predict` widens to floats at once: 12 MB of float32, whatever the data set's size."""

BRIGHTEST = 255
"""Images hold bytes from 0 to 255. Networks are trained for pixels from 0 to 1."""


class Layer(NamedTuple):
    """What a linear pass learns; or the derivative of the loss by that, in the same places."""

    w: Array  # (I, O)
    b: Array  # (O,)


Parameters: TypeAlias = tuple[Layer, ...]
"""What a network learns: the hidden layers in their order, then the one whose outputs are the logits."""

Gradients: TypeAlias = tuple[Layer, ...]
"""The derivative of the loss by each parameter, shaped and typed as it, in the parameter's place."""


class Rate(NamedTuple):
    """How far a layer's weights and biases go down their slopes in a step."""

    w: float
    b: float


Rates: TypeAlias = tuple[Rate, ...]
"""The learning rates of all layers, in their order."""


class Passed(NamedTuple):
    """What a linear pass was given on the way forward, and what it gave: all that the way back needs."""

    x: Array  # (N, I): the images in the first layer, h of the layer before in the others
    z: Array  # (N, O): the logits in the last layer


Loss: TypeAlias = Callable[[Array, Array], tuple[Array, Array]]
"""Turns logits z (N, O) and targets t (N, O) into L and dz (N, O): here the chain turns from forward to backward."""


def entropy(z: Array, t: Array) -> tuple[Array, Array]:
    """Return L and dz of the cross-entropy, which has its sigmoid within."""
    return cross_entropy.forward(z, t), cross_entropy.backward(z, t)


LOSSES: dict[str, Loss] = {"mean": mean_loss.of_logits, "cross-entropy": entropy}
"""The losses by their names."""


def initialise(sizes: Sequence[int], rng: np.random.Generator, dtype: str) -> Parameters:
    """Return parameters on the host for layers of these sizes, inputs first: random weights, no biases.

    Weights are normal. Their variance is 1/I where the loss follows, so that z starts with the mean square of what the
    layer is given, and no sigmoid is saturated (LeCun and others, Efficient BackProp, 1998, section 4.6). It is 2/I
    where a relu follows, which lets half of that through (He and others, Delving deep into rectifiers, 2015,
    section 2.2).
    """
    layers = []
    for number, (inputs, outputs) in enumerate(itertools.pairwise(sizes), start=1):
        variance = (1 if number == len(sizes) - 1 else 2) / inputs
        w = rng.standard_normal((inputs, outputs)) * np.sqrt(variance)
        layers.append(Layer(w.astype(dtype), np.zeros(outputs, dtype)))
    return tuple(layers)


def forward(x: Array, parameters: Parameters) -> list[Passed]:
    """Return what passed through each layer for x (N, I); the last one's z (N, O) are the logits."""
    passed = []
    for w, b in parameters[:-1]:
        z = linear.forward(x, w, b)
        passed.append(Passed(x, z))
        x = relu.forward(z)
    w, b = parameters[-1]
    z = linear.forward(x, w, b)
    passed.append(Passed(x, z))
    return passed


def backward(dz: Array, passed: Sequence[Passed], parameters: Parameters) -> Gradients:
    """Return the gradients, given dz (N, O) by the logits and what passed on the way forward.

    The chain of `forward` in reverse: each pass turns the derivative by its output into those by its inputs.
    """
    gradients = []
    for k in range(len(parameters) - 1, 0, -1):
        dh, dw, db = linear.backward(dz, passed[k].x, parameters[k].w)
        gradients.append(Layer(dw, db))
        dz = relu.backward(dh, passed[k - 1].z)
    dw, db = linear.backward_to_parameters(dz, passed[0].x)
    gradients.append(Layer(dw, db))
    return tuple(reversed(gradients))


def for_bytes(parameters: Parameters) -> Parameters:
    """Return the parameters that do with bytes from 0 to 255 what these do with pixels from 0 to 1.

    (x / 255) w + b = x (w / 255) + b, and there are far fewer weights to divide than pixels.
    """
    (w, b), *others = parameters
    return (Layer(w * (1 / BRIGHTEST), b), *others)


def for_pixels(parameters: Parameters) -> Parameters:
    """Return the parameters that do with pixels from 0 to 1 what these do with bytes: `for_bytes` undone."""
    (v, b), *others = parameters
    return (Layer(v * BRIGHTEST, b), *others)


def of_ink(layers: Parameters, inked: Array | None) -> Parameters:
    """Return the layers without the weights of paper: of the first w (I, O) the rows (K, O) where `inked` (I,) is true.

    A pixel i that is paper in all N images has x[n,i] = 0 in every row. It adds x[n,i] w[i,o] = 0 to z[n,o], and

        dw[i,o] = sum_n x[n,i] dz[n,o] = 0

    so that its weights do nothing, and where they are at rest they stay what they are. Without them the products are
    smaller, and the same. Where `inked` is None, all pixels are.
    """
    if inked is None:
        return layers
    (w, b), *others = layers
    return (Layer(w[inked], b), *others)


def with_paper(layers: Parameters, before: Array, inked: Array | None) -> Parameters:
    """Return the layers with the weights of paper again, as they stand in the first w `before` (I, O)."""
    if inked is None:
        return layers
    (w, b), *others = layers
    whole = array_namespace(before).asarray(before, copy=True)
    whole[inked] = w
    return (Layer(whole, b), *others)


def rates_for_bytes(learning_rate: float, layers: int) -> Rates:
    """Return the rates with which so many layers for bytes learn what layers for pixels do with `learning_rate`.

    L depends on w through v = w / 255, so dw = dv / 255. A step takes w to w - r dw, and v with it:

        v = w / 255   goes to   (w - r dw) / 255 = v - r / 255 * dv / 255 = v - (r / 255^2) dv
    """
    first = Rate(learning_rate / BRIGHTEST**2, learning_rate)
    return (first, *[Rate(learning_rate, learning_rate)] * (layers - 1))


# Weights may be so large that logits overflow: then they are infinite, and still say which digit.
@np.errstate(over="ignore", invalid="ignore")
def predict(images: Array, rows: Array, parameters: Parameters) -> Array:
    """Return logits z (N, O) for the rows (N,) of images (M, I) of bytes, a part at a time: memory stays small."""
    xp = array_namespace(images)
    count, dtype, scaled = rows.shape[0], parameters[0].w.dtype, for_bytes(parameters)
    starts = range(0, max(count, 1), ROWS_AT_ONCE)
    parts = (xp.take(images, rows[start : min(start + ROWS_AT_ONCE, count)], axis=0) for start in starts)
    return xp.concat([forward(xp.astype(part, dtype), scaled)[-1].z for part in parts])


def targets(labels: Array, digits: Sequence[int]) -> Array:
    """Return t for labels (N,): of two digits (N, 1), 1 for the first; of more (N, O), 1 in the column of its own.

    >>> targets(np.array([3, 7, 7]), (3, 7)).T
    array([[1, 0, 0]], dtype=uint8)
    >>> targets(np.array([2, 0]), (0, 1, 2))
    array([[0, 0, 1],
           [1, 0, 0]], dtype=uint8)
    """
    xp = array_namespace(labels)
    columns = digits[:1] if len(digits) == 2 else digits
    return xp.stack([xp.astype(labels == digit, xp.uint8) for digit in columns], axis=1)


def decide(z: Array, digits: Sequence[int]) -> Array:
    """Return the digit (N,) that logits z (N, O) stand for, of the digits that `targets` was given.

    Of two digits it is the first where z > 0, which is where p > 1/2; of more, the one with the largest z.

    >>> decide(np.array([[0.9], [-0.1], [0.0]]), (3, 7))
    array([3, 7, 7])
    """
    xp = array_namespace(z)
    position = xp.argmax(z, axis=1) if len(digits) > 2 else xp.astype(z[:, 0] <= 0, xp.int64)
    return xp.take(beside(np.asarray(digits), like=z), position, axis=0)


def certainty(z: Array) -> Array:
    """Return how probable the digit that `decide` says is, p (N,), from 0 to 1, given the logits z (N, O).

    Of two digits, the first has probability p = 1 / (1 + e^-z), and the second 1 - p = 1 / (1 + e^z): the one that is
    said has the sign of z on its side, and so the sigmoid of |z|. Of more, it has the sigmoid of its z, the largest.

    >>> certainty(np.array([[0.0], [-2.0], [2.0]]))
    array([0.5       , 0.88079708, 0.88079708])
    """
    xp = array_namespace(z)
    return sigmoid.forward(xp.abs(z[:, 0]) if z.shape[1] == 1 else xp.max(z, axis=1))
