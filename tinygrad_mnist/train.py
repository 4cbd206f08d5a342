"""Stochastic gradient descent, in the seven steps of the book's chapter 4. They are numbered in the code of `train`."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tinygrad_mnist.arrays.backend import Array, array_namespace, asarray_like
from tinygrad_mnist.arrays.examples import Batch, Examples
from tinygrad_mnist.arrays.layers import Parameters, map_layers
from tinygrad_mnist.errors import TrainingError
from tinygrad_mnist.losses import LOSSES
from tinygrad_mnist.metrics import accuracy
from tinygrad_mnist.networks import network_with
from tinygrad_mnist.optimizers import OPTIMIZERS, SCHEDULES, Velocity

NO_IMPROVEMENT, ALL_EPOCHS = "no improvement", "all epochs done"


@dataclass(frozen=True)
class Settings:
    """The choices made before training. The defaults are good for telling two digits apart."""

    hidden: tuple[int, ...] = ()  # sizes of the hidden layers
    loss: str = "mean"  # a key of LOSSES
    optimizer: str = "sgd"  # a key of OPTIMIZERS
    learning_rate: float = 2.0
    schedule: str = "constant"  # a key of SCHEDULES
    batch: int = 64  # examples in a step
    epochs: int = 60  # the largest number of passes over the examples
    patience: int = 10  # epochs without improvement before training stops
    keep: str = "best"  # or "last", which is better if a schedule makes the last steps small
    seed: int = 0
    dtype: str = "float32"
    features: tuple[int, ...] = ()  # of two convolutions before the hidden layers; none for a dense network
    augment: bool = False  # distort the examples differently in every epoch
    hold_out: float = 1 / 6  # the share of validation examples: 10,000 of MNIST's 60,000, the size of its test set


class TrainingState(NamedTuple):
    """The state after an epoch. Together with the settings and the examples, it determines the next epoch."""

    epoch: int  # from 1; 0 before the first
    loss: float  # the mean over the epoch's batches, each measured before its step
    valid_loss: float  # on the validation examples, after the epoch; nan if it is not known
    valid_accuracy: float  # from 0 to 1; -1 before the first epoch
    parameters: Parameters
    velocity: Velocity
    best_accuracy: float  # the highest validation accuracy so far
    best_epoch: int  # the first epoch that reached it


class TrainingResult(NamedTuple):
    """What training returns: the state to keep, the state after the last epoch, and why training stopped."""

    best: TrainingState
    last: TrainingState
    stopped: str  # NO_IMPROVEMENT or ALL_EPOCHS


def batches(examples: Examples, settings: Settings, epoch: int) -> Iterator[Batch]:
    """Return the batches of all examples, each once, in an order that depends only on the seed and the epoch."""
    order = np.random.default_rng((settings.seed, epoch)).permutation(examples.rows.shape[0])
    return examples.batches(order, settings.batch, settings.dtype)


# Steps that are too large cause overflow. `_next_state` detects it and raises an error.
@np.errstate(over="ignore", invalid="ignore")
def train(
    training: Examples,
    validation: Examples,
    settings: Settings,
    report: Callable[[TrainingState], object] = lambda _: None,
    draw: Callable[[Examples, Settings, int], Iterator[Batch]] = batches,
    start: TrainingState | None = None,
) -> TrainingResult:
    """Train a network, and stop when its accuracy on the validation examples no longer improves.

    `report` is called after each epoch, and `draw` returns an epoch's batches. To continue a training, give a state
    that it kept as `start`. On the same CPU with the same NumPy and one BLAS thread, the same settings give the same
    parameters bit for bit, continued or not. Raises TrainingError if the loss or a parameter is no longer finite.
    """
    network, calculate_loss = network_with(settings.features), LOSSES[settings.loss]
    optimizer, schedule = OPTIMIZERS[settings.optimizer], SCHEDULES[settings.schedule]
    # 1. Initialize the parameters.
    state = best = start or initial_state(training, settings)
    while not (reason := stop_reason(state, settings)):
        epoch, losses = state.epoch + 1, []
        parameters, velocity = state.parameters, state.velocity
        rate = settings.learning_rate * schedule(epoch, settings.epochs)
        for x, t in draw(training, settings, epoch):
            # 2. Predict.
            z, cache = network.forward(x, parameters)
            # 3. Calculate the loss, and its derivative with respect to the logits.
            loss, dz = calculate_loss(z, t)
            # 4. Calculate the gradients.
            gradients = network.backward(dz, cache, parameters)
            # 5. Step.
            parameters, velocity = optimizer(parameters, velocity, gradients, rate)
            losses.append(loss)
        # 6. Repeat, batch after batch and epoch after epoch.
        state = _next_state(state, losses, parameters, velocity, evaluate(parameters, validation, settings))
        report(state)
        best = state if is_kept(state, settings) else best
    # 7. Stop.
    return TrainingResult(best, state, reason)


def initial_state(training: Examples, settings: Settings) -> TrainingState:
    """Return the state before the first epoch, on the examples' device. Its numbers are the same on every device."""
    sizes = (training.images.shape[1], *settings.features, *settings.hidden, training.t.shape[1])
    network, rng = network_with(settings.features), np.random.default_rng((settings.seed, 0))
    on_host = network.initialize(sizes, rng, settings.dtype)
    parameters = map_layers(lambda array: asarray_like(array, training.images), on_host)
    return TrainingState(0, np.nan, np.nan, -1.0, parameters, velocity=None, best_accuracy=-1.0, best_epoch=0)


def stop_reason(state: TrainingState, settings: Settings) -> str:
    """Return why training stops in this state (NO_IMPROVEMENT or ALL_EPOCHS), or an empty string if it continues."""
    improves = state.epoch - state.best_epoch < settings.patience
    return NO_IMPROVEMENT if not improves else ALL_EPOCHS if state.epoch >= settings.epochs else ""


def is_kept(state: TrainingState, settings: Settings) -> bool:
    """Return whether this state replaces the one kept so far: it is as good as the best, or `keep` is "last"."""
    return state.valid_accuracy == state.best_accuracy or settings.keep == "last"


def evaluate(parameters: Parameters, examples: Examples, settings: Settings) -> tuple[float, float]:
    """Return the loss of a network with these parameters on these examples, and its accuracy, from 0 to 1."""
    z = network_with(settings.features).logits(examples.images, examples.rows, parameters)
    return float(LOSSES[settings.loss](z, array_namespace(z).astype(examples.t, z.dtype))[0]), accuracy(z, examples.t)


def _next_state(
    state: TrainingState, losses: list[Array], parameters: Parameters, velocity: Velocity, valid: tuple[float, float]
) -> TrainingState:
    """Return the state after an epoch, given the one before. Raises TrainingError if a number is not finite."""
    xp = array_namespace(losses[0])
    # Read numbers once an epoch, because each read makes a GPU wait.
    loss, epoch = float(xp.mean(xp.stack(losses))), state.epoch + 1
    if not np.isfinite(loss):
        raise TrainingError(f"the loss became {loss}", "not finite")
    if not all(bool(xp.all(xp.isfinite(array))) for layer in parameters for array in layer):
        raise TrainingError("a parameter became infinite", "not finite")
    best = (valid[1], epoch) if valid[1] > state.best_accuracy else (state.best_accuracy, state.best_epoch)
    return TrainingState(epoch, loss, *valid, parameters, velocity, *best)
