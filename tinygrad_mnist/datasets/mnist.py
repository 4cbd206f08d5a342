"""MNIST: find it, or download it; verify it; read it.

The four files are those of LeCun, Cortes and Burges, "The MNIST database". They are looked for with and
without `.gz`, and kept without: a plain file is memory-mapped, and starts ten times as fast.
"""

import gzip
import hashlib
import tempfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.datasets import idx
from tinygrad_mnist.datasets.bars import Bars
from tinygrad_mnist.datasets.digits import Digits
from tinygrad_mnist.errors import DataError
from tinygrad_mnist.files import written_whole

TRAINING = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte")
TEST = ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
FILES = TRAINING + TEST

SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
"""Of the uncompressed content: gzip files of the same content differ by the time that they carry."""

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
TIMEOUT = (3.05, 10)
"""Seconds to wait for a connection, and between two parts of an answer."""

ORIGIN = ".origin.txt"
"""Behind a file's name: the file that says from which address it came. One for each, so that two downloads into one
folder cannot overwrite what the other has noted."""


def read(folder: Path) -> tuple[Digits, Digits, bool]:
    """Return the training digits, the test digits, and whether both are MNIST's own, from a user's folder.

    Any data set in MNIST's four files will do. Raises DataError, naming the file, where one is missing,
    broken, or does not belong to the others.
    """
    arrays = {}
    for name in FILES:
        path = find(folder, name)
        if path is None:
            raise DataError(f"{folder} has no {name}, with or without .gz: name a folder with MNIST's four files.")
        arrays[name] = idx.read(path)
    training, test = (_digits(folder, arrays, names) for names in (TRAINING, TEST))
    if training.source.shape[1:] != test.source.shape[1:]:
        raise DataError(f"in {folder}, the images to train on and those to test on differ in size.")
    return training, test, all(is_official(name, array) for name, array in arrays.items())


def read_own(
    folder: Path, mirrors: Sequence[str], tell: Callable[[str], object], bars: Bars | None = None
) -> tuple[Digits, Digits]:
    """Return the training and test digits of MNIST from our own folder, downloading what is not in it.

    What is there but is not MNIST's is downloaded again, and never trained on; where it could be another data set, it
    is kept under another name, and that is told. Raises DataError where no mirror delivers, or the folder cannot be
    written to.
    """
    arrays = {}
    for name in FILES:
        array = _official(folder, name)
        if array is None:
            content, address = fetch(folder, name, mirrors, bars)
            _keep(folder, name, content, address, tell)
            array = idx.read(folder / name)
        arrays[name] = array
    return _digits(folder, arrays, TRAINING), _digits(folder, arrays, TEST)


def find(folder: Path, name: str) -> Path | None:
    """Return where the file is, plain or gzipped, or None."""
    return next(_candidates(folder, name), None)


def is_in(folder: Path) -> bool:
    """Return whether any of the four files is in a folder."""
    return any(find(folder, name) for name in FILES)


def is_official(name: str, array: NDArray[Any]) -> bool:
    """Return whether an array is the content of MNIST's file of this name, by its SHA-256."""
    if array.shape != SHAPES[name]:
        return False
    content = hashlib.sha256(idx.header(array))
    content.update(array.data)
    return content.hexdigest() == SHA256[name]


def state(folder: Path) -> dict[str, str]:
    """Return, for each of the four files, what is to be said of it: verified, not verified, broken or missing."""
    states = {}
    for name in FILES:
        path = find(folder, name)
        if path is None:
            states[name] = "missing"
        elif _official(folder, name) is not None:
            states[name] = "verified"
        else:
            states[name] = "broken" if idx.read_or_none(path) is None else "not verified"
    return states


def origins(folder: Path) -> dict[str, str]:
    """Return the address that each downloaded file came from; files put there by hand are not in it."""
    return {name: address for name in FILES if (address := _origin(folder, name))}


def _origin(folder: Path, name: str) -> str:
    try:
        return (folder / f"{name}{ORIGIN}").read_text().strip()
    except (OSError, ValueError):
        # A note for people, not needed for anything: one that cannot be read is as good as none.
        return ""


def fetch(folder: Path, name: str, mirrors: Sequence[str], bars: Bars | None = None) -> tuple[bytes, str]:
    """Return the verified content of one file from the first mirror that delivers it, and its address there.

    Raises DataError where none does, with what was wrong with each, or where the folder cannot be written to.
    """
    reasons = []
    for mirror in mirrors:
        address = f"{mirror.rstrip('/')}/{name}.gz"
        try:
            with _writing(folder):
                content = _download(folder, address, bars and bars(name))
        except _MirrorError as error:
            reasons.append(f"{mirror} {error}")
            continue
        if hashlib.sha256(content).hexdigest() == SHA256[name]:
            return content, address
        reasons.append(f"{mirror} sent something that is not MNIST's {name}")
    raise DataError(
        f"MNIST cannot be downloaded ({'; '.join(reasons)}): put its four files into {folder}, or use --data strokes."
    )


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Have the folder; raise DataError where it cannot be written to."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise DataError(f"{folder} cannot be written to: {error.strerror or error}.") from error


class _MirrorError(Exception):
    """What is wrong with a mirror, as the end of a sentence that starts with its address."""


def _download(folder: Path, address: str, bar: Any) -> bytes:
    """Return what lies at the address, unpacked. What is on its way lies in a file without a name."""
    # pooch and requests are slow to import, and needed only here.
    import pooch
    from requests import exceptions

    downloader = pooch.HTTPDownloader(progressbar=bar or False, chunk_size=1 << 16, timeout=TIMEOUT)
    with tempfile.TemporaryFile(dir=folder) as file:
        try:
            downloader(address, file, None)
        except exceptions.HTTPError as error:
            answer = "an error" if error.response is None else error.response.status_code
            raise _MirrorError(f"answered {answer}") from error
        except exceptions.Timeout as error:
            raise _MirrorError("did not answer in time") from error
        except exceptions.ConnectionError as error:
            raise _MirrorError("cannot be reached") from error
        except exceptions.RequestException as error:
            raise _MirrorError(f"broke off ({type(error).__name__})") from error
        except UnicodeError as error:
            raise _MirrorError("is not an address") from error
        except OSError as error:
            # What the disk says has a number; what requests says of its own set-up has none.
            if error.errno is not None:
                raise
            raise _MirrorError(f"was not asked ({error})") from error
        finally:
            if bar is not None:
                bar.close()
        file.seek(0)
        packed = file.read(2) == idx.GZIP_MAGIC
        file.seek(0)
        try:
            return gzip.GzipFile(fileobj=file).read() if packed else file.read()
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise _MirrorError("sent a broken gzip file") from error


def _keep(folder: Path, name: str, content: bytes, address: str, tell: Callable[[str], object]) -> None:
    """Move a verified file into place, and another data set's file of the same name out of its way."""
    path = folder / name
    with _writing(folder):
        # Looked at once more: a second program may have downloaded it meanwhile.
        there = idx.read_or_none(path)
        if there is not None and not is_official(name, there):
            aside = path.with_name(f"{name}.not-mnist")
            path.replace(aside)
            tell(f"{path} was not MNIST's: it is now {aside.name}.")
        with written_whole(path) as file:
            file.write(content)
        with written_whole(folder / f"{name}{ORIGIN}") as file:
            file.write(f"{address}\n".encode())


def _candidates(folder: Path, name: str) -> Iterator[Path]:
    return (path for path in (folder / name, folder / f"{name}.gz") if path.is_file())


def _official(folder: Path, name: str) -> NDArray[Any] | None:
    """Return the array in our own file, or None where that is missing, broken, or not MNIST's."""
    arrays = map(idx.read_or_none, _candidates(folder, name))
    return next((array for array in arrays if array is not None and is_official(name, array)), None)


def _digits(folder: Path, arrays: dict[str, NDArray[Any]], names: tuple[str, str]) -> Digits:
    """Return images and labels together. Raises DataError, naming the file, where they do not belong together."""
    images, labels = (arrays[name] for name in names)
    images_path, labels_path = (folder / name for name in names)
    if images.ndim != 3 or images.dtype != np.uint8:
        raise DataError(f"{images_path} holds rank {images.ndim} of {images.dtype.name}: images are rank 3 of bytes.")
    if labels.ndim != 1 or labels.dtype != np.uint8:
        raise DataError(f"{labels_path} holds rank {labels.ndim} of {labels.dtype.name}: labels are rank 1 of bytes.")
    if 0 in images.shape[1:]:
        raise DataError(f"{images_path} holds images of {images.shape[1]} x {images.shape[2]} pixels: there is no ink.")
    if len(images) != len(labels):
        raise DataError(f"{images_path} has {len(images):,} images, but {labels_path.name} has {len(labels):,} labels.")
    return Digits.of(images, labels)
