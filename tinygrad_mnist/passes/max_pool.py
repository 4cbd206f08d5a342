"""Max pool: h keeps the largest number of every block of size by size pixels, so the images shrink.

    x  (N, H, W, C)    N images of H rows and W columns, with C channels
    h  (N, P, Q, C)    P rows and Q columns of blocks in every image
    P  ()              let `P = floor(H / size)`
    Q  ()              let `Q = floor(W / size)`

Blocks lie side by side and do not overlap. Pixels at the bottom or at the right that do not fill another block are
ignored. The formulas count from 0. Let `p < P` and let `q < Q` be the place of a block in its image, and let `u < size`
and let `v < size` be the place of a pixel in its block.
"""

from tinygrad_mnist.arrays.backend import Array, array_namespace
from tinygrad_mnist.arrays.shapes import require_same_shape

Place = tuple[slice, slice, slice, slice]


def forward(x: Array, size: int) -> Array:
    """Return h (N, P, Q, C) for x (N, H, W, C).

        h[n,p,q,i] = max_u max_v x[n,size*p+u,size*q+v,i]

    Raises ValueError if x does not have four axes or no block fits into an image.

    >>> import numpy as np
    >>> x = np.array([[1.0, 7.0, 0.0, 5.0],
    ...               [2.0, 4.0, 5.0, 3.0]])
    >>> forward(x.reshape(1, 2, 4, 1), size=2).reshape(1, 2)
    array([[7., 5.]])
    """
    xp = array_namespace(x)
    first, *others = _places(x.shape, size)
    h = xp.asarray(x[first], copy=True)
    for place in others:
        h = xp.maximum(h, x[place])
    return h


def backward(dh: Array, x: Array, size: int) -> Array:
    """Return dx (N, H, W, C), given dh (N, P, Q, C), the derivative of the loss with respect to h.

    Raises ValueError as `forward` does, and if dh does not have the shape of h.

    Forward, by index (m, k, l, j run over all entries of h; n, p, q, u, v, i are fixed):

        h[m,k,l,j] = max_u max_v x[m,size*k+u,size*l+v,j]

    Let a winner be a pixel that is as large as the maximum of its block. If the block has one winner, a small change of
    it changes h by the same amount, and a small change of any other pixel changes nothing. So the slope is 1 for the
    winner, and 0 for all others.

    If it has several winners, there is a kink: raising one of them raises h, and lowering it changes nothing. Its slope
    is 1 on the right and 0 on the left, and undefined at the kink itself. But raising or lowering all winners together
    moves h by as much, so their slopes should have the sum 1. We divide it equally among them. Their number is

        let ties[n,p,q,i] = sum_u sum_v (1 if x[n,size*p+u,size*q+v,i] = h[n,p,q,i], 0 otherwise)

    With one winner or with several, the slope is

        ∂h[n,p,q,i]/∂x[n,size*p+u,size*q+v,i] = 1 / ties[n,p,q,i] if x[n,size*p+u,size*q+v,i] = h[n,p,q,i], 0 otherwise

    Chain rule, by index. Every pixel lies in one block, so one term of the sums remains:

        dx[n,size*p+u,size*q+v,i]
            = sum_m sum_k sum_l sum_j ∂L/∂h[m,k,l,j] * ∂h[m,k,l,j]/∂x[n,size*p+u,size*q+v,i]
            = dh[n,p,q,i] * ∂h[n,p,q,i]/∂x[n,size*p+u,size*q+v,i]
            = dh[n,p,q,i] / ties[n,p,q,i] * (1 if x[n,size*p+u,size*q+v,i] = h[n,p,q,i], 0 otherwise)

    Pixels that are ignored have a gradient of 0. In arrays, with an index for each u and v in `places`, so that
    x[place] holds the pixels at this place of all blocks, and with a 1 for each winner in `won`:

        places = _places(x.shape, size)
        won = [xp.astype(x[place] == h, dh.dtype) for place in places]
        share = dh / sum(won)
        dx = xp.zeros_like(x)
        for place, won_here in zip(places, won, strict=True):
            dx[place] = share * won_here

    One winner in the first block, two in the second:

    >>> import numpy as np
    >>> x = np.array([[1.0, 7.0, 0.0, 5.0],
    ...               [2.0, 4.0, 5.0, 3.0]])
    >>> backward(np.array([10.0, 20.0]).reshape(1, 1, 2, 1), x.reshape(1, 2, 4, 1), size=2).reshape(2, 4)
    array([[ 0., 10.,  0., 10.],
           [ 0.,  0., 10.,  0.]])
    """
    h = forward(x, size)
    require_same_shape(dh=dh, h=h)
    xp = array_namespace(x)
    places = _places(x.shape, size)
    won = [xp.astype(x[place] == h, dh.dtype) for place in places]
    share = dh / sum(won)
    dx = xp.zeros_like(x)
    for place, won_here in zip(places, won, strict=True):
        dx[place] = share * won_here
    return dx


def _places(shape: tuple[int, ...], size: int) -> list[Place]:
    """Return, for each place in a block, the index of the pixels at that place in all blocks."""
    if len(shape) != 4:
        raise ValueError(f"x has shape {tuple(shape)}: images must have the shape (N, H, W, C)")
    _, height, width, _ = shape
    if not 1 <= size <= min(height, width):
        raise ValueError(f"x has shape {tuple(shape)}: no block of {size} by {size} pixels fits into its images")
    bottom, right, every = height // size * size, width // size * size, slice(None)
    return [(every, slice(u, bottom, size), slice(v, right, size), every) for u in range(size) for v in range(size)]
