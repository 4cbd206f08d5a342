"""A trained network in a file: arrays in NumPy's .npz, and never a pickle, so nothing in it can run."""

import io
import itertools
import os
import tokenize
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist import progress
from tinygrad_mnist.errors import CheckpointError
from tinygrad_mnist.files import written_whole
from tinygrad_mnist.network import Layer, Parameters
from tinygrad_mnist.progress import Progress

FORMAT = "tinygrad_mnist checkpoint"
VERSION = 2
"""Raised when an older program could no longer read what is written."""

MALFORMED = (
    *(ValueError, TypeError, KeyError, EOFError, OverflowError, zipfile.BadZipFile, zlib.error),
    RuntimeError,  # what zipfile raises for an entry that calls itself encrypted
    tokenize.TokenError,  # what NumPy raises for a header that ends in the middle
)
"""What comes of reading an archive that is none, or was damaged."""

KEYS = {"format", "version", "digits", "layer_sizes", "seed"}
"""What every file has, beside w1, b1, w2, b2 and so on for the layers."""

PROGRESS = "progress"
"""What a file has beside, from which training can go on; and vw1, vb1 and so on where the layers have a velocity."""

MOST_LAYERS = 100


@dataclass(frozen=True)
class Checkpoint:
    """A trained network, and what is needed to use it."""

    parameters: Parameters  # on the host
    digits: tuple[int, ...]  # as network.targets and network.decide take them
    seed: int
    progress: Progress | None = None  # its epoch has the same parameters

    @property
    def layer_sizes(self) -> tuple[int, ...]:
        """The number of inputs, of what each hidden layer gives, and of outputs."""
        return (self.parameters[0].w.shape[0], *(layer.w.shape[1] for layer in self.parameters))


def require_writable(path: Path) -> None:
    """Raise CheckpointError where `save` could not write to `path`: better before training than after."""
    if path.is_dir():
        raise CheckpointError(f"{path} is a folder: name a file to save to.")
    if path.exists() and not path.is_file():
        raise CheckpointError(f"{path} is not a file that can be replaced: name another one to save to.")
    folder = Path(os.path.realpath(path)).parent
    if not folder.is_dir():
        raise CheckpointError(f"{path} cannot be written: there is no folder {folder}.")
    if not os.access(folder, os.W_OK):
        raise CheckpointError(f"{path} cannot be written: the folder {folder} is read-only.")


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Write the checkpoint to `path`, whole or not at all.

    Raises CheckpointError where it cannot be written, ValueError for one that `load` would refuse.
    """
    stored: dict[str, Any] = {
        "format": np.array(FORMAT),
        "version": np.array(VERSION),
        "digits": np.array(checkpoint.digits),
        "layer_sizes": np.array(checkpoint.layer_sizes),
        "seed": np.array(checkpoint.seed),
    }
    stored |= _named("", checkpoint.parameters)
    if checkpoint.progress is not None:
        stored |= {PROGRESS: np.array(checkpoint.progress.as_text())}
        stored |= _named("v", checkpoint.progress.epoch.velocity or ())
    if not _consistent(stored):
        raise ValueError("these parameters, digits and seed are not those of a trained network")
    try:
        with written_whole(path) as file:
            np.savez(file, **stored)
    except OSError as error:
        raise CheckpointError(f"{path} cannot be written: {error.strerror or error}.") from error


def load(path: Path) -> Checkpoint:
    """Return the checkpoint in `path`.

    Raises CheckpointError, in one sentence, for a file that is missing, truncated, not a checkpoint,
    of a newer version, or at odds with itself.
    """
    stored = _stored(path)
    if str(stored.get("format")) != FORMAT:
        raise CheckpointError(f"{path} is not a {FORMAT}: name a file that 'train --save' wrote.")
    version = stored.get("version")
    if version is not None and version.shape == () and version.dtype.kind in "iu" and int(version) > VERSION:
        raise CheckpointError(
            f"{path} has format version {version}, and this program reads up to {VERSION}: update tinygrad_mnist."
        )
    if KEYS - stored.keys() or not _consistent(stored):
        raise CheckpointError(f"{path} is broken: what it holds does not fit together; train and save again.")
    parameters = _layers(stored, "")
    try:
        progress = _progress(stored, parameters)
    except (*MALFORMED, AttributeError) as error:
        raise CheckpointError(f"{path} is broken: where its training stands is not said; train anew.") from error
    digits = tuple(int(digit) for digit in stored["digits"])
    return Checkpoint(parameters, digits, int(stored["seed"]), progress)


def _named(prefix: str, layers: Parameters) -> dict[str, NDArray[Any]]:
    """Return the arrays of layers by the names that they have in a file."""
    return {
        f"{prefix}{letter}{number}": array
        for number, layer in enumerate(layers, start=1)
        for letter, array in zip("wb", layer, strict=True)
    }


def _layers(stored: dict[str, NDArray[Any]], prefix: str) -> Parameters:
    """Return the layers in a file: `_named` undone."""
    numbers = range(1, stored["layer_sizes"].size)
    return tuple(Layer(stored[f"{prefix}w{number}"], stored[f"{prefix}b{number}"]) for number in numbers)


def _progress(stored: dict[str, NDArray[Any]], parameters: Parameters) -> Progress | None:
    """Return where training stands, None where the file does not say. Raises ValueError and others for nonsense."""
    if PROGRESS not in stored:
        return None
    velocity = _layers(stored, "v") if "vw1" in stored else None
    said = progress.from_text(str(stored[PROGRESS]), parameters, velocity)
    if said.chosen.settings.seed != stored["seed"]:
        raise ValueError("two seeds")
    return said


def _stored(path: Path) -> dict[str, NDArray[Any]]:
    """Return all the arrays in the file, by name."""
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as archive:
            size = os.fstat(file.fileno()).st_size
            return {entry.filename.removesuffix(".npy"): _array(archive, entry, size) for entry in archive.infolist()}
    except FileNotFoundError as error:
        raise CheckpointError(f"{path} does not exist: write it with 'train --save {path}'.") from error
    except MALFORMED as error:
        raise CheckpointError(
            f"{path} is not a {FORMAT}, or only a part of one: name a file that 'train --save' wrote."
        ) from error
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror or error}.") from error


def _array(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, size: int) -> NDArray[Any]:
    """Return the array in an entry of a file of `size` bytes.

    Raises ValueError for one that is packed, or not as large as it says.

    NumPy's own reader makes room for whatever shape a header claims, and so can be made to fill the memory.
    """
    if entry.compress_type != zipfile.ZIP_STORED or not entry.compress_size == entry.file_size <= size:
        raise ValueError("packed, or larger than the file that it is in")
    content = archive.read(entry)
    file = io.BytesIO(content)
    if np.lib.format.read_magic(file) != (1, 0):
        raise ValueError("not the format that is written for arrays of numbers")
    shape, by_column, dtype = np.lib.format.read_array_header_1_0(file)
    array = np.frombuffer(content, dtype, offset=file.tell())
    return array.reshape(shape, order="F" if by_column else "C")


def _consistent(stored: dict[str, NDArray[Any]]) -> bool:
    """Return whether types, shapes and values of the arrays are those of a network that can be used."""
    sizes, digits = stored["layer_sizes"], stored["digits"]
    return (
        all(stored[key].dtype.kind in "iu" for key in KEYS - {"format"})
        and stored["seed"].shape == stored["version"].shape == ()
        and bool(1 <= stored["version"] <= VERSION)
        and bool(stored["seed"] >= 0)
        and digits.ndim == 1
        and 2 <= len(set(digits.tolist())) == digits.size
        and bool(np.all((digits >= 0) & (digits <= 9)))
        and sizes.ndim == 1
        and 2 <= sizes.size <= MOST_LAYERS + 1
        and bool(np.all(sizes > 0))
        and sizes[-1] == (1 if digits.size == 2 else digits.size)
        and _fitting_layers(stored, sizes.tolist())
    )


def _fitting_layers(stored: dict[str, NDArray[Any]], sizes: list[int]) -> bool:
    """Return whether the layers have these sizes, one floating type, and no entry that is not a finite number.

    And the same of their velocity, where there is one.
    """
    shapes = [shape for inputs, outputs in itertools.pairwise(sizes) for shape in ((inputs, outputs), (outputs,))]
    names = [f"{letter}{number}" for number in range(1, len(sizes)) for letter in "wb"]
    if "vw1" in stored:
        shapes, names = 2 * shapes, names + [f"v{name}" for name in names]
    if stored.keys() - {PROGRESS} != KEYS | set(names):
        return False
    arrays = [stored[name] for name in names]
    return (
        arrays[0].dtype in (np.float32, np.float64)
        and all(array.dtype == arrays[0].dtype for array in arrays)
        and [array.shape for array in arrays] == shapes
        and all(bool(np.all(np.isfinite(array))) for array in arrays)
    )
