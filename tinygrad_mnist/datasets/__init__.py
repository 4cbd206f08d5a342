"""Data sets of digits: MNIST, digits drawn by this program, or your own folder with MNIST's files or images."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from tinygrad_mnist.datasets import folders, idx_names, image_folder, mnist, strokes
from tinygrad_mnist.datasets.digits import DataSet
from tinygrad_mnist.datasets.progress import Progress
from tinygrad_mnist.datasets.view import AS_MNIST, Scaling, scaling_of
from tinygrad_mnist.errors import DataError

PROGRESS = Progress()

SAMPLE = 500
"""The number of training images whose grays are measured, so that it takes a few hundredths of a second."""


def load_digits(source: str | Path = "auto", digits: Sequence[int] = range(10), *, transpose: bool = False) -> DataSet:
    """Return a data set as `load` does: `train.images` (N, H, W) and `train.labels` (N,), and the same in `test`.

    A notice, such as that MNIST cannot be downloaded, becomes a warning. Raises DataError like `load`, and ValueError
    unless `digits` are different whole numbers from 0 to 9.
    """
    if not digits or len(set(digits)) < len(digits) or not all(digit in range(10) for digit in digits):
        raise ValueError(f"digits are {tuple(digits)}, not different whole numbers from 0 to 9")
    return load(str(source), digits, transpose=transpose)


def load(
    source: str,
    digits: Sequence[int],
    progress: Progress = PROGRESS,
    scaling: Scaling = AS_MNIST,
    transpose: bool = False,
) -> DataSet:
    """Return the data set `auto`, `mnist`, `strokes`, or the one in a folder, with only the given digits.

    `auto` is MNIST if it is on this machine or can be downloaded. Otherwise it is `strokes`, the digits drawn by this
    program, and `progress` says the reason. Rows and columns of the images are exchanged with `transpose`, and in
    EMNIST, whose images are transposed. The images of a folder become light digits on black, from 0 to 255, as MNIST's
    are; `scaling` is used if they do not show their grays. `progress` says what was changed. Raises DataError if the
    data set is missing or broken, or has no image of one of the digits.
    """
    folder = Path(source)
    match source:
        case "auto":
            data = _load_auto(digits, progress)
        case "mnist":
            data = load_mnist(progress, mnist.MIRRORS)
        case "strokes":
            data = load_strokes(digits, progress)
        case _ if idx_names.data_sets(folder):
            data = mnist.read(folder, progress)
            transpose = transpose or idx_names.is_emnist(folder)
        case _:
            data = image_folder.read(folder, digits, progress)
    data = data.only(digits)
    if transpose:
        progress.say(f"In {data.name}, the rows and columns of the images are exchanged, as EMNIST needs it.")
        data = data.changed(lambda images: np.swapaxes(images, 1, 2))
    return data if data.name in ("mnist", "strokes") else like_mnist(data, progress, scaling)


def like_mnist(data: DataSet, progress: Progress, scaling: Scaling = AS_MNIST) -> DataSet:
    """Return the data set with light digits on black, from 0 to 255, or the data set itself if it already has them.

    `scaling` is used if the training images do not show theirs, because their background varies. `progress` says what
    was changed.
    """
    found = scaling_of(data.training.sample(SAMPLE).source) or scaling
    if found == AS_MNIST:
        return data
    progress.say(f"In {data.name}, {found}.")
    return replace(data.changed(found.apply), scaling=found)


def load_mnist(progress: Progress, mirrors: Sequence[str]) -> DataSet:
    """Return MNIST from its folder. It is downloaded if needed, unless the environment variable names its files.

    Raises DataError if it cannot be read or downloaded, or if the folder that the
    environment variable names has files that are not the official MNIST.
    """
    folder = folders.of_mnist()
    if folder != folders.named():
        return mnist.read_or_download(folder, mirrors, progress)
    data = mnist.read(folder, progress)
    if data.name != "mnist":
        raise DataError(f"{folders.VARIABLE} names {folder}, which is not the official MNIST", "not official")
    return data


def load_strokes(digits: Sequence[int], progress: Progress) -> DataSet:
    """Return digits drawn by this program, which needs no internet connection."""
    folder = folders.of_strokes()
    training, test = strokes.load(folder, digits, progress)
    where = f", in {folder}" if set(digits) <= set(strokes.saved(folder)) else ""
    return DataSet("strokes", f"digits drawn by this program{where}", training, test)


def _load_auto(digits: Sequence[int], progress: Progress) -> DataSet:
    """Return MNIST, or else drawn digits. A failed download is not tried again for a while."""
    failed = folders.download_failed_recently()
    try:
        return load_mnist(progress, () if failed else mnist.MIRRORS)
    except DataError as error:
        if folders.of_mnist() == folders.named():
            # If the user has named a folder of files, never use something else instead.
            raise
        reason = f"its download failed less than {folders.RETRY_MINUTES} minutes ago" if failed else error.wrong
    if not failed:
        with suppress(OSError):  # which only means that the next command tries again
            folders.failure().parent.mkdir(parents=True, exist_ok=True)
            folders.failure().touch()
    progress.say(f"Using digits drawn by this program instead of MNIST, because {reason}.")
    return load_strokes(digits, progress)
