"""Right backwards of functions that are computed by decompositions, iterations, tables or other libraries."""

from typing import Any

import numpy as np
from scipy import signal, special
from scipy.interpolate import CubicSpline

from tests.check.corpus.entry import numbers, positive, right
from tests.check.corpus.right_reductions import layer_norm, layer_norm_backward, log_softmax, softmax, softmax_backward

X = numbers(5, 3)
WAVE = CubicSpline(np.arange(-6.0, 7), np.cos(np.arange(-6.0, 7)))
WEIGHTS = numbers(3)


class BatchNorm:
    """A layer that also keeps a running mean, which changes in every call and does not matter for the output."""

    def __init__(self, gain: Any) -> None:
        self.params, self.grads = {"gain": gain}, dict[str, Any]()
        self.running = np.zeros_like(gain)

    def forward(self, x: Any) -> Any:
        self.x, self.y = x, layer_norm(x.T).T
        self.running = 0.9 * self.running + 0.1 * x.mean(axis=0)
        return self.y * self.params["gain"]

    def backward(self, dy: Any) -> Any:
        self.grads = {"gain": (dy * self.y).sum(axis=0)}
        return layer_norm_backward((dy * self.params["gain"]).T, self.x.T).T.copy()


def cube_root_like(x: Any, tolerance: float = 0.0) -> Any:
    """Return the solution y of y^3 + y = x by Newton's method, which stops early at a tolerance."""
    y = np.zeros_like(x)
    for _ in range(60):
        step = (y**3 + y - x) / (3 * y * y + 1)
        y = y - step
        if np.max(np.abs(step), initial=0) < tolerance:
            break
    return y


def eigenvalues_backward(dy: Any, a: Any) -> Any:
    """Return da of the eigenvalues of the symmetric part of a."""
    _, vectors = np.linalg.eigh((a + a.T) / 2)
    return (vectors * dy) @ vectors.T


def cholesky(a: Any) -> Any:
    """Return the triangular factor of a a^T + 1."""
    return np.linalg.cholesky(a @ a.T + np.eye(len(a), dtype=a.dtype))


def cholesky_backward(dy: Any, a: Any) -> Any:
    """Return da of `cholesky`, after Murray, Differentiation of the Cholesky decomposition, 2016."""
    factor = cholesky(a)
    inner = np.tril(factor.T @ np.tril(dy))
    inner[np.diag_indices(len(inner))] /= 2
    inverse = np.linalg.inv(factor)
    dsquare = inverse.T @ (inner + inner.T) @ inverse / 2
    return 2 * dsquare @ a


def interpolated(p: Any, table: Any) -> Any:
    """Return a table read at positions between its entries."""
    left = np.clip(np.floor(p).astype(int), 0, len(table) - 2)
    return table[left] * (1 - (p - left)) + table[left + 1] * (p - left)


def interpolated_backward(dy: Any, p: Any, table: Any) -> Any:
    """Return dp and dtable of `interpolated`."""
    left = np.clip(np.floor(p).astype(int), 0, len(table) - 2)
    dtable = np.zeros_like(table)
    np.add.at(dtable, left, dy * (1 - (p - left)))
    np.add.at(dtable, left + 1, dy * (p - left))
    return dy * (table[left + 1] - table[left]), dtable


def long_chain(w: Any) -> list[Any]:
    """Return the 50 states of h = tanh(w h + 0.1), starting with ones."""
    states = [np.ones_like(w)]
    for _ in range(50):
        states.append(np.tanh(w * states[-1] + 0.1))
    return states


def long_chain_backward(dy: Any, w: Any) -> Any:
    """Return dw of the last state of `long_chain`."""
    states, dw = long_chain(w), np.zeros_like(w)
    for before, after in zip(states[-2::-1], states[:0:-1], strict=True):
        dz = dy * (1 - after * after)
        dw, dy = dw + dz * before, dz * w
    return dw


def correlated_backward(dy: Any, x: Any, w: Any) -> Any:
    """Return dx and dw of a correlation by SciPy."""
    return signal.convolve(dy, w, "full"), signal.correlate(x, dy, "valid")


def pool(x: Any) -> Any:
    """Return the largest pixel of each block of 2 by 2 pixels of images (N, C, H, W)."""
    n, c, height, width = x.shape
    return x.reshape(n, c, height // 2, 2, width // 2, 2).max(axis=(3, 5))


def pool_by_mask(dh: Any, x: Any) -> Any:
    """Return dx of `pool`. If pixels of a block are equally large, each of them gets the whole gradient."""
    h, wide = pool(x), (1, 1, 2, 2)
    return (x == np.kron(h, np.ones(wide, x.dtype))) * np.kron(dh, np.ones(wide, x.dtype))


ENTRIES = [
    right("max-pool by a mask", pool, pool_by_mask, numbers(2, 3, 4, 6)),
    right("batch norm layer with a running mean", BatchNorm(numbers(3)), None, numbers(6, 3)),
    right(
        "one-hot targets",
        lambda x, t: -(t * log_softmax(x)).sum(),
        lambda dy, x, t: dy * (softmax(x) - t),
        X,
        np.eye(3)[[0, 1, 2, 0, 1]],
        wrt="x",
    ),
    right("root by Newton's method", cube_root_like, lambda dy, x: dy / (3 * cube_root_like(x) ** 2 + 1), X),
    right(
        "root that is not quite a root",
        lambda x: cube_root_like(x, 1e-4),
        lambda dy, x: dy / (3 * cube_root_like(x) ** 2 + 1),
        X,
    ),
    right("eigenvalues", lambda a: np.linalg.eigvalsh((a + a.T) / 2), eigenvalues_backward, numbers(3, 3)),
    right("Cholesky factor", cholesky, cholesky_backward, numbers(3, 3)),
    right("spline", WAVE, lambda dy, x: dy * WAVE(x, 1), X),
    right("table between entries", interpolated, interpolated_backward, 2 + abs(numbers(5)), numbers(6)),
    right("long chain", lambda w: long_chain(w)[-1], long_chain_backward, numbers(4)),
    right(
        "correlation by SciPy",
        lambda x, w: signal.correlate(x, w, "valid"),
        correlated_backward,
        numbers(7),
        numbers(3),
    ),
    right("weights of its own", lambda x: x * WEIGHTS.astype(x.dtype), lambda dy, x: dy * WEIGHTS.astype(x.dtype), X),
    right("softmax of one column", softmax, softmax_backward, numbers(5, 1)),
    right(
        "layer norm of equal entries", layer_norm, layer_norm_backward, np.ones((3, 4)) * np.array([[1.0], [2], [3]])
    ),
    right(
        "sizes from 1e-8 to 1e6",
        np.tanh,
        lambda dy, x: dy * (1 - np.tanh(x) ** 2),
        X * 10.0 ** np.arange(-8, 7).reshape(5, 3),
    ),
    right("float16 arguments", np.tanh, lambda dy, x: dy * (1 - np.tanh(x) ** 2), X.astype(np.float16)),
    right("tangent", np.tan, lambda dy, x: dy / np.cos(x) ** 2, X),
    right("arcus cosine", np.arccos, lambda dy, x: -dy / np.sqrt(1 - x * x), np.tanh(X)),
    right(
        "incomplete beta function",
        lambda x: special.betainc(2, 3, x),
        lambda dy, x: dy * 12 * x * (1 - x) ** 2,
        positive(4) / 3,
    ),
    right("square on one side", lambda x: np.where(x > 0, x * x, 0), lambda dy, x: np.where(x > 0, 2 * dy * x, 0), X),
    right(
        "logarithm on one side",
        lambda x: np.where(x > 0, np.log(np.where(x > 0, x, 1)), 0),
        lambda dy, x: np.where(x > 0, dy / np.where(x > 0, x, 1), 0),
        X,
    ),
    right("step", lambda x: np.where(x > 0, 1, 0).astype(x.dtype), lambda dy, x: 0 * x, X),
    right(
        "square root of the size", lambda x: np.sqrt(abs(x)), lambda dy, x: dy * np.sign(x) / (2 * np.sqrt(abs(x))), X
    ),
    right("small wave on a constant", lambda x: 1 + 1e-7 * np.sin(x), lambda dy, x: 1e-7 * dy * np.cos(x), X),
]
