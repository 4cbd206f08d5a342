"""ReLU: h = max(z, 0). What is negative becomes 0, what is positive stays: the bend between two linear passes.

Without it, two linear passes in a row would be one: (x w + b) v + c = x (w v) + (b v + c).
"""

from tinygrad_mnist.backend import Array, array_namespace, require_same_shape


def forward(z: Array) -> Array:
    """Return h, entry by entry. z is of any shape, and h has the same, each entry at least 0.

        h[i] = max(z[i], 0)

    >>> import numpy as np
    >>> forward(np.array([-2.0, 0.0, 3.0]))
    array([0., 0., 3.])
    """
    xp = array_namespace(z)
    # NumPy compares two arrays three times as fast as an array and a number.
    return xp.maximum(z, xp.zeros_like(z))


def backward(dh: Array, z: Array) -> Array:
    """Return dz, given dh: the derivative of the loss L by z, given that by h = forward(z).

    dh, z and dz have one shape; raises ValueError where dh and z do not. dh is finite: infinity times 0 is no number.

    Forward, by index (i stands for all indices of an entry):

        h[i] = max(z[i], 0)

    Where z[i] > 0, h[i] is z[i] itself, with slope 1. Where z[i] < 0, it is 0, with slope 0. At 0 there is a kink, with
    slope 0 to the left, 1 to the right, and none at the point; any value between them will do, and 0 is taken:

        ∂h[j]/∂z[i] = 1   where j = i and z[i] > 0,   0 elsewhere

    Chain rule, by index. L depends on z[i] through every h[j], but h[j] depends on z[i] only where j = i:

        dz[i] = ∂L/∂z[i] = sum_j ∂L/∂h[j] * ∂h[j]/∂z[i] = dh[i] * (1 where z[i] > 0,   0 elsewhere)

    In arrays, entry by entry:

        slope = xp.astype(z > 0, z.dtype)
        dz = dh * slope

    What was cut off on the way forward gets no blame on the way back:

    >>> import numpy as np
    >>> backward(np.array([5.0, 5.0, 5.0]), np.array([-2.0, 0.0, 3.0]))
    array([0., 0., 5.])
    """
    require_same_shape(dh=dh, z=z)
    xp = array_namespace(z)
    # A product, and no choice by xp.where: signs come in no order, and processors guess wrong every other time.
    slope = xp.astype(z > 0, z.dtype)
    dz = dh * slope
    return dz
