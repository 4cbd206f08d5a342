"""Training as it runs: three epochs end where a second, plain trainer ends."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.arrays.backend import Backend, to_host
from tinygrad_mnist.arrays.examples import Examples
from tinygrad_mnist.arrays.layers import Layer
from tinygrad_mnist.check.report import Finding, Report
from tinygrad_mnist.optimizers import OPTIMIZERS, SCHEDULES
from tinygrad_mnist.train import Settings, TrainingState, train

PIXELS, EXAMPLES = 4, 22

SETTINGS = Settings(learning_rate=0.3, batch=8, epochs=3, seed=5, dtype="float64")
"""What is the same in all trainings. The last batch of 22 examples has 6."""


@dataclass(frozen=True)
class TrainingCase:
    """Three epochs of training with these settings, which must end where the reference trainer does."""

    name: str
    settings: Settings
    outputs: int
    chained = True

    def report(self, backend: Backend, dtypes: Sequence[str] = (), seed: int = 0) -> Report:  # noqa: ARG002
        """Return the report, with training on a backend, in float64."""
        rng = np.random.default_rng((9, seed))
        sizes = (PIXELS, *self.settings.hidden, self.outputs)
        arrays = [rng.standard_normal(shape) for pair in pairwise(sizes) for shape in (pair, pair[1:])]
        images = np.minimum(rng.integers(0, 300, (EXAMPLES, PIXELS)), 255).astype(np.uint8)  # some pixels are white
        t = rng.random((EXAMPLES, self.outputs))
        examples = Examples(*map(backend.to_device, (images, np.arange(EXAMPLES), t)))
        there = [backend.to_device(array.copy()) for array in arrays]
        first = tuple(Layer(w, b) for w, b in zip(there[::2], there[1::2], strict=True))
        start = TrainingState(0, math.nan, math.nan, -1.0, first, None, -1.0, 0)
        states: list[TrainingState] = []
        train(examples, examples, self.settings, states.append, start=start)
        report = Report(self.name)
        for state, (loss, expected) in zip(states, reference(images, t, arrays, self.settings), strict=True):
            # Velocities come after the parameters, if there are any.
            ours = [to_host(array) for layer in (*state.parameters, *(state.velocity or ())) for array in layer]
            off = max(float(np.max(np.abs(a - b))) for a, b in zip(ours, expected, strict=False))
            if not off <= 1e-9:
                report.findings.append(Finding(f"after epoch {state.epoch}, parameters are off by {off:.1e}"))
            if not abs(state.loss - loss) <= 1e-9:
                report.findings.append(Finding(f"the loss of epoch {state.epoch} is {state.loss:.6g}, not {loss:.6g}"))
        return report


def training_cases() -> Iterator[TrainingCase]:
    """Yield training with each optimizer and schedule, equal widths, no hidden layer, and a short last batch."""
    for hidden, loss, outputs in (((), "mean", 1), ((4, 4), "cross-entropy", 4)):
        for optimizer in OPTIMIZERS:
            for schedule in SCHEDULES:
                settings = replace(SETTINGS, hidden=hidden, loss=loss, optimizer=optimizer, schedule=schedule)
                shape = "-".join(map(str, (PIXELS, *hidden, outputs)))
                yield TrainingCase(f"{shape} {optimizer} {schedule}", settings, outputs)


def reference(
    images: NDArray[Any], t: NDArray[Any], parameters: Sequence[NDArray[Any]], settings: Settings
) -> Iterator[tuple[float, list[NDArray[Any]]]]:
    """Yield the loss, and the parameters and velocities, after each epoch. This trainer shares no line with ours."""
    flat = list(parameters)
    speed, kept = [np.zeros_like(array) for array in flat], 0.9 if settings.optimizer == "momentum" else 0.0
    for epoch in range(1, settings.epochs + 1):
        # `optimizers` has a different formula: (1 + cos 2a) / 2 = cos^2 a.
        angle = math.pi / 2 * (epoch - 1) / settings.epochs if settings.schedule == "cosine" else 0.0
        rate = settings.learning_rate * math.cos(angle) ** 2
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
        yield sum(losses) / len(losses), [*flat, *speed]
