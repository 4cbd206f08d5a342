"""Inference: the logits of a trained network for images."""

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.arrays.backend import Array, Backend, array_namespace
from tinygrad_mnist.arrays.layers import map_layers
from tinygrad_mnist.errors import CheckpointError, DataError
from tinygrad_mnist.networks import network_with
from tinygrad_mnist.runs.checkpoint import Checkpoint


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
