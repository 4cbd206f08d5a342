"""Checkpoints of networks with the weights that a test needs."""

import math
from pathlib import Path
from typing import Any

from tinygrad_mnist.arrays.layers import Parameters
from tinygrad_mnist.datasets.view import View
from tinygrad_mnist.runs import checkpoint
from tinygrad_mnist.runs.checkpoint import Checkpoint
from tinygrad_mnist.train import Settings, TrainingState


def checkpoint_of(parameters: Parameters, digits: tuple[int, ...] = (3, 7), **fields: Any) -> Checkpoint:
    """Return the checkpoint, after an epoch, of a dense network whose digits look like MNIST's."""
    pixels, hidden = len(parameters[0].w), tuple(layer.w.shape[1] for layer in parameters[:-1])
    side = math.isqrt(pixels)
    height = side if side * side == pixels else 1
    view = View(height, pixels // height, max(1, side * 20 // 28), 0, 255)
    settings = Settings(hidden=hidden, dtype=parameters[0].w.dtype.name)
    state = TrainingState(1, 0.5, 0.5, 0.75, parameters, None, 0.75, 1)
    return Checkpoint(settings, digits, view, state, **{"data": "0" * 64, "environment": {}, **fields})


def save(name: str | Path, parameters: Parameters, digits: tuple[int, ...] = (3, 7)) -> None:
    """Write the checkpoint of a dense network to a file."""
    checkpoint.save(checkpoint_of(parameters, digits, path=Path(name)))
