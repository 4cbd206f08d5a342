"""First linear: `z = s (x @ w) + b`. The linear pass that a network starts with, for images as they are stored.

    x  (N, I)   N images of I pixels, from 0 (black) to 255 (white)
    w  (I, O)   one weight for each pixel and output
    b  (O,)     one bias for each output
    z  (N, O)
    s  ()       let `s = 1/255`: s x has the same pixels from 0 to 1

The parameters are those for pixels from 0 to 1: this page computes what `linear` computes for s x. The matrix
product comes first because z has far fewer entries to scale than x. There is no dx, because images are not trained.
"""

from tinygrad_mnist.arrays.backend import Array, array_namespace
from tinygrad_mnist.arrays.shapes import require_fit

S = 1 / 255
"""The factor that scales pixels from the range 0 to 255 to the range 0 to 1."""


def forward(x: Array, w: Array, b: Array) -> Array:
    """Return z (N, O) for x (N, I), w (I, O) and b (O,).

        z[n,o] = sum_i s x[n,i] w[i,o] + b[o] = s sum_i x[n,i] w[i,o] + b[o]

    x must have the dtype of w. Raises ValueError if the shapes do not fit.

    A white pixel and one at 0.4 of white: `1*3 + 0.4*(-5) + 10 = 11`.

    >>> import numpy as np
    >>> forward(np.array([[255.0, 102.0]]), w=np.array([[3.0], [-5.0]]), b=np.array([10.0]))
    array([[11.]])
    """
    require_fit(x=(x, "NI"), w=(w, "IO"), b=(b, "O"))
    return S * (x @ w) + b


def backward(dz: Array, x: Array) -> tuple[Array, Array]:
    """Return dw (I, O) and db (O,), given dz (N, O). Raises ValueError if the shapes do not fit.

    Forward, by index (m, j, k run over rows, inputs and outputs; i, o are fixed):

        z[m,k] = s sum_j x[m,j] w[j,k] + b[k]

    The weight w[i,o] occurs only in column o of z, once in every row m, multiplied by s x[m,i], so
    `∂z[m,k]/∂w[i,o] = s x[m,i] if k = o, 0 otherwise`. Chain rule, by index; one term of the sum over k remains:

        dw[i,o] = ∂L/∂w[i,o] = sum_m sum_k ∂L/∂z[m,k] * ∂z[m,k]/∂w[i,o] = sum_m dz[m,o] s x[m,i]

    s scales dz, which has fewer entries than x, and the rest is a matrix product, as in linear.py:

        dw[i,o] = sum_m x.T[i,m] (s dz)[m,o] = (x.T @ (s dz))[i,o],     (I, N) @ (N, O) = (I, O)

    The bias is not scaled, so its gradient is that of linear.py: `db[o] = sum_m dz[m,o]`. In matrices:

        dw = x.T @ (S * dz)
        db = xp.sum(dz, axis=0)

    The image from `forward`, with a dz of 2:

    >>> import numpy as np
    >>> dw, db = backward(np.array([[2.0]]), np.array([[255.0, 102.0]]))
    >>> dw.T
    array([[2. , 0.8]])
    >>> db
    array([2.])
    """
    require_fit(dz=(dz, "NO"), x=(x, "NI"))
    xp = array_namespace(dz)
    dw = x.T @ (S * dz)
    db = xp.sum(dz, axis=0)
    return dw, db
