"""A folder of images as a data set: the folder that an image lies in is its label.

    DIR/train/3/*.png  DIR/valid/3/*.png    as in fast.ai's MNIST_SAMPLE and MNIST_TINY
    DIR/training/3/*.png  DIR/testing/3/*.png    as in MNIST_PNG

Hidden files and folders are ignored, and so are loose files beside the folders of the digits, and in these whatever is
not called as an image is. A folder that is not called 0 to 9 is refused: its images would be missed.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.datasets import images, ink, mnist
from tinygrad_mnist.datasets.bars import Bars, shown
from tinygrad_mnist.datasets.digits import DataSet, Digits
from tinygrad_mnist.datasets.strokes import SIDE
from tinygrad_mnist.errors import DataError

TRAINING = ("train", "training")
TEST = ("test", "testing", "valid")
"""What the folders are called. Where both are there, valid is not used: this program holds out its own."""

NAMES = tuple("0123456789")

DARK = 128
"""Below it a border is paper as MNIST has it, black."""


def is_one(folder: Path) -> bool:
    """Return whether there are images in a folder: one of the folders above, and none of MNIST's files."""
    return not mnist.is_in(folder) and any((folder / name).is_dir() for name in TRAINING + TEST)


def read(folder: Path, digits: Sequence[int], bars: Bars | None = None) -> DataSet:
    """Return the images of the wanted digits: digit by digit, and each digit's by their names.

    Raises DataError, naming it, where a folder is missing, empty, or not called by a digit, and where an image cannot
    be read.
    """
    parts = [_part(folder, names) for names in (TRAINING, TEST)]
    training, test = (_digits(part, digits, bars) for part in parts)
    origin = f"images in {folder}, {parts[0].name} and {parts[1].name}"
    return DataSet(str(folder), origin, training, test)


def image(path: Path) -> NDArray[np.uint8]:
    """Return the image (28, 28) in a file: as it is where it is grey, of this size and on black, else prepared.

    Raises DataError, naming the file, where there is no image to be had from it.
    """
    greys = images.load(path)
    is_ready = greys.shape == (SIDE, SIDE) and greys.dtype == np.uint8 and greys[ink.border(greys.shape)].mean() < DARK
    return greys if is_ready else images.prepare(greys, str(path))


def _part(folder: Path, names: tuple[str, ...]) -> Path:
    """Return the first folder of these names that has folders of digits."""
    for name in names:
        if any((folder / name / digit).is_dir() for digit in NAMES):
            return folder / name
    raise DataError(f"{folder} has no folder {' or '.join(names)} with images in folders called 0 to 9.")


def _digits(part: Path, digits: Sequence[int], bars: Bars | None) -> Digits:
    for folder in sorted(part.iterdir()):
        if folder.is_dir() and not folder.name.startswith(".") and folder.name not in NAMES:
            raise DataError(f"{folder} is not called by a digit: rename it to one of 0 to 9, or move it away.")
    files = {digit: _files(part / str(digit)) for digit in sorted(digits)}
    labels = np.repeat(np.array(list(files), np.uint8), [len(paths) for paths in files.values()])
    paths = [path for of_digit in files.values() for path in of_digit]
    return Digits.of(np.stack([image(path) for path in shown(paths, part.name, bars)]), labels)


def _files(folder: Path) -> list[Path]:
    """Return the files with images of a digit, sorted by name. Raises DataError where there are none."""
    # Slow to import, and not needed for other data sets.
    from PIL import Image

    if not folder.is_dir():
        raise DataError(f"there is no folder {folder}: add images of that digit, or choose other --digits.")
    endings = Image.registered_extensions()
    called = (path for path in folder.iterdir() if not path.name.startswith(".") and path.suffix.lower() in endings)
    found = sorted(path for path in called if path.is_file())
    if not found:
        raise DataError(f"{folder} has no images in it: add some, or choose other --digits.")
    return found
