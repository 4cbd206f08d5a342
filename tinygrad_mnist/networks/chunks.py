"""Chunks of images: the logits of many images, computed for a few of them at a time."""

from collections.abc import Callable, Sequence

import numpy as np

from tinygrad_mnist.arrays.backend import Array, array_namespace
from tinygrad_mnist.arrays.layers import Parameters

Forward = Callable[[Array, Parameters], tuple[Array, Sequence[object]]]
"""Returns the logits z (N, O) for images x (N, I), and a cache."""


# Weights may be so large that logits overflow. Infinite logits still predict a digit.
@np.errstate(over="ignore", invalid="ignore")
def logits(forward: Forward, images: Array, rows: Array, parameters: Parameters, chunk: int) -> Array:
    """Return the logits z (N, O) for the rows (N,) of images (M, I), from calls of `forward` with `chunk` images."""
    xp = array_namespace(images)
    count, dtype = rows.shape[0], parameters[0].w.dtype
    chunks = [rows[start : min(start + chunk, count)] for start in range(0, max(count, 1), chunk)]
    return xp.concat([forward(xp.astype(xp.take(images, part, axis=0), dtype), parameters)[0] for part in chunks])
