"""The loss of the book's chapter: the mean distance of predictions from their targets."""

import numpy as np

from tinygrad_mnist.chapter import book
from tinygrad_mnist.chapter.material import Material
from tinygrad_mnist.chapter.section import Figure, Section, Table
from tinygrad_mnist.passes import mean_loss

TEXT = (
    "The target is 1 for a three and 0 for a seven. A prediction p is 1 - p away from the one and p away from the "
    "other; the mean of these distances is the loss, and 0 is the best. Make the last prediction 0.8 instead of 0.2, "
    "and the loss falls. Its slope has said so beforehand: it is -1/3 by that prediction, so 0.6 more of that is 0.2 "
    "less of the loss."
)


def show(material: Material) -> Section:  # noqa: ARG001 - all sections are given it, and this one needs none
    """Return the loss of the book's three predictions, their distances, and its slope by each."""
    p, t = np.array(book.PREDICTIONS)[:, np.newaxis], np.array(book.TARGETS)[:, np.newaxis]
    better = np.array([*book.PREDICTIONS[:-1], book.BETTER_PREDICTION])[:, np.newaxis]
    distances = [float(mean_loss.forward(p[[row]], t[[row]])) for row in range(len(p))]
    slopes = mean_loss.backward(p, t)
    return Section(
        "How wrong is a prediction?",
        TEXT,
        ("tinygrad_mnist/passes/mean_loss.py",),
        tables=(
            Table(
                "Three predictions:",
                ("prediction", "target", "distance", "slope"),
                ("g", "d", ".1f", ".4f"),
                list(zip(book.PREDICTIONS, book.TARGETS, distances, slopes[:, 0].tolist(), strict=True)),
            ),
        ),
        figures=(
            *(
                Figure(f"distance of {prediction} from {target}", figure, here, ".1f")
                for prediction, target, figure, here in zip(
                    book.PREDICTIONS, book.TARGETS, book.PREDICTION_DISTANCES, distances, strict=True
                )
            ),
            Figure("loss of all three", book.LOSS, float(mean_loss.forward(p, t))),
            Figure("loss with 0.8 for 0.2", book.BETTER_LOSS, float(mean_loss.forward(better, t))),
        ),
    )
