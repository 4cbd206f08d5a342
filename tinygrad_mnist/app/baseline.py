"""Pixel similarity on a data set: the confusion matrices without learning."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist import metrics, similarity
from tinygrad_mnist.arrays.backend import Array, Backend, to_host
from tinygrad_mnist.datasets.digits import DataSet, Digits

DISTANCES: dict[str, Callable[[Array, Array], Array]] = {"l1": similarity.l1, "squared": similarity.squared}


def confusion_matrices(data: DataSet, digits: tuple[int, ...], backend: Backend) -> dict[str, NDArray[np.int64]]:
    """Return the confusion matrix of each distance, by its name."""
    ideals = [similarity.ideal(backend.to_device(_pixels(data.training.only([digit])))) for digit in digits]
    images = backend.to_device(_pixels(data.test))
    matrices = {}
    for name, distance in DISTANCES.items():
        nearest = to_host(similarity.nearest([distance(images, ideal) for ideal in ideals]))
        matrices[name] = metrics.confusion(data.test.labels, np.asarray(digits)[nearest], digits)
    return matrices


def _pixels(digits: Digits) -> NDArray[np.uint8]:
    return digits.images.reshape(len(digits.labels), -1)
