"""Linear: `z = x @ w + b`. Every output is a weighted sum of all the inputs, plus a bias.

    x  (N, I)   N rows (digits), I inputs (pixels)
    w  (I, O)   one weight for each input and output
    b  (O,)     one bias for each output
    z  (N, O)

How a change of w, b or x changes the loss is derived in `backward`.
"""

from tinygrad_mnist.arrays.backend import Array, array_namespace
from tinygrad_mnist.arrays.shapes import require_fit


def forward(x: Array, w: Array, b: Array) -> Array:
    """Return z (N, O) for x (N, I), w (I, O) and b (O,).

        z[n,o] = sum_i x[n,i] w[i,o] + b[o]

    Raises ValueError if the shapes do not fit.

    Two rows, three inputs, one output; the second row is `4*1 + 5*0 + 6*(-1) + 10 = 8`:

    >>> import numpy as np
    >>> x = np.array([[1.0, 2.0, 3.0],
    ...               [4.0, 5.0, 6.0]])
    >>> w = np.array([[1.0], [0.0], [-1.0]])
    >>> forward(x, w, b=np.array([10.0]))
    array([[8.],
           [8.]])
    """
    require_fit(x=(x, "NI"), w=(w, "IO"), b=(b, "O"))
    return x @ w + b


def backward(dz: Array, x: Array, w: Array) -> tuple[Array, Array, Array]:
    """Return dx (N, I), dw (I, O) and db (O,), given dz (N, O). Raises ValueError if the shapes do not fit.

    First with two rows, two inputs and two outputs, written out:

        z = ( x11 w11 + x12 w21 + b1    x11 w12 + x12 w22 + b2 )
            ( x21 w11 + x22 w21 + b1    x21 w12 + x22 w22 + b2 )

    w11 occurs in z11, multiplied by x11, and in z21, multiplied by x21. So `dw11 = x11 dz11 + x21 dz21`. The other
    three gradients follow in the same way, and together the four are a matrix product:

        dw = ( x11 dz11 + x21 dz21    x11 dz12 + x21 dz22 ) = ( x11  x21 ) @ ( dz11  dz12 ) = x.T @ dz
             ( x12 dz11 + x22 dz21    x12 dz12 + x22 dz22 )   ( x12  x22 )   ( dz21  dz22 )

    Now for any size. Forward, by index (m, j, k run over rows, inputs and outputs; n, i, o are fixed):

        z[m,k] = sum_j x[m,j] w[j,k] + b[k]

    The weights. L depends on w[i,o] through every z[m,k], so the effects add up, by the chain rule:

        dw[i,o] = ∂L/∂w[i,o] = sum_m sum_k ∂L/∂z[m,k] * ∂z[m,k]/∂w[i,o]

    `∂L/∂z[m,k] = dz[m,k]` is given. The weight w[i,o] occurs only in column o of z, once in every row m, multiplied by
    x[m,i], so `∂z[m,k]/∂w[i,o] = x[m,i] if k = o, 0 otherwise`. One term of the sum over k remains:

        dw[i,o] = sum_m dz[m,o] x[m,i]

    To be a matrix product, `(A @ B)[i,o] = sum_m A[i,m] B[m,o]`, this needs an A with `A[i,m] = x[m,i]`.
    So let `A = x.T` and let `B = dz`:

        dw[i,o] = sum_m x.T[i,m] dz[m,o] = (x.T @ dz)[i,o],            (I, N) @ (N, O) = (I, O)

    The bias. b[o] occurs only in column o of z, once in every row m, multiplied by 1, so
    `∂z[m,k]/∂b[o] = 1 if k = o, 0 otherwise`. A broadcast in forward becomes a sum in backward:

        db[o] = sum_m sum_k dz[m,k] * ∂z[m,k]/∂b[o] = sum_m dz[m,o]

    The input. x[n,i] occurs only in row n of z, once in every column k, multiplied by w[i,k], so
    `∂z[m,k]/∂x[n,i] = w[i,k] if m = n, 0 otherwise`. One term of the sum over m remains:

        dx[n,i] = sum_m sum_k dz[m,k] * ∂z[m,k]/∂x[n,i]
                = sum_k dz[n,k] w[i,k]
                = sum_k dz[n,k] w.T[k,i] = (dz @ w.T)[n,i],            (N, O) @ (O, I) = (N, I)

    There is no 1/n here: the loss takes the mean over its n entries, so dz already contains the 1/n. In matrices:

        dx = dz @ w.T
        dw = x.T @ dz
        db = xp.sum(dz, axis=0)

    The rows from `forward`, with dz 1 for the first and 2 for the second, so that dw[0] is `1*1 + 4*2 = 9`:

    >>> import numpy as np
    >>> x = np.array([[1.0, 2.0, 3.0],
    ...               [4.0, 5.0, 6.0]])
    >>> w = np.array([[1.0], [0.0], [-1.0]])
    >>> dx, dw, db = backward(np.array([[1.0], [2.0]]), x, w)
    >>> dx
    array([[ 1.,  0., -1.],
           [ 2.,  0., -2.]])
    >>> dw.T
    array([[ 9., 12., 15.]])
    >>> db
    array([3.])
    """
    require_fit(dz=(dz, "NO"), x=(x, "NI"), w=(w, "IO"))
    xp = array_namespace(dz)
    dx = dz @ w.T
    dw = x.T @ dz
    db = xp.sum(dz, axis=0)
    return dx, dw, db
