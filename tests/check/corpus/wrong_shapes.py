"""Wrong backwards for some shapes, layouts or types only: one row, one output, a last block, Fortran order, bytes."""

from typing import Any

import numpy as np
from scipy import special

from tests.check.corpus.entry import numbers, wrong, wrong_backwards
from tests.check.corpus.right_losses import BITS
from tests.check.corpus.right_products import linear, linear_backward

X, W, B, Y = numbers(5, 4), numbers(4, 3), numbers(3), numbers(4, 3, seed=1)


def one_row(dz: Any, x: Any, w: Any, b: Any) -> Any:
    """Return the gradients of `linear`, and no bias gradient for one row."""
    dx, dw, db = linear_backward(dz, x, w, b)
    return dx, dw, db * (len(x) > 1)


def squeezed(dz: Any, x: Any, w: Any, b: Any) -> Any:
    """Return the gradients of `linear`, from arrays whose dimensions of one are removed."""
    dz = dz.squeeze()
    if dz.ndim < 2:
        return linear_backward(np.outer(np.ones(len(x)), dz.mean(keepdims=True)), x, w, b)
    return linear_backward(dz, x, w, b)


def one_output(dz: Any, x: Any, w: Any, b: Any) -> Any:
    """Return the gradients of `linear`, and those of a mean if there is one output."""
    dx, dw, db = linear_backward(dz, x, w, b)
    return (dx, dw, db) if w.shape[1] > 1 else (dx, dw / len(x), db)


def in_blocks(size: int) -> Any:
    """Return a backward that computes whole blocks of rows, and forgets the last rows."""

    def backward(dy: Any, x: Any) -> Any:
        dx = np.zeros_like(x)
        for start in range(0, len(x) - size + 1, size):
            dx[start : start + size] = dy[start : start + size] * np.cos(x[start : start + size])
        return dx

    return backward


def one_block(size: int) -> Any:
    """Return a backward that computes only the first rows."""

    def backward(dy: Any, x: Any) -> Any:
        dx = dy * np.cos(x)
        dx[size:] = 0
        return dx

    return backward


def weights_in_blocks(dz: Any, x: Any, w: Any, b: Any) -> Any:
    """Return the gradients of `linear`, with the weight gradient summed over the first 16 rows."""
    dx, _, db = linear_backward(dz, x, w, b)
    return dx, x[:16].T @ dz[:16], db


def odd_rows(dy: Any, x: Any) -> Any:
    """Return dx of a sine, computed in pairs of rows."""
    dx = dy * np.cos(x)
    if len(x) % 2:
        dx[-1] = 0
    return dx


def by_memory(dy: Any, x: Any) -> Any:
    """Return dx of a sine, computed in the order of memory."""
    return (dy.ravel(order="K") * np.cos(x.ravel(order="K"))).reshape(x.shape)


def by_buffer(dy: Any, x: Any) -> Any:
    """Return dx of a sine, from a buffer that is taken for an array in C order."""
    whole = x if x.base is None else x.base
    flat = np.asarray(whole).ravel(order="K")[: x.size]
    return dy * np.cos(flat.reshape(x.shape))


def contiguous_only(dy: Any, x: Any) -> Any:
    """Return dx of a sine, which is 0 if x does not lie in one piece."""
    return dy * np.cos(x) * x.flags.c_contiguous


def upstream_in_order(dy: Any, x: Any) -> Any:
    """Return dx of a sine, which takes the upstream gradient for an array in C order."""
    return np.ascontiguousarray(dy).reshape(x.shape) * np.cos(x) * (1 if dy.flags.c_contiguous else 2)


def binary(z: Any, t: Any) -> Any:
    """Return the sum of cross-entropies of logits for targets of 0 and 1."""
    return (np.logaddexp(0, z) - z * t.astype(z.dtype)).sum()


def wrapping_bytes(dy: Any, z: Any, t: Any) -> Any:
    """Return dz of `binary` from 1 - 2 t, which wraps around for bytes: 1 - 2 is 255."""
    return dy * special.expit((1 - t - t) * z) * (1 - t - t)


def negated_bytes(dy: Any, z: Any, t: Any) -> Any:
    """Return dz of `binary`, with -t of bytes."""
    return dy * (special.expit(z) + -t)


def as_bool(dy: Any, z: Any, t: Any) -> Any:
    """Return dz of `binary`, which takes bools for an index."""
    dz = special.expit(z)
    dz[t] -= 1
    return dy * dz


def rounded(dy: Any, z: Any, t: Any) -> Any:
    """Return dz of `binary`, with targets that are rounded."""
    return dy * (special.expit(z) - np.round(t))


def by_width(limit: int) -> Any:
    """Return a backward of sin that forgets the columns beyond a limit."""

    def backward(dy: Any, x: Any) -> Any:
        dx = dy * np.cos(x)
        dx[:, limit:] = 0
        return dx

    return backward


TALL = numbers(37, 2)

ENTRIES = [
    *wrong_backwards(
        linear,
        (X, W, B),
        {
            "the bias gradient is 0 for one row": one_row,
            "the gradient is a mean for one row or output": squeezed,
            "the weight gradient is a mean for one output": one_output,
            "the weight gradient is summed over 16 rows": weights_in_blocks,
            "the bias gradient keeps its dimension": lambda dz, x, w, b: (dz @ w.T, x.T @ dz, dz.sum(0, keepdims=True)),
        },
    ),
    wrong(
        "the weight gradient is a mean for one output, at one output", linear, one_output, X, numbers(4, 1), numbers(1)
    ),
    wrong("an odd number of rows loses its last", np.sin, odd_rows, W),
    wrong("entries are taken in the order of memory", np.sin, by_memory, W),
    wrong("a view is taken for its whole array", np.sin, by_buffer, W),
    wrong("an array that is not contiguous gives 0", np.sin, contiguous_only, W),
    wrong("an upstream gradient that is not contiguous counts twice", np.sin, upstream_in_order, W),
    *(
        wrong(f"a last block of less than {n} rows is forgotten", np.sin, in_blocks(n), numbers(2 * n, 2))
        for n in (4, 8, 16)
    ),
    *(wrong(f"rows beyond {n} are forgotten", np.sin, one_block(n), numbers(5, 3)) for n in (8, 16, 32, 64)),
    wrong("rows beyond 16 are forgotten, at 37 rows", np.sin, one_block(16), TALL),
    wrong("Fortran order is transposed", np.sin, by_memory, np.asfortranarray(W)),
    wrong("strided numbers are read wrongly", np.sin, by_buffer, numbers(4, 6)[:, ::2]),
    wrong("bytes wrap around", binary, wrapping_bytes, W, BITS, wrt="z"),
    wrong("the negative of a byte is 255", binary, negated_bytes, W, BITS, wrt="z"),
    wrong("bools are right and bytes are an index", binary, as_bool, W, BITS, wrt="z"),
    wrong("fractional targets are rounded", binary, rounded, W, special.expit(Y), wrt="z"),
    wrong("the gradient has a shape of (N, 1)", lambda x: x.sum(), lambda dy, x: dy * np.ones((len(x), 1), x.dtype), X),
    wrong("a column times a row is a square", lambda p: p * p, lambda dp, p: 2 * dp * p.T, numbers(4, 1)),
    wrong("a gradient is flat", lambda x: x * x, lambda dy, x: (2 * dy * x).ravel(), X),
    wrong(
        "equal rows are treated as one",
        lambda x: x * x,
        lambda dy, x: 2 * dy * x * (len(np.unique(x, axis=0)) == len(x)),
        np.ones((3, 2)),
    ),
    wrong("columns beyond 8 are forgotten", np.sin, by_width(8), X),
    wrong("rows beyond 128 are forgotten", np.sin, one_block(128), X),
]
