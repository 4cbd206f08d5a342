"""Patches: c holds every square of size by size pixels that a convolution looks at. The pass copies, and does not compute.

x  (N, H, W, C)              N images of H rows and W columns, with C channels: bytes or numbers
c  (N, P, Q, size*size*C)    P*Q patches of each image, in rows and columns
P = (H - size) // stride + 1
Q = (W - size) // stride + 1
"""

from tinygrad_mnist.arrays.backend import Array, array_namespace


def forward(x: Array, size: int, stride: int) -> Array:
    """Return c (N, P, Q, size*size*C) for images x (N, H, W, C), with the dtype of x.

        c[n,p,q,a,b,i] = x[n,stride*p+a,stride*q+b,i]

    >>> import numpy as np
    >>> x = np.arange(12).reshape(1, 3, 4, 1)
    >>> forward(x, size=2, stride=1)[0, 0]
    array([[0, 1, 4, 5],
           [1, 2, 5, 6],
           [2, 3, 6, 7]])
    """
    images, height, width, channels = x.shape
    rows, columns = _counts(x.shape, size, stride)
    xp = array_namespace(x)
    within = xp.arange(size, device=x.device)
    row = stride * xp.arange(rows, device=x.device)[:, None, None, None] + within[:, None]
    column = stride * xp.arange(columns, device=x.device)[:, None, None] + within
    pixels = xp.reshape(x, (images, height * width, channels))
    gathered = xp.take(pixels, xp.reshape(row * width + column, (-1,)), axis=1)
    return xp.reshape(gathered, (images, rows, columns, size * size * channels))


def backward(dc: Array, shape: tuple[int, ...], size: int, stride: int) -> Array:
    """Return dx (N, H, W, C), given dc (N, P, Q, size*size*C) and the shape of x.

    In arrays:

        dx[:, a:bottom:stride, b:right:stride, :] += dc[:, :, :, a, b, :]

    >>> import numpy as np
    >>> backward(np.ones((1, 2, 3, 4)), (1, 3, 4, 1), size=2, stride=1)[0, :, :, 0]
    array([[1., 2., 2., 1.],
           [2., 4., 4., 2.],
           [1., 2., 2., 1.]])
    """
    images, _, _, channels = shape
    rows, columns = _counts(shape, size, stride)
    if tuple(dc.shape) != (images, rows, columns, size * size * channels):
        raise ValueError(f"dc has shape {tuple(dc.shape)}")
    xp = array_namespace(dc)
    dc = xp.reshape(dc, (images, rows, columns, size, size, channels))
    dx = xp.zeros(shape, dtype=dc.dtype, device=dc.device)
    for a in range(size):
        for b in range(size):
            bottom, right = a + stride * (rows - 1) + 1, b + stride * (columns - 1) + 1
            dx[:, a:bottom:stride, b:right:stride, :] += dc[:, :, :, a, b, :]
    return dx


def _counts(shape: tuple[int, ...], size: int, stride: int) -> tuple[int, int]:
    """Return P and Q, the numbers of patches that fit below each other and beside each other."""
    if len(shape) != 4:
        raise ValueError(f"x has shape {tuple(shape)}: it must be (N, H, W, C)")
    _, height, width, _ = shape
    if not (1 <= size <= min(height, width) and stride >= 1):
        raise ValueError(f"patches of size {size} with stride {stride} do not fit into images of {height} x {width}")
    return (height - size) // stride + 1, (width - size) // stride + 1
