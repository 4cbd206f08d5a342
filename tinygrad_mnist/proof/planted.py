"""Wrong derivatives, planted on purpose: what people get wrong, for the checker to find.

Each has the arguments of the backward that it stands in for. A checker that lets one of them through proves nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from tinygrad_mnist import network
from tinygrad_mnist.backend import Array, array_namespace
from tinygrad_mnist.gradcheck import Claim
from tinygrad_mnist.network import Gradients, Layer, Parameters, Passed
from tinygrad_mnist.passes import linear, mean_loss

ThreeArrays = tuple[Array, Array, Array]


class Plant(NamedTuple):
    """A wrong backward, and the name of the claim that it is planted in."""

    claim: str
    wrong: Callable[..., Any]

    @property
    def says(self) -> str:
        """What is wrong, in a sentence."""
        return self.wrong.__doc__ or ""

    def into(self, claims: dict[str, Claim]) -> dict[str, Claim]:
        """Return the claims with this backward in place of the right one."""
        return claims | {self.claim: replace(claims[self.claim], written=self.wrong)}


def missing_two(dy: Array, x: Array) -> Array:
    """The slope of x^2 is taken to be x."""
    dx = dy * x
    return dx


def wrong_sign(dz: Array, x: Array, w: Array) -> ThreeArrays:
    """The weight gradient points uphill where it should point downhill."""
    dx, _, db = linear.backward(dz, x, w)
    dw = -x.T @ dz
    return dx, dw, db


def no_weights(dz: Array, x: Array, w: Array) -> ThreeArrays:
    """The weight gradient is left at 0."""
    dx, _, db = linear.backward(dz, x, w)
    dw = 0 * w
    return dx, dw, db


def no_bias(dz: Array, x: Array, w: Array) -> ThreeArrays:
    """The bias gradient is left at 0."""
    dx, dw, _ = linear.backward(dz, x, w)
    db = 0 * w[0, :]
    return dx, dw, db


def average(dz: Array, x: Array, w: Array) -> ThreeArrays:
    """The weight gradient is averaged over the batch, which the loss has done already."""
    dx, _, db = linear.backward(dz, x, w)
    dw = x.T @ dz / x.shape[0]
    return dx, dw, db


def exchanged(dz: Array, x: Array, w: Array) -> ThreeArrays:
    """X and w have changed places, which their shapes allow."""
    _, _, db = linear.backward(dz, x, w)
    dx = dz @ x.T
    dw = w.T @ dz
    return dx, dw, db


def transposed(dz: Array, x: Array, w: Array) -> ThreeArrays:
    """The weight gradient is transposed, which its shape allows."""
    dx, _, db = linear.backward(dz, x, w)
    dw = dz.T @ x
    return dx, dw, db


def wrong_axis(dz: Array, x: Array, w: Array) -> ThreeArrays:
    """The bias gradient is summed over the outputs instead of over the rows."""
    dx, dw, _ = linear.backward(dz, x, w)
    db = array_namespace(dz).sum(dz, axis=1)
    return dx, dw, db


def half_per_mille(dz: Array, x: Array, w: Array) -> ThreeArrays:
    """The weight gradient is too large by 0.05 %, which the field's usual checks let through."""
    dx, _, db = linear.backward(dz, x, w)
    dw = x.T @ dz * 1.0005
    return dx, dw, db


def one_entry(dz: Array, x: Array, w: Array) -> ThreeArrays:
    """One entry of the weight gradient is off by one millionth of the largest."""
    dx, dw, db = linear.backward(dz, x, w)
    xp = array_namespace(dw)
    dw[0, 0] += 1e-6 * xp.max(xp.abs(dw))
    return dx, dw, db


def written_to(dz: Array, x: Array, w: Array) -> ThreeArrays:
    """The derivative that was handed in is overwritten, after it was used."""
    dx, dw, db = linear.backward(dz, x, w)
    dz *= 0
    return dx, dw, db


def float64_leak(dz: Array, x: Array, w: Array) -> ThreeArrays:
    """The bias gradient is summed in float64, whatever came in."""
    dx, dw, _ = linear.backward(dz, x, w)
    xp = array_namespace(dz)
    db = xp.sum(xp.astype(dz, xp.float64), axis=0)
    return dx, dw, db


def missing_slope(dp: Array, p: Array) -> Array:
    """The factor 1 - p of the sigmoid's slope is forgotten."""
    dz = dp * p
    return dz


def column_against_row(dp: Array, p: Array) -> Array:
    """A column (N, 1) is multiplied by a row (N,), and becomes (N, N)."""
    dz = dp[:, 0] * p[:, :1] * (1 - p[:, :1])
    return dz


def missing_mean(p: Array, t: Array) -> Array:
    """The 1/n of the mean is forgotten."""
    dp = 1 - 2 * array_namespace(p).astype(t, p.dtype)
    return dp


def forgotten_side(z: Array, t: Array) -> tuple[Array, Array]:
    """The logits are not turned around where the target is 1, so that all of them are pushed down."""
    loss, dz = mean_loss.of_logits(z, t)
    dz = array_namespace(dz).abs(dz)
    return loss, dz


def no_cut(dh: Array, z: Array) -> Array:
    """What the relu cut off on the way forward is let through on the way back."""
    dz = dh + 0 * z
    return dz


def cut_by_derivative(dh: Array, z: Array) -> Array:
    """The relu cuts by the sign of the derivative instead of by the sign of what it was given."""
    xp = array_namespace(z)
    dz = xp.where(dh > 0, dh, 0 * dh)
    return dz


def logits_for_chances(z: Array, t: Array) -> Array:
    """The logits are taken for the predictions: z - t instead of p - t."""
    dz = (z - array_namespace(z).astype(t, z.dtype)) / (z.shape[0] * z.shape[1])
    return dz


def forgotten_pass(dz: Array, passed: Sequence[Passed], parameters: Parameters) -> Gradients:
    """The chain leaves out the relu between the layers."""
    gradients = []
    for (x, _), (w, _) in zip(reversed(passed), reversed(parameters), strict=True):
        dx, dw, db = linear.backward(dz, x, w)
        gradients.append(Layer(dw, db))
        dz = dx
    return tuple(reversed(gradients))


def second_mean(dz: Array, passed: Sequence[Passed], parameters: Parameters) -> Gradients:
    """The network takes the mean over the batch, which the loss has taken already."""
    return network.backward(dz / dz.shape[0], passed, parameters)


_PLANTED: dict[str, tuple[Callable[..., Any], ...]] = {
    "square": (missing_two,),
    "linear": (wrong_sign, no_weights, no_bias, average, half_per_mille, one_entry, written_to, float64_leak),
    "linear 3x3": (exchanged, transposed, wrong_axis),
    "sigmoid": (missing_slope, column_against_row),
    "mean loss": (missing_mean,),
    "sigmoid+loss": (forgotten_side,),
    "relu": (no_cut, cut_by_derivative),
    "cross-entropy": (logits_for_chances,),
    "two hidden": (forgotten_pass, second_mean),
}

PLANTS = {
    wrong.__name__.replace("_", "-"): Plant(claim, wrong) for claim, wrongs in _PLANTED.items() for wrong in wrongs
}
"""Every planted bug by its name, as in `gradcheck --plant missing-mean`."""
