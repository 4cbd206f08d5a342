"""Examples: images and their targets, to train on or to measure on."""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from tinygrad_mnist.arrays.backend import Array


class Examples(NamedTuple):
    """Images and their targets. Training runs on the device that they are on.

    Choosing some of the images does not copy them, because they may be larger than memory.
    """

    images: Array  # (M, I) bytes, from 0 (black) to 255 (white)
    rows: Array  # (N,) which of the images to use
    t: Array  # (N, O) the targets of these images, from 0 to 1


Batch: TypeAlias = tuple[Array, Array]
"""x (B, I) and t (B, O), in the type of the training."""

EpochTransform: TypeAlias = Callable[[Examples, int], Examples]
"""Returns the examples to train on in an epoch, given the original examples and the epoch's number from 1."""
