"""Tanh: `h = tanh(z)`, the hyperbolic tangent. It turns any number into one between -1 and 1.

It is the sigmoid stretched to this range: `h = 2 sigmoid(2 z) - 1`.
"""

from tinygrad_mnist.arrays.backend import Array, array_namespace
from tinygrad_mnist.arrays.shapes import require_same_shape


def forward(z: Array) -> Array:
    """Return h, entry by entry, from -1 to 1, for z of any shape.

        h[i] = (e^z[i] - e^-z[i]) / (e^z[i] + e^-z[i])

    The array's library computes it without these exponentials, which could overflow, and with full relative accuracy.

    >>> import numpy as np
    >>> forward(np.array([-1000.0, -1.0, 0.0, 1.0, 1000.0]))
    array([-1.        , -0.76159416,  0.        ,  0.76159416,  1.        ])
    """
    xp = array_namespace(z)
    return xp.tanh(z)


def backward(dh: Array, h: Array) -> Array:
    """Return dz, given dh, the derivative of the loss with respect to `forward(z)`.

    dh, h and dz have the same shape. Raises ValueError if dh and h do not.

    Forward, by index (i stands for all indices of an entry), with a numerator u and a denominator v:

        h[i] = u[i] / v[i],    let u[i] = e^z[i] - e^-z[i],    let v[i] = e^z[i] + e^-z[i]

    The derivative of e^z is e^z and that of e^-z is -e^-z. So each of the two is the other's derivative:

        ∂u[i]/∂z[i] = e^z[i] + e^-z[i] = v[i]

        ∂v[i]/∂z[i] = e^z[i] - e^-z[i] = u[i]

    By the rule for quotients, which is (∂u v - u ∂v) / v^2 for u/v:

        ∂h[i]/∂z[i] = (v[i] v[i] - u[i] u[i]) / v[i]^2 = 1 - (u[i] / v[i])^2 = 1 - h[i]^2

    Only h is needed, so z need not be kept.

    Chain rule, by index. L depends on z[i] through every h[j], but h[j] depends on z[i] only if j is i:

        dz[i] = ∂L/∂z[i] = sum_j ∂L/∂h[j] * ∂h[j]/∂z[i] = dh[i] * (1 - h[i]^2) = dh[i] * (1 - h[i]) * (1 + h[i])

    The product is more accurate than the difference with the square, because near ±1 the square would be rounded
    before the subtraction. In arrays, entry by entry:

        dz = dh * (1 - h) * (1 + h)

    The slope is 1 in the middle, four times that of the sigmoid, and vanishes in both tails. There h is so close to 1
    or -1 that 1 - h^2 loses digits: beyond 19 in float64 and 9 in float32 the computed slope is 0, while the true
    slope is about 4 e^(-2 |z|).

    >>> import numpy as np
    >>> h = forward(np.array([-1000.0, -1.0, 0.0, 1.0, 1000.0]))
    >>> backward(np.ones(5), h)
    array([0.        , 0.41997434, 1.        , 0.41997434, 0.        ])
    """
    require_same_shape(dh=dh, h=h)
    dz = dh * (1 - h) * (1 + h)
    return dz
