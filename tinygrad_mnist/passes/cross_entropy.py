"""Cross-entropy: how surprised one is by the targets, who believes the predictions. From logits, sigmoid included.

    z  (N, O)   logits: any numbers; the prediction that they stand for is p = sigmoid(z)
    t  (N, O)   targets, 0 or 1
    L  ()       the mean over all N*O entries, from 0 (sure, and right) without end (sure, and wrong)

It is not the loss that counts mistakes, but its gradient is the better teacher: see the end of `backward`.
"""

import math

from tinygrad_mnist.backend import Array, array_namespace, require_entries, require_same_shape
from tinygrad_mnist.passes import sigmoid


def forward(z: Array, t: Array) -> Array:
    """Return L, the mean surprise at t.

        L = 1/n sum_i e[i],    e[i] = -log p[i] where t[i] = 1,   -log (1 - p[i]) where t[i] = 0,    n = N*O

    p is never computed. With 1 - sigmoid(z) = sigmoid(-z), both are one formula in s, the logit of being wrong:

        e[i] = -log sigmoid(-s[i]) = log (1 + e^s[i]),    s[i] = -z[i] where t[i] = 1,   z[i] where t[i] = 0

    and where s is large, e^s is taken out of the sum, so that no exponential exceeds 1:

        log (1 + e^s) = max(s, 0) + log (1 + e^-|s|)

    Raises ValueError where z and t differ in shape or are empty.

    Undecided, one is surprised by log 2; sure and wrong, by the logit itself:

    >>> import numpy as np
    >>> forward(np.array([[0.0]]), np.array([[1]])).round(4)
    np.float64(0.6931)
    >>> forward(np.array([[700.0]]), np.array([[0]]))
    np.float64(700.0)
    """
    require_same_shape(z=z, t=t)
    require_entries(z=z)
    xp = array_namespace(z)
    s = xp.where(t == 1, -z, z)
    # -|s| is the smaller of s and -s: so written, it has a slope for complex numbers too, which a proof needs.
    return xp.mean(xp.maximum(s, 0) + xp.log1p(xp.exp(xp.minimum(s, -s))))


def backward(z: Array, t: Array) -> Array:
    """Return dz (N, O): the derivative of L by each logit.

    The loss is where the chain starts, so nothing is handed in: ∂L/∂L = 1.

    Forward, by index (i runs over all n = N*O entries):

        L = 1/n sum_j e[j],    e[j] = -log p[j] where t[j] = 1,   -log (1 - p[j]) where t[j] = 0,    p = sigmoid(z)

    The slope of the sigmoid is ∂p/∂z = p (1 - p), derived in sigmoid.py, and that of log u is 1/u. Where t[i] = 1:

        ∂e[i]/∂z[i] = -1/p[i] * p[i] (1 - p[i]) = p[i] - 1

    and where t[i] = 0, with ∂(1 - p)/∂p = -1:

        ∂e[i]/∂z[i] = 1/(1 - p[i]) * p[i] (1 - p[i]) = p[i] - 0

    Both are p[i] - t[i]. Chain rule, by index; e[j] depends on z[i] only where j = i:

        dz[i] = ∂L/∂z[i] = sum_j ∂L/∂e[j] * ∂e[j]/∂z[i] = 1/n * (p[i] - t[i])

    This 1/n is the mean over all entries. It stands in the loss, and in no other pass.
    In arrays, with n the number of entries:

        dz = (p - t) / n

    Why this loss teaches better: the slope of the sigmoid has cancelled. A prediction that is sure and wrong, p near 1
    where t = 0, is pushed with all force here, where the mean loss, whose dz is p (1 - p) / n, hardly moves it:

    >>> import numpy as np
    >>> z, t = np.array([[0.0], [5.0], [10.0], [20.0]]), np.zeros((4, 1))
    >>> p = sigmoid.forward(z)
    >>> for logit, here, there in zip(z.ravel(), backward(z, t).ravel(), (p * (1 - p) / 4).ravel()):
    ...     print(f"z = {logit:2.0f}   cross-entropy {here:.9f}   mean loss {there:.9f}")
    z =  0   cross-entropy 0.125000000   mean loss 0.062500000
    z =  5   cross-entropy 0.248326787   mean loss 0.001662014
    z = 10   cross-entropy 0.249988651   mean loss 0.000011349
    z = 20   cross-entropy 0.249999999   mean loss 0.000000001

    Raises ValueError as `forward` does.
    """
    require_same_shape(z=z, t=t)
    require_entries(z=z)
    xp = array_namespace(z)
    p = sigmoid.forward(z)
    t = xp.astype(t, p.dtype)
    n = math.prod(z.shape)
    dz = (p - t) / n
    return dz
