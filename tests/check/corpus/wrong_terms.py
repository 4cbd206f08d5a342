"""Wrong backwards that miss a term, sum over the wrong entries or put gradients in the wrong place."""

from typing import Any

import numpy as np

from tests.check.corpus.entry import numbers, wrong, wrong_backwards
from tests.check.corpus.right_kinks import max_pool, max_pool_backward, sort_backward
from tests.check.corpus.right_losses import LABELS, cross_entropy, cross_entropy_backward
from tests.check.corpus.right_products import (
    attention,
    attention_backward,
    conv,
    conv_backward,
    inverse_backward,
    network,
    network_backward,
    recurrent,
    strided_conv,
    strided_conv_backward,
)
from tests.check.corpus.right_reductions import (
    layer_norm,
    layer_norm_backward,
    log_softmax,
    rms_norm,
    softmax,
    softmax_backward,
)
from tests.check.corpus.wrong_factors import changed

X, W, B, U = numbers(5, 4), numbers(4, 3), numbers(3), numbers(3, 3)
IMAGES = numbers(2, 2, 4, 5), numbers(3, 2, 2, 2), numbers(3)
TOKENS = numbers(2, 3, 4), numbers(2, 3, 4, seed=1), numbers(2, 3, 4, seed=2)


def layer_norm_without(term: str) -> Any:
    """Return a layer norm's backward that forgets how the mean, or the variance, depends on x."""

    def backward(dy: Any, x: Any) -> Any:
        y = layer_norm(x)
        mean = 0 if term == "mean" else dy.mean(axis=-1, keepdims=True)
        variance = 0 if term == "variance" else y * (dy * y).mean(axis=-1, keepdims=True)
        return (dy - mean - variance) / np.sqrt(np.var(x, axis=-1, keepdims=True) + 1e-5)

    return backward


def conv_backward_shifted(dy: Any, x: Any, w: Any, b: Any) -> Any:
    """Return the gradients of `conv`, with dx moved by one column."""
    dx, dw, db = conv_backward(dy, x, w, b)
    return np.roll(dx, 1, axis=-1), dw, db


def conv_backward_turned(dy: Any, x: Any, w: Any, b: Any) -> Any:
    """Return the gradients of `conv`, with the kernel's gradient turned around."""
    dx, dw, db = conv_backward(dy, x, w, b)
    return dx, dw[..., ::-1, ::-1].copy(), db


def attention_backward_unscaled(dy: Any, q: Any, k: Any, v: Any) -> Any:
    """Return the gradients of `attention` without the root in the gradient of q."""
    dq, dk, dv = attention_backward(dy, q, k, v)
    return dq * 2, dk, dv


def truncated_backward(dh: Any, x: Any, w: Any, u: Any) -> Any:
    """Return the gradients of `recurrent` through the last step only."""
    last = recurrent(x[:-1], w, u)
    dz = dh * (1 - np.tanh(x[-1] @ w + last @ u) ** 2)
    dx = np.zeros_like(x)
    dx[-1] = dz @ w.T
    return dx, x[-1].T @ dz, last.T @ dz


def embedding_backward_once(dy: Any, table: Any, rows: Any) -> Any:
    """Return dtable, in which a row that is looked up twice gets only the last."""
    dtable = np.zeros_like(table)
    dtable[rows] = dy
    return dtable


def embedding_backward_fancy(dy: Any, table: Any, rows: Any) -> Any:
    """Return dtable, in which += on an index adds only once."""
    dtable = np.zeros_like(table)
    dtable[rows] += dy
    return dtable


ENTRIES = [
    *wrong_backwards(
        softmax,
        (X,),
        {
            "softmax without its coupling": lambda dy, x: dy * softmax(x) * (1 - softmax(x)),
            "softmax with a mean in place of a sum": lambda dy, x: (
                softmax(x) * (dy - (dy * softmax(x)).mean(axis=-1, keepdims=True))
            ),
            "softmax's backward is for logits in reverse": lambda dy, x: softmax_backward(dy, x[:, ::-1]),
        },
    ),
    wrong("softmax summed over the wrong axis", softmax, lambda dy, x: softmax(x) * (dy - (dy * softmax(x)).sum(0)), U),
    wrong("log-softmax with a single sum", log_softmax, lambda dy, x: dy - softmax(x) * dy.sum(), X),
    wrong("log-softmax without its sum", log_softmax, lambda dy, x: dy - softmax(x), X),
    *wrong_backwards(
        layer_norm,
        (numbers(4, 6),),
        {
            "layer norm without the mean's term": layer_norm_without("mean"),
            "layer norm without the variance's term": layer_norm_without("variance"),
            "layer norm's variance divided by n - 1": lambda dy, x: (
                layer_norm_backward(dy, x) * np.sqrt(5 / 6).astype(x.dtype)
            ),
        },
    ),
    wrong(
        "layer norm with the other axis",
        layer_norm,
        lambda dy, x: layer_norm_backward(dy.T, x.T).T.copy(),
        numbers(4, 4),
    ),
    wrong("rms norm without its term", rms_norm, lambda dy, x: dy / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-6), X),
    wrong("the mean is not divided", np.mean, lambda dy, x: dy * np.ones_like(x), X),
    wrong("the mean is divided by rows instead of entries", np.mean, lambda dy, x: dy * np.ones_like(x) / len(x), X),
    wrong("the variance is divided by n - 1", np.var, lambda dy, x: dy * 2 * (x - x.mean()) / (x.size - 1), X),
    wrong("the variance forgets the mean", np.var, lambda dy, x: dy * 2 * x / x.size, X),
    wrong("running sum in the forward direction", lambda x: np.cumsum(x, 1), lambda dy, x: np.cumsum(dy, 1), X),
    wrong("rolled in the same direction", lambda x: np.roll(x, 1, 1), lambda dy, x: np.roll(dy, 1, 1), X),
    *wrong_backwards(
        lambda x: np.sort(x, -1),
        (X,),
        {
            "sorted gradients are not put back": lambda dy, x: dy * 1,
            "sorted gradients are put back backward": lambda dy, x: np.take_along_axis(dy, x.argsort(-1), -1),
        },
    ),
    wrong("sorting along the other axis", lambda x: np.sort(x, 0), sort_backward, numbers(4, 4)),
    wrong(
        "repeated entries are averaged", lambda x: np.repeat(x, 2, 1), lambda dy, x: dy.reshape(*x.shape, 2).mean(2), X
    ),
    wrong("padding is off by one", lambda x: np.pad(x, 1), lambda dy, x: dy[2:, 1:-1].copy(), X),
    wrong(
        "a broadcast argument gets the first row",
        lambda x, b: x + b,
        lambda dz, x, b: (dz * 1, dz[0].copy()),
        X,
        numbers(4),
    ),
    wrong(
        "a broadcast argument gets the mean",
        lambda x, b: x * b,
        lambda dz, x, b: (dz * b, (dz * x).mean(0)),
        X,
        numbers(4),
    ),
    wrong("conv's input gradient is off by one column", conv, conv_backward_shifted, *IMAGES),
    wrong("conv's kernel gradient is turned around", conv, conv_backward_turned, *IMAGES),
    wrong("conv's bias gradient is a mean", conv, changed(conv_backward, 2, lambda d: d / 2), *IMAGES),
    wrong(
        "conv's stride is ignored in the kernel",
        strided_conv,
        changed(strided_conv_backward, 1, lambda d: d[::-1].copy()),
        numbers(3, 6),
        numbers(2),
    ),
    *wrong_backwards(
        max_pool,
        (numbers(2, 4, 6),),
        {
            "max pool shares among the window": lambda dy, x: np.repeat(np.repeat(dy, 2, 1), 2, 2) / 4,
            "max pool goes to the last row of windows twice": lambda dy, x: (
                max_pool_backward(dy, x) * np.where(np.arange(4) < 2, 1, 2).astype(x.dtype)[:, None]
            ),
        },
    ),
    *wrong_backwards(
        attention,
        TOKENS,
        {
            "attention forgets the root once": attention_backward_unscaled,
            "attention exchanges query and key": lambda dy, *t: (lambda d: (d[1], d[0], d[2]))(
                attention_backward(dy, *t)
            ),
        },
    ),
    wrong("the recurrent network sees only its last step", recurrent, truncated_backward, numbers(3, 2, 4), W, U),
    wrong(
        "the inverse is not transposed", np.linalg.inv, lambda dy, a: inverse_backward(dy, a.T), 3 * np.eye(3) + U / 2
    ),
    *wrong_backwards(
        lambda table, rows: table[rows],
        (numbers(6, 3), np.array([1, 4, 1, 0])),
        {
            "an embedding keeps only the last of equal rows": embedding_backward_once,
            "an embedding adds equal rows only once": embedding_backward_fancy,
        },
        wrt="table",
    ),
    *wrong_backwards(
        cross_entropy,
        (numbers(5, 3), LABELS),
        {
            "cross-entropy is not averaged": lambda dy, x, labels: cross_entropy_backward(dy, x, labels) * len(labels),
            "cross-entropy averages over all entries": lambda dy, x, labels: cross_entropy_backward(dy, x, labels) / 3,
            "cross-entropy ignores the upstream gradient": lambda dy, x, labels: cross_entropy_backward(1.0, x, labels),
        },
        wrt="x",
    ),
    wrong(
        "the hidden layer's slope is missing",
        network,
        changed(network_backward, 1, lambda d: d * 1.5),
        X,
        W,
        B,
        numbers(3, 2),
        numbers(2),
    ),
]
