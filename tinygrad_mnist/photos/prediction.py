"""What a trained network predicts for pictures, how sure it is, and why it may not be."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist import metrics
from tinygrad_mnist.arrays.backend import Backend, to_host
from tinygrad_mnist.datasets.image_file import display_name, load
from tinygrad_mnist.errors import CheckpointError, DataError
from tinygrad_mnist.photos import not_sure
from tinygrad_mnist.photos.preparation import Prepared, as_it_is, fitted, prepare
from tinygrad_mnist.runs.checkpoint import Checkpoint, logits

Source: TypeAlias = Path | IO[bytes]
"""A picture's file or stream."""


@dataclass(frozen=True)
class Prediction:
    """The prediction for one picture."""

    picture: NDArray[np.uint8]  # (H, W), as it was prepared for the network
    probabilities: dict[int, float]  # by digit
    reason: str  # why it is not sure, "" if it is

    @property
    def ranked(self) -> list[tuple[int, float]]:
        """The digits and their probabilities, the most likely first."""
        return sorted(self.probabilities.items(), key=lambda item: -item[1])


def facts(name: str, found: Prediction | DataError) -> dict[str, Any]:
    """Return the prediction for the picture of this name, or why there is none, as JSON can represent it."""
    if isinstance(found, DataError):
        return {"image": name, "error": str(found)}
    (digit, probability), *_ = found.ranked
    named = {str(digit): p for digit, p in found.probabilities.items()}
    certain = {"sure": False, "reason": found.reason} if found.reason else {"sure": True}
    return {"image": name, "digit": digit, "probability": probability, "probabilities": named} | certain


def predictions(trained: Checkpoint, sources: Sequence[Source], backend: Backend) -> list[Prediction | DataError]:
    """Return the prediction for each picture, or the error if it cannot be read.

    Raises CheckpointError if the outputs of the network are not finite, or its limits of "not sure" are not valid.
    """
    pictures = [_read(source, trained) for source in sources]
    prepared = [picture for picture in pictures if isinstance(picture, Prepared)]
    predicted = iter(_predicted(trained, prepared, backend) if prepared else [])
    return [picture if isinstance(picture, DataError) else next(predicted) for picture in pictures]


def _read(source: Source, trained: Checkpoint) -> Prepared | DataError:
    """Return a picture as the network takes it, or the error if it cannot be read or has no digit."""
    try:
        grays = load(source)
        # A picture of the size of the training images may be one of them.
        ready = as_it_is(grays, trained.view)
        if ready is not None:
            return Prepared(ready)
        prepared = prepare(grays, display_name(source))
    except DataError as error:
        return error
    return prepared._replace(image=fitted(prepared.image, trained.view))


def _predicted(trained: Checkpoint, prepared: Sequence[Prepared], backend: Backend) -> list[Prediction]:
    images = np.stack([picture.image for picture in prepared])
    rows = np.arange(len(images))
    z = to_host(logits(trained, images.reshape(len(images), -1), rows, backend))
    try:
        faults = [picture.fault for picture in prepared]
        reasons = not_sure.reasons(trained.limits, trained.digits, images, z, faults)
    except ValueError as error:
        raise CheckpointError(f"{trained.name} is broken, because {error}: train and save again") from error
    return [
        Prediction(image, dict(zip(trained.digits, p.tolist(), strict=True)), reason)
        for image, p, reason in zip(images, metrics.probabilities(z), reasons, strict=True)
    ]
