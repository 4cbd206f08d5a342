"""What the sections work on: threes and sevens, loaded when the first section asks for them, and a seed."""

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist import network
from tinygrad_mnist.chapter import book
from tinygrad_mnist.datasets.digits import DataSet, Digits
from tinygrad_mnist.train import Examples

DIGITS = (3, 7)
"""What is told apart. The first is the target 1."""

RowsAndTargets = tuple[NDArray[Any], NDArray[Any]]


class Material:
    """The digits and the seed of a walk. Not every section needs digits, so they are loaded late, and once."""

    def __init__(self, load: Callable[[], DataSet], seed: int) -> None:
        self._load = load
        self.seed = seed

    @cached_property
    def data(self) -> DataSet:
        """The threes and sevens. Raises DataError where they cannot be had."""
        return self._load()

    @property
    def is_mnist(self) -> bool:
        """Whether the book's figures, which are of MNIST, can be expected."""
        return self.data.name == "mnist"

    @property
    def three(self) -> NDArray[np.uint8]:
        """The training three (H, W) that the book looks at; of another data set, the first."""
        three: NDArray[np.uint8] = self.data.training.only([3]).images[book.THREE if self.is_mnist else 0]
        return three

    @property
    def in_the_books_order(self) -> Digits:
        """The training digits as the book has them: all threes, then all sevens."""
        return self.data.training.take(np.argsort(self.data.training.labels, kind="stable"))

    def some(self, count: int) -> Digits:
        """Return at most so many of the training digits, mixed."""
        order = np.random.default_rng((self.seed, 1)).permutation(len(self.data.training.labels))
        return self.data.training.take(order[:count])


def rows(digits: Digits) -> NDArray[np.uint8]:
    """Return images as rows of bytes (N, H*W), in the order of their labels."""
    return digits.images.reshape(len(digits.labels), -1)


def examples(digits: Digits) -> Examples:
    """Return what training takes."""
    return Examples(digits.pixels, digits.places, network.targets(digits.labels, DIGITS))


def batch(digits: Digits, dtype: str) -> RowsAndTargets:
    """Return x (N, H*W), pixels from 0 to 1, and t (N, 1) of all these digits."""
    x = rows(digits).astype(dtype) / network.BRIGHTEST
    return x, network.targets(digits.labels, DIGITS)
