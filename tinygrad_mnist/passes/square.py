"""Square: y = x^2. The warm-up, with a derivative that everybody knows: 2x."""

from tinygrad_mnist.backend import Array, require_same_shape


def forward(x: Array) -> Array:
    """Return y = x^2, entry by entry. x is of any shape, and y has the same.

    >>> forward(3)
    9
    """
    return x * x


def backward(dy: Array, x: Array) -> Array:
    """Return dx, given dy: the derivative of the loss L by x, given that by y.

    dy, x and dx have one shape; raises ValueError where dy and x do not.

    Forward, by index (i stands for all indices of an entry):

        y[i] = x[i]^2

    The slope of x^2, from its definition: ((x + h)^2 - x^2) / h = 2x + h, and h goes to 0:

        ∂y[j]/∂x[i] = 2 x[i]   where j = i,   0 elsewhere (no entry feeds another one)

    Chain rule, by index. L depends on x[i] through every y[j], so the effects add up:

        dx[i] = ∂L/∂x[i] = sum_j ∂L/∂y[j] * ∂y[j]/∂x[i] = dy[i] * 2 x[i]

    In arrays, entry by entry:

        dx = dy * 2 * x

    At x = 3 with L = y itself, so dy = 1: the slope of x^2 at 3. And L = sum of x^2 at [3, 4, 10]:

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
