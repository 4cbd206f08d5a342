"""Right backwards of matrix products, convolutions, attention and small networks."""

from typing import Any

import numpy as np

from tests.check.corpus.entry import numbers, right
from tests.check.corpus.right_reductions import softmax


def linear(x: Any, w: Any, b: Any) -> Any:
    """Return x w + b."""
    return x @ w + b


def linear_backward(dz: Any, x: Any, w: Any, b: Any) -> Any:
    """Return dx, dw and db of `linear`."""
    return dz @ w.T, x.T @ dz, dz.sum(axis=0)


def im2col(x: Any, size: int) -> Any:
    """Return the patches of x (N, C, H, W), as rows of a real buffer."""
    n, channels, height, width = x.shape
    rows, columns = height - size + 1, width - size + 1
    patches = np.zeros((n, rows, columns, channels, size, size))
    for i in range(size):
        for j in range(size):
            patches[..., i, j] = x[:, :, i : i + rows, j : j + columns].transpose(0, 2, 3, 1)
    return patches.reshape(n * rows * columns, -1), (n, rows, columns)


def conv(x: Any, w: Any, b: Any) -> Any:
    """Return the convolution of x (N, C, H, W) with w (F, C, K, K), by im2col into zeros."""
    patches, shape = im2col(x, w.shape[-1])
    return (patches @ w.reshape(len(w), -1).T + b).reshape(*shape, len(w)).transpose(0, 3, 1, 2)


def conv_backward(dy: Any, x: Any, w: Any, b: Any) -> Any:
    """Return dx, dw and db of `conv`."""
    size, (n, filters, rows, columns) = w.shape[-1], dy.shape
    flat = dy.transpose(0, 2, 3, 1).reshape(-1, filters)
    patches, _ = im2col(x, size)
    dpatches = (flat @ w.reshape(filters, -1)).reshape(n, rows, columns, x.shape[1], size, size)
    dx = np.zeros(x.shape)
    for i in range(size):
        for j in range(size):
            dx[:, :, i : i + rows, j : j + columns] += dpatches[..., i, j].transpose(0, 3, 1, 2)
    return dx, (flat.T @ patches).reshape(w.shape), flat.sum(axis=0)


def padded_conv(x: Any, w: Any) -> Any:
    """Return the convolution of x (H, W) with w (3, 3) at the same size, with zeros beyond the border."""
    padded = np.pad(x, 1)
    return np.einsum("hwij,ij->hw", np.lib.stride_tricks.sliding_window_view(padded, (3, 3)), w)


def padded_conv_backward(dy: Any, x: Any, w: Any) -> Any:
    """Return dx and dw of `padded_conv`."""
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(x, 1), (3, 3))
    return padded_conv(dy, w[::-1, ::-1]), np.einsum("hw,hwij->ij", dy, windows)


def strided_conv(x: Any, w: Any) -> Any:
    """Return the convolution of x (N, L) with w (2,), two steps at a time."""
    return x[:, 0::2] * w[0] + x[:, 1::2] * w[1]


def strided_conv_backward(dy: Any, x: Any, w: Any) -> Any:
    """Return dx and dw of `strided_conv`."""
    dx = np.empty_like(x)
    dx[:, 0::2], dx[:, 1::2] = dy * w[0], dy * w[1]
    return dx, np.stack([(dy * x[:, 0::2]).sum(), (dy * x[:, 1::2]).sum()])


def attention(q: Any, k: Any, v: Any) -> Any:
    """Return attention for q, k and v (N, T, D)."""
    scores = np.einsum("ntd,nsd->nts", q, k) / q.shape[-1] ** 0.5
    return np.einsum("nts,nsd->ntd", softmax(scores), v)


def attention_backward(dy: Any, q: Any, k: Any, v: Any) -> Any:
    """Return dq, dk and dv of `attention`."""
    root = q.shape[-1] ** 0.5
    p = softmax(np.einsum("ntd,nsd->nts", q, k) / root)
    dp = np.einsum("ntd,nsd->nts", dy, v)
    ds = p * (dp - (dp * p).sum(axis=-1, keepdims=True)) / root
    return np.einsum("nts,nsd->ntd", ds, k), np.einsum("nts,ntd->nsd", ds, q), np.einsum("nts,ntd->nsd", p, dy)


def causal(scores: Any) -> Any:
    """Return the softmax of scores (T, T) in which nothing later is seen."""
    return softmax(np.where(np.tri(len(scores), dtype=bool), scores, -np.inf))


def causal_backward(dy: Any, scores: Any) -> Any:
    """Return dscores of `causal`."""
    p = causal(scores)
    return p * (dy - (dy * p).sum(axis=-1, keepdims=True))


def network(x: Any, w1: Any, b1: Any, w2: Any, b2: Any) -> Any:
    """Return the output of a network with one hidden layer of tanh."""
    return np.tanh(x @ w1 + b1) @ w2 + b2


def network_backward(dz: Any, x: Any, w1: Any, b1: Any, w2: Any, b2: Any) -> Any:
    """Return the gradients of all arguments of `network`."""
    h = np.tanh(x @ w1 + b1)
    dh = dz @ w2.T * (1 - h * h)
    return dh @ w1.T, x.T @ dh, dh.sum(axis=0), h.T @ dz, dz.sum(axis=0)


def recurrent(x: Any, w: Any, u: Any) -> Any:
    """Return the last state of h = tanh(x w + h u) for x (T, N, I)."""
    h = np.zeros((x.shape[1], u.shape[0]), x.dtype)
    for step in x:
        h = np.tanh(step @ w + h @ u)
    return h


def recurrent_backward(dh: Any, x: Any, w: Any, u: Any) -> Any:
    """Return dx, dw and du of `recurrent`, through time."""
    states = [np.zeros((x.shape[1], u.shape[0]), x.dtype)]
    for step in x:
        states.append(np.tanh(step @ w + states[-1] @ u))
    dx, dw, du = np.empty_like(x), np.zeros_like(w), np.zeros_like(u)
    for t in reversed(range(len(x))):
        dz = dh * (1 - states[t + 1] ** 2)
        dx[t], dw, du, dh = dz @ w.T, dw + x[t].T @ dz, du + states[t].T @ dz, dz @ u.T
    return dx, dw, du


def solve_backward(dx: Any, a: Any, b: Any) -> Any:
    """Return da and db of the solution x of a x = b."""
    db = np.linalg.solve(a.T, dx)
    return -np.outer(db, np.linalg.solve(a, b)), db


def inverse_backward(dy: Any, a: Any) -> Any:
    """Return da of the inverse of a matrix."""
    y = np.linalg.inv(a)
    return -y.T @ dy @ y.T


A = 3 * np.eye(3) + numbers(3, 3) / 2
TOKENS = numbers(2, 3, 4), numbers(2, 3, 4, seed=1), numbers(2, 3, 4, seed=2)
X, W, B = numbers(5, 4), numbers(4, 3), numbers(3)

ENTRIES = [
    right("linear", linear, linear_backward, X, W, B),
    right("linear with one row", linear, linear_backward, numbers(1, 4), W, B),
    right("linear with one output", linear, linear_backward, X, numbers(4, 1), numbers(1)),
    right("linear in Fortran order", linear, linear_backward, np.asfortranarray(X), W, B),
    right("product", np.matmul, lambda dz, x, w: (dz @ w.T, x.T @ dz), W, numbers(3, 2)),
    right(
        "batched product",
        np.matmul,
        lambda dz, x, y: (dz @ y.swapaxes(1, 2), x.swapaxes(1, 2) @ dz),
        numbers(2, 3, 4),
        numbers(2, 4, 2),
    ),
    right("dot product", np.dot, lambda dz, x, y: (dz * y, dz * x), numbers(5), numbers(5, seed=1)),
    right(
        "bilinear form",
        lambda x, a, y: x @ a @ y,
        lambda dz, x, a, y: (dz * (a @ y), dz * np.outer(x, y), dz * (x @ a)),
        B,
        numbers(3, 4),
        numbers(4),
    ),
    right("conv by im2col into zeros", conv, conv_backward, numbers(2, 2, 4, 5), numbers(3, 2, 2, 2), B),
    right("conv with padding", padded_conv, padded_conv_backward, numbers(4, 5), numbers(3, 3)),
    right("conv with a stride", strided_conv, strided_conv_backward, numbers(3, 6), numbers(2)),
    right(
        "average pool",
        lambda x: x.reshape(2, 2, 2, 3, 2).mean(axis=(2, 4)),
        lambda dy, x: np.repeat(np.repeat(dy, 2, axis=1), 2, axis=2) / 4,
        numbers(2, 4, 6),
    ),
    right("attention with einsum", attention, attention_backward, *TOKENS),
    right("causal softmax", causal, causal_backward, numbers(4, 4)),
    right("small network", network, network_backward, X, W, B, numbers(3, 2), numbers(2)),
    right("recurrent network", recurrent, recurrent_backward, numbers(3, 2, 4), W, numbers(3, 3)),
    right("inverse", np.linalg.inv, inverse_backward, A),
    right("determinant", np.linalg.det, lambda dy, a: dy * np.linalg.det(a) * np.linalg.inv(a).T, A),
    right("solution of equations", np.linalg.solve, solve_backward, A, B),
    right("log of a determinant", lambda a: np.linalg.slogdet(a)[1], lambda dy, a: dy * np.linalg.inv(a).T, A),
]
