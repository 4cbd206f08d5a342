"""The stroke digits on disk: drawn once, then read as fast as MNIST."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.datasets import idx, strokes
from tinygrad_mnist.datasets.bars import Bars, shown
from tinygrad_mnist.datasets.digits import Digits
from tinygrad_mnist.errors import DataError

SEED = 0
TRAINING, TEST = 6000, 1000
"""How many images of each digit: about as many as MNIST has."""

Tell = Callable[[str], object]
"""Says a sentence to a person."""


def load(folder: Path, digits: Sequence[int], tell: Tell, bars: Bars | None = None) -> tuple[Digits, Digits]:
    """Return the training and the test digits, from the cache in `folder` where they are in it.

    What is missing is drawn and kept there. Where it cannot be kept, that is told, and drawn anew next time.
    """
    drawn = {digit: images for digit in digits if (images := _kept(path(folder, digit))) is not None}
    missing = [digit for digit in digits if digit not in drawn]
    told = set()
    for digit in shown(missing, "strokes", bars):
        drawn[digit] = _draw(digit)
        try:
            _write(folder, digit, drawn[digit])
        except DataError as error:
            # Not being able to keep them is no reason not to train on them.
            told.add(str(error))
    for text in sorted(told):
        tell(text)
    drawn = {digit: drawn[digit] for digit in digits}
    return _joined({d: images[:TRAINING] for d, images in drawn.items()}), _joined(
        {d: images[TRAINING:] for d, images in drawn.items()}
    )


def path(folder: Path, digit: int) -> Path:
    """Return where the images of a digit are kept; the name changes when their content does."""
    return folder / f"strokes-v{strokes.VERSION}-seed{SEED}-digit{digit}-idx3-ubyte"


def keep(folder: Path, digit: int) -> NDArray[np.uint8]:
    """Return all the images of a digit, and have them in `folder`. Raises DataError where they cannot be kept there."""
    images = _kept(path(folder, digit))
    if images is None:
        images = _draw(digit)
        _write(folder, digit, images)
    return images


def _write(folder: Path, digit: int, images: NDArray[np.uint8]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        idx.write(path(folder, digit), images)
    except OSError as error:
        raise DataError(f"the drawn digits cannot be kept in {folder}: {error.strerror or error}.") from error


def _kept(path: Path) -> NDArray[np.uint8] | None:
    """Return the images in a file, or None where it is missing, broken or holds something else."""
    images = idx.read_or_none(path)
    whole = (TRAINING + TEST, strokes.SIDE, strokes.SIDE)
    return images if images is not None and images.shape == whole and images.dtype == np.uint8 else None


def _draw(digit: int) -> NDArray[np.uint8]:
    """Return (TRAINING + TEST, 28, 28): the second part from numbers of its own, so that it is fresh."""
    parts = (
        strokes.draw(digit, count, np.random.default_rng((SEED, digit, part)))
        for part, count in enumerate((TRAINING, TEST))
    )
    return np.concatenate(list(parts))


def _joined(images: dict[int, NDArray[np.uint8]]) -> Digits:
    labels = [np.full(len(some), digit, np.uint8) for digit, some in images.items()]
    return Digits.of(np.concatenate(list(images.values())), np.concatenate(labels))
