"""A folder of images as a data set. The label of an image is the name of its folder.

    DIR/train/3/*.png  DIR/valid/3/*.png    as in fast.ai's MNIST_SAMPLE and MNIST_TINY
    DIR/training/3/*.png  DIR/testing/3/*.png    as in MNIST_PNG

Upper case does not matter for the names of the parts. What systems add to folders is ignored. Other files in a digit's
folder that are not images are left out and counted, and so are folders in it. A folder that is not named 0 to 9 is
refused, because its images would be left out.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.datasets import image_file
from tinygrad_mnist.datasets.digits import DataSet, Digits
from tinygrad_mnist.datasets.progress import Progress
from tinygrad_mnist.datasets.strokes import SIDE
from tinygrad_mnist.errors import DataError

TRAINING = ("train", "training")
TEST = ("test", "testing", "valid", "validation", "val")
"""The names that the folders can have. The first one with images is used, so test comes before valid."""

DIGIT_NAMES = tuple("0123456789")

SYSTEM_MARKS, SYSTEM_NAMES = (".", "~", "@", "$", "#", "__"), ("lost+found", "thumbs.db", "desktop.ini")
"""How the names begin that systems give to what they add to folders, and further such names in lower case."""

SMALL = 32
"""The longest side of images that are used as they are, if all images have the same size: 8, 16, 28 or 32 pixels."""

MAX_NAMED = 5
"""The largest number of files that an error names."""

Bytes = NDArray[np.uint8]


def read(folder: Path, digits: Sequence[int], progress: Progress) -> DataSet:
    """Return the images of these digits, sorted by digit and then by file name.

    They are left unchanged if they are small and all of one size, and otherwise scaled to MNIST's size. `progress` says
    if files are left out. Raises DataError, which names the folder or the files, if a folder is missing, empty, or not
    named after a digit, or if images cannot be read.
    """
    parts = [_part(folder, names) for names in (TRAINING, TEST)]
    folders = [part / str(digit) for part in parts for digit in sorted(digits)]
    entries = [path for of_digit in folders for path in _entries(of_digit)]
    files = [path for path in entries if image_file.has_image_name(path) and path.is_file()]
    if empty := set(folders) - {path.parent for path in files}:
        raise DataError(f"{min(empty)} has no images: add some, or use different digits.")
    if names := [path.name for path in set(entries) - set(files)]:
        progress.say(
            f"In {folder}, {len(names):,} files or folders that are not images were left out, like {min(names)}."
        )
    images = _loaded(files, progress)
    labels = np.array([int(path.parent.name) for path in files], np.uint8)
    count = sum(path.is_relative_to(parts[0]) for path in files)
    training, test = Digits.of(images[:count], labels[:count]), Digits.of(images[count:], labels[count:])
    return DataSet(str(folder), f"images in {folder}, {parts[0].name} and {parts[1].name}", training, test)


def _entries(folder: Path) -> list[Path]:
    """Return what is in a folder, sorted, without what systems add. It is empty if there is no such folder."""
    paths = sorted(folder.iterdir()) if folder.is_dir() else []
    return [path for path in paths if not path.name.startswith(SYSTEM_MARKS) and path.name.lower() not in SYSTEM_NAMES]


def _part(folder: Path, names: tuple[str, ...]) -> Path:
    """Return the first folder with one of these names that has folders of digits.

    Raises DataError if there is none, or if it has a folder that is not named after a digit.
    """
    found = [path for path in _entries(folder) if any((path / digit).is_dir() for digit in DIGIT_NAMES)]
    part = next((path for name in names for path in found if path.name.lower() == name), None)
    if part is None:
        raise DataError(
            f"{folder} is not a folder with MNIST's four files or images, nor one of auto, mnist and strokes: it has "
            f"no folder {' or '.join(names)} with images in folders named 0 to 9."
        )
    for path in _entries(part):
        if path.is_dir() and path.name not in DIGIT_NAMES:
            raise DataError(f"{path} is not named after a digit: rename it to one of 0 to 9, or move it away.")
    return part


def _loaded(paths: Sequence[Path], progress: Progress) -> Bytes:
    """Return the images (N, H, W) in files. Raises DataError, which names those that cannot be read."""
    images, failures = [], []
    for path in progress.bar(paths, "images"):
        try:
            image = np.rint(image_file.load(path).clip(0, 255)).astype(np.uint8)
            images.append(image if max(image.shape) <= SMALL else _resized(image))
        except DataError as error:
            failures.append(error.wrong.partition(": ")[0])
    if failures:
        more = f"; and {len(failures) - MAX_NAMED:,} more" if len(failures) > MAX_NAMED else ""
        raise DataError(f"{'; '.join(failures[:MAX_NAMED])}{more}: replace or remove what cannot be read.")
    if len({image.shape for image in images}) > 1:
        images = [_resized(image) for image in images]
    return np.stack(images)


def _resized(image: Bytes) -> Bytes:
    """Return an image of MNIST's size that shows all of an image (H, W), with paper around it if that is not square."""
    from PIL import Image, ImageOps  # slow to import

    edge = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    paper = int(np.median(edge))
    return np.asarray(ImageOps.pad(Image.fromarray(image), (SIDE, SIDE), Image.Resampling.BOX, paper))
