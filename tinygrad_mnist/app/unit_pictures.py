"""The units of a network's first layer, and their weights as pictures."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist import metrics
from tinygrad_mnist.errors import CheckpointError
from tinygrad_mnist.runs.checkpoint import Checkpoint


def strongest_units(checkpoint: Checkpoint, count: int) -> tuple[NDArray[np.intp], list[str], NDArray[Any]]:
    """Return at most `count` units (K,) of the first layer, their names, and their weights (K, H, W) as pictures.

    The hidden units with the strongest weights in the next layer come first; without a hidden layer, the outputs in
    their order. Raises CheckpointError if the network was trained on images that are not square.
    """
    pixels, (first, *later_layers) = len(checkpoint.parameters[0].w), checkpoint.parameters
    side = math.isqrt(pixels)  # of an image, or of a patch
    if side**2 != pixels:
        raise CheckpointError(
            f"{checkpoint.name} was trained on images of {pixels} pixels, and only square ones can be shown."
        )
    next_w = later_layers[0].w if later_layers else first.w.T
    # In a convolution, each feature has a row of weights for each place in a patch.
    next_w = next_w.reshape(-1, first.w.shape[1], next_w.shape[1]).transpose(1, 0, 2).reshape(first.w.shape[1], -1)
    units = metrics.strongest_units(next_w) if later_layers else np.arange(first.w.shape[1])
    units = units[:count]
    return units, _names(checkpoint, units), first.w.T[units].reshape(-1, side, side)


def _names(checkpoint: Checkpoint, units: NDArray[np.intp]) -> list[str]:
    digits, later_layers = checkpoint.digits, checkpoint.parameters[1:]
    if not later_layers:
        return [f"{digits[0]} against {digits[1]}"] if len(digits) == 2 else [f"digit {digits[unit]}" for unit in units]
    if len(later_layers) > 1:
        return [f"{'feature' if checkpoint.settings.features else 'unit'} {unit}" for unit in units]
    # A unit's weights in the last layer are the logits that it contributes.
    supported = metrics.classify(later_layers[0].w[units], digits)
    return [f"unit {unit}, for {digit}" for unit, digit in zip(units, supported, strict=True)]
