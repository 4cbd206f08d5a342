"""Examples: what is learned from, or measured on."""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from tinygrad_mnist.arrays.backend import Array


class Examples(NamedTuple):
    """Images and their targets. Training runs on the device that they are on.

    The images are not copied when some of them are chosen: there may be more than memory can hold.
    """

    images: Array  # (M, I) bytes, from 0 (black) to 255 (white)
    rows: Array  # (N,) which of the images to use
    t: Array  # (N, O) the targets of these, from 0 to 1


EpochTransform: TypeAlias = Callable[[Examples, int], Examples]
"""Returns the examples to train on in an epoch, given the original examples and the epoch's number from 1."""
