"""Right backwards of parts of larger models, and of functions that no complex number can pass through."""

import math
from typing import Any

import numpy as np
from scipy import special
from scipy.spatial.distance import cdist

from tests.check.corpus.entry import numbers, positive, right
from tests.check.corpus.right_elementwise import expit
from tests.check.corpus.right_reductions import layer_norm, layer_norm_backward, softmax

X, Y, POSITIVE = numbers(4, 3), numbers(4, 3, seed=1), positive(4, 3)


def gated(x: Any) -> Any:
    """Return the first half of the columns times the sigmoid of the second half."""
    a, b = np.split(x, 2, axis=-1)
    return a * expit(b)


def gated_backward(dy: Any, x: Any) -> Any:
    """Return dx of `gated`."""
    a, b = np.split(x, 2, axis=-1)
    p = expit(b)
    return np.concatenate([dy * p, dy * a * p * (1 - p)], axis=-1)


def gru(x: Any, h: Any, w: Any, u: Any) -> Any:
    """Return the next state of a cell with one gate."""
    gate = expit(x @ w)
    return (1 - gate) * h + gate * np.tanh(h @ u)


def gru_backward(dy: Any, x: Any, h: Any, w: Any, u: Any) -> Any:
    """Return dx, dh, dw and du of `gru`."""
    gate, new = expit(x @ w), np.tanh(h @ u)
    dgate, dnew = dy * (new - h) * gate * (1 - gate), dy * gate * (1 - new * new)
    return dgate @ w.T, dy * (1 - gate) + dnew @ u.T, x.T @ dgate, h.T @ dnew


def rotated(x: Any) -> Any:
    """Return pairs of columns, turned by an angle that grows with the row."""
    angle = np.arange(len(x), dtype=x.dtype)[:, None]
    a, b = x[:, 0::2], x[:, 1::2]
    return np.concatenate([a * np.cos(angle) - b * np.sin(angle), a * np.sin(angle) + b * np.cos(angle)], axis=1)


def rotated_backward(dy: Any, x: Any) -> Any:
    """Return dx of `rotated`."""
    angle = np.arange(len(x), dtype=x.dtype)[:, None]
    da, db = np.split(dy, 2, axis=1)
    dx = np.empty_like(x)
    dx[:, 0::2], dx[:, 1::2] = da * np.cos(angle) + db * np.sin(angle), db * np.cos(angle) - da * np.sin(angle)
    return dx


def kernel(x: Any, y: Any) -> Any:
    """Return the Gaussian kernel of each pair of rows."""
    return np.exp(-((x[:, None] - y[None]) ** 2).sum(axis=-1) / 2)


def kernel_backward(dk: Any, x: Any, y: Any) -> Any:
    """Return dx and dy of `kernel`."""
    weights = (dk * kernel(x, y))[..., None] * (y[None] - x[:, None])
    return weights.sum(axis=1), -weights.sum(axis=0)


def distances_backward(dd: Any, x: Any, y: Any) -> Any:
    """Return dx and dy of the distance of each pair of rows."""
    weights = (dd / cdist(x, y))[..., None] * (x[:, None] - y[None])
    return weights.sum(axis=1).astype(x.dtype), -weights.sum(axis=0).astype(y.dtype)


def spectrum(x: Any) -> Any:
    """Return the squared sizes of the Fourier coefficients of each row."""
    return abs(np.fft.fft(x, axis=-1)) ** 2


def spectrum_backward(dy: Any, x: Any) -> Any:
    """Return dx of `spectrum`."""
    return 2 * x.shape[-1] * np.fft.ifft(dy * np.fft.fft(x, axis=-1), axis=-1).real


def largest_singular_backward(dy: Any, a: Any) -> Any:
    """Return da of the largest singular value."""
    u, _, v = np.linalg.svd(a)
    return dy * np.outer(u[:, 0], v[0])


def gauss_divergence(mean: Any, log_variance: Any) -> Any:
    """Return the divergence of a normal distribution from the standard one."""
    return (mean**2 + np.exp(log_variance) - log_variance - 1).sum() / 2


def top_two_backward(dy: Any, x: Any) -> Any:
    """Return dx of the sum of the two largest entries of each row."""
    dx = np.zeros_like(x)
    np.put_along_axis(dx, x.argsort(axis=1)[:, -2:], dy[:, None], axis=1)
    return dx


def copied_and_cut(x: Any) -> Any:
    """Return a relu, computed in place in a copy."""
    y = x.copy()
    y[y < 0] = 0
    return y


def tanh_by_tanh(x: Any) -> Any:
    """Return tanh, entry by entry in Python."""
    return np.array([math.tanh(value) for value in x.ravel()], x.dtype).reshape(x.shape)


def polynomial_backward(dy: Any, c: Any, x: Any) -> Any:
    """Return dc and dx of the polynomial with coefficients c, the highest first."""
    powers = x[:, None] ** np.arange(len(c), dtype=x.dtype)[::-1]
    slope = np.polyval(np.polyder(c).astype(c.dtype), x)
    return dy @ powers, dy * slope


def depthwise(x: Any, w: Any) -> Any:
    """Return a convolution of each channel of x (N, C, L) with its own w (C, 3)."""
    return np.einsum("nclk,ck->ncl", np.lib.stride_tricks.sliding_window_view(x, 3, axis=-1), w)


def depthwise_backward(dy: Any, x: Any, w: Any) -> Any:
    """Return dx and dw of `depthwise`."""
    padded = np.pad(dy, ((0, 0), (0, 0), (2, 2)))
    windows = np.lib.stride_tricks.sliding_window_view(x, 3, axis=-1)
    return depthwise(padded, w[:, ::-1]), np.einsum("ncl,nclk->ck", dy, windows)


def tempered_backward(dy: Any, x: Any, temperature: Any) -> Any:
    """Return dx and dtemperature of softmax(x / temperature)."""
    p = softmax(x / temperature)
    dz = p * (dy - (dy * p).sum(axis=-1, keepdims=True))
    return dz / temperature, -(dz * x).sum() / temperature**2


def shared_slope_backward(dy: Any, x: Any, a: Any) -> Any:
    """Return dx and da of a relu with a slope a on the left, for all entries."""
    return np.where(x > 0, dy, a * dy), (dy * np.minimum(x, 0)).sum()


def ridge(w: Any, x: Any, t: Any) -> Any:
    """Return a squared error with a penalty for large weights."""
    return ((x @ w - t) ** 2).sum() + 0.1 * (w * w).sum()


ENTRIES = [
    right("gated linear unit", gated, gated_backward, numbers(4, 6)),
    right("gated cell", gru, gru_backward, numbers(3, 4), numbers(3, 2), numbers(4, 2), numbers(2, 2)),
    right("rotated pairs", rotated, rotated_backward, numbers(5, 4)),
    right("Gaussian kernel", kernel, kernel_backward, numbers(4, 2), numbers(3, 2)),
    right("distances of pairs", cdist, distances_backward, numbers(4, 2), numbers(3, 2)),
    right("Fourier spectrum", spectrum, spectrum_backward, numbers(3, 5)),
    right("largest singular value", lambda a: np.linalg.norm(a, 2), largest_singular_backward, X),
    right("trace of a product", lambda a, b: np.trace(a @ b), lambda dy, a, b: (dy * b.T, dy * a.T), X, numbers(3, 4)),
    right("square of a matrix", lambda a: a @ a, lambda dy, a: dy @ a.T + a.T @ dy, numbers(3, 3)),
    right("symmetric part", lambda a: (a + a.T) / 2, lambda dy, a: (dy + dy.T) / 2, numbers(3, 3)),
    right(
        "divergence of normal distributions",
        gauss_divergence,
        lambda dy, mean, log_variance: (dy * mean, dy * (np.exp(log_variance) - 1) / 2),
        X,
        Y,
    ),
    right(
        "drawn with given noise",
        lambda mean, log_size, noise: mean + np.exp(log_size) * noise,
        lambda dy, mean, log_size, noise: (dy.copy(), dy * np.exp(log_size) * noise),
        X,
        Y,
        numbers(4, 3, seed=2),
        wrt=("mean", "log_size"),
    ),
    right("sum of the two largest", lambda x: np.sort(x, axis=1)[:, -2:].sum(axis=1), top_two_backward, numbers(4, 5)),
    right("relu in a copy", copied_and_cut, lambda dy, x: dy * (x > 0), X),
    right("tanh by Python's tanh", tanh_by_tanh, lambda dy, x: dy * (1 - tanh_by_tanh(x) ** 2), X),
    right("polynomial", np.polyval, polynomial_backward, numbers(4), numbers(5)),
    right("depthwise convolution", depthwise, depthwise_backward, numbers(2, 3, 6), numbers(3, 3)),
    right("softmax with a temperature", lambda x, t: softmax(x / t), tempered_backward, X, np.array(1.5)),
    right("relu with a learned slope", lambda x, a: np.where(x > 0, x, a * x), shared_slope_backward, X, np.array(0.2)),
    right(
        "ridge regression",
        ridge,
        lambda dy, w, x, t: dy * (2 * x.T @ (x @ w - t) + 0.2 * w),
        numbers(3, 1),
        numbers(5, 3),
        numbers(5, 1),
        wrt="w",
    ),
    right("shared input, used twice", lambda x: x * x.sum(), lambda dy, x: dy * x.sum() + (dy * x).sum(), X),
    right("residual", lambda x: x + np.tanh(x), lambda dy, x: dy + dy * (1 - np.tanh(x) ** 2), X),
    right(
        "argument that does not matter",
        lambda x, b: np.sin(x),
        lambda dy, x, b: (dy * np.cos(x), np.zeros_like(b)),
        X,
        numbers(3),
    ),
    right(
        "bias before a layer norm",
        lambda x, b: layer_norm(x + b),
        lambda dy, x, b: (layer_norm_backward(dy, x + b), layer_norm_backward(dy, x + b).sum(axis=1, keepdims=True)),
        numbers(4, 6),
        numbers(4, 1),
    ),
    right("Bessel function", special.j0, lambda dy, x: -dy * special.j1(x), X),
    right(
        "distribution of normal numbers",
        special.ndtr,
        lambda dy, x: dy * (np.exp(-x * x / 2) / math.sqrt(2 * math.pi)),
        X,
    ),
    right(
        "log of the normal distribution",
        special.log_ndtr,
        lambda dy, x: dy * np.exp(-x * x / 2 - special.log_ndtr(x)) / math.sqrt(2 * math.pi),
        X,
    ),
    right("x log y", special.xlogy, lambda dz, x, y: (dz * np.log(y), dz * x / y), POSITIVE, positive(4, 3, seed=1)),
    right("triangle wave", lambda x: np.arcsin(np.sin(x)), lambda dy, x: dy * np.sign(np.cos(x)), 3 * X),
    right("fractional part", lambda x: x - np.floor(x), lambda dy, x: 1 * dy, X),
    right("abs at 0", abs, lambda dy, x: dy * np.sign(x), np.zeros((2, 3))),
    right("relu at 0", lambda x: np.maximum(x, 0), lambda dy, x: dy * (x > 0), np.zeros((2, 3))),
    right("one number in a matrix", np.tanh, lambda dy, x: dy * (1 - np.tanh(x) ** 2), np.array([[0.3]])),
    right("a hundred rows", np.tanh, lambda dy, x: dy * (1 - np.tanh(x) ** 2), numbers(100, 7)),
    right("integers in floats", lambda x: x * x, lambda dy, x: 2 * dy * x, np.arange(-3.0, 3).reshape(2, 3)),
    right(
        "quantile loss",
        lambda y, t: np.maximum(0.9 * (t - y), 0.1 * (y - t)).mean(),
        lambda dy, y, t: dy * np.where(t > y, -0.9, 0.1).astype(y.dtype) / y.size,
        X,
        Y,
        wrt="y",
    ),
    right(
        "cumulative product",
        lambda x: np.cumprod(x),
        lambda dy, x: np.cumsum((dy * np.cumprod(x))[::-1])[::-1] / x,
        positive(5),
    ),
    right(
        "geometric mean",
        lambda x: np.exp(np.log(x).mean()),
        lambda dy, x: dy * np.exp(np.log(x).mean()) / (x * x.size),
        POSITIVE,
    ),
    right(
        "size of a complex number",
        lambda x, y: abs(x + 1j * y),
        lambda dz, x, y: (dz * x / abs(x + 1j * y), dz * y / abs(x + 1j * y)),
        X,
        Y,
    ),
    right(
        "Kronecker product",
        np.kron,
        lambda dz, a, b: (
            np.einsum("ikjl,kl->ij", dz.reshape(2, 3, 2, 2), b),
            np.einsum("ikjl,ij->kl", dz.reshape(2, 3, 2, 2), a),
        ),
        numbers(2, 2),
        numbers(3, 2),
    ),
    right(
        "weighted mean",
        lambda x, w: (x * w).sum() / w.sum(),
        lambda dy, x, w: (dy * w / w.sum(), dy * (x - (x * w).sum() / w.sum()) / w.sum()),
        X,
        POSITIVE,
    ),
]
