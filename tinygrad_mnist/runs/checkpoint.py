"""A checkpoint: a trained network in a file, as arrays in NumPy's .npz. Without pickle, loading it runs no code."""

import itertools
import os
import stat
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.arrays.layers import Layer, Parameters
from tinygrad_mnist.datasets.likeness import Normalize, like_mnist, unchanged
from tinygrad_mnist.errors import CheckpointError, require
from tinygrad_mnist.files import atomic_write
from tinygrad_mnist.networks import convolutional
from tinygrad_mnist.photos import doubt
from tinygrad_mnist.photos.doubt import Doubt
from tinygrad_mnist.runs import archive, saved_training
from tinygrad_mnist.runs.saved_training import SavedTraining
from tinygrad_mnist.runs.settings import MAX_UNITS, RANGES, require_between

FORMAT = "tinygrad_mnist checkpoint"
VERSION = 5
"""Increase it whenever an older version of this program can no longer read the files."""

KEYS = {"format", "version", "digits", "layer_sizes", "seed"}
"""The arrays in every file, besides w1, b1, w2, b2 and so on for the layers."""

FEATURES = "features"
"""An array in the files of convolutional networks: the numbers of features of their convolutions."""

TRAINING = "progress"
"""An array in files whose training can be continued, besides vw1, vb1 and so on if the optimizer keeps a velocity."""

MAX_LAYERS = 100

START = 1024
"""The first bytes of a file, in which `save` writes FORMAT."""


@dataclass(frozen=True)
class Checkpoint:
    """A trained network, and what is needed to use it."""

    parameters: Parameters  # on the host
    digits: tuple[int, ...]  # as metrics.targets and metrics.classify take them
    seed: int
    training: SavedTraining | None = None  # its state has the same parameters
    features: tuple[int, ...] = ()  # of a convolutional network
    pixels: int | None = None  # of an image; None for a dense network, which has a weight for each
    doubt: Doubt | None = None  # None in files of earlier versions

    @property
    def layer_sizes(self) -> tuple[int, ...]:
        """The number of pixels, the features of the convolutions, the hidden units, and the number of outputs."""
        return (self.pixels or self.parameters[0].w.shape[0], *(layer.w.shape[1] for layer in self.parameters))

    @property
    def normalize(self) -> Normalize:
        """What makes data like that which the network was trained on. Old networks were trained on it as it was."""
        return unchanged if self.doubt is None else partial(like_mnist, expected=self.doubt.view.scaling)


def require_writable(path: Path) -> None:
    """Raise CheckpointError if no file can be written to `path`, so that a command can stop before it works."""
    if path.is_dir():
        raise CheckpointError(f"{path} is a folder: name a file to save to.")
    if path.exists() and not path.is_file():
        raise CheckpointError(f"{path} is not a regular file and cannot be replaced: name another file to save to.")
    # An administrator may write to any file, so the mode is checked too.
    if path.is_file() and not (os.access(path, os.W_OK) and path.stat().st_mode & stat.S_IWUSR):
        raise CheckpointError(f"{path} is read-only: name another file to save to.")
    folder = Path(os.path.realpath(path)).parent
    if not folder.is_dir():
        raise CheckpointError(f"{path} cannot be written: there is no folder {folder}.")
    if not os.access(folder, os.W_OK):
        raise CheckpointError(f"{path} cannot be written: the folder {folder} is read-only.")


def require_replaceable(path: Path) -> None:
    """Raise CheckpointError if `save` could not write to `path`, or would replace a file that is not a checkpoint.

    An empty file may be replaced, and so may a damaged checkpoint if its start is intact.
    """
    require_writable(path)
    if not path.is_file():
        return
    try:
        with path.open("rb") as file:
            start = file.read(START)
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror or error}.") from error
    if start and not any(FORMAT.encode(encoding) in start for encoding in ("utf-32-le", "utf-32-be")):
        raise CheckpointError(f"{path} is not a {FORMAT} and is not replaced: name another file to save to.")


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Write the checkpoint to `path`, completely or not at all.

    Raises CheckpointError if it cannot be written, and ValueError if `load` would refuse it.
    """
    stored: dict[str, Any] = {
        "format": np.array(FORMAT),
        "version": np.array(VERSION),
        "digits": np.array(checkpoint.digits),
        "layer_sizes": np.array(checkpoint.layer_sizes),
        "seed": np.array(checkpoint.seed),
    }
    stored |= {FEATURES: np.array(checkpoint.features)} if checkpoint.features else {}
    stored |= _named("", checkpoint.parameters)
    stored |= checkpoint.doubt.as_arrays() if checkpoint.doubt else {}
    if checkpoint.training is not None:
        stored |= {TRAINING: np.array(checkpoint.training.as_text())}
        stored |= _named("v", checkpoint.training.state.velocity or ())
    _require_consistent(stored)
    try:
        with atomic_write(path) as file:
            np.savez(file, **stored)
    except OSError as error:
        raise CheckpointError(f"{path} cannot be written: {error.strerror or error}.") from error


def load(path: Path) -> Checkpoint:
    """Return the checkpoint in `path`. Files of all earlier versions can be read.

    Raises CheckpointError, in one sentence, if the file is missing, truncated, not a checkpoint, of a newer version, or
    inconsistent.
    """
    if str(path) == "-":
        raise CheckpointError("a network cannot be read from standard input", "no network")
    stored = _read(path)
    if str(stored.get("format")) != FORMAT:
        raise CheckpointError(f"{path} is not a {FORMAT}", "no network")
    version = stored.get("version")
    if version is not None and version.shape == () and version.dtype.kind in "iu" and int(version) > VERSION:
        raise CheckpointError(
            f"{path} has format version {version}, but this program reads only up to {VERSION}: update tinygrad_mnist."
        )
    try:
        _require_consistent(stored)
        parameters = _layers(stored, "")
        training = _training(stored, parameters)
        remembered = doubt.from_arrays(stored, stored["digits"].size, int(stored["layer_sizes"][0]))
    except (*archive.MALFORMED, AttributeError) as error:
        fact = error if isinstance(error, ValueError) else "the state of its training cannot be read"
        raise CheckpointError(f"{path} is broken, because {fact}: train and save again.") from error
    digits, features = (tuple(int(n) for n in stored.get(key, ())) for key in ("digits", FEATURES))
    pixels = int(stored["layer_sizes"][0]) if features else None
    return Checkpoint(parameters, digits, int(stored["seed"]), training, features, pixels, remembered)


def _read(path: Path) -> dict[str, NDArray[Any]]:
    try:
        return archive.read(path)
    except MemoryError as error:
        raise CheckpointError(f"{path} is larger than the memory of this machine: use a larger machine.") from error
    except FileNotFoundError as error:
        raise CheckpointError(f"{path} does not exist", "no network") from error
    except archive.MALFORMED as error:
        raise CheckpointError(f"{path} is not a {FORMAT}, or only part of one", "no network") from error
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror or error}.") from error


def _named(prefix: str, layers: Parameters) -> dict[str, NDArray[Any]]:
    """Return the arrays of layers by the names that they have in a file."""
    return {
        f"{prefix}{letter}{number}": array
        for number, layer in enumerate(layers, start=1)
        for letter, array in zip("wb", layer, strict=True)
    }


def _layers(stored: dict[str, NDArray[Any]], prefix: str) -> Parameters:
    """Return the layers in a file, the inverse of `_named`."""
    numbers = range(1, stored["layer_sizes"].size)
    return tuple(Layer(stored[f"{prefix}w{number}"], stored[f"{prefix}b{number}"]) for number in numbers)


def _training(stored: dict[str, NDArray[Any]], parameters: Parameters) -> SavedTraining | None:
    """Return the training in a file, or None if there is none. Raises one of archive.MALFORMED if it is not valid."""
    if TRAINING not in stored:
        return None
    velocity = _layers(stored, "v") if "vw1" in stored else None
    version, text = int(stored["version"]), str(stored[TRAINING])
    training = saved_training.from_text(text, version, parameters, velocity)
    seed = training.settings.training.seed
    require(seed == stored["seed"], f"it has the seeds {stored['seed']} and {seed}")
    return training


def _require_consistent(stored: dict[str, NDArray[Any]]) -> None:
    """Raise ValueError unless the types, shapes and values of the arrays are those of a network that can be used."""
    for key in sorted(KEYS):
        require(key in stored, f"{key} is missing")
    for key in sorted(KEYS - {"format"}):
        require(stored[key].dtype.kind in "iu", f"{key} holds {stored[key].dtype}, not whole numbers")
    for key in ("seed", "version"):
        require(stored[key].shape == (), f"{key} has shape {stored[key].shape}, not that of one number")
    require(1 <= stored["version"] <= VERSION, f"version is {stored['version']}")
    require_between("seed", int(stored["seed"]), *RANGES["seed"])
    digits, sizes = stored["digits"], stored["layer_sizes"]
    for key, array in (("digits", digits), ("layer_sizes", sizes)):
        require(array.ndim == 1, f"{key} has shape {array.shape}, not that of a list")
        require(2 <= array.size <= MAX_LAYERS + 1, f"{key} has {array.size} entries")
    require(len(set(digits.tolist())) == digits.size, "digits names one digit twice")
    require(np.all((digits >= 0) & (digits <= 9)), "digits has an entry that is not from 0 to 9")
    require(np.all(sizes > 0), "layer_sizes has an entry below 1")
    require(np.all(sizes[1:] <= MAX_UNITS), f"layer_sizes has an entry above {MAX_UNITS:,}")
    outputs = 1 if digits.size == 2 else digits.size
    require(sizes[-1] == outputs, f"layer_sizes ends in {sizes[-1]}, and {digits.size} digits need {outputs}")
    _require_layers(stored, sizes.tolist())
    doubt.from_arrays(stored, digits.size, int(sizes[0]))


def _require_layers(stored: dict[str, NDArray[Any]], sizes: list[int]) -> None:
    """Raise ValueError unless the layers, and their velocity if there is one, have these sizes and are finite."""
    shapes: dict[str, tuple[int, ...]] = {}
    for number, (inputs, outputs) in enumerate(_weight_shapes(stored, sizes), start=1):
        shapes |= {f"w{number}": (inputs, outputs), f"b{number}": (outputs,)}
    if "vw1" in stored:
        shapes |= {f"v{name}": shape for name, shape in shapes.items()}
    expected = KEYS | shapes.keys()
    require(expected <= stored.keys(), f"{', '.join(sorted(expected - stored.keys()))} is missing")
    surplus = stored.keys() - expected - {TRAINING, FEATURES} - doubt.NAMES
    require(not surplus, f"it holds {len(surplus)} arrays too many")
    dtype = stored["w1"].dtype
    require(dtype in (np.float32, np.float64), f"w1 holds {dtype}, not float32 or float64")
    for name, shape in shapes.items():
        array = stored[name]
        require(array.dtype == dtype, f"{name} holds {array.dtype}, and w1 holds {dtype}")
        require(array.shape == shape, f"{name} has shape {array.shape}, and layer_sizes needs {shape}")
        require(np.all(np.isfinite(array)), f"{name} has an entry that is not finite")


def _weight_shapes(stored: dict[str, NDArray[Any]], sizes: list[int]) -> list[tuple[int, int]]:
    """Return the shapes of the weights of a network with these sizes. Raises ValueError if there is no such network."""
    if FEATURES not in stored:
        return list(itertools.pairwise(sizes))
    features = stored[FEATURES]
    require(stored["version"] >= 4, "features is new in version 4")
    is_list = features.dtype.kind in "iu" and features.shape == (convolutional.CONVOLUTIONS,)
    require(is_list, f"features holds {features.dtype} of shape {features.shape}, not two numbers")
    same = sizes[1 : 1 + features.size] == features.tolist()
    require(same, "features and layer_sizes differ in the features of the convolutions")
    return convolutional.weight_shapes(sizes)
