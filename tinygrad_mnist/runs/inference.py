"""Inference: the logits of a trained network for images."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.arrays.backend import Array, Backend, array_namespace
from tinygrad_mnist.arrays.layers import map_layers
from tinygrad_mnist.datasets.digits import Digits
from tinygrad_mnist.errors import CheckpointError, DataError
from tinygrad_mnist.networks import network_with
from tinygrad_mnist.runs.checkpoint import Checkpoint


def logits_of_digits(path: Path, checkpoint: Checkpoint, digits: Digits, backend: Backend) -> Array:
    """Return the logits z (N, O) of a network, which was read from `path`, for digits, on the backend's device.

    Raises DataError if it was trained on images of a different size, and CheckpointError if a logit is not finite.
    """
    inputs, images = checkpoint.layer_sizes[0], digits.pixels
    if images.shape[1] != inputs:
        raise DataError(f"{path} was trained on images of {inputs} pixels, and these have {images.shape[1]}.")
    return logits_of_images(path, checkpoint, images, digits.rows, backend)


def logits_of_images(
    path: Path, checkpoint: Checkpoint, images: NDArray[np.uint8], rows: NDArray[np.intp], backend: Backend
) -> Array:
    """Return the logits z (N, O) of a network for the rows (N,) of images (M, I), on the backend's device.

    Raises CheckpointError if one of them is not finite, because the predicted digit would then mean nothing.
    """
    parameters = map_layers(backend.to_device, checkpoint.parameters)
    network = network_with(checkpoint.features)
    z = network.logits(backend.to_device(images), backend.to_device(rows), parameters)
    xp = array_namespace(z)
    if not bool(xp.all(xp.isfinite(z))):
        raise CheckpointError(f"{path} has weights so large that its outputs are not finite: train it again.")
    return z
