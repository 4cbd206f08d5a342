"""Digits to learn from: MNIST's, strokes that are made offline, or a folder of your own, of files or of images."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from tinygrad_mnist.datasets import image_folder, mnist, stroke_cache
from tinygrad_mnist.datasets.bars import Bars
from tinygrad_mnist.datasets.digits import DataSet
from tinygrad_mnist.errors import DataError

HOME = Path("data")
"""Where data sets are kept, seen from the current folder."""

MNIST, STROKES = HOME / "mnist", HOME / "strokes"
"""Where our own MNIST is kept, and the strokes that were drawn."""

FOLDER_VARIABLE = "TINYGRAD_MNIST_DATA"
"""The environment variable that names a folder with MNIST's four files."""


def load(
    source: str,
    digits: Sequence[int],
    tell: Callable[[str], object] = lambda _: None,
    bars: Bars | None = None,
) -> DataSet:
    """Return the data set called `auto`, `mnist` or `strokes`, or the one in a folder; the wanted digits alone.

    `auto` is MNIST where it is found or can be downloaded, else strokes, and `tell` is then told why.
    Raises DataError where the data set cannot be had, is broken, or lacks one of the digits.
    """
    match source:
        case "auto":
            data = _auto(digits, tell, bars)
        case "mnist":
            data = load_mnist(tell, bars)
        case "strokes":
            data = load_strokes(digits, tell, bars)
        case _:
            data = load_folder(Path(source), digits, bars)
    return data.only(digits)


def load_folder(folder: Path, digits: Sequence[int], bars: Bars | None = None) -> DataSet:
    """Return the data set in a user's folder: MNIST's four files, or else images of the wanted digits in folders.

    Raises DataError where it is no folder, or not a data set.
    """
    if not folder.is_dir():
        raise DataError(
            f"{folder} is not a folder: --data takes auto, mnist, strokes, or a folder with MNIST's files or images."
        )
    if image_folder.is_one(folder):
        return image_folder.read(folder, digits, bars)
    if not mnist.is_in(folder):
        raise DataError(f"{folder} has neither MNIST's four files nor images, as in train/3/*.png and test/3/*.png.")
    training, test, verified = mnist.read(folder)
    origin = f"MNIST in {folder}, verified" if verified else f"{folder}, which is not the official MNIST"
    return DataSet("mnist" if verified else str(folder), origin, training, test)


def mnist_folder() -> Path:
    """Return where MNIST is looked for: in the environment variable's folder, else in our own."""
    return Path(os.environ.get(FOLDER_VARIABLE) or MNIST)


def load_mnist(tell: Callable[[str], object], bars: Bars | None = None) -> DataSet:
    """Return MNIST from the folder in the environment variable, else from our own, downloaded if need be.

    Raises DataError where it can be had from neither; another data set is not MNIST.
    """
    folder = mnist_folder()
    if os.environ.get(FOLDER_VARIABLE):
        if not folder.is_dir():
            raise DataError(f"{folder}, which {FOLDER_VARIABLE} names, is not a folder: correct or unset it.")
        training, test, verified = mnist.read(folder)
        if not verified:
            raise DataError(f"{folder}, which {FOLDER_VARIABLE} names, is not the official MNIST: try --data {folder}.")
    else:
        training, test = mnist.read_own(folder, mnist.MIRRORS, tell, bars)
    return DataSet("mnist", f"MNIST in {folder}, verified", training, test)


def load_strokes(digits: Sequence[int], tell: Callable[[str], object], bars: Bars | None = None) -> DataSet:
    """Return digits that are drawn, not collected: no network is needed."""
    training, test = stroke_cache.load(STROKES, digits, tell, bars)
    kept = all(stroke_cache.path(STROKES, digit).is_file() for digit in digits)
    return DataSet("strokes", f"strokes made offline{f', in {STROKES}' if kept else ''}", training, test)


def _auto(digits: Sequence[int], tell: Callable[[str], object], bars: Bars | None) -> DataSet:
    try:
        return load_mnist(tell, bars)
    except DataError as error:
        if os.environ.get(FOLDER_VARIABLE):
            # Whoever names a folder wants that one, and nothing in its place.
            raise
        tell(f"Taking strokes made offline instead of MNIST. {error}")
        return load_strokes(digits, tell, bars)
