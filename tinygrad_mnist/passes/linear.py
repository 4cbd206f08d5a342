"""Linear: z = x w + b. Every output is a weighted sum of all the inputs, plus a bias.

    x  (N, I)   N rows (digits), I inputs (pixels)
    w  (I, O)   one weight for each input and output
    b  (O,)     one bias for each output
    z  (N, O)

How a change of w, b or x moves the loss is derived in `backward`.
"""

from tinygrad_mnist.backend import Array, array_namespace, require_fit


def forward(x: Array, w: Array, b: Array) -> Array:
    """Return z (N, O) for x (N, I), w (I, O) and b (O,).

        z[n,o] = sum_i x[n,i] w[i,o] + b[o]

    Raises ValueError for shapes that do not fit.

    Two rows, three inputs, one output; the second row is 4*1 + 5*0 + 6*(-1) + 10 = 8:

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
    """Return dx (N, I), dw (I, O) and db (O,), given dz (N, O). Raises ValueError for shapes that do not fit.

    Forward, by index (m, j, k run over rows, inputs and outputs; n, i, o are one of each):

        z[m,k] = sum_j x[m,j] w[j,k] + b[k]

    The weights. L depends on w[i,o] through every z[m,k], so the effects add up, by the chain rule:

        dw[i,o] = ∂L/∂w[i,o] = sum_m sum_k ∂L/∂z[m,k] * ∂z[m,k]/∂w[i,o]

    ∂L/∂z[m,k] is dz[m,k], which is given. The weight w[i,o] occurs in column o of z alone, once in every row m,
    multiplied by x[m,i], so ∂z[m,k]/∂w[i,o] is x[m,i] where k = o, and 0 elsewhere. Of the sum over k one term is left:

        dw[i,o] = sum_m dz[m,o] x[m,i]

    To be a product of matrices, (A @ B)[i,o] = sum_m A[i,m] B[m,o], it needs an A with A[i,m] = x[m,i], which is x.T:

        dw[i,o] = sum_m x.T[i,m] dz[m,o] = (x.T @ dz)[i,o]             (I, N) @ (N, O) = (I, O)

    The bias. b[o] occurs in column o of z alone, once in every row m, multiplied by 1, so ∂z[m,k]/∂b[o] is 1 where
    k = o, and 0 elsewhere. A broadcast forward is a sum backward:

        db[o] = sum_m sum_k dz[m,k] * ∂z[m,k]/∂b[o] = sum_m dz[m,o]

    The input. x[n,i] occurs in row n of z alone, once in every column k, multiplied by w[i,k], so ∂z[m,k]/∂x[n,i] is
    w[i,k] where m = n, and 0 elsewhere. Of the sum over m one term is left:

        dx[n,i] = sum_m sum_k dz[m,k] * ∂z[m,k]/∂x[n,i]
                = sum_k dz[n,k] w[i,k]
                = sum_k dz[n,k] w.T[k,i] = (dz @ w.T)[n,i]             (N, O) @ (O, I) = (N, I)

    There is no 1/N here: the mean over all entries of z is the loss's own, and arrives inside dz.
    In matrices:

        dx = dz @ w.T
        dw = x.T @ dz
        db = xp.sum(dz, axis=0)

    The two rows of `forward`, where the loss rises by 1 with the first z and by 2 with the second;
    dw[0] is 1*1 + 4*2 = 9:

    >>> import numpy as np
    >>> x = np.array([[1.0, 2.0, 3.0],
    ...               [4.0, 5.0, 6.0]])
    >>> w = np.array([[1.0], [0.0], [-1.0]])
    >>> dx, dw, db = backward(np.array([[1.0], [2.0]]), x, w)
    >>> dx
    array([[ 1.,  0., -1.],
           [ 2.,  0., -2.]])
    >>> dw
    array([[ 9.],
           [12.],
           [15.]])
    >>> db
    array([3.])
    """
    require_fit(dz=(dz, "NO"), x=(x, "NI"), w=(w, "IO"))
    xp = array_namespace(dz)
    dx = dz @ w.T
    dw = x.T @ dz
    db = xp.sum(dz, axis=0)
    return dx, dw, db


def backward_to_parameters(dz: Array, x: Array) -> tuple[Array, Array]:
    """Return dw (I, O) and db (O,) alone, as `backward` does, given dz (N, O). Raises ValueError as it does.

    For the first pass of a network: its x is the data, and nobody asks for dx, the dearest of the three.
    """
    require_fit(dz=(dz, "NO"), x=(x, "NI"))
    xp = array_namespace(dz)
    dw = x.T @ dz
    db = xp.sum(dz, axis=0)
    return dw, db
