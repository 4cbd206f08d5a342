"""Makes the images of other data sets like MNIST's: light digits on black, from 0 to 255, and upright."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.datasets import orientation, scaling
from tinygrad_mnist.datasets.digits import DataSet
from tinygrad_mnist.datasets.progress import Progress
from tinygrad_mnist.datasets.scaling import AS_MNIST, Scaling

Normalize: TypeAlias = Callable[[DataSet, Progress], DataSet]
"""Returns a data set with changed images, and says how."""

SAMPLE = 500
"""The number of training images that are looked at, so that looking takes a few hundredths of a second."""


def like_mnist(data: DataSet, progress: Progress, expected: Scaling = AS_MNIST) -> DataSet:
    """Return the data set with images like MNIST's, or the data set itself if they already are.

    The scaling is measured on the training images. `expected` is used if they do not show one, because their background
    varies. `progress` says what was changed.
    """
    sample = data.training.sample(SAMPLE)
    found = scaling.measured(sample.source) or expected
    turned = orientation.is_transposed(found.apply(sample.source), sample.labels)
    if found == AS_MNIST and not turned:
        return data

    def change(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return found.apply(np.swapaxes(images, 1, 2) if turned else images)

    if found != AS_MNIST:
        progress.say(f"In {data.name}, {found}.")
    if turned:
        progress.say(
            f"In {data.name}, the images are transposed, as EMNIST's are, so their rows and columns are exchanged."
        )
    return replace(data, training=data.training.changed(change), test=data.test.changed(change), scaling=found)


def unchanged(data: DataSet, progress: Progress) -> DataSet:  # noqa: ARG001 - as like_mnist
    """Return the data set itself, for networks that were trained on pixels as they were stored."""
    return data
