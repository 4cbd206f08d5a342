"""Batch norm: every column of x is shifted and scaled to the mean 0 and the variance 1.

    x      (N, I)   N rows, I inputs
    gamma  (I,)     the factor by which each input is scaled afterward; it is learned
    beta   (I,)     the number by which each input is shifted afterward; it is learned
    y      (N, I)
    ε      ()       let `ε = 0.00001`: is added to the variance, which is 0 if all numbers are equal

In training, the mean and the variance are those of the batch, so every row depends on all others. A prediction must
not depend on what else is predicted. So `predict` takes running averages of both, which `follow` updates in training.
For images (N, H, W, C), let each pixel be a row: reshape them to (N*H*W, C).

Source: Ioffe and Szegedy, Batch Normalization, 2015.
"""

from tinygrad_mnist.arrays.backend import Array, array_namespace
from tinygrad_mnist.arrays.shapes import require_entries, require_fit

EPSILON = 1e-5
"""Is added to the variance, so that a column of equal numbers, which has the variance 0, is not divided by 0."""


def forward(x: Array, gamma: Array, beta: Array) -> Array:
    """Return y (N, I) for a batch x (N, I), gamma (I,) and beta (I,).

    The mean and the variance of a column:

        let mean[i] = 1/N sum_n x[n,i]

        let var[i] = 1/N sum_n (x[n,i] - mean[i])^2

    Except for ε, s is one over the standard deviation. u is the normalized column, which gamma scales and beta shifts:

        let s[i] = (var[i] + ε)^(-1/2)

        let u[n,i] = s[i] (x[n,i] - mean[i])

        y[n,i] = gamma[i] u[n,i] + beta[i]

    In a batch of one row, u is 0 and y is beta. Raises ValueError if the shapes do not fit, or if x has no entries.

    This column has the mean 3 and the variance 4:

    >>> import numpy as np
    >>> forward(np.array([[1.0], [1.0], [5.0], [5.0]]), gamma=np.ones(1), beta=np.array([10.0])).T.round(4)
    array([[ 9.,  9., 11., 11.]])
    """
    require_fit(x=(x, "NI"), gamma=(gamma, "I"), beta=(beta, "I"))
    mean, var = _moments(x)
    return predict(x, gamma, beta, mean, var)


def backward(dy: Array, x: Array, gamma: Array) -> tuple[Array, Array, Array]:
    """Return dx (N, I), dgamma (I,) and dbeta (I,), given dy (N, I). Raises ValueError as `forward` does.

    Forward, by index (m, l, k run over rows, rows and inputs; n, i are fixed):

        y[m,k] = gamma[k] u[m,k] + beta[k]

    gamma[i] occurs in column i of y, once in every row m, multiplied by u[m,i]; beta[i] occurs there too, multiplied by
    1; and u[n,i] occurs in y[n,i], multiplied by gamma[i]. These terms of the sums remain:

        dgamma[i] = sum_m sum_k dy[m,k] * ∂y[m,k]/∂gamma[i] = sum_m dy[m,i] u[m,i]

        dbeta[i] = sum_m sum_k dy[m,k] * ∂y[m,k]/∂beta[i] = sum_m dy[m,i]

        du[n,i] = sum_m sum_k dy[m,k] * ∂y[m,k]/∂u[n,i] = dy[n,i] gamma[i]

    Column i of u depends on column i of x, and on no other column. Forward again, for this column:

        u[m,i] = s[i] (x[m,i] - mean[i]),    s[i] = (var[i] + ε)^(-1/2)

        var[i] = 1/N sum_l (x[l,i] - mean[i])^2

        mean[i] = 1/N sum_l x[l,i]

    So x[n,i] reaches u, and with it L, along three paths: directly, through var[i], and through mean[i]. They are
    followed from the end.

    The variance. It occurs in every u[m,i] of the column, by way of s[i]. The derivative of v^(-1/2) is -1/2 v^(-3/2):

        ∂s[i]/∂var[i] = -1/2 (var[i] + ε)^(-3/2) = -1/2 s[i]^3

        ∂u[m,i]/∂var[i] = -1/2 s[i]^3 (x[m,i] - mean[i]) = -1/2 s[i]^2 u[m,i]

        dvar[i] = sum_m du[m,i] * ∂u[m,i]/∂var[i] = -1/2 s[i]^2 sum_m du[m,i] u[m,i]

    The mean. It occurs in every u[m,i] of the column, and in the variance:

        ∂u[m,i]/∂mean[i] = -s[i]

        ∂var[i]/∂mean[i] = 1/N sum_l (-2) (x[l,i] - mean[i]) = -2 (1/N sum_l x[l,i] - mean[i]) = 0

    The second path has no effect, because a variance is smallest around the mean, where its slope is 0:

        dmean[i] = sum_m du[m,i] * ∂u[m,i]/∂mean[i] + dvar[i] * ∂var[i]/∂mean[i] = -s[i] sum_m du[m,i]

    The input. In u, it occurs once outside of the mean and the variance: in u[n,i], multiplied by s[i]. It occurs once
    in the mean. In the variance, it occurs in one square, and in the mean, which has no effect, as just derived:

        ∂mean[i]/∂x[n,i] = 1/N

        ∂var[i]/∂x[n,i] = 2/N (x[n,i] - mean[i])

    The effects along the three paths add up:

        dx[n,i] = ∂L/∂x[n,i] = du[n,i] s[i] + dvar[i] * ∂var[i]/∂x[n,i] + dmean[i] * ∂mean[i]/∂x[n,i]
                = du[n,i] s[i] + dvar[i] * 2/N (x[n,i] - mean[i]) + dmean[i] * 1/N

    Now dvar[i] and dmean[i] are inserted. In the second term, s[i] (x[n,i] - mean[i]) is u[n,i]. Then every term has
    a factor s[i]:

        dx[n,i] = du[n,i] s[i] - s[i]^2 sum_m du[m,i] u[m,i] * 1/N (x[n,i] - mean[i]) - s[i] sum_m du[m,i] * 1/N
                = s[i] (du[n,i] - 1/N sum_m du[m,i] - u[n,i] * 1/N sum_m du[m,i] u[m,i])

    Both sums with 1/N are means over the column, and have nothing to do with the mean in the loss. In arrays:

        du = dy * gamma
        dx = s * (du - xp.mean(du, axis=0) - u * xp.mean(du * u, axis=0))
        dgamma = xp.sum(dy * u, axis=0)
        dbeta = xp.sum(dy, axis=0)

    In the column from `forward`, s is 1/2 and u is -1, -1, 1, 1. A derivative for the first row moves the second too:

    >>> import numpy as np
    >>> x, dy = np.array([[1.0], [1.0], [5.0], [5.0]]), np.array([[1.0], [0.0], [0.0], [0.0]])
    >>> dx, dgamma, dbeta = backward(dy, x, gamma=np.ones(1))
    >>> dx.T.round(4) + 0
    array([[ 0.25, -0.25,  0.  ,  0.  ]])
    >>> dgamma.round(4), dbeta
    (array([-1.]), array([1.]))
    """
    require_fit(dy=(dy, "NI"), x=(x, "NI"), gamma=(gamma, "I"))
    xp = array_namespace(x)
    mean, var = _moments(x)
    s = 1 / xp.sqrt(var + EPSILON)
    u = s * (x - mean)
    du = dy * gamma
    dx = s * (du - xp.mean(du, axis=0) - u * xp.mean(du * u, axis=0))
    dgamma = xp.sum(dy * u, axis=0)
    dbeta = xp.sum(dy, axis=0)
    return dx, dgamma, dbeta


def predict(x: Array, gamma: Array, beta: Array, mean: Array, var: Array) -> Array:
    """Return y (N, I) for x (N, I) with a given mean (I,) and variance (I,), so that no row depends on another one.

        y[n,i] = gamma[i] (var[i] + ε)^(-1/2) (x[n,i] - mean[i]) + beta[i]

    Raises ValueError if the shapes do not fit.

    >>> import numpy as np
    >>> predict(np.array([[7.0]]), np.ones(1), np.zeros(1), mean=np.array([3.0]), var=np.array([4.0])).round(4)
    array([[2.]])
    """
    require_fit(x=(x, "NI"), gamma=(gamma, "I"), beta=(beta, "I"), mean=(mean, "I"), var=(var, "I"))
    s = 1 / array_namespace(x).sqrt(var + EPSILON)
    return gamma * (s * (x - mean)) + beta


def follow(mean: Array, var: Array, x: Array, momentum: float = 0.9) -> tuple[Array, Array]:
    """Return the running mean (I,) and variance (I,) after a batch x (N, I). They start with zeros and with ones.

    Each is momentum times its old value plus 1 - momentum times the estimate from the batch. The mean is estimated by
    that of the batch, and the variance by N / (N - 1) times that of the batch (algorithm 2 of the source). The factor
    is needed because the batch's numbers are closer to their own mean than to the true one: on average, their variance
    is only (N - 1) / N of the true one.

    Raises ValueError if the shapes do not fit, or if the batch has fewer than two rows, which have no variance.

    >>> import numpy as np
    >>> mean, var = follow(np.zeros(1), np.ones(1), np.array([[1.0], [1.0], [5.0], [5.0]]))
    >>> mean.round(4), var.round(4)
    (array([0.3]), array([1.4333]))
    """
    require_fit(mean=(mean, "I"), var=(var, "I"), x=(x, "NI"))
    rows = x.shape[0]
    if rows < 2:
        raise ValueError(f"x has shape {tuple(x.shape)}: a variance needs two rows or more")
    batch_mean, batch_var = _moments(x)
    batch_var = batch_var * (rows / (rows - 1))
    return momentum * mean + (1 - momentum) * batch_mean, momentum * var + (1 - momentum) * batch_var


def _moments(x: Array) -> tuple[Array, Array]:
    """Return the mean (I,) and the variance (I,) of the columns of x."""
    require_entries(x=x)
    xp = array_namespace(x)
    mean = xp.mean(x, axis=0)
    return mean, xp.mean((x - mean) ** 2, axis=0)
