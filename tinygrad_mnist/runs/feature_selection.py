"""Feature selection: a network is trained without the pixels that are black in all of its training images.

If pixel i is black, x[n,i] = 0 in every row n. It adds nothing to z, and dw[i,o] = sum_n x[n,i] s dz[n,o] = 0, so
nothing is ever learned about it. A network for the other pixels is trained instead, and afterwards its weights are
spread over all pixels, with zeros for the black ones. Of MNIST's 784 pixels, 640 are left for 3 and 7, and 717 for all
digits. This makes an epoch 7 to 10 % shorter.
"""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.arrays.layers import Layer, Parameters
from tinygrad_mnist.datasets.digits import Digits
from tinygrad_mnist.train import TrainingState

Mask: TypeAlias = NDArray[np.bool_]
"""(I,): whether each pixel of an image is selected."""


def visible_pixels(digits: Digits) -> Mask:
    """Return which pixels have ink in at least one image, or all pixels if every image is black."""
    mask: Mask = digits.images.reshape(len(digits.labels), -1).max(axis=0) > 0
    # A network needs inputs, even if all of them are black.
    return mask if mask.any() else ~mask


def selected_digits(digits: Digits, mask: Mask) -> Digits:
    """Return the digits with only the selected pixels, as images (N, 1, K)."""
    pixels = np.compress(mask, digits.pixels[digits.rows], axis=1)
    return Digits.of(pixels[:, np.newaxis, :], digits.labels)


def selected_state(state: TrainingState, mask: Mask) -> TrainingState:
    """Return a state on the host with the first layer's weights and velocities for the selected pixels only."""
    velocity = None if state.velocity is None else _selected(state.velocity, mask)
    return state._replace(parameters=_selected(state.parameters, mask), velocity=velocity)


def spread_state(state: TrainingState, mask: Mask) -> TrainingState:
    """Return a state on the host with the first layer's weights and velocities for all pixels, 0 for the others."""
    velocity = None if state.velocity is None else _spread(state.velocity, mask)
    return state._replace(parameters=_spread(state.parameters, mask), velocity=velocity)


def _selected(layers: Parameters, mask: Mask) -> Parameters:
    (w, b), *later_layers = layers
    return (Layer(w[mask], b), *later_layers)


def _spread(layers: Parameters, mask: Mask) -> Parameters:
    (w, b), *later_layers = layers
    spread = np.zeros((len(mask), w.shape[1]), w.dtype)
    spread[mask] = w
    return (Layer(spread, b), *later_layers)
