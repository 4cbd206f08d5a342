"""Training against a second trainer, written without any of our passes: every epoch ends at the same numbers."""

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from tinygrad_mnist import train
from tinygrad_mnist.arrays.examples import Batch, Examples
from tinygrad_mnist.arrays.layers import Layer
from tinygrad_mnist.train import Settings, TrainingState

ROWS, PIXELS = 22, 4
"""With a batch of 8, the last batch of an epoch has 6 rows."""


def examples(outputs: int = 1, seed: int = 0) -> Examples:
    """Return images, of which every other one is used, and targets between 0 and 1."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (2 * ROWS, PIXELS), dtype=np.uint8)
    return Examples(images, np.arange(ROWS) * 2, rng.random((ROWS, outputs)).round(2))


def start(settings: Settings, outputs: int) -> TrainingState:
    """Return a state with weights so large that every relu closes for some rows, and biases that are not 0."""
    rng = np.random.default_rng(7)
    sizes = (PIXELS, *settings.hidden, outputs)
    layers = tuple(Layer(rng.standard_normal(shape), rng.standard_normal(shape[1]) / 2) for shape in pairwise(sizes))
    return TrainingState(0, float("nan"), float("nan"), -1.0, layers, None, -1.0, 0)


def loss_and_slope(z: Any, t: Any, loss: str) -> tuple[float, Any]:
    """Return the mean loss or the cross-entropy, and its derivative with respect to the logits."""
    p = 1 / (1 + np.exp(-z))
    if loss == "mean":
        return float((t * (1 - p) + (1 - t) * p).mean()), (1 - 2 * t) * p * (1 - p) / t.size
    return float(-(t * np.log(p) + (1 - t) * np.log(1 - p)).mean()), (p - t) / t.size


def reference(data: Examples, settings: Settings, weights: Any) -> list[tuple[float, list[Any]]]:
    """Return the loss and the parameters w, b, w, b after each epoch."""
    flat = [array.copy() for layer in weights for array in layer]
    speed, history = [np.zeros_like(array) for array in flat], []
    for epoch in range(1, settings.epochs + 1):
        rate = settings.learning_rate
        if settings.schedule == "cosine":
            rate *= math.cos(math.pi / 2 * (epoch - 1) / settings.epochs) ** 2
        order, losses = list(np.random.default_rng((settings.seed, epoch)).permutation(ROWS)), []
        while order:
            rows, order = order[: settings.batch], order[settings.batch :]
            inputs, sums = [data.images[data.rows[rows]] / 255], []
            for w, b in zip(flat[::2], flat[1::2], strict=True):
                sums.append(inputs[-1] @ w + b)
                inputs.append(np.where(sums[-1] > 0, sums[-1], 0))
            loss, slope = loss_and_slope(sums[-1], data.t[rows], settings.loss)
            gradients: list[Any] = []
            for layer in reversed(range(len(sums))):
                gradients = [inputs[layer].T @ slope, slope.sum(axis=0), *gradients]
                slope = slope @ flat[2 * layer].T * (inputs[layer] > 0)
            kept = 0.9 if settings.optimizer == "momentum" else 0.0
            speed = [kept * v + gradient for v, gradient in zip(speed, gradients, strict=True)]
            flat = [array - rate * v for array, v in zip(flat, speed, strict=True)]
            losses.append(loss)
        history.append((sum(losses) / len(losses), flat))
    return history


@pytest.mark.parametrize("optimizer", ["sgd", "momentum"])
@pytest.mark.parametrize("schedule", ["constant", "cosine"])
@pytest.mark.parametrize(
    ("hidden", "outputs", "loss"),
    [((), 1, "mean"), ((4, 4), 4, "cross-entropy"), ((4, 4), 1, "mean"), ((1, 1), 2, "mean"), ((3,) * 6, 2, "mean")],
)
def test_every_epoch_ends_where_a_second_trainer_does(
    hidden: tuple[int, ...], outputs: int, loss: str, optimizer: str, schedule: str
) -> None:
    settings = Settings(hidden, loss, optimizer, 0.3, schedule, batch=8, epochs=3, seed=5, dtype="float64")
    data, before = examples(outputs), start(settings, outputs)
    states: list[TrainingState] = []
    train.train(data, examples(outputs, seed=1), settings, states.append, start=before)
    expected = reference(data, settings, before.parameters)
    assert len(states) == len(expected) == 3
    for state, (mean, arrays) in zip(states, expected, strict=True):
        assert state.loss == pytest.approx(mean, rel=1e-12)
        for ours, theirs in zip((array for layer in state.parameters for array in layer), arrays, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("batch", [8, 11, 22])
def test_the_loss_of_an_epoch_is_the_mean_over_its_batches(batch: int) -> None:
    settings = Settings(learning_rate=0.0, batch=batch, epochs=1, dtype="float64")
    data, states = examples(), list[TrainingState]()
    before = start(settings, 1)
    train.train(data, data, settings, states.append, start=before)
    order = np.random.default_rng((0, 1)).permutation(ROWS)
    z = data.images[data.rows[order]] / 255 @ before.parameters[0].w + before.parameters[0].b
    losses = [
        loss_and_slope(z[first : first + batch], data.t[order][first : first + batch], "mean")[0]
        for first in range(0, ROWS, batch)
    ]
    assert len({round(loss, 6) for loss in losses}) == len(losses), "the batches must differ"
    assert states[0].loss == pytest.approx(np.mean(losses), rel=1e-12)


def test_every_epoch_draws_from_the_original_examples() -> None:
    given: list[Examples] = []

    def draw(data: Examples, settings: Settings, epoch: int) -> Iterator[Batch]:
        given.append(data)
        return train.batches(data._replace(images=data.images // (epoch + 1)), settings, epoch)

    data = examples()
    copy = data.images.copy()
    train.train(data, data, Settings(epochs=3, batch=8), draw=draw)
    assert len(given) == 3
    for passed in given:
        assert passed.images is data.images
    np.testing.assert_array_equal(data.images, copy)
