"""Cross-entropy: how improbable the predictions make the targets. It takes logits, and includes the sigmoid.

    z  (N, O)   logits: any numbers; each stands for a prediction: let `p = sigmoid(z)`
    t  (N, O)   targets, from 0 to 1; 0 or 1 unless labels are uncertain
    L  ()       the mean over all N*O entries: 0 if right and certain, with no upper bound if wrong and certain

Its gradient stays large while a prediction is wrong: the end of `backward` compares it with that of the mean loss.
"""

import math

from tinygrad_mnist.arrays.backend import Array, array_namespace
from tinygrad_mnist.arrays.shapes import require_entries, require_same_shape
from tinygrad_mnist.passes import sigmoid


def forward(z: Array, t: Array) -> Array:
    """Return L, the mean of the negative logarithms of the probabilities that p gives to the targets.

        L = 1/n sum_i e[i],    let e[i] = -(t[i] log p[i] + (1 - t[i]) log(1 - p[i])),    let n = N*O

    p may round to 0, which has no logarithm, so it is not computed. `p = 1 / (1 + e^-z)` and `1 - p = 1 / (1 + e^z)`:

        e[i] = t[i] log(1 + e^-z[i]) + (1 - t[i]) log(1 + e^z[i])

    To avoid overflow, an exponential larger than 1 is factored out, `log(1 + e^u) = max(u, 0) + log(1 + e^-|u|)`:

        e[i] = t[i] max(-z[i], 0) + (1 - t[i]) max(z[i], 0) + log(1 + e^-|z[i]|)

    Raises ValueError if z and t differ in shape or have no entries.

    For an undecided prediction, the loss is log 2. For one that is certain and wrong, it is the size of the logit:

    >>> import numpy as np
    >>> forward(np.array([[0.0]]), np.array([[1]])).round(4)
    np.float64(0.6931)
    >>> forward(np.array([[700.0]]), np.array([[0]]))
    np.float64(700.0)
    """
    require_same_shape(z=z, t=t)
    require_entries(z=z)
    xp = array_namespace(z)
    t = xp.astype(t, z.dtype, copy=False)
    # One of max(-z, 0) and max(z, 0) is |z|, the larger of z and -z. An infinite |z| must not be multiplied by 0.
    factor = xp.where(z > 0, 1 - t, t)
    size = xp.where(factor == 0, xp.zeros_like(z), xp.maximum(z, -z))
    return xp.mean(factor * size + xp.log1p(xp.exp(xp.minimum(z, -z))))


def backward(z: Array, t: Array) -> Array:
    """Return dz (N, O), the derivative of L with respect to each logit.

    The chain starts at L, so there is no derivative to pass in: `∂L/∂L = 1`.

    Forward, by index (i and j run over all N*O entries):

        L = 1/n sum_j e[j],    e[j] = -(t[j] log p[j] + (1 - t[j]) log(1 - p[j])),    p = sigmoid(z)

    The derivative of log u is `∂(log u)/∂u = 1/u if u > 0`, so for p between 0 and 1

        ∂e[i]/∂p[i] = -(t[i] / p[i] - (1 - t[i]) / (1 - p[i])) = (p[i] - t[i]) / (p[i] (1 - p[i]))

    The slope of the sigmoid, derived in sigmoid.py, is `∂p[i]/∂z[i] = p[i] (1 - p[i])`. It cancels:

        ∂e[i]/∂z[i] = ∂e[i]/∂p[i] * ∂p[i]/∂z[i] = p[i] - t[i]

    Every finite z has a p between 0 and 1, so this holds for all of them, even if p is rounded to 0 or 1.
    Chain rule, by index; e[j] depends on z[i] only if j is i:

        dz[i] = ∂L/∂z[i] = sum_j ∂L/∂e[j] * ∂e[j]/∂z[i] = 1/n * (p[i] - t[i])

    This 1/n comes from the mean over all entries. It appears in the losses and in no other pass.
    In arrays, with n the number of entries:

        dz = (p - t) / n

    The mean loss has p (1 - p) / n for targets of 0, which hardly changes a prediction that is certain and wrong.

    >>> import numpy as np
    >>> z, t = np.array([[0.0], [10.0], [20.0]]), np.zeros((3, 1))
    >>> p = sigmoid.forward(z)
    >>> for logit, here, there in zip(z.ravel(), backward(z, t).ravel(), (p * (1 - p) / 3).ravel()):
    ...     print(f"z = {logit:2.0f}   cross-entropy {here:.9f}   mean loss {there:.9f}")
    z =  0   cross-entropy 0.166666667   mean loss 0.083333333
    z = 10   cross-entropy 0.333318201   mean loss 0.000015132
    z = 20   cross-entropy 0.333333333   mean loss 0.000000001

    Raises ValueError as `forward` does.
    """
    require_same_shape(z=z, t=t)
    require_entries(z=z)
    xp = array_namespace(z)
    p = sigmoid.forward(z)
    t = xp.astype(t, p.dtype, copy=False)
    n = math.prod(z.shape)
    dz = (p - t) / n
    return dz
