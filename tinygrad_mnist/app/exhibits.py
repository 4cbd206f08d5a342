"""Exhibits: pictures to show, their captions, and the facts about each as JSON represents them."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist import metrics, similarity
from tinygrad_mnist.app import wording
from tinygrad_mnist.app.unit_pictures import strongest_units
from tinygrad_mnist.arrays.backend import Backend, to_host
from tinygrad_mnist.datasets.digits import MAX_PIXEL, DataSet, Digits
from tinygrad_mnist.runs.checkpoint import Checkpoint
from tinygrad_mnist.runs.inference import logits

Facts = dict[str, Any]


class Exhibit(NamedTuple):
    """Pictures (K, H, W), bytes of images or floats of weights, with a caption and a record each."""

    pictures: NDArray[Any]
    captions: list[str]
    shown: list[Facts]


def some_digits(digits: Digits, count: int, seed: int | None) -> Exhibit:
    """Return the first digits, or random ones with a seed. Their positions are those among all of these digits."""
    total = len(digits.labels)
    positions = np.arange(total) if seed is None else np.random.default_rng(seed).permutation(total)
    chosen = digits.take(positions[:count])
    shown = _records(position=positions[:count], label=chosen.labels)
    return Exhibit(chosen.images, [f"{one['label']}   number {one['position']}" for one in shown], shown)


def ideal_digits(data: DataSet, digits: Sequence[int]) -> Exhibit:
    """Return the mean of the training images of each digit."""
    images = [data.training.only([digit]).images for digit in digits]
    ideals = np.stack([similarity.ideal(some.reshape(len(some), -1)).reshape(some.shape[1:]) for some in images])
    shown = _records(digit=digits, images=map(len, images), ink=ideals.mean(axis=(1, 2)))
    captions = [f"{one['digit']}   mean of {one['images']:,}" for one in shown]
    return Exhibit(np.rint(MAX_PIXEL * ideals).astype(np.uint8), captions, shown)


def first_weights(trained: Checkpoint, count: int) -> Exhibit:
    """Return the weights of the strongest units of the first layer of a network."""
    units, captions, pictures = strongest_units(trained, count)
    least, largest = pictures.min(axis=(1, 2)), pictures.max(axis=(1, 2))
    shown = _records(unit=units, name=captions, bias=trained.parameters[0].b[units], least=least, largest=largest)
    return Exhibit(pictures, captions, shown)


def worst_mistakes(trained: Checkpoint, digits: Digits, count: int, backend: Backend) -> tuple[Exhibit, int]:
    """Return the digits that a network predicts incorrectly, the worst first, and how many there are in all."""
    z = to_host(logits(trained, digits.pixels, digits.rows, backend))
    mistakes = metrics.most_wrong(z, metrics.targets(digits.labels, trained.digits))
    worst = mistakes[:count]
    chosen, z = digits.take(worst), z[worst]
    predicted, confidence = metrics.classify(z, trained.digits), metrics.confidence(z)
    shown = _records(position=worst, label=chosen.labels, predicted=predicted, confidence=confidence, logits=z)
    captions = [
        f"{one['label']} predicted as {one['predicted']}, {wording.probability(one['confidence'])}" for one in shown
    ]
    return Exhibit(chosen.images, captions, shown), len(mistakes)


def _records(**columns: Iterable[Any]) -> list[Facts]:
    """Return one record for each row of the columns, with values that JSON can represent."""
    plain = (np.asarray(list(column)).tolist() for column in columns.values())
    return [dict(zip(columns, row, strict=True)) for row in zip(*plain, strict=True)]
