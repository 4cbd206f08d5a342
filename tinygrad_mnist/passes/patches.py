"""Patches, also called im2col: c holds every square of size by size pixels that a convolution looks at, as a row.

    x  (N, H, W, C)              N images of H rows and W columns, with C channels: bytes, or any numbers
    c  (N, P, Q, size*size*C)    P rows and Q columns of patches in every image
    P = (H - size) // stride + 1
    Q = (W - size) // stride + 1

Patches start every `stride` pixels, and overlap if stride < size. Pixels at the bottom or at the right that do not fill
another patch are in none. This pass copies pixels, and computes nothing.

A convolution is patches, then linear. With weights w (size*size*C, O), whose rows are in the order u, v, i of the
entries of a patch, and a bias b (O,), the two passes compute

    z[n,p,q,o] = sum_u sum_v sum_i x[n,stride*p+u,stride*q+v,i] w[u,v,i,o] + b[o]

The sum over u, v and i is the sum over the inputs of linear, and each of the N*P*Q patches is a row. So a convolution
needs no derivation of its own: its backward is linear's, then this one.
"""

from tinygrad_mnist.arrays.backend import Array, array_namespace


def forward(x: Array, size: int, stride: int) -> Array:
    """Return c (N, P, Q, size*size*C) for x (N, H, W, C), with the dtype of x.

        c[n,p,q,u,v,i] = x[n,stride*p+u,stride*q+v,i]

    Here the last axis of c is written as three: u and v are the row and the column in the patch, from 0 to size - 1,
    and i is the channel. Raises ValueError if x does not have four axes, or if no patch fits into an image.

    A row of three patches:

    >>> import numpy as np
    >>> x = np.array([[1, 2, 3, 4],
    ...               [5, 6, 7, 8]])
    >>> c = forward(x.reshape(1, 2, 4, 1), size=2, stride=1)
    >>> c.reshape(3, 4)
    array([[1, 2, 5, 6],
           [2, 3, 6, 7],
           [3, 4, 7, 8]])

    A convolution with two filters: one adds the four pixels, the other takes the left ones from the right ones.

    >>> from tinygrad_mnist.passes import linear
    >>> w = np.array([[1, -1],
    ...               [1, 1],
    ...               [1, -1],
    ...               [1, 1]])
    >>> linear.forward(c.reshape(3, 4), w, b=np.array([0, 0])).T
    array([[14, 18, 22],
           [ 2,  2,  2]])
    """
    rows, columns = _counts(x.shape, size, stride)
    images, height, width, channels = x.shape
    xp = array_namespace(x)
    numbers = xp.reshape(xp.arange(height * width, device=x.device), (height, width))
    # The number of the first pixel of each patch, (P, Q), plus what leads from it to each pixel of the patch.
    start = numbers[: stride * (rows - 1) + 1 : stride, : stride * (columns - 1) + 1 : stride]
    pixel = start[:, :, None, None] + numbers[:size, :size]
    c = xp.take(xp.reshape(x, (images, height * width, channels)), xp.reshape(pixel, (-1,)), axis=1)
    return xp.reshape(c, (images, rows, columns, size * size * channels))


def backward(dc: Array, shape: tuple[int, ...], size: int, stride: int) -> Array:
    """Return dx (N, H, W, C), given dc (N, P, Q, size*size*C) and the shape of x.

    Raises ValueError as `forward` does, and if dc does not have the shape of c.

    Forward, by index (m, p, q, u, v, j run over all entries of c; n, r, s, i are fixed):

        c[m,p,q,u,v,j] = x[m,stride*p+u,stride*q+v,j]

    x[n,r,s,i] was copied to every patch that it lies in, to a different place in each. So

        ∂c[n,p,q,u,v,i]/∂x[n,r,s,i] = 1   if r = stride*p+u and s = stride*q+v,   0 otherwise

    and it is 0 for other images and channels. Chain rule, by index; what is copied forward is summed backward:

        dx[n,r,s,i] = ∂L/∂x[n,r,s,i]
                    = sum_m sum_p sum_q sum_u sum_v sum_j ∂L/∂c[m,p,q,u,v,j] * ∂c[m,p,q,u,v,j]/∂x[n,r,s,i]
                    = sum_p sum_q sum_u sum_v dc[n,p,q,u,v,i] * (1 if r = stride*p+u and s = stride*q+v,   0 otherwise)

    The condition is one for rows and one for columns, so the sum can be taken in two steps. First the rows:

        dr[n,r,q,v,i] = sum_u sum_p dc[n,p,q,u,v,i] * (1 if r = stride*p+u,   0 otherwise)

        dx[n,r,s,i] = sum_v sum_q dr[n,r,q,v,i] * (1 if s = stride*q+v,   0 otherwise)

    For one u, the condition gives every p a row of its own: u, u + stride, u + 2 stride and so on. This is a slice of
    dr, to which all patches are added at once. In arrays, starting from zeros, for every u and then for every v:

        dr[:, u : u + tall : stride, :, :] += dc[:, :, :, u, :]
        dx[:, :, v : v + wide : stride, :] += dr[:, :, :, v, :]

    with tall = stride*(P - 1) + 1 and wide = stride*(Q - 1) + 1, the distances from the first to the last patch.

    With ones in dc, dx counts the patches that each pixel lies in:

    >>> import numpy as np
    >>> backward(np.ones((1, 2, 3, 4)), (1, 3, 4, 1), size=2, stride=1).reshape(3, 4)
    array([[1., 2., 2., 1.],
           [2., 4., 4., 2.],
           [1., 2., 2., 1.]])
    """
    rows, columns = _counts(shape, size, stride)
    images, height, width, channels = shape
    expected = (images, rows, columns, size * size * channels)
    if tuple(dc.shape) != expected:
        raise ValueError(f"dc has shape {tuple(dc.shape)}: for x of shape {tuple(shape)} it must be {expected}")
    xp = array_namespace(dc)
    tall, wide = stride * (rows - 1) + 1, stride * (columns - 1) + 1
    dc = xp.reshape(dc, (images, rows, columns, size, size * channels))
    dr = xp.zeros((images, height, columns, size * channels), dtype=dc.dtype, device=dc.device)
    for u in range(size):
        dr[:, u : u + tall : stride, :, :] += dc[:, :, :, u, :]
    dr = xp.reshape(dr, (images, height, columns, size, channels))
    dx = xp.zeros((images, height, width, channels), dtype=dc.dtype, device=dc.device)
    for v in range(size):
        dx[:, :, v : v + wide : stride, :] += dr[:, :, :, v, :]
    return dx


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
