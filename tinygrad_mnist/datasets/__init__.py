"""Data sets of digits: MNIST, digits drawn by this program, or your own folder with MNIST's files or images."""

from collections.abc import Sequence
from pathlib import Path

from tinygrad_mnist.datasets import folders, image_folder, mnist, stroke_cache
from tinygrad_mnist.datasets.digits import DataSet, Digits
from tinygrad_mnist.datasets.likeness import Normalize, like_mnist
from tinygrad_mnist.datasets.progress import Progress
from tinygrad_mnist.errors import DataError

MAX_DIGIT = 9

PROGRESS = Progress()


def load_digits(source: str | Path = "auto", digits: Sequence[int] = range(10)) -> DataSet:
    """Return a data set as `load` does: `train.images` (N, H, W) and `train.labels` (N,), and the same in `test`.

    A notice, such as that MNIST cannot be downloaded, becomes a warning. Raises DataError like `load`, and ValueError
    unless `digits` are different whole numbers from 0 to 9.
    """
    if not digits or len(set(digits)) < len(digits) or not all(digit in range(10) for digit in digits):
        raise ValueError(f"digits are {tuple(digits)}, not different whole numbers from 0 to 9")
    return load(str(source), digits)


def load(
    source: str,
    digits: Sequence[int],
    progress: Progress = PROGRESS,
    normalize: Normalize = like_mnist,
) -> DataSet:
    """Return the data set `auto`, `mnist`, `strokes`, or the one in a folder, with only the given digits.

    `auto` is MNIST if it is on this machine or can be downloaded. Otherwise it is `strokes`, the digits drawn by this
    program, and `progress` says the reason. The images of a folder are changed by `normalize`, unless they are
    MNIST's. Raises DataError if the data set is missing or broken, or has no image of one of the digits.
    """
    match source:
        case "auto":
            data = _load_auto(digits, progress)
        case "mnist":
            data = load_mnist(progress)
        case "strokes":
            data = load_strokes(digits, progress)
        case _:
            data = load_folder(Path(source), digits, progress).only(digits)
            return data if data.name == "mnist" else normalize(data, progress)
    return data.only(digits)


def load_folder(folder: Path, digits: Sequence[int], progress: Progress = PROGRESS) -> DataSet:
    """Return the data set in a user's folder: all of MNIST's four files, or the images of the given digits.

    The pixels are as they were stored. `progress` says if images or files are left out. Raises DataError if it is
    not a folder, or has neither of the two.
    """
    if not folder.is_dir():
        raise DataError(
            f"{folder} is not a folder: name auto, mnist, strokes, or a folder with MNIST's files or images"
        )
    if image_folder.has_images(folder):
        return image_folder.read(folder, digits, progress)
    if not mnist.has_files(folder):
        raise DataError(f"{folder} has neither MNIST's four files nor images, as in train/3/*.png and test/3/*.png.")
    training, test, verified = mnist.read(folder)
    above = training.labels[training.labels > MAX_DIGIT]
    if above.size:
        progress.say(
            f"{above.size:,} of {len(training.labels):,} training images in {folder} have labels above {MAX_DIGIT}, "
            f"up to {above.max()}, as EMNIST's letters have, and are left out: this program learns digits only."
        )
    origin = f"MNIST in {folder}, verified" if verified else f"{folder}, which is not the official MNIST"
    return DataSet("mnist" if verified else str(folder), origin, training, test)


def load_mnist(progress: Progress = PROGRESS, mirrors: Sequence[str] | None = None) -> DataSet:
    """Return MNIST from its folder. It is downloaded if needed, unless the environment variable names its files.

    `mirrors` replace the usual ones. Raises DataError if it cannot be read or downloaded, or if the folder that the
    environment variable names is missing, or has files that are not the official MNIST.
    """
    folder, named = folders.of_mnist(), folders.named()
    if named is not None and (folder == named or not named.is_dir()):
        training, test = _read_named_folder(named)
    else:
        training, test = mnist.read_or_download(folder, mnist.MIRRORS if mirrors is None else mirrors, progress)
    folders.forget_failure()
    return DataSet("mnist", f"MNIST in {folder}, verified", training, test)


def _read_named_folder(folder: Path) -> tuple[Digits, Digits]:
    """Return the digits in the folder that the environment variable names. Raises DataError, which names both."""
    if not folder.is_dir():
        raise DataError(f"{folders.VARIABLE} names {folder}, which is not a folder: correct or unset the variable.")
    try:
        training, test, verified = mnist.read(folder)
    except DataError as error:
        raise DataError(f"{folders.VARIABLE} names {folder}, but {error.wrong}", error.cause) from error
    if not verified:
        raise DataError(f"{folders.VARIABLE} names {folder}, which is not the official MNIST", "not official")
    return training, test


def load_strokes(digits: Sequence[int], progress: Progress = PROGRESS) -> DataSet:
    """Return digits drawn by this program, which needs no internet connection."""
    folder = folders.of_strokes()
    training, test = stroke_cache.load(folder, digits, progress)
    saved = all(stroke_cache.path(folder, digit).is_file() for digit in digits)
    return DataSet("strokes", f"digits drawn by this program{f', in {folder}' if saved else ''}", training, test)


def _load_auto(digits: Sequence[int], progress: Progress) -> DataSet:
    minutes = folders.minutes_since_failure()
    try:
        return load_mnist(progress, () if minutes is not None else None)
    except DataError as error:
        named = folders.named()
        if named is not None and (not named.is_dir() or mnist.has_files(named)):
            # If the user has named a folder of files, never use something else instead.
            raise
        reason = error.wrong
    if minutes is not None:
        reason = f"its download failed {minutes} minutes ago ('data fetch' tries again)"
    elif mnist.MIRRORS:
        folders.remember_failure(reason)
    progress.say(f"Using digits drawn by this program instead of MNIST, because {reason}.")
    return load_strokes(digits, progress)
