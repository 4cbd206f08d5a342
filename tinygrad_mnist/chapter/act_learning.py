"""The linear model: one weight for each pixel, and the way back to it from the loss."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist import network, train
from tinygrad_mnist.chapter import book
from tinygrad_mnist.chapter.learning import learn
from tinygrad_mnist.chapter.material import Material, batch, examples
from tinygrad_mnist.chapter.section import Figure, Picture, Section, Table
from tinygrad_mnist.passes import linear, mean_loss, sigmoid
from tinygrad_mnist.train import Settings

TEXT = (
    "Give every pixel a weight: ink where threes have it is to count for a three, ink where sevens have it against. "
    "The weighted sum and a bias go through the sigmoid to the loss. To learn, go back the same way: how does the "
    "loss change with p, so how with z, so how with w? Each pass answers for itself, given the answer of the one "
    "behind it, and that is all of backpropagation. Then step, batch after batch: the seven steps again, with "
    "hundreds of numbers instead of three."
)

SETTINGS = Settings(learning_rate=1.0, batch=256, epochs=20, patience=20)
"""The book's learning rate, batches and number of epochs."""

SHOWN = (1, 2, 5, 10, 20)
"""The epochs in the table."""


def show(material: Material) -> Section:
    """Return the way of one batch, what the weights have learned, and how accuracy rises with the epochs."""
    settings = replace(SETTINGS, seed=material.seed)
    first = train.start(examples(material.data.training), settings)
    epochs = learn(material, settings)
    learned = epochs[-1].parameters[0].w - first.parameters[0].w
    accuracy = Figure("accuracy, epoch 20", book.LINEAR_LIBRARY[-1], epochs[-1].valid_accuracy)
    return Section(
        "One weight for each pixel",
        TEXT,
        ("tinygrad_mnist/passes/linear.py", "tinygrad_mnist/network.py", "tinygrad_mnist/train.py"),
        material.data.origin,
        pictures=pictures(learned.reshape(material.three.shape)),
        tables=(
            Table(
                "A new model on one batch, forward and back; dp is the slope of the loss by each p, and so on:",
                ("", "shape", "largest entry"),
                ("", "", ".6f"),
                way(*batch(material.some(settings.batch), "float64"), material.seed),
            ),
            Table(
                "Accuracy on the test digits. The book trains twice, from large weights and from small ones, as here; "
                "its batches are not mixed:",
                ("epoch", "book, large", "book, small", "here"),
                ("d", ".4f", ".4f", ".4f"),
                [(n, book.LINEAR_OWN[n - 1], book.LINEAR_LIBRARY[n - 1], epochs[n - 1].valid_accuracy) for n in SHOWN],
            ),
        ),
        figures=(accuracy._replace(comparable=material.is_mnist),),
    )


def way(x: NDArray[Any], t: NDArray[Any], seed: int) -> list[tuple[str, str, float]]:
    """Return a name, the shape and the largest entry, up or down, of all that is found on the way forward and back."""
    (w, b), *_ = network.initialise((x.shape[1], 1), np.random.default_rng((seed, 0)), "float64")
    z = linear.forward(x, w, b)
    p = sigmoid.forward(z)
    loss = mean_loss.forward(p, t)
    dp = mean_loss.backward(p, t)
    dz = sigmoid.backward(dp, p)
    dw, db = linear.backward_to_parameters(dz, x)
    steps = {
        "x, the pixels": x,
        "z = x w + b": z,
        "p = sigmoid(z)": p,
        "L, the loss": loss,
        "dp = -1/n or 1/n": dp,
        "dz = dp p (1 - p)": dz,
        "dw = x.T dz": dw,
        "db = sum of dz": db,
    }
    return [(name, str(array.shape), _largest(array)) for name, array in steps.items()]


def _largest(array: NDArray[Any]) -> float:
    return float(array.flat[np.argmax(np.abs(array))])


def pictures(learned: NDArray[Any]) -> tuple[Picture, Picture]:
    """Return where ink has come to count for a three, and where for a seven, given how the weights (H, W) have grown.

    All ink is full from half of the largest on, so that the shapes can be seen.
    """
    full = max(float(np.max(np.abs(learned))) / 2, np.finfo(float).tiny)
    three, seven = ((np.clip(w / full, 0, 1) * network.BRIGHTEST).astype(np.uint8) for w in (learned, -learned))
    return Picture("ink here says 3", three), Picture("ink here says 7", seven)
