"""Finds, downloads, verifies and reads MNIST's four files (LeCun, Cortes and Burges, The MNIST database).

Files are found with or without `.gz`, and under the names that others give them (idx_names.py). They are saved without
it, because a plain file is memory-mapped, which is ten times as fast to open.
"""

import hashlib
import itertools
import math
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.datasets import idx, idx_names
from tinygrad_mnist.datasets.digits import Digits
from tinygrad_mnist.datasets.progress import Progress
from tinygrad_mnist.errors import DataError
from tinygrad_mnist.files import atomic_write

FILES = idx_names.FILES
TRAINING, TEST = FILES[:2], FILES[2:]

QMNIST_COLUMNS = 8
"""The columns of QMNIST's table of labels (Yadav and Bottou, Cold case: the lost MNIST digits, 2019). The first is the
digit, the others tell who wrote it."""

SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
"""The SHA-256 of the uncompressed content, because gzip files also contain a timestamp."""

SHAPES = {
    "train-images-idx3-ubyte": (60_000, 28, 28),
    "train-labels-idx1-ubyte": (60_000,),
    "t10k-images-idx3-ubyte": (10_000, 28, 28),
    "t10k-labels-idx1-ubyte": (10_000,),
}

MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
ORIGIN = ".origin.txt"
"""Suffix of the file with the address that an MNIST file came from. Each MNIST file has its own, so that two downloads
into one folder cannot overwrite each other's records."""


def read(folder: Path) -> tuple[Digits, Digits, bool]:
    """Return the training digits, the test digits, and whether both are the official MNIST, from a user's folder.

    Any data set in files that are named like MNIST's is accepted. Raises DataError, which names the file, if one is
    missing, broken, or does not match the others.
    """
    paths = idx_names.four_files(folder)
    arrays = {name: idx.read(path) for name, path in paths.items()}
    training, test = (_digits(paths, arrays, names) for names in (TRAINING, TEST))
    if training.source.shape[1:] != test.source.shape[1:]:
        raise DataError(f"the training images and the test images in {folder} differ in size: use images of one size.")
    return training, test, all(is_official(name, array) for name, array in arrays.items())


def read_or_download(folder: Path, mirrors: Sequence[str], progress: Progress) -> tuple[Digits, Digits]:
    """Return the training and test digits of the official MNIST. Files that are not in the folder are downloaded.

    Files that differ from MNIST's are replaced. If one could be from another data set, it is renamed instead, and
    `progress` says so. Raises DataError if no mirror sends a file, or the folder cannot be written to.
    """
    arrays = {}
    for name in FILES:
        array = _read_official(folder, name)
        if array is None:
            content, address = fetch(folder, name, mirrors)
            _save(folder, name, content, address, progress)
            array = idx.read(folder / name)
        arrays[name] = array
    paths = {name: folder / name for name in FILES}
    return _digits(paths, arrays, TRAINING), _digits(paths, arrays, TEST)


def has_files(folder: Path) -> bool:
    """Return whether a folder has any of the four files."""
    return bool(idx_names.data_sets(folder))


def is_official(name: str, array: NDArray[Any]) -> bool:
    """Return whether an array is the content of MNIST's file of this name, by its SHA-256."""
    if array.shape != SHAPES[name]:
        return False
    content = hashlib.sha256(idx.header(array))
    content.update(array.data)
    return content.hexdigest() == SHA256[name]


def state(folder: Path) -> dict[str, str]:
    """Return the state of each of the four files: "verified", "not verified", "broken" or "missing"."""
    states = {}
    for name in FILES:
        path = idx_names.find(folder, name)
        if path is None:
            states[name] = "missing"
        elif _read_official(folder, name) is not None:
            states[name] = "verified"
        else:
            states[name] = "broken" if idx.read_or_none(path) is None else "not verified"
    return states


def origins(folder: Path) -> dict[str, str]:
    """Return the address that each file was downloaded from. Files that were put there by hand are left out."""
    return {name: address for name in FILES if (address := _read_origin(folder, name))}


def _read_origin(folder: Path, name: str) -> str:
    try:
        return (folder / f"{name}{ORIGIN}").read_text().strip()
    except (OSError, ValueError):
        # The record is only information for people, so an unreadable one does not matter.
        return ""


def fetch(folder: Path, name: str, mirrors: Sequence[str]) -> tuple[bytes, str]:
    """Return the verified content of a file from the first mirror that sends it, and its address there.

    Raises DataError if no mirror sends it, with the reason for each, or if the folder cannot be written to.
    """
    # requests is slow to import, and only needed here.
    from tinygrad_mnist.datasets import download

    made = [path for path in (folder, folder.parent) if not path.exists()]
    with _writable(folder):
        # Find out before a long download.
        tempfile.TemporaryFile(dir=folder).close()
    size, reasons = _size(name), []
    try:
        for mirror in mirrors:
            address = f"{mirror.rstrip('/')}/{name}.gz"
            try:
                content = download.download(address, size)
            except download.MirrorError as error:
                reasons.append(f"{mirror} {error}")
                continue
            if hashlib.sha256(content).hexdigest() == SHA256[name]:
                return content, address
            reasons.append(f"{mirror} sent a file that is not MNIST's {name}")
    finally:
        _remove_if_empty(made)
    raise DataError(f"MNIST cannot be downloaded to {folder} ({'; '.join(reasons)})", "no download")


def _size(name: str) -> int:
    """Return the number of bytes in one of the files: four, four for each axis, and one for each element."""
    return 4 + 4 * len(SHAPES[name]) + math.prod(SHAPES[name])


@contextmanager
def _writable(folder: Path) -> Iterator[None]:
    """Create the folder if needed. Raises DataError if it, or a file in it, cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise DataError(f"{folder} cannot be written to: {error.strerror or error}.") from error


def _remove_if_empty(folders: Sequence[Path]) -> None:
    """Remove folders in which nothing is. They are made again when they are needed."""
    for path in folders:
        with suppress(OSError):  # it is not empty
            path.rmdir()


def _save(folder: Path, name: str, content: bytes, address: str, progress: Progress) -> None:
    """Save a verified file, and rename another data set's file of the same name first."""
    path = folder / name
    with _writable(folder):
        # Check again, because a second program may have downloaded the file in the meantime.
        existing = idx.read_or_none(path)
        if existing is not None and not is_official(name, existing):
            with suppress(FileNotFoundError):  # which means that another program has renamed it first
                progress.say(f"{path} was not MNIST's file, so it was renamed to {_move_aside(path).name}.")
        # The record comes first: if the program is killed, the next one writes both again, because the file is missing.
        with atomic_write(folder / f"{name}{ORIGIN}") as file:
            file.write(f"{address}\n".encode())
        with atomic_write(path) as file:
            file.write(content)


def _move_aside(path: Path) -> Path:
    """Rename a file to NAME.not-mnist, or to NAME.not-mnist-2 and so on if that exists, and return its new path."""
    names = itertools.chain([f"{path.name}.not-mnist"], (f"{path.name}.not-mnist-{n}" for n in itertools.count(2)))
    while True:
        renamed = path.with_name(next(names))
        try:
            # Unlike a rename, a link never replaces a file that another program has just put there.
            renamed.hardlink_to(path)
        except OSError:
            if not renamed.exists():
                return path.rename(renamed)  # because the file system has no links
            if not renamed.samefile(path):  # it is the same file if the program was killed before it deleted the first
                continue
        path.unlink()
        return renamed


def _read_official(folder: Path, name: str) -> NDArray[Any] | None:
    """Return the array in a file, plain or gzipped, or None if it is missing, broken, or not MNIST's."""
    arrays = map(idx.read_or_none, idx_names.candidates(folder, name))
    return next((array for array in arrays if array is not None and is_official(name, array)), None)


def _digits(paths: dict[str, Path], arrays: dict[str, NDArray[Any]], names: Sequence[str]) -> Digits:
    """Return the digits in a file of images and a file of labels. Raises DataError if they cannot be used together."""
    images, labels = (arrays[name] for name in names)
    images_path, labels_path = (paths[name] for name in names)
    if images.ndim != 3 or images.dtype != np.uint8:
        raise DataError(f"{images_path} has rank {images.ndim} and {images.dtype.name}: images need rank 3 and uint8.")
    if 0 in images.shape[1:]:
        raise DataError(f"{images_path} has images of {images.shape[1]} x {images.shape[2]} pixels, which are empty.")
    if len(images) != len(labels):
        raise DataError(f"{images_path} has {len(images):,} images, but {labels_path.name} has {len(labels):,} labels.")
    return Digits.of(images, _bytes(labels_path, labels))


def _bytes(path: Path, labels: NDArray[Any]) -> NDArray[np.uint8]:
    """Return labels (N,) as bytes, from whole numbers of any type or QMNIST's table (N, 8). Raises DataError."""
    column = labels[:, 0] if labels.shape[1:] == (QMNIST_COLUMNS,) else labels
    if column.ndim != 1 or column.dtype.kind not in "iu":
        raise DataError(
            f"{path} has rank {labels.ndim} and {labels.dtype.name}: labels need rank 1, or QMNIST's 8 columns, and "
            "whole numbers."
        )
    if column.size and not 0 <= column.min() <= column.max() <= np.iinfo(np.uint8).max:
        raise DataError(f"{path} has labels from {column.min()} to {column.max()}: use labels from 0 to 255.")
    return column.astype(np.uint8, copy=False)
