"""Right backwards of functions that sum, normalize or rearrange."""

from typing import Any

import numpy as np
from scipy import special

from tests.check.corpus.entry import numbers, positive, right

X = numbers(4, 3)


def softmax(x: Any) -> Any:
    """Return the softmax of each row."""
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def softmax_backward(dy: Any, x: Any) -> Any:
    """Return dx of `softmax`."""
    p = softmax(x)
    return p * (dy - (dy * p).sum(axis=-1, keepdims=True))


def log_softmax(x: Any) -> Any:
    """Return the logarithm of the softmax of each row."""
    shifted = x - x.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def log_softmax_backward(dy: Any, x: Any) -> Any:
    """Return dx of `log_softmax`."""
    return dy - softmax(x) * dy.sum(axis=-1, keepdims=True)


def layer_norm(x: Any) -> Any:
    """Return rows with mean 0 and variance 1, through np.var."""
    return (x - x.mean(axis=-1, keepdims=True)) / np.sqrt(np.var(x, axis=-1, keepdims=True) + 1e-5)


def layer_norm_backward(dy: Any, x: Any) -> Any:
    """Return dx of `layer_norm`."""
    y = layer_norm(x)
    inner = dy - dy.mean(axis=-1, keepdims=True) - y * (dy * y).mean(axis=-1, keepdims=True)
    return inner / np.sqrt(np.var(x, axis=-1, keepdims=True) + 1e-5)


def scaled_layer_norm_backward(dy: Any, x: Any, gain: Any, bias: Any) -> Any:
    """Return dx, dgain and dbias of gain * layer_norm(x) + bias."""
    return layer_norm_backward(dy * gain, x), (dy * layer_norm(x)).sum(axis=0), dy.sum(axis=0)


def batch_norm_backward(dy: Any, x: Any, gain: Any, bias: Any) -> Any:
    """Return dx, dgain and dbias of a batch norm, whose columns have mean 0 and variance 1."""
    dx = layer_norm_backward(dy.T * gain[:, None], x.T).T.copy()
    return dx, (dy * layer_norm(x.T).T).sum(axis=0), dy.sum(axis=0)


def rms_norm(x: Any) -> Any:
    """Return rows whose mean square is 1."""
    return x / np.sqrt((x * x).mean(axis=-1, keepdims=True) + 1e-6)


def rms_norm_backward(dy: Any, x: Any) -> Any:
    """Return dx of `rms_norm`."""
    size = np.sqrt((x * x).mean(axis=-1, keepdims=True) + 1e-6)
    return dy / size - x * (dy * x).mean(axis=-1, keepdims=True) / size**3


def group_norm(x: Any) -> Any:
    """Return x (N, C, W) with mean 0 and variance 1 in each group of two channels."""
    return layer_norm(x.reshape(x.shape[0], x.shape[1] // 2, -1)).reshape(x.shape)


def group_norm_backward(dy: Any, x: Any) -> Any:
    """Return dx of `group_norm`."""
    groups = (x.shape[0], x.shape[1] // 2, -1)
    return layer_norm_backward(dy.reshape(groups), x.reshape(groups)).reshape(x.shape)


def standard_deviation_backward(dy: Any, x: Any) -> Any:
    """Return dx of the standard deviation of all entries."""
    return dy * (x - x.mean()) / (x.size * x.std())


def product_backward(dy: Any, x: Any) -> Any:
    """Return dx of the product of each row of three, without a division."""
    return dy[:, None] * np.stack([x[:, 1] * x[:, 2], x[:, 0] * x[:, 2], x[:, 0] * x[:, 1]], axis=1)


def unit_backward(dy: Any, x: Any) -> Any:
    """Return dx of rows of length 1."""
    length = np.linalg.norm(x, axis=1, keepdims=True)
    y = x / length
    return (dy - y * (dy * y).sum(axis=1, keepdims=True)) / length


def cosine_similarity(x: Any, y: Any) -> Any:
    """Return the cosine of the angle between two vectors."""
    return x @ y / (np.linalg.norm(x) * np.linalg.norm(y))


def cosine_backward(dz: Any, x: Any, y: Any) -> Any:
    """Return dx and dy of `cosine_similarity`."""
    c, nx, ny = cosine_similarity(x, y), np.linalg.norm(x), np.linalg.norm(y)
    return dz * (y / (nx * ny) - c * x / nx**2), dz * (x / (nx * ny) - c * y / ny**2)


def pad_backward(dy: Any, x: Any) -> Any:
    """Return dx of a border of one zero around x."""
    return dy[1:-1, 1:-1].copy()


def moving_average(x: Any) -> Any:
    """Return an exponential average along each row, computed one after the other."""
    y, state = np.empty_like(x), np.zeros_like(x[:, 0])
    for step in range(x.shape[1]):
        state = 0.9 * state + 0.1 * x[:, step]
        y[:, step] = state
    return y


def moving_average_backward(dy: Any, x: Any) -> Any:
    """Return dx of `moving_average`, from the last entry to the first."""
    dx, dstate = np.empty_like(x), np.zeros_like(x[:, 0])
    for step in reversed(range(x.shape[1])):
        dstate = dstate + dy[:, step]
        dx[:, step] = 0.1 * dstate
        dstate = 0.9 * dstate
    return dx


ENTRIES = [
    right("sum", np.sum, lambda dy, x: dy * np.ones_like(x), X),
    right("sum of rows", lambda x: x.sum(axis=1), lambda dy, x: dy[:, None] * np.ones_like(x), X),
    right("mean", np.mean, lambda dy, x: dy * np.ones_like(x) / x.size, X),
    right("mean of columns", lambda x: x.mean(axis=0), lambda dy, x: dy * np.ones_like(x) / len(x), X),
    right("variance", np.var, lambda dy, x: dy * 2 * (x - x.mean()) / x.size, X),
    right("standard deviation", np.std, standard_deviation_backward, X),
    right("product of rows", lambda x: x.prod(axis=1), product_backward, X),
    right(
        "running sum", lambda x: np.cumsum(x, axis=1), lambda dy, x: np.cumsum(dy[:, ::-1], axis=1)[:, ::-1].copy(), X
    ),
    right("log-sum-exp", lambda x: special.logsumexp(x, axis=1), lambda dy, x: dy[:, None] * softmax(x), X),
    right("softmax", softmax, softmax_backward, X),
    right("softmax into the tails", softmax, softmax_backward, 20 * X),
    right("log-softmax", log_softmax, log_softmax_backward, X),
    right("scipy.special.softmax", lambda x: special.softmax(x, axis=-1), softmax_backward, X),
    right("layer norm with np.var", layer_norm, layer_norm_backward, numbers(4, 6)),
    right(
        "layer norm with gain and bias",
        lambda x, gain, bias: gain * layer_norm(x) + bias,
        scaled_layer_norm_backward,
        numbers(4, 6),
        numbers(6),
        numbers(6, seed=1),
    ),
    right(
        "batch norm",
        lambda x, gain, bias: gain * layer_norm(x.T).T + bias,
        batch_norm_backward,
        numbers(7, 3),
        numbers(3),
        numbers(3, seed=1),
    ),
    right("rms norm", rms_norm, rms_norm_backward, numbers(4, 6)),
    right("group norm", group_norm, group_norm_backward, numbers(2, 4, 3)),
    right("rows of length 1", lambda x: x / np.linalg.norm(x, axis=1, keepdims=True), unit_backward, X),
    right("cosine of an angle", cosine_similarity, cosine_backward, numbers(5), numbers(5, seed=1)),
    right("transpose", lambda x: x.T.copy(), lambda dy, x: dy.T.copy(), X),
    right("reshape", lambda x: x.reshape(-1), lambda dy, x: dy.reshape(x.shape).copy(), X),
    right("padding", lambda x: np.pad(x, 1), pad_backward, X),
    right("reversed rows", lambda x: x[:, ::-1], lambda dy, x: dy[:, ::-1].copy(), X),
    right("rolled", lambda x: np.roll(x, 1, axis=1), lambda dy, x: np.roll(dy, -1, axis=1), X),
    right("repeated", lambda x: np.repeat(x, 2, axis=1), lambda dy, x: dy.reshape(*x.shape, 2).sum(axis=2), X),
    right(
        "joined",
        lambda x, y: np.concatenate([x, y], axis=1),
        lambda dz, x, y: (dz[:, : x.shape[1]].copy(), dz[:, x.shape[1] :].copy()),
        X,
        numbers(4, 2),
    ),
    right(
        "broadcast sum",
        lambda x, y: x[:, None] + y[None, :],
        lambda dz, x, y: (dz.sum(axis=1), dz.sum(axis=0)),
        numbers(4),
        numbers(3),
    ),
    right("outer product", np.outer, lambda dz, x, y: (dz @ y, x @ dz), numbers(4), numbers(3)),
    right("diagonal", lambda x: np.diag(x).copy(), lambda dy, x: np.diag(dy), numbers(4, 4)),
    right("moving average", moving_average, moving_average_backward, numbers(3, 5)),
    right("differences", lambda x: np.diff(x, axis=1), lambda dy, x: -np.diff(np.pad(dy, ((0, 0), (1, 1))), axis=1), X),
    right("entropy", lambda p: -(p * np.log(p)).sum(), lambda dy, p: -dy * (np.log(p) + 1), positive(4, 3)),
]
