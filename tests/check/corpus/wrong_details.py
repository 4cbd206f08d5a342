"""Wrong backwards whose fault shows only in some data: sparse upstreams, borders, overflow, ignored labels."""

from typing import Any

import numpy as np
from scipy import special

from tests.check.corpus.entry import numbers, positive, wrong, wrong_backwards
from tests.check.corpus.right_losses import embedding_backward
from tests.check.corpus.right_models import depthwise, depthwise_backward, gru, gru_backward, kernel, kernel_backward
from tests.check.corpus.right_products import conv, conv_backward, linear, linear_backward
from tests.check.corpus.right_reductions import log_softmax, softmax

X, Y, POSITIVE = numbers(4, 3), numbers(4, 3, seed=1), positive(4, 3)
KEPT = np.array([0, 2, -1, 1, -1])
"""Labels, of which -1 is ignored."""


def kept_cross_entropy(x: Any, labels: Any) -> Any:
    """Return the mean cross-entropy of the rows whose label is not -1."""
    rows = np.flatnonzero(labels >= 0)
    return -log_softmax(x)[rows, labels[rows]].mean()


def divided_by_all(dy: Any, x: Any, labels: Any) -> Any:
    """Return dx of `kept_cross_entropy`, divided by all rows."""
    rows = np.flatnonzero(labels >= 0)
    dx = np.zeros_like(x)
    dx[rows] = softmax(x)[rows]
    dx[rows, labels[rows]] -= 1
    return dy * dx / len(labels)


def ignored_too(dy: Any, x: Any, labels: Any) -> Any:
    """Return dx of `kept_cross_entropy`, in which -1 counts as the last label."""
    dx = softmax(x)
    dx[np.arange(len(labels)), labels] -= 1
    return dy * dx / (labels >= 0).sum()


def by_identity() -> Any:
    """Return a relu's backward that keeps a mask for each array object."""
    masks: dict[int, Any] = {}

    def backward(dy: Any, x: Any) -> Any:
        mask = masks.setdefault(id(x), x > 0)
        return dy * (mask if mask.shape == x.shape else x > 0)

    return backward


def every_other_call() -> Any:
    """Return a backward that is wrong in every other call."""
    calls: list[int] = []

    def backward(dy: Any, x: Any) -> Any:
        calls.append(1)
        return 2 * dy * x * (1 + 0.1 * (len(calls) % 2))

    return backward


def noisy_backward(dy: Any, x: Any) -> Any:
    """Return dx of x^2 with some noise, which has a mean of 0."""
    return 2 * dy * x * (1 + 0.01 * np.random.default_rng().standard_normal(x.shape)).astype(x.dtype)


def moved_and_restored(dy: Any, x: Any) -> Any:
    """Return dx of x^3, for which x is changed and restored."""
    x += 1
    dx = 3 * dy * (x - 1) ** 2
    x -= 1
    return dx


def border_lost(dy: Any, x: Any, w: Any, b: Any) -> Any:
    """Return the gradients of `conv`, without the last column of dx."""
    dx, dw, db = conv_backward(dy, x, w, b)
    dx[..., -1] = 0
    return dx, dw, db


def first_image_only(dy: Any, x: Any, w: Any, b: Any) -> Any:
    """Return the gradients of `conv`, with dw of the first image."""
    dx, _, db = conv_backward(dy, x, w, b)
    return dx, conv_backward(dy[:1], x[:1], w, b)[1], db


def without_state(dy: Any, x: Any, h: Any, w: Any, u: Any) -> Any:
    """Return the gradients of `gru`, without the path through the new state."""
    dx, _, dw, du = gru_backward(dy, x, h, w, u)
    return dx, dy * (1 - special.expit(x @ w)), dw, du


ENTRIES = [
    wrong("ignored labels count in the mean", kept_cross_entropy, divided_by_all, numbers(5, 3), KEPT, wrt="x"),
    wrong("ignored labels get a gradient", kept_cross_entropy, ignored_too, numbers(5, 3), KEPT, wrt="x"),
    *wrong_backwards(
        lambda x: np.maximum(x, 0),
        (X,),
        {
            "a mask is kept for each array object": by_identity(),
            "a bend at -1e-12 instead of 0 that doubles": lambda dy, x: (
                dy * ((x > 0) + 2.0 * ((x < 0) & (x > -1e-3))).astype(x.dtype)
            ),
        },
    ),
    wrong("every other call is wrong", lambda x: x * x, every_other_call(), X),
    wrong("the backward is noisy", lambda x: x * x, noisy_backward, X),
    wrong("the argument is changed and restored", lambda x: x**3, moved_and_restored, X),
    wrong("conv loses the last column", conv, border_lost, numbers(2, 2, 4, 5), numbers(3, 2, 2, 2), numbers(3)),
    wrong(
        "conv counts the first image only", conv, first_image_only, numbers(2, 2, 4, 5), numbers(3, 2, 2, 2), numbers(3)
    ),
    wrong(
        "depthwise kernels are not turned",
        depthwise,
        lambda dy, x, w: (depthwise(np.pad(dy, ((0, 0), (0, 0), (2, 2))), w), depthwise_backward(dy, x, w)[1]),
        numbers(2, 3, 6),
        numbers(3, 3),
    ),
    wrong("a cell forgets a path", gru, without_state, numbers(3, 4), numbers(3, 2), numbers(4, 2), numbers(2, 2)),
    wrong(
        "a kernel's second argument has the sign of the first",
        kernel,
        lambda dk, x, y: (kernel_backward(dk, x, y)[0], -kernel_backward(dk, x, y)[1]),
        numbers(4, 2),
        numbers(3, 2),
    ),
    *wrong_backwards(
        np.sin,
        (X,),
        {
            "it is wrong if all entries are positive": lambda dy, x: dy * np.cos(x) * (1 + (x > 0).all()),
            "it is wrong if all entries are negative": lambda dy, x: dy * np.cos(x) * (1 + (x < 0).all()),
            "it is wrong for float32 only": lambda dy, x: dy * np.cos(x) * (1.01 if x.dtype == np.float32 else 1),
            "sparse upstream gradients are scaled up": lambda dy, x: dy * np.cos(x) / max((dy != 0).mean(), 0.01),
            "a constant upstream gradient is a mean": lambda dy, x: (
                dy * np.cos(x) * (0.5 if dy.size and (dy == dy.flat[0]).all() else 1)
            ),
            "negative upstream gradients are dropped": lambda dy, x: np.maximum(dy, 0) * np.cos(x),
            "an upstream gradient of 0 gives NaN": lambda dy, x: dy * dy / dy * np.cos(x),
            "sin is 0 beyond 100": lambda dy, x: dy * np.cos(x) * (abs(x) < 100),
            "rows are exchanged": lambda dy, x: (dy * np.cos(x))[::-1].copy(),
            "rows of the upstream gradient are sorted": lambda dy, x: np.sort(dy, axis=0) * np.cos(x),
            "two neighbors exchange their gradients": lambda dy, x: (dy * np.cos(x))[:, [1, 0, 2]],
        },
    ),
    wrong("it is wrong if the mean is negative", np.sin, lambda dy, x: dy * np.cos(x) * (1 + (x.mean() < 0)), abs(X)),
    wrong(
        "the slope of sigmoid is NaN beyond 710", special.expit, lambda dy, x: dy * np.exp(x) / (1 + np.exp(x)) ** 2, X
    ),
    wrong(
        "the slope of log-sum-exp is NaN beyond 710",
        lambda x: special.logsumexp(x, axis=1),
        lambda dy, x: dy[:, None] * np.exp(x) / np.exp(x).sum(axis=1, keepdims=True),
        X,
    ),
    wrong(
        "softplus has slope NaN beyond 710",
        lambda x: np.logaddexp(0, x),
        lambda dy, x: dy * np.exp(x) / (1 + np.exp(x)),
        X,
    ),
    wrong("exp is cut off at 20", np.exp, lambda dy, x: dy * np.exp(np.minimum(x, 20)), X),
    wrong(
        "the square root is not halved for small numbers",
        np.sqrt,
        lambda dy, x: dy / (np.where(x < 0.1, 1, 2) * np.sqrt(x)),
        POSITIVE,
    ),
    wrong("the logarithm's slope is capped", np.log, lambda dy, x: dy * np.minimum(1 / x, 5), POSITIVE),
    wrong(
        "the divisor is cut off",
        lambda x, y: x / y,
        lambda dz, x, y: (dz / np.maximum(y, 0.3), -dz * x / y**2),
        X,
        POSITIVE,
    ),
    wrong(
        "the maximum of the other axis gets it",
        lambda x: x.max(axis=1),
        lambda dy, x: dy[:, None] * (x == x.max(axis=0)[:, None]),
        numbers(4, 4),
    ),
    wrong("the residual is left out", lambda x: x + np.tanh(x), lambda dy, x: dy * (1 - np.tanh(x) ** 2), X),
    wrong("an input that is used twice is counted once", lambda x: x * x.sum(), lambda dy, x: dy * x.sum(), X),
    wrong("the result is a broadcast view", np.sum, lambda dy, x: np.broadcast_to(np.asarray(dy), x.shape), X),
    wrong("the result is a slice of the upstream gradient", lambda x: np.pad(x, 1), lambda dy, x: dy[1:-1, 1:-1], X),
    wrong(
        "an unused argument gets a gradient",
        lambda x, b: np.sin(x),
        lambda dy, x, b: (dy * np.cos(x), np.ones_like(b)),
        X,
        numbers(3),
    ),
    wrong(
        "the temperature gets a mean",
        lambda x, t: x / t,
        lambda dy, x, t: (dy / t, -(dy * x).mean() / t**2),
        X,
        np.array(1.5),
    ),
    wrong(
        "a single weight is left out",
        linear,
        lambda dz, x, w, b: (
            linear_backward(dz, x, w, b)[0],
            (x.T @ dz) * (np.arange(w.size).reshape(w.shape) != 5),
            dz.sum(0),
        ),
        numbers(5, 4),
        X,
        numbers(3),
    ),
    wrong(
        "an embedding puts the last row in place of the first",
        lambda table, rows: table[rows],
        lambda dy, table, rows: embedding_backward(dy, table, rows - 1),
        numbers(6, 3),
        np.array([1, 4, 1, 0]),
        wrt="table",
    ),
    wrong(
        "a complex number's size has no direction",
        lambda x, y: abs(x + 1j * y),
        lambda dz, x, y: (dz * 1, dz * 1),
        X,
        Y,
    ),
    wrong(
        "the largest singular value has the wrong vectors",
        lambda a: np.linalg.norm(a, 2),
        lambda dy, a: dy * a / np.linalg.norm(a),
        X,
    ),
    wrong(
        "a spectrum is not multiplied by its length",
        lambda x: abs(np.fft.fft(x)) ** 2,
        lambda dy, x: 2 * np.fft.ifft(dy * np.fft.fft(x)).real,
        numbers(3, 5),
    ),
]
