"""Broadcast: y holds copies of the entries of x. What is copied forward is summed backward.

    x  any shape
    y  any shape that x can be broadcast to: its axes at the right match those of x, or x has the size 1 there

Array libraries broadcast in every sum and product of arrays of different shapes. So this rule is part of many passes:
linear copies its bias to every row of z, and adds up the rows of dz to get db. In patches.py, pixels are copied to
every patch that they lie in, which is no broadcast, but the rule is the same.
"""

from tinygrad_mnist.arrays.backend import Array, array_namespace


def forward(x: Array, shape: tuple[int, ...]) -> Array:
    """Return y, which has the given shape and holds copies of the entries of x.

    For the shapes (3, 1) and (2, 3, 4), which stand for all that may happen to an axis:

        y[m,n,k] = x[n,0]

    The first axis of y is new, the second is that of x, and the third has the size 1 in x. In general, let s(j) be the
    position in x that belongs to the position j in y: without the indices of new axes, and with 0 for those of axes
    that have the size 1 in x.

        y[j] = x[s(j)]

    Raises ValueError if x cannot be broadcast to the shape.

    >>> import numpy as np
    >>> forward(np.array([[1.0], [2.0]]), (2, 3))
    array([[1., 1., 1.],
           [2., 2., 2.]])
    """
    _copied(x.shape, shape)
    xp = array_namespace(x)
    # The library's own broadcast shares the memory of x.
    return xp.asarray(xp.broadcast_to(x, shape), copy=True)


def backward(dy: Array, shape: tuple[int, ...]) -> Array:
    """Return dx, which has the given shape of x, given dy, the derivative of the loss with respect to y.

    Raises ValueError if that shape cannot be broadcast to the shape of dy.

    Forward, by index (j runs over all positions in y; i is a fixed position in x):

        y[j] = x[s(j)]

    x[i] occurs in y[j] if it is the entry that was copied there:

        ∂y[j]/∂x[i] = 1   if s(j) = i,   0 otherwise

    Chain rule, by index. L depends on x[i] through all of its copies, so the effects add up:

        dx[i] = ∂L/∂x[i] = sum_j ∂L/∂y[j] * ∂y[j]/∂x[i] = sum_j dy[j] * (1 if s(j) = i,   0 otherwise)

    The positions j with s(j) = i differ only in the indices of new axes and of axes that have the size 1 in x. So the
    sum runs over these axes. For the shapes (3, 1) and (2, 3, 4), these are the first and the last:

        dx[n,0] = sum_m sum_k dy[m,n,k]

    For the bias of a linear pass, with the shapes (O,) and (N, O), it is the first. This is db in linear.py:

        dx[o] = sum_m dy[m,o]

    In arrays, with `copied` the numbers of these axes:

        dx = xp.reshape(xp.sum(dy, axis=copied), shape)

    Each entry of x was copied three times:

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
    """Return the numbers of the axes that broadcasting from `shape` to `wide` adds or repeats."""
    new = len(wide) - len(shape)
    if new < 0 or any(size not in (1, wider) for size, wider in zip(shape, wide[new:], strict=True)):
        raise ValueError(f"an array of shape {tuple(shape)} cannot be broadcast to the shape {tuple(wide)}")
    return (*range(new), *(new + axis for axis, size in enumerate(shape) if size == 1))
