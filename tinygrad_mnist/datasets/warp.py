"""The affine map of the plane, for the points of a drawn stroke and for the pixels of an image."""

from typing import Any

import numpy as np

Numbers = Any
"""Numbers, or arrays that can be broadcast together."""


def affine(
    x: Numbers, y: Numbers, angle: Numbers, slant: Numbers, x_scale: Numbers, y_scale: Numbers
) -> tuple[Numbers, Numbers]:
    """Return the images of the points (x, y): scaled and slanted first, then rotated, all about the origin.

    y points down, as the rows of an image do. angle is in radians, from x toward y. slant is the shift of x per unit of
    y. The map is linear: the image of a sum of points is the sum of their images.

    >>> affine(1.0, 0.0, angle=np.pi / 2, slant=0.0, x_scale=2.0, y_scale=1.0)[1].round(9)
    np.float64(2.0)
    """
    x, y = x_scale * x + slant * y, y_scale * y
    cos, sin = np.cos(angle), np.sin(angle)
    return x * cos - y * sin, x * sin + y * cos
