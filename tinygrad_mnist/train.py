"""Stochastic gradient descent, in the seven steps of the book, numbered in the code of `train`."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tinygrad_mnist import network
from tinygrad_mnist.backend import Array, array_namespace, beside
from tinygrad_mnist.errors import TrainingError
from tinygrad_mnist.metrics import accuracy
from tinygrad_mnist.network import LOSSES, Layer, Parameters
from tinygrad_mnist.steps import SCHEDULES, STEPS

NO_IMPROVEMENT = "no improvement"
ALL_EPOCHS = "all epochs done"


class Examples(NamedTuple):
    """What is learned from: images and what they should give. Where they live, training runs."""

    images: Array  # (M, I) bytes, 0 to 255; there may be more than are learned from
    rows: Array  # (N,) which of them are
    t: Array  # (N, O) what those rows should give, 0 or 1


@dataclass(frozen=True)
class Settings:
    """The choices that are made before training. The defaults are good for telling two digits apart."""

    hidden: tuple[int, ...] = ()
    loss: str = "mean"
    step: str = "plain"
    learning_rate: float = 2.0
    schedule: str = "constant"
    batch: int = 64
    epochs: int = 60
    patience: int = 10
    keep: str = "best"  # or "last", which is better where a schedule has let the steps come to rest
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


Renew = Callable[[Examples, int], Examples]
"""Gives the examples to train on in an epoch, by its number, from those that were given."""


def unchanged(examples: Examples, epoch: int) -> Examples:  # noqa: ARG001 - a Renew is told the epoch
    """Return the examples as they are, in every epoch."""
    return examples


# Where the steps are too long, numbers overflow: that is found in the loss, and told in one sentence.
@np.errstate(over="ignore", invalid="ignore")
def train(
    training: Examples,
    validation: Examples,
    settings: Settings,
    report: Callable[[Epoch], object] = lambda _: None,
    renew: Renew = unchanged,
) -> Trained:
    """Learn from `training`; stop when accuracy on `validation` no longer rises; return the best seen.

    Of epochs that are equally good, the last is taken; and of all of them, where the settings keep the last. `report`
    is called after each epoch. `renew` may give other examples for each epoch, as distortions do. The same settings
    give the same parameters bit for bit on a CPU. Raises TrainingError where the loss is no longer finite.
    """
    # 1. Initialise the parameters.
    parameters = start(training, settings)
    measured, step, share = LOSSES[settings.loss], STEPS[settings.step](), SCHEDULES[settings.schedule]

    best, highest, improved = Epoch(0, float("nan"), -1.0, parameters), -1.0, 0
    for number in range(1, settings.epochs + 1):
        learning_rate = settings.learning_rate * share(number, settings.epochs)
        losses: list[Array] = []
        for images, t in batches(renew(training, number), settings, number):
            # 2. Predict.
            x = array_namespace(images).astype(images, parameters[0].w.dtype)
            scaled = network.for_bytes(parameters)
            passed = network.forward(x, scaled)
            # 3. Measure the loss, and how it changes with the logits.
            loss, dz = measured(passed[-1].z, t)
            losses.append(loss)
            # 4. Find its gradient.
            gradients = network.for_bytes(network.backward(dz, passed, scaled))
            # 5. Step downhill.
            parameters = step(parameters, gradients, learning_rate)
            # 6. Repeat, batch after batch and epoch after epoch.
        epoch = Epoch(number, _finite_mean(losses, parameters), measure(parameters, validation), parameters)
        report(epoch)
        if epoch.valid_accuracy > highest:
            highest, improved = epoch.valid_accuracy, number
        # Of equals, the one that has seen more.
        if epoch.valid_accuracy >= best.valid_accuracy or settings.keep == "last":
            best = epoch
        # 7. Stop, when accuracy on digits that were held out has stopped improving.
        if number - improved >= settings.patience:
            return Trained(best, number, NO_IMPROVEMENT)
    return Trained(best, settings.epochs, ALL_EPOCHS)


def start(training: Examples, settings: Settings) -> Parameters:
    """Return the parameters that training begins with, where the examples live: the same numbers everywhere."""
    sizes = (training.images.shape[1], *settings.hidden, training.t.shape[1])
    layers = network.initialise(sizes, np.random.default_rng((settings.seed, 0)), settings.dtype)
    return tuple(Layer(*(beside(array, like=training.images) for array in layer)) for layer in layers)


def batches(examples: Examples, settings: Settings, epoch: int) -> Iterator[tuple[Array, Array]]:
    """Yield images (B, I) and t (B, O) of all the examples once, in an order that depends on (seed, epoch) alone."""
    count = examples.rows.shape[0]
    xp = array_namespace(examples.images)
    order = beside(np.random.default_rng((settings.seed, epoch)).permutation(count), like=examples.images)
    for first in range(0, count, settings.batch):
        part = order[first : min(first + settings.batch, count)]
        rows = xp.take(examples.rows, part, axis=0)
        yield xp.take(examples.images, rows, axis=0), xp.take(examples.t, part, axis=0)


@np.errstate(over="ignore", invalid="ignore")
def measure(parameters: Parameters, examples: Examples) -> float:
    """Return the accuracy, 0 to 1, of the network with these parameters on these examples."""
    return accuracy(network.predict(examples.images, examples.rows, parameters), examples.t)


def _finite_mean(losses: list[Array], parameters: Parameters) -> float:
    """Return the mean of an epoch's losses; raise TrainingError where it, or a parameter, is not a finite number.

    They are looked at together, once an epoch, because each look makes a GPU wait. The parameters count too: those
    after an epoch's last step have not been in any loss yet.
    """
    xp = array_namespace(losses[0])
    loss = float(xp.mean(xp.stack(losses)))
    finite = all(bool(xp.all(xp.isfinite(array))) for layer in parameters for array in layer)
    if not (finite and np.isfinite(loss)):
        became = f"the loss became {loss}" if not np.isfinite(loss) else "a parameter became infinite"
        raise TrainingError(f"{became}: the steps are too long, try a lower --learning-rate.")
    return loss
