"""Planted bugs: mistakes that people make in derivatives, made on purpose for the gradient checker to find.

Each function takes the arguments of the backward that it replaces. A checker that misses one of them proves nothing.
"""

import ast
import inspect
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from tinygrad_mnist.arrays.backend import Array, array_namespace
from tinygrad_mnist.arrays.layers import Gradients, Layer, Parameters
from tinygrad_mnist.losses import LOSSES
from tinygrad_mnist.networks import dense
from tinygrad_mnist.networks.dense import Cache
from tinygrad_mnist.passes import cross_entropy, first_linear, linear
from tinygrad_mnist.proof import planted_pages
from tinygrad_mnist.proof.gradcheck import GradientCase

ThreeArrays = tuple[Array, Array, Array]


class PlantedBug(NamedTuple):
    """A wrong backward, and the name of the case that it is planted in."""

    case: str
    wrong: Callable[..., Any]

    @property
    def description(self) -> str:
        """What is wrong, in a sentence. It is read from the source, because python -OO removes docstrings."""
        (function,) = ast.parse(inspect.getsource(self.wrong)).body
        return ast.get_docstring(function) or ""  # type: ignore[arg-type]

    def planted_in(self, cases: dict[str, GradientCase]) -> dict[str, GradientCase]:
        """Return the cases with this backward in place of the right one."""
        return cases | {self.case: replace(cases[self.case], backward=self.wrong)}


def missing_two(dy: Array, x: Array) -> Array:
    """The factor 2 in the slope of x^2 is missing."""
    dx = dy * x
    return dx


def wrong_sign(dz: Array, x: Array, w: Array) -> ThreeArrays:
    """The weight gradient has the wrong sign, so training goes uphill."""
    dx, _, db = linear.backward(dz, x, w)
    dw = -x.T @ dz
    return dx, dw, db


def no_weights(dz: Array, x: Array, w: Array) -> ThreeArrays:
    """The weight gradient is always 0."""
    dx, _, db = linear.backward(dz, x, w)
    dw = 0 * w
    return dx, dw, db


def no_bias(dz: Array, x: Array, w: Array) -> ThreeArrays:
    """The bias gradient is always 0."""
    dx, dw, _ = linear.backward(dz, x, w)
    db = 0 * w[0, :]
    return dx, dw, db


def average(dz: Array, x: Array, w: Array) -> ThreeArrays:
    """The weight gradient is averaged over the batch, although the loss already takes the mean."""
    dx, _, db = linear.backward(dz, x, w)
    dw = x.T @ dz / x.shape[0]
    return dx, dw, db


def exchanged(dz: Array, x: Array, w: Array) -> ThreeArrays:
    """The input and the weights are exchanged, which is possible if both are square."""
    _, _, db = linear.backward(dz, x, w)
    dx = dz @ x.T
    dw = w.T @ dz
    return dx, dw, db


def transposed(dz: Array, x: Array, w: Array) -> ThreeArrays:
    """The weight gradient is transposed, which is possible if it is square."""
    dx, _, db = linear.backward(dz, x, w)
    dw = dz.T @ x
    return dx, dw, db


def wrong_axis(dz: Array, x: Array, w: Array) -> ThreeArrays:
    """The bias gradient is summed over the outputs instead of the rows."""
    dx, dw, _ = linear.backward(dz, x, w)
    db = array_namespace(dz).sum(dz, axis=1)
    return dx, dw, db


def slightly_off(dz: Array, x: Array, w: Array) -> ThreeArrays:
    """The weight gradient is too large by 0.05 %, which common tolerances allow."""
    dx, _, db = linear.backward(dz, x, w)
    dw = x.T @ dz * 1.0005
    return dx, dw, db


def one_entry(dz: Array, x: Array, w: Array) -> ThreeArrays:
    """One entry of the weight gradient is off by a millionth of the largest entry."""
    dx, dw, db = linear.backward(dz, x, w)
    xp = array_namespace(dw)
    dw[0, 0] += 1e-6 * xp.max(xp.abs(dw))
    return dx, dw, db


def overwritten(dz: Array, x: Array, w: Array) -> ThreeArrays:
    """The upstream gradient is overwritten after it was used."""
    dx, dw, db = linear.backward(dz, x, w)
    dz *= 0
    return dx, dw, db


def float64_leak(dz: Array, x: Array, w: Array) -> ThreeArrays:
    """The bias gradient is always float64, even if the inputs are float32."""
    dx, dw, _ = linear.backward(dz, x, w)
    xp = array_namespace(dz)
    db = xp.sum(xp.astype(dz, xp.float64), axis=0)
    return dx, dw, db


def missing_slope(dp: Array, p: Array) -> Array:
    """The factor 1 - p in the slope of the sigmoid is missing."""
    dz = dp * p
    return dz


def column_times_row(dp: Array, p: Array) -> Array:
    """A row (N,) is multiplied by a column (N, 1), and the result is (N, N)."""
    dz = dp[:, 0] * p[:, :1] * (1 - p[:, :1])
    return dz


def missing_mean(p: Array, t: Array) -> Array:
    """The factor 1/n of the mean is missing."""
    dp = 1 - 2 * array_namespace(p).astype(t, p.dtype)
    return dp


def same_sign(z: Array, t: Array) -> tuple[Array, Array]:
    """The gradient has the same sign for both targets, so training lowers all logits."""
    loss, dz = LOSSES["mean"](z, t)
    dz = array_namespace(dz).abs(dz)
    return loss, dz


def unscaled(dz: Array, x: Array) -> tuple[Array, Array]:
    """The factor 1/255 is missing, as if the weights were those for pixels from 0 to 255."""
    _, db = first_linear.backward(dz, x)
    dw = x.T @ dz
    return dw, db


def scaled_bias(dz: Array, x: Array) -> tuple[Array, Array]:
    """The bias gradient is multiplied by 1/255, like the weight gradient."""
    dw, db = first_linear.backward(first_linear.S * dz, x)
    dw = dw / first_linear.S
    return dw, db


def rounded_targets(z: Array, t: Array) -> Array:
    """Targets between 0 and 1 are rounded to 0 or 1."""
    dz = cross_entropy.backward(z, array_namespace(z).round(t))
    return dz


def relu_ignored(dh: Array, z: Array) -> Array:
    """The relu returns the upstream gradient even if its input was negative."""
    dz = dh + 0 * z
    return dz


def relu_of_upstream(dh: Array, z: Array) -> Array:
    """The relu looks at the sign of the upstream gradient instead of the sign of its input."""
    xp = array_namespace(z)
    dz = xp.where(dh > 0, dh, 0 * dh)
    return dz


def missing_sigmoid(z: Array, t: Array) -> Array:
    """The sigmoid is missing: z - t instead of p - t."""
    dz = (z - array_namespace(z).astype(t, z.dtype)) / (z.shape[0] * z.shape[1])
    return dz


def forgotten_pass(dz: Array, cache: Sequence[Cache], parameters: Parameters) -> Gradients:
    """The chain of backward passes leaves out the relu."""
    gradients = []
    for (x, _), (w, _) in zip(reversed(cache[1:]), reversed(parameters[1:]), strict=True):
        dx, dw, db = linear.backward(dz, x, w)
        gradients.append(Layer(dw, db))
        dz = dx
    dw, db = first_linear.backward(dz, cache[0].x)
    gradients.append(Layer(dw, db))
    return tuple(reversed(gradients))


def second_mean(dz: Array, cache: Sequence[Cache], parameters: Parameters) -> Gradients:
    """The gradients are averaged over the batch, although the loss already takes the mean."""
    return dense.backward(dz / dz.shape[0], cache, parameters)


_PLANTED: dict[str, tuple[Callable[..., Any], ...]] = {
    "square": (missing_two,),
    "linear": (wrong_sign, no_weights, no_bias, average, slightly_off, one_entry, overwritten, float64_leak),
    "first linear": (unscaled, scaled_bias),
    "linear 3x3": (exchanged, transposed, wrong_axis),
    "sigmoid": (missing_slope, column_times_row),
    "mean loss": (missing_mean,),
    "sigmoid+loss": (same_sign,),
    "relu": (relu_ignored, relu_of_upstream),
    "cross-entropy": (missing_sigmoid,),
    "soft entropy": (rounded_targets,),
    "two hidden": (forgotten_pass, second_mean),
    **planted_pages.PLANTED,
}

PLANTED_BUGS = {
    wrong.__name__.replace("_", "-"): PlantedBug(case, wrong) for case, wrongs in _PLANTED.items() for wrong in wrongs
}
"""Every planted bug by its name, as in `gradcheck --plant missing-mean`."""
