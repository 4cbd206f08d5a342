"""Patches, also called im2col: c holds every square of size by size pixels that a convolution looks at, as a row.

    x  (N, H, W, C)              N images of H rows and W columns, with C channels: bytes, or any numbers
    c  (N, P, Q, size*size*C)    P rows and Q columns of patches in every image
    P  ()                        let `P = floor((H - size) / stride) + 1`
    Q  ()                        let `Q = floor((W - size) / stride) + 1`
    w  (size*size*C, O)          the weights of a convolution that has this page as its first step
    b  (O,)                      its biases

Patches start every `stride` pixels, and overlap if that is less than `size`. Pixels at the bottom or at the right that
do not fill another patch are in none. This pass copies pixels, and computes nothing.

The formulas count from 0. Let `p < P` and let `q < Q` be the place of a patch in its image. Let `u < size`, let
`v < size` and let `i < C` be the row, the column and the channel of an entry in its patch. Entries are numbered row by
row, then column by column, then channel by channel, and (u,v,i) is the number of an entry.

A convolution is patches, then linear. It multiplies each entry of a patch by a weight of its own, and adds up the
products:

    let z[n,p,q,o] = sum_u sum_v sum_i x[n,stride*p+u,stride*q+v,i] w[(u,v,i),o] + b[o]

c holds these entries side by side, so the three sums are one. This is linear.py, with a row for each of the N*P*Q
patches:

    z[n,p,q,o] = sum_k c[n,p,q,k] w[k,o] + b[o]

Hence a convolution has no derivation of its own. Its backward is that of linear, followed by the one below.
"""

from tinygrad_mnist.arrays.backend import Array, array_namespace


def forward(x: Array, size: int, stride: int) -> Array:
    """Return c (N, P, Q, size*size*C) for x (N, H, W, C), with the dtype of x.

        c[n,p,q,(u,v,i)] = x[n,stride*p+u,stride*q+v,i]

    Raises ValueError if x does not have four axes, or if no patch fits into an image.

    A row of three patches:

    >>> import numpy as np
    >>> x = np.array([[1, 2, 3, 4],
    ...               [5, 6, 7, 8]])
    >>> c = forward(x.reshape(1, 2, 4, 1), size=2, stride=1)
    >>> c.reshape(3, 4)
    array([[1, 2, 5, 6],
           [2, 3, 6, 7],
           [3, 4, 7, 8]])

    A convolution with two filters. One adds the four pixels, and the other subtracts the left ones from the right ones:

    >>> from tinygrad_mnist.passes import linear
    >>> w = np.array([[1, -1],
    ...               [1, 1],
    ...               [1, -1],
    ...               [1, 1]])
    >>> linear.forward(c.reshape(3, 4), w, b=np.array([0, 0])).T
    array([[14, 18, 22],
           [ 2,  2,  2]])
    """
    P, Q = _counts(x.shape, size, stride)
    N, H, W, C = x.shape
    xp = array_namespace(x)
    number = xp.reshape(xp.arange(H * W, device=x.device), (H, W))
    # The number of the first pixel of each patch, plus what leads from there to each pixel of the patch.
    first = number[: stride * (P - 1) + 1 : stride, : stride * (Q - 1) + 1 : stride]
    chosen = first[:, :, None, None] + number[:size, :size]
    c = xp.take(xp.reshape(x, (N, H * W, C)), xp.reshape(chosen, (-1,)), axis=1)
    return xp.reshape(c, (N, P, Q, size * size * C))


def backward(dc: Array, shape: tuple[int, ...], size: int, stride: int) -> Array:
    """Return dx (N, H, W, C), given dc (N, P, Q, size*size*C) and the shape of x.

    Raises ValueError as `forward` does, and if dc does not have the shape of c.

    Forward, by index (m, p, q, u, v and let `j < C` run over all entries of c):

        c[m,p,q,(u,v,j)] = x[m,stride*p+u,stride*q+v,j]

    Now let `r < H` and let `t < W` be the place of one pixel. x[n,r,t,i] was copied to every patch in which it lies, to
    a different place in each:

        ∂c[m,p,q,(u,v,j)]/∂x[n,r,t,i] = 1 if m = n and stride*p+u = r and stride*q+v = t and j = i, 0 otherwise

    Chain rule, by index. What is copied forward is summed backward:

        dx[n,r,t,i] = ∂L/∂x[n,r,t,i]
                    = sum_m sum_p sum_q sum_u sum_v sum_j ∂L/∂c[m,p,q,(u,v,j)] * ∂c[m,p,q,(u,v,j)]/∂x[n,r,t,i]
                    = sum_p sum_q sum_u sum_v dc[n,p,q,(u,v,i)] * (1 if stride*p+u = r and stride*q+v = t, 0 otherwise)

    In words, every patch is added to dx at the place that it was cut from. Patches that overlap must be added one after
    the other, and others can be added at once. From a patch to the next that does not overlap it, there are k strides,
    with the smallest k for which they are `size` pixels or more. So every k-th patch of every k-th row is in a group,
    and there are k*k groups. Each patch of a group has a tile of its own in dx, which is `step` pixels high and wide,
    and covers `size` of them. The last tiles may reach beyond H and W. In arrays, where tiles is a view of dx:

        k = -(-size // stride)
        step = k * stride
        piece = xp.permute_dims(xp.reshape(dc, (N, P, Q, size, size, C)), (0, 1, 3, 2, 4, 5))
        dx = xp.zeros((N, H + step, W + step, C), dtype=dc.dtype, device=dc.device)
        for i in range(min(k, P)):
            for j in range(min(k, Q)):
                group = piece[:, i::k, :, j::k, :, :]
                A, B = group.shape[1], group.shape[3]
                area = dx[:, stride * i : stride * i + step * A, stride * j : stride * j + step * B, :]
                tiles = xp.reshape(area, (N, A, step, B, step, C))
                tiles[:, :, :size, :, :size, :] += group
        dx = dx[:, :H, :W, :]

    With ones in dc, dx counts the patches that each pixel lies in:

    >>> import numpy as np
    >>> backward(np.ones((1, 2, 3, 4)), (1, 3, 4, 1), size=2, stride=1).reshape(3, 4)
    array([[1., 2., 2., 1.],
           [2., 4., 4., 2.],
           [1., 2., 2., 1.]])
    """
    P, Q = _counts(shape, size, stride)
    N, H, W, C = shape
    if tuple(dc.shape) != (N, P, Q, size * size * C):
        expected = (N, P, Q, size * size * C)
        raise ValueError(f"dc has shape {tuple(dc.shape)}: for x of shape {tuple(shape)} it must be {expected}")
    xp = array_namespace(dc)
    k = -(-size // stride)
    step = k * stride
    piece = xp.permute_dims(xp.reshape(dc, (N, P, Q, size, size, C)), (0, 1, 3, 2, 4, 5))
    dx = xp.zeros((N, H + step, W + step, C), dtype=dc.dtype, device=dc.device)
    for i in range(min(k, P)):
        for j in range(min(k, Q)):
            group = piece[:, i::k, :, j::k, :, :]
            A, B = group.shape[1], group.shape[3]
            area = dx[:, stride * i : stride * i + step * A, stride * j : stride * j + step * B, :]
            tiles = xp.reshape(area, (N, A, step, B, step, C))
            tiles[:, :, :size, :, :size, :] += group
    dx = dx[:, :H, :W, :]
    return xp.asarray(dx, copy=True)


def _counts(shape: tuple[int, ...], size: int, stride: int) -> tuple[int, int]:
    """Return P and Q. Raises ValueError if no patch fits into an image."""
    if len(shape) != 4:
        raise ValueError(f"x has shape {tuple(shape)}: images must have the shape (N, H, W, C)")
    _, height, width, _ = shape
    if size < 1 or stride < 1:
        raise ValueError(f"patches have size {size} and stride {stride}: both must be 1 or more")
    if size > min(height, width):
        raise ValueError(f"x has shape {tuple(shape)}: no patch of {size} by {size} pixels fits into its images")
    return (height - size) // stride + 1, (width - size) // stride + 1
