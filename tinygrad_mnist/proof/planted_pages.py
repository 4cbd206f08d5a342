"""Planted bugs in the pages that people look up. Each function takes the arguments of the backward that it replaces."""

from collections.abc import Callable
from typing import Any

from tinygrad_mnist.arrays.backend import Array, array_namespace
from tinygrad_mnist.passes import (
    batch_norm,
    layer_norm,
    max_pool,
    patches,
    softmax_cross_entropy,
    squared_error,
    tanh,
)

ThreeArrays = tuple[Array, Array, Array]


def missing_square_slope(y: Array, t: Array) -> Array:
    """The factor 2 in the slope of the square is missing."""
    dy = squared_error.backward(y, t) / 2
    return dy


def mean_over_rows(y: Array, t: Array) -> Array:
    """The squared error is averaged over the rows instead of all entries."""
    dy = 2 * (y - t) / y.shape[0]
    return dy


def softmax_over_rows(z: Array, t: Array) -> Array:
    """The softmax runs over the rows instead of the classes."""
    p, wrong = softmax_cross_entropy.softmax(z), softmax_cross_entropy.softmax(z.T).T
    dz = softmax_cross_entropy.backward(z, t) + (wrong - p) / z.shape[0]
    return dz


def mean_over_entries(z: Array, t: Array) -> Array:
    """The softmax cross-entropy is averaged over all entries instead of the rows."""
    dz = softmax_cross_entropy.backward(z, t) / z.shape[1]
    return dz


def diagonal_jacobian(z: Array, t: Array) -> Array:
    """Only the diagonal of the softmax's Jacobian is used, as if every probability depended on its own logit only."""
    xp = array_namespace(z)
    p = softmax_cross_entropy.softmax(z)
    one_hot = xp.astype(xp.arange(z.shape[1], device=z.device) == t[:, None], z.dtype)
    dz = -one_hot * (1 - p) / z.shape[0]
    return dz


def hardened_targets(z: Array, t: Array) -> Array:
    """Probabilities are replaced by the most probable class."""
    dz = softmax_cross_entropy.backward(z, array_namespace(t).argmax(t, axis=1))
    return dz


def slope_of_sigmoid(dh: Array, h: Array) -> Array:
    """The slope of tanh is taken to be that of the sigmoid, h (1 - h)."""
    dz = dh * h * (1 - h)
    return dz


def slope_at_h(dh: Array, h: Array) -> Array:
    """The slope of tanh is computed from h as if h were z."""
    dz = tanh.backward(dh, tanh.forward(h))
    return dz


def mean_of_copies(dy: Array, shape: tuple[int, ...]) -> Array:
    """The derivatives of the copies are averaged instead of summed."""
    xp = array_namespace(dy)
    dx = xp.reshape(xp.mean(dy, axis=(0, 2)), shape)
    return dx


def first_copy(dy: Array, shape: tuple[int, ...]) -> Array:
    """Only the first of the copies counts."""
    dx = array_namespace(dy).reshape(dy[0, :, 0], shape)
    return dx


def last_patch(dc: Array, shape: tuple[int, ...], size: int, stride: int) -> Array:
    """Where patches overlap, the last one overwrites the others instead of being added."""
    xp = array_namespace(dc)
    images, rows, columns, _ = dc.shape
    dx = xp.zeros(shape, dtype=dc.dtype, device=dc.device)
    for p in range(rows):
        for q in range(columns):
            r, t = stride * p, stride * q
            dx[:, r : r + size, t : t + size, :] = xp.reshape(dc[:, p, q, :], (images, size, size, shape[3]))
    return dx


def exchanged_offsets(dc: Array, shape: tuple[int, ...], size: int, stride: int) -> Array:
    """Rows and columns of a patch are exchanged."""
    xp = array_namespace(dc)
    pieces = xp.reshape(dc, (*dc.shape[:3], size, size, shape[3]))
    dx = patches.backward(xp.reshape(xp.permute_dims(pieces, (0, 1, 2, 4, 3, 5)), dc.shape), shape, size, stride)
    return dx


def mean_of_overlaps(dc: Array, shape: tuple[int, ...], size: int, stride: int) -> Array:
    """Where patches overlap, their mean is taken instead of their sum."""
    xp = array_namespace(dc)
    counts = patches.backward(xp.ones_like(dc), shape, size, stride)
    dx = patches.backward(dc, shape, size, stride) / xp.maximum(counts, xp.ones_like(counts))
    return dx


def all_win(dh: Array, x: Array, size: int) -> Array:
    """Every pixel of a block gets the gradient, and not only the winner."""
    dx = max_pool.backward(dh, 0 * x, size) * size**2
    return dx


def largest_size_wins(dh: Array, x: Array, size: int) -> Array:
    """The winner is the pixel with the largest absolute value."""
    dx = max_pool.backward(dh, array_namespace(x).abs(x), size)
    return dx


def constant_mean(dy: Array, x: Array, gamma: Array) -> ThreeArrays:
    """The path through the mean of the row is forgotten."""
    xp = array_namespace(x)
    dx, dgamma, dbeta = layer_norm.backward(dy, x, gamma)
    s = 1 / xp.sqrt(xp.var(x, axis=1, keepdims=True) + layer_norm.EPSILON)
    dx = dx + s * xp.mean(dy * gamma, axis=1, keepdims=True)
    return dx, dgamma, dbeta


def constant_variance(dy: Array, x: Array, gamma: Array) -> ThreeArrays:
    """The path through the variance of the row is forgotten."""
    xp = array_namespace(x)
    _, dgamma, dbeta = layer_norm.backward(dy, x, gamma)
    s = 1 / xp.sqrt(xp.var(x, axis=1, keepdims=True) + layer_norm.EPSILON)
    dx = s * (dy * gamma - xp.mean(dy * gamma, axis=1, keepdims=True))
    return dx, dgamma, dbeta


def gamma_forgotten(dy: Array, x: Array, gamma: Array) -> ThreeArrays:
    """The gradient does not pass through gamma on its way to x."""
    _, dgamma, dbeta = layer_norm.backward(dy, x, gamma)
    dx, _, _ = layer_norm.backward(dy, x, array_namespace(x).ones_like(gamma))
    return dx, dgamma, dbeta


def statistics_held_fixed(dy: Array, x: Array, gamma: Array) -> ThreeArrays:
    """The mean and the variance of the batch are held fixed, which is right in predictions only."""
    xp = array_namespace(x)
    _, dgamma, dbeta = batch_norm.backward(dy, x, gamma)
    dx = dy * gamma / xp.sqrt(xp.var(x, axis=0) + batch_norm.EPSILON)
    return dx, dgamma, dbeta


def rows_for_columns(dy: Array, x: Array, gamma: Array) -> ThreeArrays:
    """The batch norm goes backward as a layer norm does, over the rows."""
    dx, _, _ = layer_norm.backward(dy, x, gamma)
    _, dgamma, dbeta = batch_norm.backward(dy, x, gamma)
    return dx, dgamma, dbeta


def x_not_normalized(dy: Array, x: Array, gamma: Array) -> ThreeArrays:
    """The gradient of gamma is computed from x instead of the normalized x."""
    dx, _, dbeta = batch_norm.backward(dy, x, gamma)
    dgamma = array_namespace(x).sum(dy * x, axis=0)
    return dx, dgamma, dbeta


PLANTED: dict[str, tuple[Callable[..., Any], ...]] = {
    "squared error": (missing_square_slope, mean_over_rows),
    "softmax": (softmax_over_rows, mean_over_entries, diagonal_jacobian),
    "soft softmax": (hardened_targets,),
    "tanh": (slope_of_sigmoid, slope_at_h),
    "broadcast": (mean_of_copies, first_copy),
    "patches": (last_patch, exchanged_offsets, mean_of_overlaps),
    "max pool": (all_win, largest_size_wins),
    "layer norm": (constant_mean, constant_variance, gamma_forgotten),
    "batch norm": (statistics_held_fixed, rows_for_columns, x_not_normalized),
}
"""The bugs that are planted in each case."""
