"""Sigmoid: `p = 1 / (1 + e^-z)`. It turns any number into one between 0 and 1."""

from tinygrad_mnist.arrays.backend import Array, array_namespace
from tinygrad_mnist.arrays.shapes import require_same_shape


def forward(z: Array) -> Array:
    """Return p, entry by entry, from 0 to 1, for z of any shape.

        p[i] = 1 / (1 + e^-z[i])

    At -1000, e^-z is too large for any float. Multiplying numerator and denominator by e^z gives the same p from
    an exponential that is small:

        p[i] = e^z[i] / (e^z[i] + 1)

    The first form is used for z from 0 up, the second below. The numerator is 1 or e^z, which is e^min(z, 0). The
    denominator is 1 + e^-z or e^z + 1, which is 1 + e^-|z|. So one line covers both forms:

        p[i] = e^min(z[i], 0) / (1 + e^-|z[i]|)

    No exponential exceeds 1, and p keeps its full relative accuracy even where it is close to 0.

    >>> import numpy as np
    >>> forward(np.array([-1000.0, -2.0, 0.0, 2.0, 1000.0]))
    array([0.        , 0.11920292, 0.5       , 0.88079708, 1.        ])
    >>> float(forward(np.array(-700.0)))  # doctest: +ELLIPSIS
    9.8596765437597...e-305
    """
    xp = array_namespace(z)
    # -|z| is the smaller of z and -z. Written this way, it is differentiable for complex numbers, as the checker needs.
    return xp.exp(xp.minimum(z, 0)) / (1 + xp.exp(xp.minimum(z, -z)))


def backward(dp: Array, p: Array) -> Array:
    """Return dz, given dp, the derivative of the loss with respect to `forward(z)`.

    dp, p and dz have the same shape. Raises ValueError if dp and p do not.

    Forward, by index (i stands for all indices of an entry):

        p[i] = 1 / (1 + e^-z[i])

    Its derivative, by the rule `∂(1/u)/∂u = -1/u^2`, for a u of 1 + e^-z, with `∂(1 + e^-z[i])/∂z[i] = -e^-z[i]`:

        ∂p[i]/∂z[i] = e^-z[i] / (1 + e^-z[i])^2
                    = 1 / (1 + e^-z[i])  *  e^-z[i] / (1 + e^-z[i])
                    = p[i]               *  (1 - p[i])

    The last step holds because `1 - p = (1 + e^-z - 1) / (1 + e^-z)`. Only p is needed, so z need not be kept.

    Chain rule, by index. L depends on z[i] through every p[j], but p[j] depends on z[i] only if j is i:

        dz[i] = ∂L/∂z[i] = sum_j ∂L/∂p[j] * ∂p[j]/∂z[i] = dp[i] * p[i] * (1 - p[i])

    In arrays, entry by entry:

        dz = dp * p * (1 - p)

    The slope p (1 - p) is 1/4 in the middle and vanishes in both tails. For large negative z it keeps its full
    relative accuracy. For large positive z, p is so close to 1 that 1 - p loses digits: beyond 37 in float64 and
    17 in float32 the computed slope is 0, while the true slope is about e^-z.

    >>> import numpy as np
    >>> p = forward(np.array([-1000.0, -2.0, 0.0, 2.0, 1000.0]))
    >>> backward(np.ones(5), p)
    array([0.        , 0.10499359, 0.25      , 0.10499359, 0.        ])
    """
    require_same_shape(dp=dp, p=p)
    dz = dp * p * (1 - p)
    return dz
