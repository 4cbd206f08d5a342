"""Act three, predictions: from any number to a prediction, and how to measure how wrong it is."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist import metrics
from tinygrad_mnist.chapter import book_figures
from tinygrad_mnist.chapter.material import Material, batch
from tinygrad_mnist.chapter.section import Section, Table, compare, plot
from tinygrad_mnist.errors import DataError
from tinygrad_mnist.losses import LOSSES
from tinygrad_mnist.networks import dense
from tinygrad_mnist.passes import linear, mean_loss, sigmoid

Z = (-1000.0, -4.0, -2.0, 0.0, 2.0, 4.0, 1000.0)
"""The numbers in the table of the sigmoid."""

SAMPLE_SIZE = 256
"""Enough digits to measure accuracy, and few enough that a small nudge does not change a predicted digit."""

SHARES = (0.001, 0.01, 0.1, 1.001)
"""Nudges of a weight, as shares of the smallest one that changes a predicted digit."""


def show_sigmoid(_: Material) -> Section:
    """Return a plot of the sigmoid, and its value and derivative at several z."""
    p = sigmoid.forward(np.array(Z))
    rows = list(zip(Z, p.tolist(), sigmoid.backward(np.ones_like(p), p).tolist(), strict=True))
    head = ("z", "p", "derivative")
    line = np.linspace(-6, 6, 400)
    return Section(
        "From any number to a prediction",
        "A prediction should be between 0, certainly a 7, and 1, certainly a 3, but a weighted sum of pixels can be "
        "any number z. The sigmoid, p = 1 / (1 + e^-z), maps z to that range. It rises everywhere and has no corners, "
        "so its derivative always tells how p changes if z rises a little. The derivative is p (1 - p): largest in the "
        "middle, where the model is uncertain, and close to 0 at both ends, where it is certain.",
        ("tinygrad_mnist/passes/sigmoid.py",),
        pictures=(plot("z from -6 to 6, p from 0 to 1", [(line, sigmoid.forward(line))]),),
        tables=(Table("No exponential overflows, even at z = -1000:", head, ("g", ".4f", ".4f"), rows),),
    )


def show_loss(_: Material) -> Section:
    """Return the distances of the book's three predictions, their loss, and its derivative with respect to each."""
    predictions, targets = book_figures.PREDICTIONS, book_figures.TARGETS
    better = (*predictions[:-1], book_figures.BETTER_PREDICTION)
    p, t, better_p = (np.array(numbers)[:, np.newaxis] for numbers in (predictions, targets, better))
    distances = [float(mean_loss.forward(p[[row]], t[[row]])) for row in range(len(p))]
    losses = [float(mean_loss.forward(p, t)), float(mean_loss.forward(better_p, t))]
    rows = list(zip(predictions, targets, distances, mean_loss.backward(p, t)[:, 0].tolist(), strict=True))
    head, formats = ("prediction", "target", "distance", "derivative"), ("g", "d", ".1f", ".4f")
    return Section(
        "How wrong is a prediction?",
        "The target is 1 for a 3 and 0 for a 7. The distance of a prediction p is 1 - p from the target 1, and p from "
        "the target 0; the mean of these distances is the loss, and 0 is perfect. Changing the last prediction from "
        "0.2 to 0.8 lowers the loss. The derivative of the loss with respect to that prediction, -1/3, tells by how "
        "much: raising the prediction by 0.6 lowers the loss by 0.2.",
        ("tinygrad_mnist/passes/mean_loss.py",),
        tables=(Table("Three predictions:", head, formats, rows),),
        figures=(
            *compare(book_figures.PREDICTION_DISTANCES, distances, ".1f"),
            *compare(book_figures.PREDICTION_LOSSES, losses),
        ),
    )


def show_accuracy(material: Material) -> Section:
    """Return how accuracy and loss of a new model change if the weight of the brightest pixel is nudged.

    Raises DataError if all images are black.
    """
    x, t = batch(material.sample(SAMPLE_SIZE), "float64")
    pixel = int(np.argmax(np.mean(x, axis=0)))
    if not np.any(x[:, pixel]):
        raise DataError("the images are all black: choose a different data set")
    ((w, b),) = dense.initialize((x.shape[1], 1), np.random.default_rng((material.seed, 0)), "float64")
    z = linear.forward(x, w, b)
    loss, dz = LOSSES["mean"](z, t)
    _, dw, _ = linear.backward(dz, x, w)
    smallest = first_change(x[:, pixel], z[:, 0])
    rows = []
    for nudge in (share * smallest for share in SHARES):
        nudged = w.copy()
        nudged[pixel, 0] += nudge
        z = linear.forward(x, nudged, b)
        change = float(LOSSES["mean"](z, t)[0] - loss)
        rows.append((nudge, metrics.accuracy(z, t), change, change / nudge))
    caption = f"A new model on {len(x)} digits, with one weight nudged:"
    head, formats = ("nudge", "accuracy", "change of loss", "change / nudge"), (".1e", ".4f", ".2e", ".6f")
    by_hand = "The derivative of the loss with respect to that weight, derived by hand:"
    return Section(
        "Why accuracy cannot be the loss",
        "Accuracy is what people want, so why not use it as the loss? If one weight changes a little, the predicted "
        "digits usually stay the same and so does the accuracy: its derivative is 0, and 0 does not tell which way to "
        "go. If a predicted digit does change, the accuracy jumps, and a jump has no derivative. The loss changes with "
        "every nudge of the weight, in proportion to its derivative, which is derived by hand. So networks are trained "
        "with the loss, and accuracy is for people to read.",
        ("tinygrad_mnist/metrics.py", "tinygrad_mnist/passes/mean_loss.py"),
        material.data.origin,
        tables=(Table(caption, head, formats, rows), Table(by_hand, (), (".6f",), [(float(dw[pixel, 0]),)])),
    )


def first_change(x: NDArray[Any], z: NDArray[Any]) -> float:
    """Return the smallest nudge of a pixel's weight, up or down, that makes a logit 0, where a predicted digit changes.

    x (N,) is the pixel of each digit and z (N,) the logits. A nudge d turns z into z + d x, which is 0 at d = -z / x.
    """
    nudges = -z[x > 0] / x[x > 0]
    return float(nudges[np.argmin(np.abs(nudges))])
