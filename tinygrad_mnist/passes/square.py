"""Square: `y = x^2`. The warm-up, whose derivative everybody knows: 2x."""

from tinygrad_mnist.arrays.backend import Array
from tinygrad_mnist.arrays.shapes import require_same_shape


def forward(x: Array) -> Array:
    """Return `y = x^2`, entry by entry, for x of any shape.

    >>> forward(3)
    9
    """
    return x * x


def backward(dy: Array, x: Array) -> Array:
    """Return dx, given dy, the derivative of the loss with respect to `forward(x)`.

    dy, x and dx have the same shape. Raises ValueError if dy and x do not.

    Forward, by index (i stands for all indices of an entry):

        y[i] = x[i]^2

    The slope of x^2, from its definition: `((x + h)^2 - x^2) / h = 2x + h`, which goes to 2x as h goes to 0:

        ∂y[j]/∂x[i] = 2 x[i] if j = i, 0 otherwise

    Chain rule, by index. L depends on x[i] through every y[j], so the effects add up:

        dx[i] = ∂L/∂x[i] = sum_j ∂L/∂y[j] * ∂y[j]/∂x[i] = dy[i] * 2 x[i]

    In arrays, entry by entry:

        dx = dy * 2 * x

    At 3, if L is y itself, so that dy is 1; and at [3, 4, 10], if L is the sum of the squares:

    >>> backward(1, 3)
    6
    >>> import numpy as np
    >>> x = np.array([3.0, 4.0, 10.0])
    >>> float(np.sum(forward(x)))
    125.0
    >>> backward(np.ones(3), x)
    array([ 6.,  8., 20.])
    """
    require_same_shape(dy=dy, x=x)
    dx = dy * 2 * x
    return dx
