"""Act three, predictions: from any number to a prediction, and how to measure how wrong it is."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist import metrics
from tinygrad_mnist.arrays.layers import Layer
from tinygrad_mnist.chapter import book_figures
from tinygrad_mnist.chapter.material import Material, batch
from tinygrad_mnist.chapter.section import Figure, Section, Table, plot
from tinygrad_mnist.errors import DataError
from tinygrad_mnist.losses import LOSSES
from tinygrad_mnist.networks import dense
from tinygrad_mnist.passes import linear, mean_loss, sigmoid

SIGMOID_TEXT = (
    "A prediction should be between 0, certainly a 7, and 1, certainly a 3, but a weighted sum of pixels can be any "
    "number z. The sigmoid, p = 1 / (1 + e^-z), maps z to that range. It rises everywhere and has no corners, so its "
    "derivative always tells how p changes if z rises a little. The derivative is p (1 - p): largest in the middle, "
    "where the model is uncertain, and close to 0 at both ends, where it is certain."
)

Z = (-1000.0, -4.0, -2.0, 0.0, 2.0, 4.0, 1000.0)
"""The numbers in the table of the sigmoid."""


def show_sigmoid(_: Material) -> Section:
    """Return a plot of the sigmoid, and its value and derivative at several z."""
    z = np.array(Z)
    p = sigmoid.forward(z)
    derivative = sigmoid.backward(np.ones_like(p), p)
    line = np.linspace(-6, 6, 400)
    return Section(
        "From any number to a prediction",
        SIGMOID_TEXT,
        ("tinygrad_mnist/passes/sigmoid.py",),
        pictures=(plot("z from -6 to 6, p from 0 to 1", [(line, sigmoid.forward(line))]),),
        tables=(
            Table(
                "No exponential overflows, even at z = -1000:",
                ("z", "p", "derivative"),
                ("g", ".4f", ".4f"),
                list(zip(z.tolist(), p.tolist(), derivative.tolist(), strict=True)),
            ),
        ),
    )


LOSS_TEXT = (
    "The target is 1 for a 3 and 0 for a 7. The distance of a prediction p is 1 - p from the target 1, and p from the "
    "target 0; the mean of these distances is the loss, and 0 is perfect. Changing the last prediction from 0.2 to 0.8 "
    "lowers the loss. The derivative of the loss with respect to that prediction, -1/3, tells by how much: raising the "
    "prediction by 0.6 lowers the loss by 0.2."
)


def show_loss(_: Material) -> Section:
    """Return the distances of the book's three predictions, their loss, and its derivative with respect to each."""
    predictions, targets = book_figures.PREDICTIONS, book_figures.TARGETS
    p, t = np.array(predictions)[:, np.newaxis], np.array(targets)[:, np.newaxis]
    better = np.array([*predictions[:-1], book_figures.BETTER_PREDICTION])[:, np.newaxis]
    distances = [float(mean_loss.forward(p[[row]], t[[row]])) for row in range(len(p))]
    dp = mean_loss.backward(p, t)
    return Section(
        "How wrong is a prediction?",
        LOSS_TEXT,
        ("tinygrad_mnist/passes/mean_loss.py",),
        tables=(
            Table(
                "Three predictions:",
                ("prediction", "target", "distance", "derivative"),
                ("g", "d", ".1f", ".4f"),
                list(zip(predictions, targets, distances, dp[:, 0].tolist(), strict=True)),
            ),
        ),
        figures=(
            *(
                Figure(f"distance of {prediction} from {target}", book, here, ".1f")
                for prediction, target, book, here in zip(
                    predictions, targets, book_figures.PREDICTION_DISTANCES, distances, strict=True
                )
            ),
            Figure("loss of all three", book_figures.LOSS, float(mean_loss.forward(p, t))),
            Figure("loss if 0.2 becomes 0.8", book_figures.BETTER_LOSS, float(mean_loss.forward(better, t))),
        ),
    )


ACCURACY_TEXT = (
    "Accuracy is what people want, so why not use it as the loss? If one weight changes a little, the predicted digits "
    "usually stay the same and so does the accuracy: its derivative is 0, and 0 does not tell which way to go. If a "
    "predicted digit does change, the accuracy jumps, and a jump has no derivative. The loss changes with every nudge "
    "of the weight, in proportion to its derivative, which is derived by hand. So networks are trained with the loss, "
    "and accuracy is for people to read."
)

SAMPLE_SIZE = 256
"""Enough digits to measure accuracy, and few enough that a small nudge does not change a predicted digit."""

SHARES = (0.001, 0.01, 0.1, 1.001)
"""Nudges, as shares of the smallest one that changes a predicted digit."""


class Probe(NamedTuple):
    """A new linear model, the digits to measure it on, and one of its weights."""

    x: NDArray[Any]  # (N, I) pixels from 0 to 1
    t: NDArray[Any]  # (N, 1)
    layer: Layer
    pixel: int  # the brightest on average; its weight is nudged


def show_accuracy(material: Material) -> Section:
    """Return how accuracy and loss change if one weight is nudged. Raises DataError if all images are black."""
    probe = prepare(material)
    z = linear.forward(probe.x, *probe.layer)
    loss, dz = LOSSES["mean"](z, probe.t)
    _, dw, _ = linear.backward(dz, probe.x, probe.layer.w)
    rows = []
    for nudge in (share * first_change(probe, z) for share in SHARES):
        accuracy, nudged_loss = measure(probe, nudge)
        rows.append((nudge, accuracy, nudged_loss - loss, (nudged_loss - loss) / nudge))
    return Section(
        "Why accuracy cannot be the loss",
        ACCURACY_TEXT,
        ("tinygrad_mnist/metrics.py", "tinygrad_mnist/passes/mean_loss.py"),
        material.data.origin,
        tables=(
            Table(
                f"A new model on {len(probe.x)} digits, with one weight nudged:",
                ("nudge", "accuracy", "change of loss", "change / nudge"),
                (".1e", ".4f", ".2e", ".6f"),
                rows,
            ),
            Table(
                "The derivative of the loss with respect to that weight, derived by hand:",
                (),
                (".6f",),
                [(float(dw[probe.pixel, 0]),)],
            ),
        ),
    )


def prepare(material: Material) -> Probe:
    """Return a new model, initialized with the seed, and some training digits. Raises DataError if all are black."""
    x, t = batch(material.sample(SAMPLE_SIZE), "float64")
    brightness = np.mean(x, axis=0)
    if not np.any(brightness):
        raise DataError("the images are all black: choose a different data set")
    (layer,) = dense.initialize((x.shape[1], 1), np.random.default_rng((material.seed, 0)), "float64")
    return Probe(x, t, layer, int(np.argmax(brightness)))


def first_change(probe: Probe, z: NDArray[Any]) -> float:
    """Return the smallest nudge of the weight, up or down, that makes a logit 0, where the predicted digit changes.

    A nudge d turns z into z + d x, which is 0 at d = -z / x.
    """
    x = probe.x[:, probe.pixel]
    nudges = -z[x > 0, 0] / x[x > 0]
    return float(nudges[np.argmin(np.abs(nudges))])


def measure(probe: Probe, nudge: float) -> tuple[float, float]:
    """Return accuracy and loss with the weight nudged."""
    w = probe.layer.w.copy()
    w[probe.pixel, 0] += nudge
    z = linear.forward(probe.x, w, probe.layer.b)
    return metrics.accuracy(z, probe.t), float(LOSSES["mean"](z, probe.t)[0])
