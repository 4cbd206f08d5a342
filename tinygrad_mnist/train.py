"""Stochastic gradient descent, in the seven steps of the book, numbered in the code of `train`."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tinygrad_mnist import network
from tinygrad_mnist.backend import Array, array_namespace, beside
from tinygrad_mnist.errors import TrainingError
from tinygrad_mnist.metrics import accuracy
from tinygrad_mnist.network import Gradients, Parameters
from tinygrad_mnist.passes import mean_loss

NO_IMPROVEMENT = "no improvement"
ALL_EPOCHS = "all epochs done"


class Examples(NamedTuple):
    """What is learned from: images and what they should give. Where they live, training runs."""

    images: Array  # (N, I) bytes, 0 to 255
    t: Array  # (N, O) targets, 0 or 1


@dataclass(frozen=True)
class Settings:
    """The choices that are made before training. The defaults are good for telling two digits apart."""

    learning_rate: float = 2.0
    batch: int = 64
    epochs: int = 60
    patience: int = 10
    seed: int = 0
    dtype: str = "float32"


class Epoch(NamedTuple):
    """One pass over the training examples: its number from 1, and how things stand after it."""

    number: int
    loss: float  # mean over the epoch's batches, each taken before its step
    valid_accuracy: float
    parameters: Parameters


class Trained(NamedTuple):
    """What training returns: the best epoch, how many there were, and why it stopped."""

    best: Epoch
    epochs: int
    stopped: str  # NO_IMPROVEMENT or ALL_EPOCHS


# Where the steps are too long, numbers overflow: that is found in the loss, and told in one sentence.
@np.errstate(over="ignore", invalid="ignore")
def train(
    training: Examples,
    validation: Examples,
    settings: Settings,
    report: Callable[[Epoch], object] = lambda _: None,
) -> Trained:
    """Learn from `training`; stop when accuracy on `validation` no longer rises; return the best seen.

    `report` is called after each epoch. The same settings give the same parameters bit for bit on a CPU.
    Raises TrainingError where the loss is no longer finite.
    """
    # 1. Initialise the parameters.
    rng = np.random.default_rng((settings.seed, 0))
    start = network.initialise(training.images.shape[1], training.t.shape[1], rng, settings.dtype)
    parameters = Parameters(*(beside(array, like=training.images) for array in start))

    best = Epoch(0, float("nan"), -1.0, parameters)
    for number in range(1, settings.epochs + 1):
        losses: list[Array] = []
        for images, t in batches(training, settings, number):
            # 2. Predict.
            x = network.scale(images, like=parameters.w)
            p = network.forward(x, parameters)
            # 3. Measure the loss.
            losses.append(mean_loss.forward(p, t))
            # 4. Find its gradient.
            gradients = network.backward(p, t, x, parameters)
            # 5. Step downhill.
            parameters = step(parameters, gradients, settings.learning_rate)
            # 6. Repeat, batch after batch and epoch after epoch.
        loss = _finite_mean(losses, parameters)
        epoch = Epoch(number, loss, measure(parameters, validation), parameters)
        report(epoch)
        if epoch.valid_accuracy > best.valid_accuracy:
            best = epoch
        # 7. Stop, when accuracy on digits that were held out has stopped improving.
        if number - best.number >= settings.patience:
            return Trained(best, number, NO_IMPROVEMENT)
    return Trained(best, settings.epochs, ALL_EPOCHS)


def batches(examples: Examples, settings: Settings, epoch: int) -> Iterator[Examples]:
    """Yield all the examples once, in batches, in an order that depends on (seed, epoch) alone."""
    count = examples.images.shape[0]
    xp = array_namespace(examples.images)
    order = beside(np.random.default_rng((settings.seed, epoch)).permutation(count), like=examples.images)
    for first in range(0, count, settings.batch):
        rows = order[first : min(first + settings.batch, count)]
        yield Examples(xp.take(examples.images, rows, axis=0), xp.take(examples.t, rows, axis=0))


def step(parameters: Parameters, gradients: Gradients, learning_rate: float) -> Parameters:
    """Return the parameters a step downhill: each less its own gradient times the learning rate."""
    w, b = parameters
    dw, db = gradients
    return Parameters(w - learning_rate * dw, b - learning_rate * db)


@np.errstate(over="ignore", invalid="ignore")
def measure(parameters: Parameters, examples: Examples) -> float:
    """Return the accuracy, 0 to 1, of the network with these parameters on these examples."""
    return accuracy(network.predict(examples.images, parameters), examples.t)


def _finite_mean(losses: list[Array], parameters: Parameters) -> float:
    """Return the mean of an epoch's losses; raise TrainingError where it, or a parameter, is not a finite number.

    They are looked at together, once an epoch, because each look makes a GPU wait. The parameters count too: those
    after an epoch's last step have not been in any loss yet.
    """
    xp = array_namespace(losses[0])
    loss, parts = float(xp.mean(xp.stack(losses))), [bool(xp.all(xp.isfinite(part))) for part in parameters]
    if not np.isfinite(loss) or not all(parts):
        became = f"the loss became {loss}" if not np.isfinite(loss) else "a parameter became infinite"
        raise TrainingError(f"{became}: the steps are too long, try a lower --learning-rate.")
    return loss
