"""ReLU: `h = max(z, 0)`. Negative numbers become 0 and positive ones do not change: the bend between two linear passes.

Without it, two linear passes in a row would be one: `(x w + b) v + c = x (w v) + (b v + c)`.
"""

from tinygrad_mnist.arrays.backend import Array, array_namespace
from tinygrad_mnist.arrays.shapes import require_same_shape


def forward(z: Array) -> Array:
    """Return h, entry by entry, for z of any shape. No entry of h is below 0.

        h[i] = max(z[i], 0)

    >>> import numpy as np
    >>> forward(np.array([-2.0, 0.0, 3.0]))
    array([0., 0., 3.])
    """
    xp = array_namespace(z)
    # In NumPy, the maximum of two arrays is three times as fast as that of an array and a number.
    return xp.maximum(z, xp.zeros_like(z))


def backward(dh: Array, z: Array) -> Array:
    """Return dz, given dh, the derivative of the loss with respect to `forward(z)`.

    dh, z and dz have the same shape. Raises ValueError if dh and z do not. dh must be finite: inf times 0 is NaN.

    Forward, by index (i stands for all indices of an entry):

        h[i] = max(z[i], 0)

    If z[i] > 0, h[i] is z[i] itself, with slope 1. If z[i] < 0, it is 0, with slope 0. At 0 there is a kink: the slope
    is 0 on the left and 1 on the right, and undefined at 0 itself. Any value from 0 to 1 would do; we use 0:

        ∂h[j]/∂z[i] = 1 if j = i and z[i] > 0, 0 otherwise

    Chain rule, by index. L depends on z[i] through every h[j], but h[j] depends on z[i] only if j is i:

        dz[i] = ∂L/∂z[i] = sum_j ∂L/∂h[j] * ∂h[j]/∂z[i] = dh[i] * (1 if z[i] > 0, 0 otherwise)

    In arrays, entry by entry:

        slope = xp.astype(z > 0, z.dtype)
        dz = dh * slope

    Entries that forward sets to 0 get a gradient of 0:

    >>> import numpy as np
    >>> backward(np.array([5.0, 5.0, 5.0]), np.array([-2.0, 0.0, 3.0]))
    array([0., 0., 5.])
    """
    require_same_shape(dh=dh, z=z)
    xp = array_namespace(z)
    # A product is faster than xp.where: the signs follow no pattern that a processor could predict.
    slope = xp.astype(z > 0, z.dtype)
    dz = dh * slope
    return dz
