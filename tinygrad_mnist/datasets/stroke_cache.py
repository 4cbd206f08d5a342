"""The digits drawn by this program, on disk: they are drawn once, and then read as fast as MNIST."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.datasets import idx, strokes
from tinygrad_mnist.datasets.digits import Digits
from tinygrad_mnist.datasets.progress import Progress
from tinygrad_mnist.errors import DataError

SEED = 0
TRAINING, TEST = SIZES = (6000, 1000)
"""The number of training and test images of each digit, about the same as in MNIST."""

SHA256 = (
    "4fd6c9dce5468fa6c847472b9e150fb38d6e2925b06e9052695a7c862fa51b50",
    "68c90f26ebdb74f2b27e76cba84d67accfcb3ea05878621648668bdec15d461e",
    "dd21e671630c1cd7d7b56c53c7d26e150bcf75277a3e599b1207ae864feb29e6",
    "64715a671b8299f45d1db1037bf2ef28ef204b0839ec04fc252e27bef50fc332",
    "a5848f856474207de8bd4c45befc7fcbe3666345b7185d872a73361b397aec9a",
    "711b14a7511a0adeee8817b5934c7293d3af37256bd7be9b6654778a0648a6c6",
    "638e75198a7605881d93d0722159a917188b2eaa0a87a9ecf000a0d7fba4b17a",
    "3ef913db615cd2832c380435d7908249eca1f13fe59b1431da6260e402624aed",
    "eec4aadaf1b3ebdf7e13bc566c346f2b807f11c9a09be030bd21a7c2960aa99f",
    "b2c87ef92e2a50c211ada102c5247f3f0b1b602105354d8ebf6aaf758f5b7f6c",
)
"""The SHA-256 of the images of each digit, from 0 to 9, for this version, seed, and numbers of images."""


def load(folder: Path, digits: Sequence[int], progress: Progress) -> tuple[Digits, Digits]:
    """Return the training digits and the test digits. Digits that are not in `folder` are drawn and saved there.

    `progress` says if a damaged file was replaced. If digits cannot be saved, it says the reason, and they are drawn
    again next time.
    """
    images = {digit: saved for digit in digits if (saved := _read_saved(path(folder, digit), digit)) is not None}
    missing = [digit for digit in digits if digit not in images]
    notices = set()
    for digit in progress.bar(missing, "strokes"):
        images[digit] = _draw(digit)
        try:
            _save(folder, digit, images[digit], progress)
        except DataError as error:
            # Digits that cannot be saved can still be used for training.
            notices.add(str(error))
    for notice in sorted(notices):
        progress.say(f"Warning: {notice}")
    training = {digit: images[digit][:TRAINING] for digit in digits}
    test = {digit: images[digit][TRAINING:] for digit in digits}
    return _combine(training), _combine(test)


def path(folder: Path, digit: int) -> Path:
    """Return the file for a digit's images. Its name changes whenever their content changes."""
    return folder / f"strokes-v{strokes.VERSION}-seed{SEED}-digit{digit}-idx3-ubyte"


def ensure_saved(folder: Path, digit: int, progress: Progress) -> NDArray[np.uint8]:
    """Return all images of a digit from `folder`. If they are not there, draw and save them first.

    `progress` says if a damaged file was replaced. Raises DataError if they cannot be saved.
    """
    images = _read_saved(path(folder, digit), digit)
    if images is None:
        images = _draw(digit)
        _save(folder, digit, images, progress)
    return images


def _save(folder: Path, digit: int, images: NDArray[np.uint8], progress: Progress) -> None:
    """Save the images of a digit. Raises DataError if that is not possible."""
    file = path(folder, digit)
    exists, saved = file.is_file(), idx.read_or_none(file)
    if saved is not None and np.array_equal(images, saved):
        # Another program has just saved it, or this machine rounds differently and draws a digit with another SHA-256.
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        idx.write(file, images)
    except OSError as error:
        raise DataError(f"the drawn digits cannot be saved in {folder}: {error.strerror or error}.") from error
    if exists:
        progress.say(f"{file} was damaged, so the digit {digit} was drawn again.")


def _read_saved(path: Path, digit: int) -> NDArray[np.uint8] | None:
    """Return the images in a file, or None if it is missing or broken, or does not hold exactly the images drawn.

    Without their SHA-256, which is known only for SIZES, images of the right number and size are accepted.
    """
    images = idx.read_or_none(path)
    shape = (TRAINING + TEST, strokes.SIDE, strokes.SIDE)
    if images is None or images.shape != shape or images.dtype != np.uint8:
        return None
    if (TRAINING, TEST) == SIZES and hashlib.sha256(images.data).hexdigest() != SHA256[digit]:
        return None
    return images


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
