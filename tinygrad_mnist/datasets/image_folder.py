"""A folder of images as a data set. The label of an image is the name of its folder.

    DIR/train/3/*.png  DIR/valid/3/*.png    as in fast.ai's MNIST_SAMPLE and MNIST_TINY
    DIR/training/3/*.png  DIR/testing/3/*.png    as in MNIST_PNG

Upper case does not matter for the names of the parts. What systems add to folders is ignored. Other files in a digit's
folder that are not images are left out and counted, and so are folders in it. A folder that is not named 0 to 9 is
refused, because its images would be left out.
"""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.datasets import image_file, mnist
from tinygrad_mnist.datasets.digits import DataSet, Digits
from tinygrad_mnist.datasets.progress import Progress
from tinygrad_mnist.datasets.strokes import SIDE
from tinygrad_mnist.errors import DataError
from tinygrad_mnist.photos.preparation import prepare

TRAINING = ("train", "training")
TEST = ("test", "testing", "valid", "validation", "val")
"""The names that the folders can have. The first one with images is used, so test comes before valid."""

DIGIT_NAMES = tuple("0123456789")

SYSTEM_MARKS, SYSTEM_NAMES = (".", "~", "@", "$", "#", "__"), ("lost+found", "thumbs.db", "desktop.ini")
"""How the names begin that systems give to what they add to folders, and further such names in lower case."""

DARK = 128
"""A border whose mean is below this is a black background, as in MNIST."""

SMALL = 32
"""The longest side of images that are used as they are, if all images have the same size: 8, 16, 28 or 32 pixels."""

MAX_NAMED = 5
"""The largest number of files that an error names."""


def has_images(folder: Path) -> bool:
    """Return whether a folder holds a data set of images: one of the folders above, and none of MNIST's files."""
    return not mnist.has_files(folder) and any(entry.name.lower() in TRAINING + TEST for entry in _folders(folder))


def read(folder: Path, digits: Sequence[int], progress: Progress) -> DataSet:
    """Return the images of these digits, sorted by digit and then by file name.

    They are left unchanged if they are small and all of one size. Otherwise each is prepared like a photo, unless it is
    like MNIST's. `progress` says if files are left out. Raises DataError, which names the folder or the files, if a
    folder is missing, empty, or not named after a digit, or if images cannot be read.
    """
    parts = [_part(folder, names) for names in (TRAINING, TEST)]
    files, left_out = zip(*(_files(part, digits) for part in parts), strict=True)
    if names := sorted(path.name for of_part in left_out for path in of_part):
        progress.say(
            f"In {folder}, {len(names):,} files or folders that are not images were left out, like {names[0]}."
        )
    grays: list[list[NDArray[Any]]] = []
    failures: list[str] = []
    for part, of_part in zip(parts, files, strict=True):
        loaded = [_attempted(_load, path, failures) for path, _ in progress.bar(of_part, part.name)]
        grays.append([gray for gray in loaded if gray is not None])
    _require_all_read(failures)
    labels = [np.array([label for _, label in of_part], np.uint8) for of_part in files]
    training, test = map(Digits.of, _stacked(grays, files), labels)
    origin = f"images in {folder}, {parts[0].name} and {parts[1].name}"
    return DataSet(str(folder), origin, training, test)


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


def _files(part: Path, digits: Sequence[int]) -> tuple[list[tuple[Path, int]], list[Path]]:
    """Return the image files of these digits with their labels, sorted, and what is left out. Raises DataError."""
    for folder in _folders(part):
        if folder.name not in DIGIT_NAMES:
            raise DataError(f"{folder} is not named after a digit: rename it to one of 0 to 9, or move it away.")
    found: list[tuple[Path, int]] = []
    left_out: list[Path] = []
    for digit in sorted(digits):
        folder = part / str(digit)
        if not folder.is_dir():
            raise DataError(f"there is no folder {folder}: add images of that digit, or use different digits.")
        entries = sorted(path for path in folder.iterdir() if not _is_added_by_a_system(path))
        of_digit = [path for path in entries if image_file.has_image_name(path) and path.is_file()]
        if not of_digit:
            raise DataError(f"{folder} has no images: add some, or use different digits.")
        found += [(path, digit) for path in of_digit]
        left_out += [path for path in entries if path not in set(of_digit)]
    return found, left_out


def _attempted(read: Callable[[Path], Any], path: Path, failures: list[str]) -> Any:
    """Return what `read` returns for a file, or None if it raises DataError. Its sentence is added to `failures`."""
    try:
        return read(path)
    except DataError as error:
        failures.append(str(error))
        return None


def _require_all_read(failures: list[str]) -> None:
    """Raise DataError, which names the first files, if there are failures."""
    if len(failures) == 1:
        raise DataError(failures[0])
    if failures:
        wrongs = [failure.rpartition(": ")[0] or failure for failure in failures]
        more = f"; and {len(wrongs) - MAX_NAMED:,} more" if len(wrongs) > MAX_NAMED else ""
        raise DataError(
            f"{len(wrongs):,} images cannot be used ({'; '.join(wrongs[:MAX_NAMED])}{more}): replace them or move them "
            "away."
        )


def _load(path: Path) -> NDArray[Any]:
    """Return the grays (H, W) of a small image, or else the image (28, 28) of a photo. Raises DataError."""
    grays = image_file.load(path)
    return grays if max(grays.shape) <= SMALL else prepare(grays, str(path)).image


def _stacked(grays: list[list[NDArray[Any]]], files: Sequence[list[tuple[Path, int]]]) -> list[NDArray[np.uint8]]:
    """Return the images (N, H, W) of each part, unchanged if they fit together as they are, and prepared otherwise."""
    every = [gray for part in grays for gray in part]
    is_dark = [_border_is_dark(gray) for gray in every]
    if len({gray.shape for gray in every}) == 1 and all(is_dark) == any(is_dark):
        return [np.stack([np.rint(gray.clip(0, 255)).astype(np.uint8) for gray in part]) for part in grays]
    failures: list[str] = []

    def prepared(gray: NDArray[Any], path: Path) -> NDArray[Any]:
        is_like_mnist = gray.shape == (SIDE, SIDE) and gray.dtype == np.uint8 and _border_is_dark(gray)
        return gray if is_like_mnist else prepare(gray, str(path)).image

    stacks = [
        [_attempted(partial(prepared, gray), path, failures) for gray, (path, _) in zip(part, of_part, strict=True)]
        for part, of_part in zip(grays, files, strict=True)
    ]
    _require_all_read(failures)
    return [np.stack(stack) for stack in stacks]


def _border_is_dark(grays: NDArray[Any]) -> bool:
    return bool(grays[image_file.border(grays.shape)].mean() < DARK)
