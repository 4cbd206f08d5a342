"""What every data set gives: images of digits and their labels, to train on and to test on."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.errors import DataError

SMALL = 1 << 28
"""Bytes that may be copied without asking, twice for a moment: 256 MB, five times MNIST."""


@dataclass(frozen=True)
class Digits:
    """Some images of a larger array, with their labels. The array is not copied: it may be larger than memory."""

    source: NDArray[np.uint8]  # (M, H, W) bytes, 0 is paper and 255 is ink
    labels: NDArray[np.uint8]  # (N,)
    places: NDArray[np.intp]  # (N,) where in the source the image of each label lies

    @classmethod
    def of(cls, images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> "Digits":
        """Return all of these images (N, H, W), with labels (N,) in the same order."""
        return cls(images, labels, np.arange(len(labels)))

    @property
    def images(self) -> NDArray[np.uint8]:
        """A copy of the images (N, H, W), in the order of the labels."""
        return self.source[self.places]

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """All images of the source, as rows of pixels (M, H*W); not copied."""
        return self.source.reshape(len(self.source), -1)

    def take(self, which: NDArray[Any]) -> "Digits":
        """Return the digits at these positions, or where a mask is true."""
        return Digits(self.source, self.labels[which], self.places[which])

    def compact(self) -> "Digits":
        """Return the same digits in a source of their own, where that is small: they are then gathered faster.

        A large one stays where it is, which may be a file.
        """
        return Digits.of(self.images, self.labels) if self._is_small else self

    def without_paper(self) -> tuple[NDArray[np.uint8], NDArray[np.intp], NDArray[np.bool_] | None]:
        """Return the pixels that are inked in any of the images, and which they are: nothing is learned from others.

        As rows (M, K), where in them the image of each label lies (N,), and for each of the I = H*W pixels whether it
        is one of the K (I,). Of the 784 pixels of MNIST's threes and sevens, 640 are; of all its digits, 717. Images
        that are too many to be copied are returned as they are, with all pixels, and None.
        """
        if not self._is_small:
            return self.pixels, self.places, None
        rows = self.pixels[self.places]
        inked = rows.max(axis=0, initial=0) > 0
        return np.compress(inked, rows, axis=1), np.arange(len(rows)), inked

    @property
    def _is_small(self) -> bool:
        return len(self.places) * self.source[:1].nbytes <= SMALL

    def fingerprint(self) -> str:
        """Return 64 hexadecimal digits that are the same for the same digits in the same order, and for hardly others.

        SHA-256 of the labels, the size of an image, and a thousand of the images, evenly spread: all of them could be
        a file larger than memory.
        """
        some = self.places[:: max(1, len(self.places) // 1000)]
        content = hashlib.sha256(f"{self.source.shape[1:]} {self.source.dtype}".encode())
        content.update(np.ascontiguousarray(self.labels).data)
        content.update(self.source[some].data)
        return content.hexdigest()

    def only(self, digits: Sequence[int]) -> "Digits":
        """Return those digits whose label is wanted, in their order. Raises DataError where one has no image."""
        for digit in digits:
            if not np.any(self.labels == digit):
                raise DataError(f"the data set has no image of digit {digit}: choose other --digits.")
        return self.take(np.isin(self.labels, np.asarray(digits)))

    def hold_out(self, share: float, seed: int) -> tuple["Digits", "Digits"]:
        """Return what to train on and what to validate with, which is a share of all, drawn by seed.

        Raises DataError where there are fewer than two images.
        """
        count = len(self.labels)
        if count < 2:
            raise DataError("a single image cannot be split into training and validation: add more of them.")
        # A child of the seed, because train.py draws from (seed, 0), (seed, 1) and so on.
        order = np.random.default_rng(seed).spawn(1)[0].permutation(count)
        held = min(count - 1, max(1, round(share * count)))
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
        training, test = (part.only(digits).compact() for part in (self.training, self.test))
        return DataSet(self.name, self.origin, training, test)
