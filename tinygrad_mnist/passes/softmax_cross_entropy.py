"""Softmax cross-entropy: how improbable the predictions make the right classes. It takes logits, one per class.

    z  (N, O)   logits: any numbers; those of a row stand for the probabilities of O classes
    p  (N, O)   the probabilities, let `p = softmax(z)`: above 0, with a sum of 1 in every row
    t  (N,)     targets: the class of each row, from 0 to O - 1
    t  (N, O)   or targets that are the probability of each class, from 0 to 1, with a sum of 1 in every row
    L  ()       the mean over the N rows: 0 if right and certain, with no upper bound if wrong and certain

A class stands for the probability 1 of this class and 0 of all others. The formulas are those for probabilities.
"""

from array_api_compat import is_cupy_array

from tinygrad_mnist.arrays.backend import Array, array_namespace
from tinygrad_mnist.arrays.shapes import require_entries, require_fit


def softmax(z: Array) -> Array:
    """Return p (N, O), the probabilities that the logits z (N, O) stand for.

        p[n,o] = e^z[n,o] / (sum_k e^z[n,k])

    e^1000 is too large for any float. Let `top[n] = max_k z[n,k]` be the largest logit of the row. Dividing the
    numerator and the denominator by e^top gives the same p from exponentials that are at most 1:

        p[n,o] = e^(z[n,o] - top[n]) / (sum_k e^(z[n,k] - top[n]))

    The sum is at least 1, because one of its terms is e^0. So p keeps its full relative accuracy, even close to 0.

    >>> import numpy as np
    >>> softmax(np.array([[0.0, 0.0], [0.0, np.log(3.0)], [1000.0, -1000.0]]))
    array([[0.5 , 0.5 ],
           [0.25, 0.75],
           [1.  , 0.  ]])
    """
    require_fit(z=(z, "NO"))
    xp = array_namespace(z)
    numerator = xp.exp(_minus_largest(z))
    return numerator / xp.sum(numerator, axis=1, keepdims=True)


def forward(z: Array, t: Array) -> Array:
    """Return L, the mean of the negative logarithms of the probabilities that p gives to the targets.

        L = 1/N sum_n e[n],    let e[n] = -sum_o t[n,o] log p[n,o]

    p may round to 0, which has no logarithm, so it is not computed. The logarithm of the quotient is a difference:

        -log p[n,o] = log(sum_k e^z[n,k]) - z[n,o]

    If e^top, with the largest logit of the row, is factored out, no exponential is larger than 1. That of the largest
    logit is 1, and r[n] is the sum of all others, which may be very small:

        let r[n] = sum_k e^(z[n,k] - top[n]) - 1

        log(sum_k e^z[n,k]) = top[n] + log(1 + r[n])

    The targets of a row have the sum 1, so

        e[n] = sum_o t[n,o] (top[n] - z[n,o]) + log(1 + r[n])

    No term is negative. So L keeps its full relative accuracy, even close to 0.

    Raises ValueError if z has no entries or t does not fit it; if classes are not integers from 0 to O - 1; or if
    probabilities are not from 0 to 1 or their sum in a row is not 1. (It may differ by 0.001: after that check, each
    row is divided by its sum, because probabilities are rounded. Probabilities on a GPU are not checked.)

    For undecided predictions, the loss is log O. For one that is certain and wrong, it is the difference of the logits:

    >>> import numpy as np
    >>> forward(np.array([[5.0, 5.0, 5.0]]), np.array([2])).round(4)
    np.float64(1.0986)
    >>> forward(np.array([[1000.0, 0.0]]), np.array([1]))
    np.float64(1000.0)
    """
    t = _probabilities(z, t)
    xp = array_namespace(z)
    below = _minus_largest(z)
    # An infinite distance must not be multiplied by 0.
    distance = xp.where(t == 0, xp.zeros_like(z), -below)
    largest = xp.arange(z.shape[1], device=z.device) == xp.argmax(z, axis=1, keepdims=True)
    rest = xp.sum(xp.where(largest, xp.zeros_like(z), xp.exp(below)), axis=1)
    return xp.mean(xp.sum(t * distance, axis=1) + xp.log1p(rest))


def backward(z: Array, t: Array) -> Array:
    """Return dz (N, O), the derivative of L with respect to each logit.

    The chain starts at L, so there is no derivative to pass in: `∂L/∂L = 1`.

    Forward, by index (m, k, j run over rows and classes; n, o are fixed):

        L = 1/N sum_m e[m],    e[m] = -sum_k t[m,k] log p[m,k],    p[m,k] = e^z[m,k] / (sum_j e^z[m,j])

    First the softmax. z[n,o] occurs in every probability of its row, because it is in the denominator, and in p[n,o]
    it is in the numerator too. Let `s[n] = sum_j e^z[n,j]` be the denominator, with the derivative
    `∂s[n]/∂z[n,o] = e^z[n,o]`. By the rule for quotients, (∂u v - u ∂v) / v^2 for u / v, there are two cases:

        ∂p[n,k]/∂z[n,o] = (e^z[n,k] s[n] - e^z[n,k] e^z[n,o]) / s[n]^2 if k = o,
                          (0 * s[n] - e^z[n,k] e^z[n,o]) / s[n]^2 otherwise

    e^z[n,k] / s[n] is p[n,k]. So this is p[n,k] (1 - p[n,o]) in the first case, and p[n,k] (0 - p[n,o]) in the second.
    Let δ[k,o] stand for 1 if k and o are the same class, and for 0 otherwise. Both cases in one line are the Jacobian
    of the softmax:

        ∂p[n,k]/∂z[n,o] = p[n,k] (δ[k,o] - p[n,o])

    Next the loss of a row. The derivative of log u is 1/u, so

        ∂e[n]/∂p[n,k] = -t[n,k] / p[n,k]

    Chain rule, by index. L contains e[m] with the factor 1/N, and e[m] depends on z[n,o] only if m is n, along a path
    through every probability of the row:

        dz[n,o] = ∂L/∂z[n,o] = sum_m ∂L/∂e[m] * ∂e[m]/∂z[n,o]
                = 1/N sum_k ∂e[n]/∂p[n,k] * ∂p[n,k]/∂z[n,o]
                = 1/N sum_k (-t[n,k] / p[n,k]) p[n,k] (δ[k,o] - p[n,o])

    p[n,k] cancels, although it may be close to 0. This is why the two passes are one page:

        dz[n,o] = 1/N sum_k t[n,k] (p[n,o] - δ[k,o])
                = 1/N (p[n,o] sum_k t[n,k] - sum_k t[n,k] δ[k,o])

    The first sum is 1, because these are probabilities. The second has one term that is not 0, which is t[n,o]:

        dz[n,o] = 1/N (p[n,o] - t[n,o])

    This 1/N comes from the mean over the rows. It appears in the losses and in no other pass.
    In arrays, with N the number of rows:

        dz = (p - t) / N

    Two rows with the probabilities 1/4 and 3/4; the class of the first is 1, that of the second is 0:

    >>> import numpy as np
    >>> z = np.log([[1.0, 3.0], [1.0, 3.0]])
    >>> backward(z, np.array([1, 0]))
    array([[ 0.125, -0.125],
           [-0.375,  0.375]])

    The same targets as probabilities:

    >>> backward(z, np.array([[0, 1], [1, 0]]))
    array([[ 0.125, -0.125],
           [-0.375,  0.375]])

    Raises ValueError as `forward` does.
    """
    t = _probabilities(z, t)
    p = softmax(z)
    N = z.shape[0]
    dz = (p - t) / N
    return dz


def _minus_largest(z: Array) -> Array:
    """Return each logit minus the largest of its row: 0 for the largest, and below 0 for others."""
    xp = array_namespace(z)
    zero = xp.zeros_like(z)
    largest = xp.max(z, axis=1, keepdims=True)
    # The difference of two infinite logits would be NaN.
    same = z == largest
    return xp.where(same, zero, z) - xp.where(same, zero, largest)


def _probabilities(z: Array, t: Array) -> Array:
    """Return the targets as probabilities (N, O) of the dtype of z. Raises ValueError if they do not fit z."""
    require_fit(z=(z, "NO"), t=(t, "NO" if len(t.shape) == 2 else "N"))
    require_entries(z=z)
    xp = array_namespace(z)
    if len(t.shape) == 1:
        if not xp.isdtype(t.dtype, "integral"):
            raise ValueError(f"t has shape {tuple(t.shape)} and dtype {t.dtype}: classes must be integers")
        t, classes = xp.astype(t, xp.int64), z.shape[1]
        if not bool(xp.all((t >= 0) & (t < classes))):
            lowest, highest = int(xp.min(t)), int(xp.max(t))
            raise ValueError(f"t has classes from {lowest} to {highest}: z has classes from 0 to {classes - 1}")
        return xp.astype(xp.arange(classes, dtype=t.dtype, device=z.device) == t[:, None], z.dtype)
    if not xp.isdtype(t.dtype, "real floating"):
        t = xp.astype(t, z.dtype)
    total = xp.sum(t, axis=1)
    # Reading the answer back from a GPU would make every step of a training wait.
    if not is_cupy_array(t) and not bool(xp.all((total >= 0.999) & (total <= 1.001)) & xp.all((t >= 0) & (t <= 1))):
        raise ValueError("t has a row that does not hold probabilities: they are from 0 to 1, and their sum is 1")
    t = xp.astype(t, z.dtype, copy=False)
    return t / xp.sum(t, axis=1, keepdims=True)
