"""Linear: z = x w + b. Every output is a weighted sum of all the inputs, plus a bias.

    x  (N, I)   N rows (digits), I inputs (pixels)
    w  (I, O)   one weight for each input and output
    b  (O,)     one bias for each output
    z  (N, O)

How a change of w, b or x moves the loss is derived in `backward`.
"""

from tinygrad_mnist.backend import Array, array_namespace, require_same_shape


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
    require_same_shape(b=b, row_of_w=w[0, :])
    return x @ w + b


def backward(dz: Array, x: Array, w: Array) -> tuple[Array, Array, Array]:
    """Return dx (N, I), dw (I, O) and db (O,), given dz (N, O). Raises ValueError for shapes that do not fit.

    Forward, by index (m, j, k run over rows, inputs and outputs; n, i, o are one of each):

        z[m,k] = sum_j x[m,j] w[j,k] + b[k]

    Chain rule, by index. L depends on a weight, a bias or an input through every z[m,k], so the effects
    add up. For the weight w[i,o]:

        dw[i,o] = ∂L/∂w[i,o] = sum_m sum_k ∂L/∂z[m,k] * ∂z[m,k]/∂w[i,o]

    and ∂L/∂z[m,k] is dz[m,k], which is given. The weight w[i,o] occurs in column o of z alone, once in
    every row m, multiplied by x[m,i]:

        ∂z[m,k]/∂w[i,o] = x[m,i]   where k = o,   0 elsewhere
        dw[i,o] = sum_m x[m,i] dz[m,o]                     over the rows:     x.T (I, N) @ dz (N, O)

    The bias b[o] occurs in column o of z alone, once in every row m, multiplied by 1:

        ∂z[m,k]/∂b[o] = 1          where k = o,   0 elsewhere
        db[o] = sum_m dz[m,o]                              over the rows:     a broadcast forward is a sum backward

    The input x[n,i] occurs in row n of z alone, once in every column k, multiplied by w[i,k]:

        ∂z[m,k]/∂x[n,i] = w[i,k]   where m = n,   0 elsewhere
        dx[n,i] = sum_k dz[n,k] w[i,k]                     over the outputs:  dz (N, O) @ w.T (O, I)

    There is no 1/N here: the mean over the batch is the loss's own, and arrives inside dz.
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
    xp = array_namespace(dz)
    dx = dz @ w.T
    dw = x.T @ dz
    db = xp.sum(dz, axis=0)
    return dx, dw, db
