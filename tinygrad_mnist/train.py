"""Stochastic gradient descent, in the seven steps of the book, numbered in the code of `train`."""

import math
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np

from tinygrad_mnist import network
from tinygrad_mnist.backend import Array, array_namespace, beside
from tinygrad_mnist.errors import TrainingError
from tinygrad_mnist.metrics import accuracy
from tinygrad_mnist.network import LOSSES, Layer, Parameters
from tinygrad_mnist.steps import SCHEDULES, STEPS, Velocity

KEEP = ("best", "last")
DTYPES = ("float32", "float64")

NO_IMPROVEMENT = "no improvement"
ALL_EPOCHS = "all epochs done"
INTERRUPTED = "interrupted"


class Examples(NamedTuple):
    """What is learned from: images and what they should give. Where they live, training runs."""

    images: Array  # (M, K) bytes, 0 to 255; there may be more than are learned from
    rows: Array  # (N,) which of them are
    t: Array  # (N, O) what those rows should give, 0 or 1
    inked: Array | None = None  # (I,) which K of an image's I pixels these are; the others are paper in all. None: all

    @property
    def pixels(self) -> int:
        """The number I of the pixels of a whole image."""
        size: int = (self.images.shape[1:] if self.inked is None else self.inked.shape)[0]
        return size

    def moved(self, move: Callable[[Array], Array]) -> "Examples":
        """Return the examples with their arrays moved, to a device or to the host."""
        return Examples(*(None if array is None else move(array) for array in self))


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

    def __post_init__(self) -> None:
        """Raise ValueError where a choice means nothing, or TypeError: they may have been read from a file."""
        for field in fields(self):
            value = getattr(self, field.name)
            if type(value) is not type(field.default):
                raise TypeError(f"{field.name} is {value!r}")
        choices: dict[str, Container[str]] = {
            "loss": LOSSES,
            "step": STEPS,
            "schedule": SCHEDULES,
            "keep": KEEP,
            "dtype": DTYPES,
        }
        wrong = [name for name, known in choices.items() if getattr(self, name) not in known]
        wrong += [name for name in ("batch", "epochs", "patience") if getattr(self, name) < 1]
        wrong += ["learning_rate"] * (not 0 <= self.learning_rate < math.inf) + ["seed"] * (self.seed < 0)
        wrong += ["hidden"] * any(type(size) is not int or size < 1 for size in self.hidden)
        if wrong:
            raise ValueError(", ".join(f"{name} is {getattr(self, name)!r}" for name in wrong))


class Epoch(NamedTuple):
    """One pass over the training examples: its number from 1, and how things stand after it.

    It holds all that the next one depends on, and so training can go on from any epoch as if it had never stopped.
    """

    number: int  # 0 before the first
    loss: float  # mean over the epoch's batches, each taken before its step
    valid_accuracy: float
    parameters: Parameters
    velocity: Velocity  # in bytes, as the gradients are: see network.for_bytes
    highest: float  # validation accuracy so far
    improved: int  # the number of the epoch that reached it first


def moved(epoch: Epoch, move: Callable[[Array], Array]) -> Epoch:
    """Return the epoch with its arrays moved, to a device or to the host."""
    velocity = None if epoch.velocity is None else layers_moved(epoch.velocity, move)
    return epoch._replace(parameters=layers_moved(epoch.parameters, move), velocity=velocity)


def layers_moved(parameters: Parameters, move: Callable[[Array], Array]) -> Parameters:
    """Return the parameters, or what has an array for each of them, moved to a device or to the host."""
    return tuple(Layer(*map(move, layer)) for layer in parameters)


class Trained(NamedTuple):
    """What training returns: the best epoch, how many there were, and why it stopped."""

    best: Epoch
    last: Epoch
    stopped: str  # NO_IMPROVEMENT or ALL_EPOCHS; INTERRUPTED by whoever called


Renew = Callable[[Examples, int], Examples]
"""Gives the examples to train on in an epoch, by its number, from those that were given.

A pixel that is inked in one epoch must be so in all: the weights of the others are taken to be at rest.
"""


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
    after: Epoch | None = None,
) -> Trained:
    """Learn from `training`; stop when accuracy on `validation` no longer rises; return the best seen.

    `report` is called after each epoch. `renew` may give other examples for each epoch, as distortions do. Training
    goes on `after` an epoch that was one of the best, where one is given. The same settings give the same parameters
    bit for bit on a CPU, interrupted or not. Raises TrainingError where the loss is no longer finite.
    """
    # 1. Initialise the parameters.
    epoch = best = after or start(training, settings)
    measured, step = LOSSES[settings.loss], STEPS[settings.step]
    while not (why := stopped(epoch, settings)):
        number, losses = epoch.number + 1, []
        examples = renew(training, number)
        # Inside an epoch the parameters are those for bytes, which the images are made of, and for the inked pixels.
        parameters, velocity = _inside(epoch, examples.inked)
        rates = network.rates_for_bytes(learning_rate(number, settings), len(parameters))
        for images, t in batches(examples, settings, number):
            # 2. Predict.
            x = array_namespace(images).astype(images, parameters[0].w.dtype)
            passed = network.forward(x, parameters)
            # 3. Measure the loss, and how it changes with the logits.
            loss, dz = measured(passed[-1].z, t)
            losses.append(loss)
            # 4. Find its gradient.
            gradients = network.backward(dz, passed, parameters)
            # 5. Step downhill.
            parameters, velocity = step(parameters, velocity, gradients, rates)
            # 6. Repeat, batch after batch and epoch after epoch.
        parameters, velocity = _outside(parameters, velocity, epoch.parameters[0].w, examples.inked)
        epoch = _ended(epoch, losses, parameters, velocity, validation)
        report(epoch)
        best = epoch if is_kept(epoch, settings) else best
    # 7. Stop, when accuracy on digits that were held out has stopped improving.
    return Trained(best, epoch, why)


def start(training: Examples, settings: Settings) -> Epoch:
    """Return how things stand before the first epoch, where the examples live: the same numbers everywhere."""
    sizes = (training.pixels, *settings.hidden, training.t.shape[1])
    layers = network.initialise(sizes, np.random.default_rng((settings.seed, 0)), settings.dtype)
    parameters = layers_moved(layers, lambda array: beside(array, like=training.images))
    return Epoch(0, float("nan"), -1.0, parameters, velocity=None, highest=-1.0, improved=0)


def learning_rate(number: int, settings: Settings) -> float:
    """Return the learning rate of an epoch."""
    return settings.learning_rate * SCHEDULES[settings.schedule](number, settings.epochs)


def stopped(epoch: Epoch, settings: Settings) -> str:
    """Return why training stops after this epoch, NO_IMPROVEMENT or ALL_EPOCHS; nothing where it goes on."""
    if epoch.number - epoch.improved >= settings.patience:
        return NO_IMPROVEMENT
    return ALL_EPOCHS if epoch.number >= settings.epochs else ""


def is_kept(epoch: Epoch, settings: Settings) -> bool:
    """Return whether this is the best epoch so far: of equals the one that has seen more, or always the last."""
    return epoch.valid_accuracy == epoch.highest or settings.keep == "last"


def batches(examples: Examples, settings: Settings, epoch: int) -> Iterator[tuple[Array, Array]]:
    """Yield images (B, K) and t (B, O) of all the examples once, in an order that depends on (seed, epoch) alone."""
    xp = array_namespace(examples.images)
    count = examples.rows.shape[0]
    order = beside(np.random.default_rng((settings.seed, epoch)).permutation(count), like=examples.images)
    # Rows and targets are small, and gathered all at once. Images are not: they are gathered as the bytes that they
    # are, a batch at a time, and widened where they are used, while they are still in the cache.
    rows, t = xp.take(examples.rows, order, axis=0), xp.take(examples.t, order, axis=0)
    for first in range(0, count, settings.batch):
        part = slice(first, min(first + settings.batch, count))
        yield xp.take(examples.images, rows[part], axis=0), t[part, :]


def measure(parameters: Parameters, examples: Examples) -> float:
    """Return the accuracy, 0 to 1, of the network with these parameters on these examples."""
    seen = network.of_ink(parameters, examples.inked)
    return accuracy(network.predict(examples.images, examples.rows, seen), examples.t)


def _inside(epoch: Epoch, inked: Array | None) -> tuple[Parameters, Velocity]:
    """Return the parameters and the velocity as they are inside the next epoch: for bytes, and for the inked pixels."""
    velocity = epoch.velocity and network.of_ink(epoch.velocity, inked)
    return network.for_bytes(network.of_ink(epoch.parameters, inked)), velocity


def _outside(parameters: Parameters, velocity: Velocity, w: Array, inked: Array | None) -> tuple[Parameters, Velocity]:
    """Return the parameters and the velocity as they are outside again, given the first w (I, O) before the epoch."""
    velocity = velocity and network.with_paper(velocity, array_namespace(w).zeros_like(w), inked)
    return network.with_paper(network.for_pixels(parameters), w, inked), velocity


def _ended(
    before: Epoch, losses: list[Array], parameters: Parameters, velocity: Velocity, validation: Examples
) -> Epoch:
    """Return the epoch that follows the one before, from what its batches left behind."""
    loss, valid_accuracy = _finite_mean(losses, parameters), measure(parameters, validation)
    number, is_better = before.number + 1, valid_accuracy > before.highest
    highest, improved = (valid_accuracy, number) if is_better else (before.highest, before.improved)
    return Epoch(number, loss, valid_accuracy, parameters, velocity, highest, improved)


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
