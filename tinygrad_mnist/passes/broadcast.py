"""Broadcast: y holds copies of the entries of x. What is copied forward is summed backward.

    x  (H, 1)       any array
    y  (N, H, W)    the same with new axes at the left, and with any size for axes of size 1

These shapes are an example of all that can happen to an axis. The first axis of y is new; the second is the same in x;
and the third has the size 1 in x, and is made longer. Array libraries do this in every sum or product of two arrays
whose shapes differ, so the rule is a part of many passes. In linear.py, the bias is copied to every row of z, and its
gradient is a sum over the rows of dz. In patches.py, a pixel is copied to every patch in which it lies.
"""

from tinygrad_mnist.arrays.backend import Array, array_namespace


def forward(x: Array, wide: tuple[int, ...]) -> Array:
    """Return y, which has the shape `wide` and holds copies of the entries of x, in memory of its own.

        y[n,h,w] = x[h,0]

    In general, y at any position is x at this position without the indices of new axes, and with the index 0 in axes
    that have the size 1 in x. Raises ValueError if x cannot be broadcast to that shape.

    >>> import numpy as np
    >>> forward(np.array([[1.0], [2.0]]), (2, 3))
    array([[1., 1., 1.],
           [2., 2., 2.]])
    """
    _copied(x.shape, wide)
    xp = array_namespace(x)
    return xp.asarray(xp.broadcast_to(x, wide), copy=True)


def backward(dy: Array, shape: tuple[int, ...]) -> Array:
    """Return dx, given dy, the derivative of the loss with respect to y, and the shape of x, which is that of dx.

    Raises ValueError if x cannot be broadcast to the shape of dy.

    Forward, by index (m, k, l run over the axes of y; h is fixed):

        y[m,k,l] = x[k,0]

    x[h,0] was copied to y[m,k,l] if k is h, for every m and every l:

        ∂y[m,k,l]/∂x[h,0] = 1 if k = h, 0 otherwise

    Chain rule, by index. L depends on x[h,0] through each of its copies, so the effects add up:

        dx[h,0] = ∂L/∂x[h,0] = sum_m sum_k sum_l ∂L/∂y[m,k,l] * ∂y[m,k,l]/∂x[h,0]
                = sum_m sum_l dy[m,h,l]

    Of the three sums, the one over the axis that is the same in x and y has lost all terms but one. The others are over
    the axes along which x was copied: those that are new in y, and those that have the size 1 in x. For any two shapes,
    each axis is of one of these kinds, so this holds for all of them. In arrays, with the numbers of the axes of the
    last two kinds in `copied`:

        copied = _copied(shape, dy.shape)
        dx = xp.reshape(xp.sum(dy, axis=copied), shape)

    An axis that has the size 1 in both is summed too, which changes nothing. Each entry of this x was copied three
    times:

    >>> import numpy as np
    >>> backward(np.array([[1.0, 2.0, 3.0],
    ...                    [4.0, 5.0, 6.0]]), (2, 1))
    array([[ 6.],
           [15.]])
    """
    copied = _copied(shape, dy.shape)
    xp = array_namespace(dy)
    dx = xp.reshape(xp.sum(dy, axis=copied), shape)
    return dx


def _copied(shape: tuple[int, ...], wide: tuple[int, ...]) -> tuple[int, ...]:
    """Return the numbers of the axes along which an array is copied if it is broadcast from `shape` to `wide`."""
    new = len(wide) - len(shape)
    if new < 0 or any(size not in (1, wider) for size, wider in zip(shape, wide[new:], strict=True)):
        raise ValueError(f"an array of shape {tuple(shape)} cannot be broadcast to the shape {tuple(wide)}")
    return (*range(new), *(new + axis for axis, size in enumerate(shape) if size == 1))
