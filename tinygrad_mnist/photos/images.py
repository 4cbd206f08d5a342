"""Reads photos and drawings of digits, and prepares them as MNIST's authors prepared theirs.

file --image_file.load--> grays --prepare--> image
"""

from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.datasets.image_file import display_name, load
from tinygrad_mnist.errors import DataError
from tinygrad_mnist.photos import ink, marks
from tinygrad_mnist.photos.ink import Bytes


@dataclass(frozen=True)
class Reading:
    """A picture of a digit, prepared, and what speaks against trusting it."""

    image: Bytes  # (28, 28), 255 is ink
    doubt: str | None = None  # a short clause, or None if the choice of the digit was clear


def read(source: Path | IO[bytes]) -> Reading:
    """Return the digit in an image file or stream. Raises DataError as `load` and `prepare` do."""
    return _read_grays(load(source), display_name(source))


def prepare(grays: NDArray[Any], name: str) -> Bytes:
    """Return the image (28, 28) of the digit in a picture's grays (H, W): 0 is paper and 255 is ink.

    Raises DataError, which names the picture, if it does not show exactly one digit.
    """
    return _read_grays(grays, name).image


def _read_grays(grays: NDArray[Any], name: str) -> Reading:
    found = marks.find(grays.astype(np.float32))
    if not found:
        raise DataError(f"{name} has no digit that stands out from the paper: use a picture with more contrast.")
    digit, others = found[0], [mark for mark in found if mark.layer.grays is found[0].layer.grays]
    if any(ink.is_second(mark, digit) for mark in others):
        raise DataError(f"{name} has more than one digit: crop it to one.")
    parts = [mark for mark in others if mark.layer is digit.layer and ink.is_part(mark, digit)]
    return Reading(ink.normalize(ink.cut_out(parts)), str(digit.faults[0]) if digit.faults else None)
