"""Finds, downloads, verifies and reads MNIST's four files (LeCun, Cortes and Burges, The MNIST database).

Files are found with or without `.gz`, and under the names that others give them (idx_names.py). They are saved without
it, because a plain file is memory-mapped, which is ten times as fast to open.
"""

import hashlib
import tempfile
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.datasets import idx, idx_names
from tinygrad_mnist.datasets.digits import DataSet, Digits
from tinygrad_mnist.datasets.progress import Progress
from tinygrad_mnist.errors import DataError

TRAINING, TEST = idx_names.FILES[:2], idx_names.FILES[2:]

MAX_DIGIT, NO_DIGIT = 9, 255
"""The largest label of a digit, and the label of all images of something else."""

QMNIST_COLUMNS = 8
"""The columns of QMNIST's table of labels (Yadav and Bottou, Cold case: the lost MNIST digits, 2019). The first is the
digit, the others tell who wrote it."""

SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
"""The SHA-256 of the uncompressed content. Others have packed it again."""

PACKED_SHA256 = {
    "train-images-idx3-ubyte": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "train-labels-idx1-ubyte": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    "t10k-images-idx3-ubyte": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "t10k-labels-idx1-ubyte": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
}
"""The SHA-256 of the gzipped files, as every mirror has them. What differs is not unpacked."""

MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)

TIMEOUT = 10
"""Seconds to wait for a connection, and for each part of an answer."""

MAX_SHOWN = 100
"""The number of characters that are shown of what went wrong with a mirror."""


def read(folder: Path, progress: Progress) -> DataSet:
    """Return the data set in a folder with four files that are named like MNIST's. Its name is "mnist" if it is.

    `progress` says if there are labels above 9. Raises DataError, which names the file, if one is missing, broken, or
    does not match the others.
    """
    paths = idx_names.four_files(folder)
    arrays = {name: idx.read(path) for name, path in paths.items()}
    training, test = (_digits(paths, arrays, names) for names in (TRAINING, TEST))
    if training.source.shape[1:] != test.source.shape[1:]:
        raise DataError(f"the training images and the test images in {folder} differ in size: use images of one size.")
    if np.any(training.labels == NO_DIGIT):
        progress.say(f"Images in {folder} with labels other than 0 to {MAX_DIGIT} are left out.")
    if all(is_official(name, array) for name, array in arrays.items()):
        return DataSet("mnist", f"MNIST in {folder}, verified", training, test)
    return DataSet(str(folder), f"{folder}, which is not the official MNIST", training, test)


def read_or_download(folder: Path, mirrors: Sequence[str], progress: Progress) -> DataSet:
    """Return the official MNIST. Files that are not in the folder are downloaded.

    Raises DataError if no mirror sends a file, the folder cannot be written to, or it has different files.
    """
    # A file that is there may be the only copy of something else, and is never replaced.
    there = {name for files in idx_names.data_sets(folder).values() for name in files}
    for name in idx_names.FILES:
        if name not in there:
            _download(folder / name, mirrors, progress)
    data = read(folder, progress)
    if data.name != "mnist":
        raise DataError(f"{folder} has files with MNIST's names and other content: move them away, or delete them.")
    return data


def is_official(name: str, array: NDArray[Any]) -> bool:
    """Return whether an array is the content of MNIST's file of this name, by its SHA-256."""
    content = hashlib.sha256(idx.header(array))
    content.update(array.data)
    return content.hexdigest() == SHA256[name]


def state(folder: Path) -> dict[str, str]:
    """Return the state of each of the four files: "verified", "not verified" or "missing"."""
    states = dict.fromkeys(idx_names.FILES, "missing")
    for name, path in idx_names.most_files(folder).items():
        array = idx.read_or_none(path)
        states[name] = "verified" if array is not None and is_official(name, array) else "not verified"
    return states


def _download(path: Path, mirrors: Sequence[str], progress: Progress) -> None:
    """Save one of the files, from the first mirror that sends it. Raises DataError."""
    import pooch  # slow to import, and only needed here

    pooch.get_logger().setLevel("ERROR")
    # The files are packed already, so the server must not pack them again.
    headers = {"Accept-Encoding": "identity"}
    get = pooch.HTTPDownloader(progressbar=progress.shows_bars, timeout=TIMEOUT, headers=headers)
    name, reasons = f"{path.name}.gz", []
    with tempfile.TemporaryDirectory() as folder:
        for mirror in mirrors:
            address = f"{mirror.rstrip('/')}/{name}"
            try:
                packed = pooch.retrieve(address, PACKED_SHA256[path.name], name, folder, downloader=get)
            except Exception as error:
                # For what servers do, requests and the libraries below it raise many types.
                reasons.append(f"{mirror}: {_cause(error)}")
            else:
                return idx.write(path, idx.read(Path(packed)))
    raise DataError(f"MNIST cannot be downloaded to {path.parent} ({'; '.join(reasons)})", "no download")


def _cause(error: BaseException) -> str:
    """Return a few words about the error that caused an error."""
    while cause := error.__cause__ or error.__context__:
        error = cause
    return textwrap.shorten(str(error) or type(error).__name__, MAX_SHOWN, placeholder=" ...")


def _digits(paths: dict[str, Path], arrays: dict[str, NDArray[Any]], names: Sequence[str]) -> Digits:
    """Return the digits in a file of images and a file of labels. Raises DataError if they cannot be used together."""
    images, labels = (arrays[name] for name in names)
    labels = labels[:, 0] if labels.shape[1:] == (QMNIST_COLUMNS,) else labels
    is_usable = images.ndim == 3 and images.dtype == np.uint8 and 0 not in images.shape[1:]
    if not is_usable or labels.ndim != 1 or labels.dtype.kind not in "iu" or len(images) != len(labels):
        images_are, labels_are = (f"{array.dtype.name} of shape {array.shape}" for array in (images, labels))
        raise DataError(
            f"{paths[names[0]]} and {paths[names[1]].name} are not images with their labels: they hold {images_are} "
            f"and {labels_are}, instead of uint8 of shape (N, height, width) and whole numbers of shape (N,)."
        )
    is_digit = (labels >= 0) & (labels <= MAX_DIGIT)
    return Digits.of(images, np.where(is_digit, labels, NO_DIGIT).astype(np.uint8))
