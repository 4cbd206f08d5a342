"""Mean loss: how far the predictions are from the targets, on average.

    p  (N, O)   predictions, from 0 to 1
    t  (N, O)   targets, 0 or 1
    L  ()       the mean over all N*O entries, from 0 (all right, and sure of it) to 1

This is the loss of the book's MNIST chapter; it is where the chain of derivatives starts.
"""

import math

from tinygrad_mnist.backend import Array, array_namespace, require_entries, require_same_shape
from tinygrad_mnist.passes import sigmoid


def forward(p: Array, t: Array) -> Array:
    """Return L, the mean distance of p from t.

        L = 1/n sum_i e[i],    e[i] = 1 - p[i] where t[i] = 1,   p[i] where t[i] = 0,    n = N*O

    Raises ValueError where p and t differ in shape (a broadcast would train, silently wrong),
    or have no entries (there is no mean of nothing).

    Howard and Gugger, Deep Learning for Coders, chapter 4: distances .1, .4 and .8, their mean .4333.

    >>> import numpy as np
    >>> p = np.array([[0.9], [0.4], [0.2]])
    >>> t = np.array([[1], [0], [1]])
    >>> round(float(forward(p, t)), 4)
    0.4333
    """
    require_same_shape(p=p, t=t)
    require_entries(p=p)
    xp = array_namespace(p)
    n = math.prod(p.shape)
    e = xp.where(t == 1, 1 - p, p)
    return xp.sum(e) / n


def backward(p: Array, t: Array) -> Array:
    """Return dp (N, O): the derivative of L by each prediction.

    The loss is where the chain starts, so nothing is handed in: ∂L/∂L = 1.

    Forward, by index (i runs over all n = N*O entries):

        L = 1/n sum_j e[j],    e[j] = 1 - p[j] where t[j] = 1,   p[j] where t[j] = 0

    p[i] occurs in the distance e[i] alone, with slope -1 where the target is 1, and 1 where it is 0.
    (The condition looks at t and never at p, so e has no kink.)

        ∂e[j]/∂p[i] = -1 where t[i] = 1,   1 where t[i] = 0,   for j = i;   0 elsewhere

    A target is 0 or 1, so for j = i both cases are 1 - 2 t[i].

    Chain rule, by index:

        dp[i] = ∂L/∂p[i] = sum_j ∂L/∂e[j] * ∂e[j]/∂p[i] = 1/n * (1 - 2 t[i])

    This 1/n is the mean over all entries. It stands here, and in no other pass.
    In arrays, with n the number of entries:

        dp = (1 - 2 * t) / n

    The book's three predictions: raising the first by h brings L down by h/3.

    >>> import numpy as np
    >>> p = np.array([[0.9], [0.4], [0.2]])
    >>> t = np.array([[1], [0], [1]])
    >>> backward(p, t)
    array([[-0.33333333],
           [ 0.33333333],
           [-0.33333333]])

    Raises ValueError as `forward` does.
    """
    require_same_shape(p=p, t=t)
    require_entries(p=p)
    xp = array_namespace(p)
    t = xp.astype(t, p.dtype)
    n = math.prod(p.shape)
    dp = (1 - 2 * t) / n
    return dp


def of_logits(z: Array, t: Array) -> tuple[Array, Array]:
    """Return L and dz (N, O) for the logits z (N, O): the sigmoid and this loss in one, forward and backward.

    It is what these four compute, in four fifths of their time, and what training takes:

        p = sigmoid.forward(z)
        L = forward(p, t)
        dp = backward(p, t)
        dz = sigmoid.backward(dp, p)

    Forward, by index. As 1 - sigmoid(z) = sigmoid(-z), both cases of the distance e are a sigmoid, that of s, the logit
    of being wrong:

        L = 1/n sum_j e[j],    e[j] = sigmoid(s[j]),    s[j] = -z[j] where t[j] = 1,   z[j] where t[j] = 0

    Both cases of s are (1 - 2 t) z. Chain rule, by index; e[j] depends on s[j] alone, with the slope e (1 - e) that is
    derived in sigmoid.py, and s[j] on z[j] alone, with slope 1 - 2 t[j]:

        dz[i] = ∂L/∂z[i] = sum_j ∂L/∂e[j] * ∂e[j]/∂s[j] * ∂s[j]/∂z[i] = 1/n * e[i] (1 - e[i]) * (1 - 2 t[i])

    The sigmoid's own page multiplies by e (1 - e) what it is handed, which is the rest of it.
    In arrays, with n the number of entries:

        slope = 1 - 2 * t
        e = sigmoid.forward(slope * z)
        dz = sigmoid.backward(slope / n, e)

    Where a prediction is sure and right, e keeps the digits that 1 - p may lose; where it is sure and wrong, 1 - e is
    what loses them, and dz ends in 0 as it does there.

    The book's three numbers as logits:

    >>> import numpy as np
    >>> loss, dz = of_logits(np.array([[0.9], [0.4], [0.2]]), np.array([[1], [0], [1]]))
    >>> round(float(loss), 6)
    0.445968
    >>> dz.round(6)
    array([[-0.0685  ],
           [ 0.080087],
           [-0.082506]])

    Raises ValueError as `forward` does.
    """
    require_same_shape(z=z, t=t)
    require_entries(z=z)
    xp = array_namespace(z)
    t = xp.astype(t, z.dtype)
    n = math.prod(z.shape)
    slope = 1 - 2 * t
    e = sigmoid.forward(slope * z)
    dz = sigmoid.backward(slope / n, e)
    return xp.sum(e) / n, dz
