"""A folder of images as a data set. The label of an image is the name of its folder.

    DIR/train/3/*.png  DIR/valid/3/*.png    as in fast.ai's MNIST_SAMPLE and MNIST_TINY
    DIR/training/3/*.png  DIR/testing/3/*.png    as in MNIST_PNG

Hidden files and folders are ignored. So are files outside the folders of the digits, and files in them without the
extension of an image. A folder that is not named 0 to 9 is refused, because its images would be left out.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.datasets import images, ink, mnist
from tinygrad_mnist.datasets.bars import MakeBar, track
from tinygrad_mnist.datasets.digits import DataSet, Digits
from tinygrad_mnist.datasets.strokes import SIDE
from tinygrad_mnist.errors import DataError

TRAINING = ("train", "training")
TEST = ("test", "testing", "valid")
"""The names that the folders can have. The first one with images is used, so test comes before valid."""

DIGIT_NAMES = tuple("0123456789")

DARK = 128
"""A border whose mean is below this is a black background, as in MNIST."""


def has_images(folder: Path) -> bool:
    """Return whether a folder holds a data set of images: one of the folders above, and none of MNIST's files."""
    return not mnist.has_files(folder) and any((folder / name).is_dir() for name in TRAINING + TEST)


def read(folder: Path, digits: Sequence[int], make_bar: MakeBar | None = None) -> DataSet:
    """Return the images of these digits, sorted by digit and then by file name.

    Raises DataError, which names the folder or the file, if a folder is missing, empty, or not named after a digit, or
    if an image cannot be read.
    """
    parts = [_part(folder, names) for names in (TRAINING, TEST)]
    training, test = (_digits(part, digits, make_bar) for part in parts)
    origin = f"images in {folder}, {parts[0].name} and {parts[1].name}"
    return DataSet(str(folder), origin, training, test)


def load_image(path: Path) -> NDArray[np.uint8]:
    """Return the image (28, 28) in a file. It is unchanged if it is gray, has this size, and is on black.

    Otherwise it is prepared like a photo. Raises DataError, which names the file, if it cannot be read or has no digit.
    """
    grays = images.load(path)
    is_ready = grays.shape == (SIDE, SIDE) and grays.dtype == np.uint8 and grays[ink.border(grays.shape)].mean() < DARK
    return grays if is_ready else images.prepare(grays, str(path))


def _part(folder: Path, names: tuple[str, ...]) -> Path:
    """Return the first folder with one of these names that has folders of digits. Raises DataError if there is none."""
    for name in names:
        if any((folder / name / digit).is_dir() for digit in DIGIT_NAMES):
            return folder / name
    raise DataError(f"{folder} has no folder {' or '.join(names)} with images in folders named 0 to 9.")


def _digits(part: Path, digits: Sequence[int], make_bar: MakeBar | None) -> Digits:
    for folder in sorted(part.iterdir()):
        if folder.is_dir() and not folder.name.startswith(".") and folder.name not in DIGIT_NAMES:
            raise DataError(f"{folder} is not named after a digit: rename it to one of 0 to 9, or move it away.")
    files = {digit: _files(part / str(digit)) for digit in sorted(digits)}
    labels = np.repeat(np.array(list(files), np.uint8), [len(paths) for paths in files.values()])
    paths = [path for of_digit in files.values() for path in of_digit]
    return Digits.of(np.stack([load_image(path) for path in track(paths, part.name, make_bar)]), labels)


def _files(folder: Path) -> list[Path]:
    """Return the image files of a digit, sorted by name. Raises DataError if there are none."""
    # Slow to import, and only needed for images.
    from PIL import Image

    if not folder.is_dir():
        raise DataError(f"there is no folder {folder}", "add images of that digit", "use different --digits")
    endings = Image.registered_extensions()
    named = (path for path in folder.iterdir() if not path.name.startswith(".") and path.suffix.lower() in endings)
    files = sorted(path for path in named if path.is_file())
    if not files:
        raise DataError(f"{folder} has no images", "add some", "use different --digits")
    return files
