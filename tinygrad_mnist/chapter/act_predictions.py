"""Why accuracy cannot train: its slope is 0 almost everywhere."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist import metrics, network
from tinygrad_mnist.chapter.material import Material, batch
from tinygrad_mnist.chapter.section import Section, Table
from tinygrad_mnist.errors import DataError
from tinygrad_mnist.network import Layer
from tinygrad_mnist.passes import mean_loss

TEXT = (
    "People want accuracy, so why not let the gradient raise that? Nudge a weight a little, and no digit changes "
    "sides: the accuracy stays exactly what it was, its slope is 0, and 0 does not say which way to go. Where a digit "
    "does change sides the accuracy jumps, and a jump has no slope at all. The loss moves with every nudge, by just "
    "what its slope, derived by hand, foretells. So the loss is what trains, and the accuracy is what people read."
)

DIGITS_LOOKED_AT = 256
"""Enough for an accuracy, and few enough that they do not change sides at every turn."""

SHARES = (0.001, 0.01, 0.1, 1.001)
"""Nudges, as shares of the one that makes the first digit change sides."""


class Probe(NamedTuple):
    """A new linear model, the digits that it is tried on, and one of its weights."""

    x: NDArray[Any]  # (N, I)
    t: NDArray[Any]  # (N, 1)
    layer: Layer
    pixel: int  # the one with the most ink; its weight is nudged


def show(material: Material) -> Section:
    """Return what nudges of one weight do to accuracy and to loss."""
    probe = prepare(material)
    passed = network.forward(probe.x, (probe.layer,))
    loss, dz = mean_loss.of_logits(passed[0].z, probe.t)
    gradient = network.backward(dz, passed, (probe.layer,))[0].w[probe.pixel, 0]
    nudged = []
    for nudge in (share * first_flip(probe, passed[0].z) for share in SHARES):
        accuracy, moved = look(probe, nudge)
        nudged.append((nudge, accuracy, moved - loss, (moved - loss) / nudge))
    return Section(
        "Why accuracy cannot train",
        TEXT,
        ("tinygrad_mnist/metrics.py", "tinygrad_mnist/passes/mean_loss.py"),
        material.data.origin,
        tables=(
            Table(
                f"A new model on {len(probe.x)} digits, one weight nudged:",
                ("nudge", "accuracy", "loss moves by", "over nudge"),
                (".1e", ".4f", ".2e", ".6f"),
                nudged,
            ),
            Table("The slope of the loss by that weight, derived by hand:", (), (".6f",), [(float(gradient),)]),
        ),
    )


def prepare(material: Material) -> Probe:
    """Return a new model of this seed and some training digits. Raises DataError where these are all blank."""
    x, t = batch(material.some(DIGITS_LOOKED_AT), "float64")
    ink = np.mean(x, axis=0)
    if not np.any(ink):
        raise DataError("the digits are blank: name another folder with --data.")
    rng = np.random.default_rng((material.seed, 0))
    return Probe(x, t, network.initialise((x.shape[1], 1), rng, "float64")[0], int(np.argmax(ink)))


def first_flip(probe: Probe, z: NDArray[Any]) -> float:
    """Return the smallest nudge of the weight, up or down, at which a logit z becomes 0 and its digit changes sides.

    A nudge d makes z of it z + d x, which is 0 at d = -z / x.
    """
    ink = probe.x[:, probe.pixel]
    nudges = -z[ink > 0, 0] / ink[ink > 0]
    return float(nudges[np.argmin(np.abs(nudges))])


def look(probe: Probe, nudge: float) -> tuple[float, float]:
    """Return accuracy and loss with the weight nudged."""
    w = probe.layer.w.copy()
    w[probe.pixel, 0] += nudge
    z = network.forward(probe.x, (Layer(w, probe.layer.b),))[-1].z
    return metrics.accuracy(z, probe.t), float(mean_loss.of_logits(z, probe.t)[0])
