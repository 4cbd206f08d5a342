"""Layer norm: every row of x is shifted and scaled to the mean 0 and the variance 1.

    x      (N, I)   N rows, I inputs
    gamma  (I,)     the factor by which each input is scaled afterward; it is learned
    beta   (I,)     the number by which each input is shifted afterward; it is learned
    y      (N, I)
    ε      ()       let `ε = 0.00001`: is added to the variance, which is 0 if all numbers are equal

In contrast to the batch norm, no row depends on another one, in training or in prediction. Source: Ba, Kiros and
Hinton, Layer Normalization, 2016.
"""

from tinygrad_mnist.arrays.backend import Array, array_namespace
from tinygrad_mnist.arrays.shapes import require_fit

EPSILON = 1e-5
"""Is added to the variance, so that a row of equal numbers, which has the variance 0, is not divided by 0."""


def forward(x: Array, gamma: Array, beta: Array) -> Array:
    """Return y (N, I) for x (N, I), gamma (I,) and beta (I,).

    The mean and the variance of a row:

        let mean[n] = 1/I sum_i x[n,i]

        let var[n] = 1/I sum_i (x[n,i] - mean[n])^2

    Except for ε, s is one over the standard deviation. u is the normalized row, which gamma scales and beta shifts:

        let s[n] = (var[n] + ε)^(-1/2)

        let u[n,i] = s[n] (x[n,i] - mean[n])

        y[n,i] = gamma[i] u[n,i] + beta[i]

    Raises ValueError if the shapes do not fit, or if rows have no entries.

    This row has the mean 3 and the variance 4:

    >>> import numpy as np
    >>> forward(np.array([[1.0, 1.0, 5.0, 5.0]]), gamma=np.ones(4), beta=np.full(4, 10.0)).round(4)
    array([[ 9.,  9., 11., 11.]])
    """
    require_fit(x=(x, "NI"), gamma=(gamma, "I"), beta=(beta, "I"))
    u, _ = _normalize(x)
    return gamma * u + beta


def backward(dy: Array, x: Array, gamma: Array) -> tuple[Array, Array, Array]:
    """Return dx (N, I), dgamma (I,) and dbeta (I,), given dy (N, I). Raises ValueError as `forward` does.

    Forward, by index (m, j, k run over rows and inputs; n, i are fixed):

        y[m,k] = gamma[k] u[m,k] + beta[k]

    gamma[i] occurs in column i of y, once in every row m, multiplied by u[m,i]; beta[i] occurs there too, multiplied by
    1; and u[n,i] occurs in y[n,i], multiplied by gamma[i]. These terms of the sums remain:

        dgamma[i] = sum_m sum_k dy[m,k] * ∂y[m,k]/∂gamma[i] = sum_m dy[m,i] u[m,i]

        dbeta[i] = sum_m sum_k dy[m,k] * ∂y[m,k]/∂beta[i] = sum_m dy[m,i]

        du[n,i] = sum_m sum_k dy[m,k] * ∂y[m,k]/∂u[n,i] = dy[n,i] gamma[i]

    Row n of u depends on row n of x, and on no other row. Forward again, with k instead of i:

        u[n,k] = s[n] (x[n,k] - mean[n]),    s[n] = (var[n] + ε)^(-1/2)

        var[n] = 1/I sum_j (x[n,j] - mean[n])^2

        mean[n] = 1/I sum_j x[n,j]

    So x[n,i] reaches u, and with it L, along three paths: directly, through var[n], and through mean[n]. They are
    followed from the end.

    The variance. It occurs in every u[n,k] of the row, by way of s[n]. The derivative of v^(-1/2) is -1/2 v^(-3/2):

        ∂s[n]/∂var[n] = -1/2 (var[n] + ε)^(-3/2) = -1/2 s[n]^3

        ∂u[n,k]/∂var[n] = -1/2 s[n]^3 (x[n,k] - mean[n]) = -1/2 s[n]^2 u[n,k]

        dvar[n] = sum_k du[n,k] * ∂u[n,k]/∂var[n] = -1/2 s[n]^2 sum_k du[n,k] u[n,k]

    The mean. It occurs in every u[n,k] of the row, and in the variance:

        ∂u[n,k]/∂mean[n] = -s[n]

        ∂var[n]/∂mean[n] = 1/I sum_j (-2) (x[n,j] - mean[n]) = -2 (1/I sum_j x[n,j] - mean[n]) = 0

    The second path has no effect, because a variance is smallest around the mean, where its slope is 0:

        dmean[n] = sum_k du[n,k] * ∂u[n,k]/∂mean[n] + dvar[n] * ∂var[n]/∂mean[n] = -s[n] sum_k du[n,k]

    The input. In u, it occurs once outside of the mean and the variance: in u[n,i], multiplied by s[n]. It occurs once
    in the mean. In the variance, it occurs in one square, and in the mean, which has no effect, as just derived:

        ∂mean[n]/∂x[n,i] = 1/I

        ∂var[n]/∂x[n,i] = 2/I (x[n,i] - mean[n])

    The effects along the three paths add up:

        dx[n,i] = ∂L/∂x[n,i] = du[n,i] s[n] + dvar[n] * ∂var[n]/∂x[n,i] + dmean[n] * ∂mean[n]/∂x[n,i]
                = du[n,i] s[n] + dvar[n] * 2/I (x[n,i] - mean[n]) + dmean[n] * 1/I

    Now dvar[n] and dmean[n] are inserted. In the second term, s[n] (x[n,i] - mean[n]) is u[n,i]. Then every term has
    a factor s[n]:

        dx[n,i] = du[n,i] s[n] - s[n]^2 sum_k du[n,k] u[n,k] * 1/I (x[n,i] - mean[n]) - s[n] sum_k du[n,k] * 1/I
                = s[n] (du[n,i] - 1/I sum_k du[n,k] - u[n,i] * 1/I sum_k du[n,k] u[n,k])

    Both sums with 1/I are means over the row. In arrays, with an axis for s that is broadcast:

        du = dy * gamma
        dx = s[:, None] * (du - xp.mean(du, axis=1, keepdims=True) - u * xp.mean(du * u, axis=1, keepdims=True))
        dgamma = xp.sum(dy * u, axis=0)
        dbeta = xp.sum(dy, axis=0)

    dx has the mean 0, because y does not change if all numbers of a row grow by the same amount. In the row from
    `forward`, s is 1/2 and u is -1, -1, 1, 1:

    >>> import numpy as np
    >>> x, dy = np.array([[1.0, 1.0, 5.0, 5.0]]), np.array([[1.0, 0.0, 0.0, 0.0]])
    >>> dx, dgamma, dbeta = backward(dy, x, gamma=np.ones(4))
    >>> dx.round(4) + 0
    array([[ 0.25, -0.25,  0.  ,  0.  ]])
    >>> dgamma.round(4) + 0, dbeta
    (array([-1.,  0.,  0.,  0.]), array([1., 0., 0., 0.]))
    """
    require_fit(dy=(dy, "NI"), x=(x, "NI"), gamma=(gamma, "I"))
    xp = array_namespace(x)
    u, s = _normalize(x)
    du = dy * gamma
    dx = s[:, None] * (du - xp.mean(du, axis=1, keepdims=True) - u * xp.mean(du * u, axis=1, keepdims=True))
    dgamma = xp.sum(dy * u, axis=0)
    dbeta = xp.sum(dy, axis=0)
    return dx, dgamma, dbeta


def _normalize(x: Array) -> tuple[Array, Array]:
    """Return u (N, I) and s (N,)."""
    if x.shape[1] == 0:
        raise ValueError(f"x has shape {tuple(x.shape)}: an empty row has no mean")
    xp = array_namespace(x)
    centered = x - xp.mean(x, axis=1, keepdims=True)
    s = 1 / xp.sqrt(xp.mean(centered**2, axis=1) + EPSILON)
    return s[:, None] * centered, s
