"""Squared error: how far the predictions are from the targets, on average, with large distances weighted most.

    y  (N, O)   predictions: any numbers, and any shape
    t  (N, O)   targets, of the same shape
    L  ()       the mean over all N*O entries: 0 if every prediction is right, with no upper bound

This is the loss for numbers that are not probabilities, like the speed in the book's first example.
"""

import math

from tinygrad_mnist.arrays.backend import Array, array_namespace
from tinygrad_mnist.arrays.shapes import require_entries, require_same_shape


def forward(y: Array, t: Array) -> Array:
    """Return L, the mean of the squared distances of y from t.

        L = 1/n sum_i (y[i] - t[i])^2,    let n = N*O

    Raises ValueError if y and t have no entries or differ in shape (broadcasting would compare predictions with the
    wrong targets).

    The distances are 1, 0 and -3, and the mean of their squares is (1 + 0 + 9) / 3:

    >>> import numpy as np
    >>> forward(np.array([[5.0], [2.0], [1.0]]), np.array([[4.0], [2.0], [4.0]])).round(4)
    np.float64(3.3333)
    """
    require_same_shape(y=y, t=t)
    require_entries(y=y)
    xp = array_namespace(y)
    t = xp.astype(t, y.dtype, copy=False)
    return xp.mean((y - t) ** 2)


def backward(y: Array, t: Array) -> Array:
    """Return dy, the derivative of L with respect to each prediction. It has the shape of y.

    The chain starts at L, so there is no derivative to pass in: `∂L/∂L = 1`.

    Forward, by index (i and j run over all n entries), with the distances e:

        L = 1/n sum_j e[j]^2,    let e[j] = y[j] - t[j]

    The slope of e^2 is 2 e, as derived in square.py. Each square occurs once in L, multiplied by 1/n:

        ∂L/∂e[j] = 1/n * 2 e[j]

    y[i] occurs only in e[i], multiplied by 1:

        ∂e[j]/∂y[i] = 1 if j = i, 0 otherwise

    Chain rule, by index:

        dy[i] = ∂L/∂y[i] = sum_j ∂L/∂e[j] * ∂e[j]/∂y[i] = 1/n * 2 e[i] = 2/n (y[i] - t[i])

    This 1/n comes from the mean over all entries. It appears in the losses and in no other pass.
    In arrays, with n the number of entries:

        dy = 2 * (y - t) / n

    The distances 1, 0 and -3 from `forward`. The gradient grows with the distance:

    >>> import numpy as np
    >>> backward(np.array([[5.0], [2.0], [1.0]]), np.array([[4.0], [2.0], [4.0]])).T
    array([[ 0.66666667,  0.        , -2.        ]])

    Raises ValueError as `forward` does.
    """
    require_same_shape(y=y, t=t)
    require_entries(y=y)
    xp = array_namespace(y)
    t = xp.astype(t, y.dtype, copy=False)
    n = math.prod(y.shape)
    dy = 2 * (y - t) / n
    return dy
