"""What every data set gives: images of digits and their labels, to train on and to test on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.errors import DataError

HELD_OUT = 6
"""One in six training digits is held out for validation: 10,000 of MNIST's 60,000, as many as its test set."""


@dataclass(frozen=True)
class Digits:
    """Images with their labels, in the same order."""

    images: NDArray[np.uint8]  # (N, H, W) bytes, 0 is paper and 255 is ink
    labels: NDArray[np.uint8]  # (N,)

    @property
    def rows(self) -> NDArray[np.uint8]:
        """The images as rows of pixels (N, H*W)."""
        return self.images.reshape(len(self.images), -1)

    def take(self, which: NDArray[Any]) -> "Digits":
        """Return the digits at these positions, or where a mask is true."""
        return Digits(self.images[which], self.labels[which])

    def only(self, digits: Sequence[int]) -> "Digits":
        """Return those digits whose label is wanted, in their order. Raises DataError where one has no image."""
        for digit in digits:
            if not np.any(self.labels == digit):
                raise DataError(f"the data set has no image of digit {digit}: choose other --digits.")
        return self.take(np.isin(self.labels, np.asarray(digits)))

    def hold_out(self, seed: int) -> tuple["Digits", "Digits"]:
        """Return what to train on and what to validate with: five and one of six, drawn by seed.

        Raises DataError where there are fewer than two images.
        """
        count = len(self.labels)
        if count < 2:
            raise DataError("a single image cannot be split into training and validation: add more of them.")
        # A child of the seed, because train.py draws from (seed, 0), (seed, 1) and so on.
        order = np.random.default_rng(seed).spawn(1)[0].permutation(count)
        held = max(1, count // HELD_OUT)
        return self.take(np.sort(order[held:])), self.take(np.sort(order[:held]))


@dataclass(frozen=True)
class DataSet:
    """Digits to train on and to test on, and where they come from."""

    name: str  # "mnist", "strokes" or the folder
    origin: str  # for a person: "MNIST in data/mnist, verified"
    training: Digits
    test: Digits

    def only(self, digits: Sequence[int]) -> "DataSet":
        """Return the same data set with the wanted digits alone. Raises DataError where one has no image."""
        return DataSet(self.name, self.origin, self.training.only(digits), self.test.only(digits))
