"""Training as it runs: each step is a gradient, and three epochs end where a second, plain trainer ends."""

import math
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.arrays.backend import Array, Backend, array_namespace, asarray_like, to_host
from tinygrad_mnist.arrays.examples import Examples
from tinygrad_mnist.arrays.layers import Layer, Parameters
from tinygrad_mnist.check.report import Finding, Report
from tinygrad_mnist.networks import dense
from tinygrad_mnist.optimizers import OPTIMIZERS, SCHEDULES
from tinygrad_mnist.passes import mean_loss, sigmoid
from tinygrad_mnist.proof.case import Case, Draw, hard
from tinygrad_mnist.proof.network_cases import SKIP, as_parameters, named, parameters_of
from tinygrad_mnist.train import Settings, TrainingState, train

RATE = 1024.0
"""A learning rate so large that w0 - w1 is not lost in the rounding of w0. A power of 2, it does not round."""

PIXELS, BATCH = 4, 8


def step_cases(draw: Draw) -> Iterator[Case]:
    """Yield a case for each optimizer and schedule: the step of training, divided by the rate, is a gradient."""
    for optimizer in OPTIMIZERS:
        for schedule in SCHEDULES:
            yield _step_case(optimizer, schedule, draw)


def _step_case(optimizer: str, schedule: str, draw: Draw) -> Case:
    """Return the case of the second of four epochs, of one batch, that starts with a velocity."""
    arguments = parameters_of((PIXELS, 3, 3), draw)
    x, t = _bytes(draw(6, PIXELS)), hard(draw(6, 3))
    velocity = [draw(*array.shape) for array in arguments.values()]
    rate, kept = RATE * _factor(schedule, 2, 4), 0.9 if optimizer == "momentum" else 0.0

    def forward(*arrays: Array) -> Array:
        z, _ = dense.forward(as_parameters(x, arrays), _layers(arrays))
        return mean_loss.forward(sigmoid.forward(z), asarray_like(t, like=z))

    def backward(upstream: Array, *arrays: Array) -> list[Array]:
        xp, dtype = array_namespace(arrays[0]), arrays[0].dtype
        speed = [xp.astype(asarray_like(v, like=arrays[0]), dtype) for v in velocity]
        settings = Settings(
            hidden=(3,),
            optimizer=optimizer,
            schedule=schedule,
            learning_rate=RATE,
            batch=len(x),
            epochs=4,
            dtype=str(dtype).rpartition(".")[2],
        )
        here = Examples(*(asarray_like(array, like=arrays[0]) for array in (x, np.arange(len(x)), t)))
        start = TrainingState(1, math.nan, math.nan, 0.0, _layers(arrays), _layers(speed), 0.0, 1)
        stepped = _after_one_epoch(here, settings, start)
        return [upstream * ((w - new) / rate - kept * v) for w, new, v in zip(arrays, stepped, speed, strict=True)]

    options = {"source": OPTIMIZERS[optimizer], "skip": SKIP}
    name = f"{optimizer} {schedule}"
    return Case(name, named(forward, arguments), backward, tuple(arguments.values()), options, chained=True)


def _after_one_epoch(examples: Examples, settings: Settings, start: TrainingState) -> list[Array]:
    """Return the parameters after the next epoch, w, b, w, b and so on, and leave the later epochs out."""
    states: list[TrainingState] = []

    def stop(state: TrainingState) -> None:
        states.append(state)
        raise StopIteration

    with suppress(StopIteration):
        train(examples, examples, settings, stop, start=start)
    return [array for layer in states[0].parameters for array in layer]


@dataclass(frozen=True)
class TrainingCase:
    """Three epochs of training with these settings, which must end where the reference trainer does."""

    name: str
    settings: Settings
    outputs: int
    chained: bool = True

    def report(self, backend: Backend, dtypes: Sequence[str] = (), seed: int = 0) -> Report:  # noqa: ARG002
        """Return the report, with training on a backend, in float64."""
        rng, count = np.random.default_rng((9, seed)), 2 * BATCH + 6
        sizes = (PIXELS, *self.settings.hidden, self.outputs)
        arrays = [
            array for shape in pairwise(sizes) for array in (rng.standard_normal(shape), rng.standard_normal(shape[1]))
        ]
        images, t = rng.integers(0, 256, (count, PIXELS), dtype=np.uint8), rng.random((count, self.outputs))
        there = Examples(*map(backend.to_device, (images, np.arange(count), t)))
        first = _layers([backend.to_device(array.copy()) for array in arrays])
        start = TrainingState(0, math.nan, math.nan, -1.0, first, None, -1.0, 0)
        states: list[TrainingState] = []
        train(there, there, self.settings, states.append, start=start)
        report = Report(self.name)
        expected = reference(images, t, arrays, self.settings)
        for state, (loss, parameters) in zip(states, expected, strict=True):
            ours = [to_host(array) for layer in state.parameters for array in layer]
            off = max(float(np.max(np.abs(a - b))) for a, b in zip(ours, parameters, strict=True))
            if not off <= 1e-9:
                report.findings.append(Finding(f"after epoch {state.epoch}, parameters are off by {off:.1e}"))
            if not abs(state.loss - loss) <= 1e-9:
                report.findings.append(Finding(f"the loss of epoch {state.epoch} is {state.loss:.6g}, not {loss:.6g}"))
        return report


def training_cases() -> Iterator[TrainingCase]:
    """Yield training with each optimizer and schedule, equal widths, no hidden layer, and a short last batch."""
    for optimizer in OPTIMIZERS:
        for schedule in SCHEDULES:
            for hidden, loss, outputs in (((), "mean", 1), ((4, 4), "cross-entropy", 4)):
                settings = Settings(
                    hidden=hidden,
                    loss=loss,
                    optimizer=optimizer,
                    schedule=schedule,
                    learning_rate=0.3,
                    batch=BATCH,
                    epochs=3,
                    seed=5,
                    dtype="float64",
                )
                shape = "-".join(map(str, (PIXELS, *hidden, outputs)))
                yield TrainingCase(f"{shape} {optimizer} {schedule}", settings, outputs)


def reference(
    images: NDArray[Any], t: NDArray[Any], parameters: Sequence[NDArray[Any]], settings: Settings
) -> list[tuple[float, list[NDArray[Any]]]]:
    """Return the loss and the parameters after each epoch. This trainer shares no line with ours."""
    flat, history = list(parameters), []
    speed, kept = [np.zeros_like(array) for array in flat], 0.9 if settings.optimizer == "momentum" else 0.0
    for epoch in range(1, settings.epochs + 1):
        rate = settings.learning_rate * _factor(settings.schedule, epoch, settings.epochs)
        order, losses = list(np.random.default_rng((settings.seed, epoch)).permutation(len(images))), []
        while order:
            rows, order = order[: settings.batch], order[settings.batch :]
            inputs, sums = [images[rows] / 255], []
            for w, b in zip(flat[::2], flat[1::2], strict=True):
                sums.append(inputs[-1] @ w + b)
                inputs.append(np.where(sums[-1] > 0, sums[-1], 0))
            p, y = 1 / (1 + np.exp(-sums[-1])), t[rows]
            if settings.loss == "mean":
                loss, slope = (y * (1 - p) + (1 - y) * p).mean(), (1 - 2 * y) * p * (1 - p) / y.size
            else:
                loss, slope = -(y * np.log(p) + (1 - y) * np.log(1 - p)).mean(), (p - y) / y.size
            gradients: list[Any] = []
            for layer in reversed(range(len(sums))):
                gradients = [inputs[layer].T @ slope, slope.sum(axis=0), *gradients]
                slope = slope @ flat[2 * layer].T * (inputs[layer] > 0)
            speed = [kept * v + gradient for v, gradient in zip(speed, gradients, strict=True)]
            flat = [array - rate * v for array, v in zip(flat, speed, strict=True)]
            losses.append(float(loss))
        history.append((sum(losses) / len(losses), flat))
    return history


def _factor(schedule: str, epoch: int, epochs: int) -> float:
    """Return the factor of the learning rate, by a formula that `optimizers` lacks: (1 + cos 2a) / 2 = cos^2 a."""
    return math.cos(math.pi / 2 * (epoch - 1) / epochs) ** 2 if schedule == "cosine" else 1.0


def _layers(arrays: Sequence[Array]) -> Parameters:
    return tuple(Layer(w, b) for w, b in zip(arrays[::2], arrays[1::2], strict=True))


def _bytes(numbers: NDArray[np.float64]) -> NDArray[np.uint8]:
    return np.clip(128 + 64 * numbers, 0, 255).astype(np.uint8)
