"""The drawn digits on disk: they are drawn once, and then read as fast as MNIST."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.datasets import idx, strokes
from tinygrad_mnist.datasets.bars import MakeBar, track
from tinygrad_mnist.datasets.digits import Digits
from tinygrad_mnist.errors import DataError

SEED = 0
TRAINING, TEST = 6000, 1000
"""The number of training and test images of each digit, about the same as in MNIST."""


def load(
    folder: Path, digits: Sequence[int], notify: Callable[[str], object], make_bar: MakeBar | None = None
) -> tuple[Digits, Digits]:
    """Return the training digits and the test digits. Digits that are not in `folder` are drawn and saved there.

    If they cannot be saved, `notify` is called with the reason, and they are drawn again next time.
    """
    images = {digit: saved for digit in digits if (saved := _read_saved(path(folder, digit))) is not None}
    missing = [digit for digit in digits if digit not in images]
    notices = set()
    for digit in track(missing, "strokes", make_bar):
        images[digit] = _draw(digit)
        try:
            _save(folder, digit, images[digit])
        except DataError as error:
            # Digits that cannot be saved can still be used for training.
            notices.add(str(error))
    for notice in sorted(notices):
        notify(f"Warning: {notice}")
    training = {digit: images[digit][:TRAINING] for digit in digits}
    test = {digit: images[digit][TRAINING:] for digit in digits}
    return _combine(training), _combine(test)


def path(folder: Path, digit: int) -> Path:
    """Return the file for a digit's images. Its name changes whenever their content changes."""
    return folder / f"strokes-v{strokes.VERSION}-seed{SEED}-digit{digit}-idx3-ubyte"


def ensure_saved(folder: Path, digit: int) -> NDArray[np.uint8]:
    """Return all images of a digit from `folder`. If they are not there, draw and save them first.

    Raises DataError if they cannot be saved.
    """
    images = _read_saved(path(folder, digit))
    if images is None:
        images = _draw(digit)
        _save(folder, digit, images)
    return images


def _save(folder: Path, digit: int, images: NDArray[np.uint8]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        idx.write(path(folder, digit), images)
    except OSError as error:
        raise DataError(f"the drawn digits cannot be saved in {folder}: {error.strerror or error}.") from error


def _read_saved(path: Path) -> NDArray[np.uint8] | None:
    """Return the images in a file, or None if it is missing or broken, or does not hold such images."""
    images = idx.read_or_none(path)
    shape = (TRAINING + TEST, strokes.SIDE, strokes.SIDE)
    return images if images is not None and images.shape == shape and images.dtype == np.uint8 else None


def _draw(digit: int) -> NDArray[np.uint8]:
    """Return images (TRAINING + TEST, 28, 28). The test images come from a separate random generator."""
    parts = (
        strokes.draw(digit, count, np.random.default_rng((SEED, digit, part)))
        for part, count in enumerate((TRAINING, TEST))
    )
    return np.concatenate(list(parts))


def _combine(images: dict[int, NDArray[np.uint8]]) -> Digits:
    labels = [np.full(len(of_digit), digit, np.uint8) for digit, of_digit in images.items()]
    return Digits.of(np.concatenate(list(images.values())), np.concatenate(labels))
