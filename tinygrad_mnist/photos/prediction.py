"""What a trained network predicts for pictures, how sure it is, and why it may not be."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist import metrics
from tinygrad_mnist.arrays.backend import Backend, to_host
from tinygrad_mnist.datasets.image_file import load
from tinygrad_mnist.datasets.strokes import SIDE
from tinygrad_mnist.errors import DataError
from tinygrad_mnist.photos import images
from tinygrad_mnist.photos.images import Reading
from tinygrad_mnist.runs.checkpoint import Checkpoint
from tinygrad_mnist.runs.inference import logits_of_images

LEAST_PROBABILITY = 0.5
"""The least probability of a sure prediction by a network of an earlier version, for which none was measured."""

Source: TypeAlias = Path | IO[bytes] | DataError
"""A picture's file or stream, or why there is none."""


@dataclass(frozen=True)
class Prediction:
    """The prediction for one picture."""

    picture: NDArray[np.uint8]  # (H, W), as it was prepared for the network
    probabilities: dict[int, float]  # by digit
    doubts: str  # why it is not sure, "" if it is

    @property
    def ranked(self) -> list[tuple[int, float]]:
        """The digits and their probabilities, the most likely first."""
        return sorted(self.probabilities.items(), key=lambda item: -item[1])

    def as_facts(self) -> dict[str, Any]:
        """Return the prediction as JSON can represent it."""
        (digit, probability), *_ = self.ranked
        named = {str(digit): p for digit, p in self.probabilities.items()}
        facts = {"digit": digit, "probability": probability, "probabilities": named, "sure": not self.doubts}
        return facts | ({"reason": self.doubts} if self.doubts else {})


def as_facts(name: str, found: Prediction | DataError) -> dict[str, Any]:
    """Return the prediction for the picture of this name, or why there is none, as JSON can represent it."""
    return {"image": name} | ({"error": str(found)} if isinstance(found, DataError) else found.as_facts())


def predictions(
    model: Path, trained: Checkpoint, sources: Sequence[Source], backend: Backend
) -> list[Prediction | DataError]:
    """Return the prediction for each picture, or the error if it cannot be read.

    Raises DataError if the network, which was read from `model`, was trained on images of a size that pictures cannot
    be prepared for.
    """
    if trained.doubt is None and trained.layer_sizes[0] != SIDE * SIDE:
        raise DataError(
            f"{model} was trained on images of {trained.layer_sizes[0]} pixels, not {SIDE * SIDE}: train it again."
        )
    readings = [_attempted(source, trained) for source in sources]
    found = [reading for reading in readings if isinstance(reading, Reading)]
    predicted = iter(_predicted(model, trained, found, backend) if found else [])
    return [next(predicted) if isinstance(reading, Reading) else reading for reading in readings]


def _attempted(source: Source, trained: Checkpoint) -> Reading | DataError:
    if isinstance(source, DataError):
        return source
    try:
        return _read(source, trained)
    except DataError as error:
        return error


def _read(source: Path | IO[bytes], trained: Checkpoint) -> Reading:
    """Return a picture as the network takes it. Raises DataError if it has no digit or cannot be read."""
    if trained.doubt is None or trained.doubt.view.shape == (SIDE, SIDE):
        reading = images.read(source)
    else:
        # A picture of the size of the training images may be one of them.
        source = source if isinstance(source, Path) else io.BytesIO(source.read())
        ready = trained.doubt.view.as_it_is(load(source))
        if ready is not None:
            return Reading(ready, None)
        if not isinstance(source, Path):
            source.seek(0)
        reading = images.read(source)
    return reading if trained.doubt is None else Reading(trained.doubt.view.fitted(reading.image), reading.doubt)


def _predicted(model: Path, trained: Checkpoint, readings: Sequence[Reading], backend: Backend) -> list[Prediction]:
    stack = np.stack([reading.image for reading in readings])
    rows = np.arange(len(stack))
    z = to_host(logits_of_images(model, trained, stack.reshape(len(stack), -1), rows, backend))
    doubts = _doubts(trained, stack, z)
    return [
        Prediction(reading.image, dict(zip(trained.digits, p.tolist(), strict=True)), doubt or reading.doubt or unclear)
        for reading, p, (doubt, unclear) in zip(readings, metrics.probabilities(z), doubts, strict=True)
    ]


def _doubts(trained: Checkpoint, stack: NDArray[np.uint8], z: NDArray[Any]) -> list[tuple[str, str]]:
    """Return, for each image, why it is not one of the digits, and why it could be several. Both can be empty."""
    probabilities = metrics.probabilities(z)
    first = np.argsort(probabilities, axis=1)[:, ::-1]
    least = trained.doubt.least_probability if trained.doubt else LEAST_PROBABILITY
    unclear = probabilities.max(axis=1) < least
    outliers = trained.doubt.outliers if trained.doubt else None
    is_outlier = np.zeros(len(z), bool) if outliers is None else outliers.are(stack, z)
    names = np.asarray(trained.digits)[first[:, :2]].tolist()
    return [
        (
            f"this looks like {_none_of(trained.digits)}" if outlier else "",
            f"this could be a {one} or a {two}" if close else "",
        )
        for (one, two), outlier, close in zip(names, is_outlier, unclear, strict=True)
    ]


def _none_of(digits: Sequence[int]) -> str:
    if len(digits) == 2:
        return f"neither a {digits[0]} nor a {digits[1]}"
    return "no digit" if len(digits) == 10 else f"none of {', '.join(map(str, digits[:-1]))} and {digits[-1]}"
