"""A checkpoint: a training so far in a file, as arrays in NumPy's .npz. Without pickle, loading it runs no code."""

import json
import math
import os
import stat
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.arrays.backend import Array, Backend, array_namespace
from tinygrad_mnist.arrays.layers import Layer, Parameters, map_layers
from tinygrad_mnist.datasets.view import View
from tinygrad_mnist.errors import CheckpointError, DataError, require
from tinygrad_mnist.files import atomic_write
from tinygrad_mnist.networks import network_with
from tinygrad_mnist.runs import archive
from tinygrad_mnist.runs.settings import layer_sizes, require_between, require_valid, weight_shapes
from tinygrad_mnist.train import Settings, TrainingState

FORMAT = "tinygrad_mnist checkpoint"
VERSION = 1
"""Increase it whenever this program can no longer read the files that it wrote before."""

LIMIT = "limit_"
"""The start of the names of the limits in a file. The layers are w1, b1, w2, b2 and so on, velocities vw1, vb1."""

START = 1024
"""The first bytes of a file, in which `save` writes FORMAT."""

MAX_SIDE = 1 << 20
"""The largest height and width of images, far beyond useful ones."""


@dataclass(frozen=True)
class Checkpoint:
    """A training so far, with the network that it has learned: everything to predict with it, and to continue it."""

    settings: Settings
    digits: tuple[int, ...]  # as metrics.targets and metrics.classify take them
    view: View  # of the training images
    state: TrainingState  # with arrays on the host
    data: str  # Digits.fingerprint of the training digits
    environment: dict[str, str]  # in which it was trained
    limits: dict[str, NDArray[Any]] = field(default_factory=dict)  # of "not sure", by name; none if not measured
    path: Path | None = None  # the file that holds it, None if there is none

    @property
    def name(self) -> str:
        """What sentences call the network: the name of its file."""
        return str(self.path) if self.path else "the network"

    @property
    def parameters(self) -> Parameters:
        """The layers of the network."""
        return self.state.parameters

    @property
    def layer_sizes(self) -> tuple[int, ...]:
        """The number of pixels, the features of the convolutions, the hidden units, and the number of outputs."""
        return layer_sizes(self.settings, self.view.height * self.view.width, len(self.digits))


def require_writable(path: Path) -> None:
    """Raise CheckpointError if no file can be written to `path`, so that a command can stop before it works."""
    folder, wrong = Path(os.path.realpath(path)).parent, ""
    if path.is_dir():
        wrong = "is a folder"
    elif path.exists() and not path.is_file():
        wrong = "is not a regular file and cannot be replaced"
    # An administrator may write to any file, so the mode is checked too.
    elif path.is_file() and not (os.access(path, os.W_OK) and path.stat().st_mode & stat.S_IWUSR):
        wrong = "is read-only"
    elif not folder.is_dir():
        wrong = f"cannot be written, because there is no folder {folder}"
    elif not os.access(folder, os.W_OK):
        wrong = f"cannot be written, because the folder {folder} is read-only"
    if wrong:
        raise CheckpointError(f"{path} {wrong}: name another file to save to")


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
        raise CheckpointError(f"{path} cannot be read: {error.strerror or error}") from error
    if start and not any(FORMAT.encode(encoding) in start for encoding in ("utf-32-le", "utf-32-be")):
        raise CheckpointError(f"{path} is not a {FORMAT} and is not replaced: name another file to save to")


def save(checkpoint: Checkpoint) -> None:
    """Write the checkpoint to its file, completely or not at all. Raises CheckpointError if it cannot be written."""
    numbers = checkpoint.state._asdict()
    layers = _named("", numbers.pop("parameters")) | _named("v", numbers.pop("velocity") or ())
    described = {
        "settings": asdict(checkpoint.settings),
        "digits": checkpoint.digits,
        "view": checkpoint.view,
        "state": numbers,
        "data": checkpoint.data,
        "environment": checkpoint.environment,
    }
    texts = {"format": np.array(FORMAT), "version": np.array(VERSION), "training": np.array(json.dumps(described))}
    stored: dict[str, Any] = texts | layers
    stored |= {f"{LIMIT}{name}": array for name, array in checkpoint.limits.items()}
    try:
        with atomic_write(Path(checkpoint.name)) as file:
            np.savez(file, **stored)
    except OSError as error:
        raise CheckpointError(f"{checkpoint.name} cannot be written: {error.strerror or error}") from error


def load(path: Path) -> Checkpoint:
    """Return the checkpoint in a file.

    Raises CheckpointError, in one sentence, if the file is missing, damaged, not a checkpoint, or of another version.
    """
    if str(path) == "-":
        raise CheckpointError("a network cannot be read from standard input", "no network")
    try:
        stored = archive.read(path)
        require(str(stored.pop("format")) == FORMAT, "it has another format")
        version = int(stored.pop("version"))
        if version == VERSION:
            return replace(_checkpoint(stored), path=path)
    except archive.MALFORMED as error:
        raise CheckpointError(f"{path} is not a {FORMAT}, or a damaged one", "no network") from error
    except FileNotFoundError as error:
        raise CheckpointError(f"{path} does not exist", "no network") from error
    except MemoryError as error:
        raise CheckpointError(f"{path} is larger than the memory of this machine: use a larger machine") from error
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror or error}") from error
    raise CheckpointError(f"{path} has format version {version}, and only version {VERSION} can be read: train again")


def _checkpoint(stored: dict[str, NDArray[Any]]) -> Checkpoint:
    """Return the checkpoint in a file's arrays. Raises one of archive.MALFORMED if they are not those of a training."""
    described = json.loads(str(stored.pop("training")))
    limits = {name.removeprefix(LIMIT): stored.pop(name) for name in list(stored) if name.startswith(LIMIT)}
    chosen, digits, view = described["settings"], tuple(described["digits"]), View(*described["view"])
    require(chosen.keys() == {field.name for field in fields(Settings)}, "its settings are incomplete")
    settings = Settings(**chosen | {name: tuple(chosen[name]) for name in ("hidden", "features")})
    for digit in digits:
        require_between("a digit", digit, 0, 9)
    require(len(set(digits)) == len(digits) >= 2, "its digits are not different")
    require_valid(settings, len(digits))
    _require_view(view)
    pixels = view.height * view.width
    shapes = weight_shapes(settings, layer_sizes(settings, pixels, len(digits)))
    parameters = _layers("", stored, shapes, settings)
    velocity = _layers("v", stored, shapes, settings) if settings.optimizer == "momentum" else None
    require(not stored, "it has other arrays")
    state = TrainingState(parameters=parameters, velocity=velocity, **described["state"])
    _require_reached(state, settings)
    data, environment = described["data"], described["environment"]
    require(all(type(text) is str for text in (data, *environment.values())), "its environment is not text")
    return Checkpoint(settings, digits, view, state, data, environment, limits)


def _named(prefix: str, layers: Parameters) -> dict[str, NDArray[Any]]:
    """Return the arrays of layers by the names that they have in a file."""
    return {
        f"{prefix}{letter}{number}": array
        for number, layer in enumerate(layers, start=1)
        for letter, array in zip("wb", layer, strict=True)
    }


def _layers(
    prefix: str, stored: dict[str, NDArray[Any]], shapes: list[tuple[int, int]], settings: Settings
) -> Parameters:
    """Remove layers with weights of these shapes from a file's arrays, and return them: the inverse of `_named`."""
    layers = [Layer(stored.pop(f"{prefix}w{n}"), stored.pop(f"{prefix}b{n}")) for n, _ in enumerate(shapes, start=1)]
    for layer, shape in zip(layers, shapes, strict=True):
        require(layer.w.shape == shape and layer.b.shape == shape[1:], "a layer has a shape that does not fit")
        for array in layer:
            require(array.dtype == settings.dtype and np.all(np.isfinite(array)), "a layer has other numbers")
    return tuple(layers)


def _require_view(view: View) -> None:
    """Raise ValueError unless images can have this view."""
    for size in view.shape:
        require_between("the size of an image", size, 1, MAX_SIDE)
    require_between("the size of a digit", view.box, 1, max(view.shape))
    for gray in view.scaling:
        require_between("a gray", gray, 0, 255)
    require(view.paper != view.ink, "paper and ink have the same gray")


def _require_reached(state: TrainingState, settings: Settings) -> None:
    """Raise ValueError unless a training with these settings can reach the numbers of the state."""
    require_between("epoch", state.epoch, 1, settings.epochs)
    require_between("best_epoch", state.best_epoch, 1, state.epoch)
    numbers = (state.loss, state.valid_loss, state.valid_accuracy, state.best_accuracy)
    require(all(type(number) is float for number in numbers), "its state has other numbers")
    require(math.isfinite(state.loss), "its loss is not finite")
    require(0 <= state.valid_accuracy <= state.best_accuracy <= 1, "its accuracies are not from 0 to 1")


def logits(checkpoint: Checkpoint, images: NDArray[np.uint8], rows: NDArray[np.intp], backend: Backend) -> Array:
    """Return the logits z (N, O) of a network for the rows (N,) of images (M, I), on the backend's device.

    Raises DataError if it was trained on images of a different size, and CheckpointError if a logit is not finite,
    because the predicted digit would then mean nothing.
    """
    inputs = checkpoint.layer_sizes[0]
    if images.shape[1] != inputs:
        raise DataError(f"{checkpoint.name} was trained on images of {inputs} pixels, and these have {images.shape[1]}")
    parameters = map_layers(backend.to_device, checkpoint.parameters)
    network = network_with(checkpoint.settings.features)
    z = network.logits(backend.to_device(images), backend.to_device(rows), parameters)
    xp = array_namespace(z)
    if not bool(xp.all(xp.isfinite(z))):
        wrong = f"{checkpoint.name} has weights so large that its outputs are not finite: train it again"
        raise CheckpointError(wrong)
    return z
