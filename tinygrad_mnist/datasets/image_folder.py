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

Image = NDArray[np.uint8]
Labeled = list[tuple[Path, int]]


def has_images(folder: Path) -> bool:
    """Return whether a folder holds a data set of images: one of the folders above."""
    return folder.is_dir() and any(entry.name.lower() in TRAINING + TEST for entry in _folders(folder))


def read(folder: Path, digits: Sequence[int], progress: Progress) -> DataSet:
    """Return the images of these digits, sorted by digit and then by file name.

    They are left unchanged if they are small and all of one size, and otherwise scaled to MNIST's size. `progress` says
    if files are left out. Raises DataError, which names the folder or the files, if a folder is missing, empty, or not
    named after a digit, or if images cannot be read.
    """
    parts = [_part(folder, names) for names in (TRAINING, TEST)]
    files, left_out = zip(*(_files(part, digits) for part in parts), strict=True)
    if names := sorted(path.name for of_part in left_out for path in of_part):
        progress.say(
            f"In {folder}, {len(names):,} files or folders that are not images were left out, like {names[0]}."
        )
    images = _loaded([path for of_part in files for path, _ in of_part], progress)
    labels = [np.array([label for _, label in of_part], np.uint8) for of_part in files]
    training, test = map(Digits.of, np.split(np.stack(images), [len(files[0])]), labels)
    return DataSet(str(folder), f"images in {folder}, {parts[0].name} and {parts[1].name}", training, test)


def _is_added_by_a_system(path: Path) -> bool:
    return path.name.startswith(SYSTEM_MARKS) or path.name.lower() in SYSTEM_NAMES


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir() and not _is_added_by_a_system(path))


def _part(folder: Path, names: tuple[str, ...]) -> Path:
    """Return the first folder with one of these names that has folders of digits. Raises DataError if there is none."""
    folders = _folders(folder)
    for name in names:
        for path in folders:
            if path.name.lower() == name and any((path / digit).is_dir() for digit in DIGIT_NAMES):
                return path
    raise DataError(f"{folder} has no folder {' or '.join(names)} with images in folders named 0 to 9.")


def _files(part: Path, digits: Sequence[int]) -> tuple[Labeled, list[Path]]:
    """Return the image files of these digits with their labels, sorted, and what is left out. Raises DataError."""
    for folder in _folders(part):
        if folder.name not in DIGIT_NAMES:
            raise DataError(f"{folder} is not named after a digit: rename it to one of 0 to 9, or move it away.")
    found: Labeled = []
    left_out: list[Path] = []
    for digit in sorted(digits):
        folder = part / str(digit)
        entries = sorted(folder.iterdir()) if folder.is_dir() else []
        of_digit = [path for path in entries if not _is_added_by_a_system(path)]
        images = [path for path in of_digit if image_file.has_image_name(path) and path.is_file()]
        if not images:
            raise DataError(f"{folder} has no images: add some, or use different digits.")
        found += [(path, digit) for path in images]
        left_out += [path for path in of_digit if path not in set(images)]
    return found, left_out


def _loaded(paths: Sequence[Path], progress: Progress) -> list[Image]:
    """Return the images in files, all of one size. Raises DataError, which names those that cannot be read."""
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
    return images if len({image.shape for image in images}) == 1 else [_resized(image) for image in images]


def _resized(image: Image) -> Image:
    """Return an image of MNIST's size that shows all of an image (H, W), with paper around it if that is not square."""
    from PIL import Image as Pillow  # slow to import
    from PIL import ImageOps

    paper = int(np.median(image[image_file.border(image.shape)]))
    return np.asarray(ImageOps.pad(Pillow.fromarray(image), (SIDE, SIDE), Pillow.Resampling.BOX, paper))
