"""The material of all sections: 3s and 7s, loaded when the first section asks for them, and a seed."""

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist import metrics
from tinygrad_mnist.arrays.examples import Examples
from tinygrad_mnist.chapter import book_figures
from tinygrad_mnist.datasets.digits import MAX_PIXEL, DataSet, Digits

DIGITS = (3, 7)
"""The two digits to tell apart. The target is 1 for the first, and 0 for the second."""


class Material:
    """The digits and the seed of a walk. The digits are loaded once, and only if a section needs them."""

    def __init__(self, load: Callable[[], DataSet], seed: int) -> None:
        self._load = load
        self.seed = seed

    @cached_property
    def data(self) -> DataSet:
        """The 3s and 7s. Raises DataError if they cannot be loaded."""
        return self._load()

    @property
    def is_mnist(self) -> bool:
        """Whether the digits are MNIST, so that results can be compared with the book's figures."""
        return self.data.name == "mnist"

    @property
    def three(self) -> NDArray[np.uint8]:
        """The book's example of a training 3, as (H, W). In other data sets, it is the first training 3."""
        three: NDArray[np.uint8] = self.data.training.only([3]).images[book_figures.THREE if self.is_mnist else 0]
        return three

    @property
    def in_book_order(self) -> Digits:
        """The training digits in the book's order: all 3s, then all 7s."""
        return self.data.training.take(np.argsort(self.data.training.labels, kind="stable"))

    def sample(self, count: int) -> Digits:
        """Return `count` training digits in random order, or all of them if there are fewer."""
        order = np.random.default_rng((self.seed, 1)).permutation(len(self.data.training.labels))
        return self.data.training.take(order[:count])


def flat_images(digits: Digits) -> NDArray[np.uint8]:
    """Return the images as rows of bytes (N, H*W), in the order of their labels."""
    return digits.images.reshape(len(digits.labels), -1)


def examples(digits: Digits) -> Examples:
    """Return all these digits as examples to train on or to measure on."""
    return Examples(digits.pixels, digits.rows, metrics.targets(digits.labels, DIGITS))


def batch(digits: Digits, dtype: str) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return x (N, H*W), pixels from 0 to 1, and targets t (N, 1) of all these digits."""
    return flat_images(digits).astype(dtype) / MAX_PIXEL, metrics.targets(digits.labels, DIGITS)
