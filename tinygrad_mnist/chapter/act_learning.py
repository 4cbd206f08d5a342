"""Act four, learning: mini-batches, one weight for each pixel, and a hidden layer."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from tinygrad_mnist import train
from tinygrad_mnist.arrays.layers import Layer
from tinygrad_mnist.chapter import book_figures
from tinygrad_mnist.chapter.material import DIGITS, Material, batch, examples
from tinygrad_mnist.chapter.section import Picture, Section, Table, compare
from tinygrad_mnist.datasets.digits import MAX_PIXEL
from tinygrad_mnist.losses import LOSSES
from tinygrad_mnist.networks import dense
from tinygrad_mnist.passes import linear, mean_loss, sigmoid
from tinygrad_mnist.runs import presets
from tinygrad_mnist.train import Settings, TrainingState

SIZES = (4, 64, 256)
"""The sizes of the random batches."""

DRAWS = 20
"""The number of batches of each size."""

SETTINGS = Settings(learning_rate=1.0, batch=256, epochs=20, patience=20)
"""The book's learning rate, batch size and number of epochs for the linear model."""

LINEAR_EPOCHS, HIDDEN_EPOCHS = (1, 2, 5, 10, 20), (1, 5, 10, 20, 40)
"""The epochs in the tables."""


def show_batches(material: Material) -> Section:
    """Return how similar the gradients of mini-batches are to that of all digits, and the book's batch of four 3s."""
    similarities = gradient_similarities(*batch(material.in_book_order, "float32"), material.seed)
    caption = "Cosine similarity of the gradients of a batch and of all digits (1: same direction, 0: perpendicular):"
    return Section(
        "A few digits at a time",
        "The gradient over all training digits gives the best direction, but every step then has to process all of "
        "them. The gradient over a few random digits, a mini-batch, has almost the same direction and costs far less; "
        "one pass over all digits is called an epoch. The digits have to be shuffled, because a batch of only 3s "
        "teaches the model to always predict 3. The book's first batch is four 3s; the model predicts that two are 3s "
        "and two are 7s, all with near certainty. Its loss is half of the maximum, and yet the derivative is almost 0, "
        "because the sigmoid is flat at both ends.",
        ("tinygrad_mnist/train.py", "tinygrad_mnist/networks/dense.py"),
        material.data.origin,
        tables=(Table(caption, ("batch", "steps per epoch", "cosine"), ("", ",d", ".3f"), similarities),),
        figures=compare(book_figures.FOUR_THREES, four_threes()),
    )


def gradient_similarities(x: NDArray[Any], t: NDArray[Any], seed: int) -> list[tuple[str, int, float]]:
    """Return a name, the steps per epoch, and the cosine similarity to the gradient of all digits, for several batches.

    x (N, I), with pixels from 0 to 1, and t (N, 1) are sorted: those with target 1 come first.
    """
    rng = np.random.default_rng((seed, 0))
    (layer,) = dense.initialize((x.shape[1], 1), rng, "float32")
    of_all = weight_gradient(x, t, layer)
    count, largest = len(x), min(SIZES[-1], len(x))
    drawn = {size: [rng.choice(count, size, replace=False) for _ in range(DRAWS)] for size in SIZES if size < count}
    batches = [(f"{size} random", size, draws) for size, draws in drawn.items()]
    batches.append((f"{largest} unshuffled", largest, [np.arange(largest)]))
    batches.append((f"all {count:,}", count, [np.arange(count)]))
    rows = []
    for name, size, draws in batches:
        similarities = [cosine_similarity(weight_gradient(x[some], t[some], layer), of_all) for some in draws]
        rows.append((name, math.ceil(count / size), float(np.mean(similarities))))
    return rows


def weight_gradient(x: NDArray[Any], t: NDArray[Any], layer: Layer) -> NDArray[Any]:
    """Return the derivative (I,) of the mean loss with respect to the weights, for x (N, I) and t (N, 1)."""
    _, dz = LOSSES["mean"](linear.forward(x, *layer), t)
    dw: NDArray[Any] = linear.backward(dz, x, layer.w)[1]
    return dw[:, 0]


def cosine_similarity(one: NDArray[Any], other: NDArray[Any]) -> float:
    """Return the cosine of the angle between two gradients (I,), from -1 to 1, or 0 if one of them is 0."""
    lengths = np.linalg.norm(one) * np.linalg.norm(other)
    return float(one @ other / lengths) if lengths else 0.0


def four_threes() -> tuple[float, float]:
    """Return the loss of the book's four logits, all of 3s, and its derivative with respect to the bias."""
    z = np.array(book_figures.FOUR_LOGITS)[:, np.newaxis]
    loss, dz = LOSSES["mean"](z, np.ones_like(z))
    # The derivative with respect to the bias does not depend on the pixels or the weights.
    _, _, db = linear.backward(dz, x=np.zeros((4, 1)), w=np.zeros((1, 1)))
    return float(loss), float(db[0])


def show_linear(material: Material) -> Section:
    """Return one batch's way through the model, pictures of the learned weights, and accuracy by epoch."""
    settings = replace(SETTINGS, seed=material.seed)
    initial = train.initial_state(examples(material.data.training), settings)
    epochs = learn(material, settings)
    learned = epochs[-1].parameters[0].w - initial.parameters[0].w
    book = zip(book_figures.LINEAR_OWN, book_figures.LINEAR_LIBRARY, strict=True)
    accuracies = [(n, *both, epochs[n - 1].valid_accuracy) for n, both in enumerate(book, 1) if n in LINEAR_EPOCHS]
    traced = trace_batch(*batch(material.sample(settings.batch), "float64"), material.seed)
    one_batch = (
        "One batch through a new model and back (dp is the derivative of the loss with respect to p, and so on):"
    )
    by_epoch = (
        "Accuracy on the test digits. The book trains twice: from large initial weights, and from small ones like "
        "those used here. It does not shuffle its batches:"
    )
    return Section(
        "One weight for each pixel",
        "Give every pixel a weight: positive if brightness there suggests a 3, negative if it suggests a 7. The "
        "weighted sum plus a bias goes through the sigmoid to the loss. To learn, go back the same way: how does the "
        "loss change with p, with z, and with w? Each pass turns the derivative with respect to its output into the "
        "derivatives with respect to its inputs, and that is all there is to backpropagation. Then take a step, batch "
        "after batch: the same seven steps, with hundreds of parameters instead of three.",
        ("tinygrad_mnist/passes/linear.py", "tinygrad_mnist/networks/dense.py", "tinygrad_mnist/train.py"),
        material.data.origin,
        pictures=weight_pictures(learned.reshape(material.three.shape)),
        tables=(
            Table(one_batch, ("", "shape", "largest entry"), ("", "", ".6f"), traced),
            Table(by_epoch, ("epoch", "book, large", "book, small", "here"), ("d", ".4f", ".4f", ".4f"), accuracies),
        ),
        figures=compare(book_figures.LINEAR, [epochs[-1].valid_accuracy], comparable=material.is_mnist),
    )


def trace_batch(x: NDArray[Any], t: NDArray[Any], seed: int) -> list[tuple[str, str, float]]:
    """Return a name, the shape, and the entry of largest absolute value, for each array on the way forward and back.

    x (N, I) holds pixels from 0 to 1, and t is (N, 1).
    """
    ((w, b),) = dense.initialize((x.shape[1], 1), np.random.default_rng((seed, 0)), "float64")
    z = linear.forward(x, w, b)
    p = sigmoid.forward(z)
    loss = mean_loss.forward(p, t)
    dp = mean_loss.backward(p, t)
    dz = sigmoid.backward(dp, p)
    _, dw, db = linear.backward(dz, x, w)
    arrays = {
        "x, the pixels": x,
        "z = x w + b": z,
        "p = sigmoid(z)": p,
        "L, the loss": loss,
        "dp = -1/n or 1/n": dp,
        "dz = dp p (1 - p)": dz,
        "dw = x.T dz": dw,
        "db = sum of dz": db,
    }
    return [(name, str(a.shape), float(a.flat[np.argmax(np.abs(a))])) for name, a in arrays.items()]


def weight_pictures(learned: NDArray[Any]) -> tuple[Picture, Picture]:
    """Return pictures of the pixels that suggest a 3 and a 7, given how training has changed the weights (H, W).

    A pixel is white if its change is at least half of the largest, which makes the shapes visible.
    """
    white = max(float(np.max(np.abs(learned))) / 2, np.finfo(float).tiny)
    three, seven = ((np.clip(w / white, 0, 1) * MAX_PIXEL).astype(np.uint8) for w in (learned, -learned))
    return Picture("brightness suggests a 3", three), Picture("brightness suggests a 7", seven)


def show_hidden(material: Material) -> Section:
    """Return loss and accuracy of the book's network, 784-30-1 with ReLU, with the book's settings."""
    settings = replace(presets.chapter(len(DIGITS)), seed=material.seed)
    epochs = learn(material, settings)
    last, test = epochs[-1], examples(material.data.test)
    loss, _ = LOSSES["mean"](dense.logits(test.images, test.rows, last.parameters), test.t)
    sizes = "-".join(str(len(w)) for w, _ in last.parameters) + "-1"
    caption = f"Layers {sizes}, learning rate {settings.learning_rate:g}, batches of {settings.batch}:"
    rows = [(n, epochs[n - 1].loss, epochs[n - 1].valid_accuracy) for n in HIDDEN_EPOCHS]
    return Section(
        "A hidden layer",
        "A linear model can only take one weighted sum of the pixels. A hidden layer takes 30 such sums, each with its "
        "own weights, and the last layer takes a weighted sum of these 30. Sums of sums would be just another sum, so "
        "there is a nonlinear function between the layers: the ReLU keeps positive numbers and replaces negative ones "
        "with 0. Backward, it passes the derivative on where the number was positive, and 0 everywhere else. The "
        "book's steps are small, and larger ones reach a higher accuracy: try 'train --hidden 30'.",
        ("tinygrad_mnist/passes/relu.py", "tinygrad_mnist/networks/dense.py", "tinygrad_mnist/runs/presets.py"),
        material.data.origin,
        tables=(Table(caption, ("epoch", "training loss", "test accuracy"), ("d", ".4f", ".4f"), rows),),
        figures=compare(book_figures.HIDDEN, [last.valid_accuracy, float(loss)], comparable=material.is_mnist),
    )


def learn(material: Material, settings: Settings) -> list[TrainingState]:
    """Train on all training digits, and return the state after each epoch.

    As in the book, accuracy is measured on the test digits after each epoch. It decides nothing: all epochs are
    run. `python cli.py train` is stricter: it measures on held-out training digits, and on the test digits only once.
    """
    epochs: list[TrainingState] = []
    with threadpool_limits(limits=1, user_api="blas"):  # on a busy machine, the threads would wait for each other
        train.train(examples(material.data.training), examples(material.data.test), settings, epochs.append)
    return epochs
