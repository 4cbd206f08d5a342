"""Curves as pictures, small enough for a terminal."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.chapter.section import Picture

HEIGHT, WIDTH = 24, 58
"""Pixels, two of which a terminal draws one above the other: twelve lines within 60 columns."""

Points = tuple[NDArray[np.float64], NDArray[np.float64]]
"""x and y, each (N,)."""


def plot(caption: str, curves: Sequence[Points]) -> Picture:
    """Return points of all the curves in one picture, whose sides are their smallest and largest x and y."""
    xs, ys = (np.concatenate([curve[axis] for curve in curves]) for axis in (0, 1))
    image = np.zeros((HEIGHT, WIDTH), np.uint8)
    image[HEIGHT - 1 - _place(ys, HEIGHT), _place(xs, WIDTH)] = 255
    return Picture(caption, image)


def _place(values: NDArray[np.float64], size: int) -> NDArray[np.int64]:
    """Return where along a side of so many pixels the values lie: the smallest on the first, the largest on the last.

    >>> _place(np.array([0.0, 5.0, 10.0]), 11)
    array([ 0,  5, 10])
    """
    least, most = values.min(), values.max()
    place: NDArray[np.int64] = np.round((values - least) / (most - least) * (size - 1)).astype(np.int64)
    return place
