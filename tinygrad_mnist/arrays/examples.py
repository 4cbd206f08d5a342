"""Examples: images and their targets, to train on or to measure on."""

from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.arrays.backend import Array, array_namespace, asarray_like


class Examples(NamedTuple):
    """Images and their targets. Training runs on the device that they are on.

    Choosing some of the images does not copy them, because they may be larger than memory.
    """

    images: Array  # (M, I) bytes, from 0 (black) to 255 (white)
    rows: Array  # (N,) which of the images to use
    t: Array  # (N, O) the targets of these images, from 0 to 1

    def batches(self, order: NDArray[np.intp], size: int, dtype: str) -> Iterator["Batch"]:
        """Yield x (B, I) and t (B, O) of this dtype for all examples in an order (N,), `size` of them at a time."""
        xp, count = array_namespace(self.images), len(order)
        dtype, order = getattr(xp, dtype), asarray_like(order, self.images)
        rows, t = xp.take(self.rows, order, axis=0), xp.astype(xp.take(self.t, order, axis=0), dtype)
        for first in range(0, count, size):
            part = slice(first, min(first + size, count))
            # Pixels become floats one batch at a time: all at once, they would take four times the memory.
            yield xp.astype(xp.take(self.images, rows[part], axis=0), dtype), t[part, :]


Batch: TypeAlias = tuple[Array, Array]
"""x (B, I) and t (B, O), in the type of the training."""
