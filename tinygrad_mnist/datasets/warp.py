"""How a plane is slanted, stretched and turned: for the points of a stroke as for the pixels of an image."""

from typing import Any

import numpy as np

Numbers = Any
"""Numbers, or arrays of them that broadcast together."""


def affine(
    x: Numbers, y: Numbers, turn: Numbers, slant: Numbers, wide: Numbers, tall: Numbers
) -> tuple[Numbers, Numbers]:
    """Return where the points (x, y) come to, about the origin: stretched and slanted first, then turned.

    turn is in radians, slant is sideways over upwards, wide and tall are factors; y points down, as rows do. It is
    linear: a sum of points comes to the sum of where each comes to.

    >>> affine(1.0, 0.0, turn=np.pi / 2, slant=0.0, wide=2.0, tall=1.0)[1].round(9)
    np.float64(2.0)
    """
    x, y = wide * x + slant * y, tall * y
    cos, sin = np.cos(turn), np.sin(turn)
    return x * cos - y * sin, x * sin + y * cos
