"""Mean loss: how far the predictions are from the targets, on average.

    p  (N, O)   predictions, from 0 to 1
    t  (N, O)   targets, from 0 to 1; 0 or 1 unless labels are uncertain
    L  ()       the mean over all N*O entries, from 0 (every prediction certain and right) to 1

This is the loss of the book's MNIST chapter. The chain of derivatives starts here.
"""

import math

from tinygrad_mnist.arrays.backend import Array, array_namespace
from tinygrad_mnist.arrays.shapes import require_entries, require_same_shape


def forward(p: Array, t: Array) -> Array:
    """Return L, the mean distance of p from t.

        L = 1/n sum_i e[i],    let e[i] = t[i] + (1 - 2 t[i]) p[i],    let n = N*O

    So `e[i] = 1 - p[i] if t[i] = 1, p[i] if t[i] = 0`. A target in between is the probability that the label is 1,
    and `e[i] = t[i] (1 - p[i]) + (1 - t[i]) p[i]` is the expected distance.

    Raises ValueError if p and t have no entries or differ in shape (broadcasting would compare predictions with the
    wrong targets).

    Howard and Gugger, Deep Learning for Coders, chapter 4: the distances are .1, .4 and .8, and their mean is .4333.

    >>> import numpy as np
    >>> p = np.array([[0.9], [0.4], [0.2]])
    >>> t = np.array([[1], [0], [1]])
    >>> round(float(forward(p, t)), 4)
    0.4333
    """
    require_same_shape(p=p, t=t)
    require_entries(p=p)
    xp = array_namespace(p)
    t = xp.astype(t, p.dtype, copy=False)
    n = math.prod(p.shape)
    return xp.sum(t + (1 - 2 * t) * p) / n


def backward(p: Array, t: Array) -> Array:
    """Return dp (N, O), the derivative of L with respect to each prediction.

    The chain starts at L, so there is no derivative to pass in: `∂L/∂L = 1`.

    Forward, by index (i and j run over all N*O entries):

        L = 1/n sum_j e[j],    e[j] = t[j] + (1 - 2 t[j]) p[j]

    p[i] occurs only in the distance e[i], multiplied by 1 - 2 t[i]:

        ∂e[j]/∂p[i] = 1 - 2 t[i] if j = i, 0 otherwise

    That is -1 if the target is 1, and 1 if it is 0. Chain rule, by index:

        dp[i] = ∂L/∂p[i] = sum_j ∂L/∂e[j] * ∂e[j]/∂p[i] = 1/n * (1 - 2 t[i])

    This 1/n comes from the mean over all entries. It appears in the losses and in no other pass.
    In arrays, with n the number of entries:

        dp = (1 - 2 * t) / n

    The book's three predictions: raising the first by h lowers L by h/3.

    >>> import numpy as np
    >>> p = np.array([[0.9], [0.4], [0.2]])
    >>> t = np.array([[1], [0], [1]])
    >>> backward(p, t).T
    array([[-0.33333333,  0.33333333, -0.33333333]])

    Raises ValueError as `forward` does.
    """
    require_same_shape(p=p, t=t)
    require_entries(p=p)
    xp = array_namespace(p)
    t = xp.astype(t, p.dtype, copy=False)
    n = math.prod(p.shape)
    dp = (1 - 2 * t) / n
    return dp
