"""What every data set provides: images of digits with their labels, to train on and to test on."""

import hashlib
import html
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.datasets.view import AS_MNIST, Scaling
from tinygrad_mnist.errors import DataError

MAX_PIXEL = 255
"""The largest value of a pixel. Pixels are bytes: 0 is the background and 255 is ink."""

COPY_LIMIT = 1 << 28
"""The limit for copying images, in bytes: 256 MB, five times the size of MNIST. A copy briefly needs twice that."""


@dataclass(frozen=True)
class Digits:
    """Some images of a larger array, with their labels. The array may be larger than memory, so it is not copied."""

    source: NDArray[np.uint8]  # (M, H, W) bytes, 0 is the background and 255 is ink
    labels: NDArray[np.uint8]  # (N,)
    rows: NDArray[np.intp]  # (N,) the position in the source of each label's image

    @classmethod
    def of(cls, images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> "Digits":
        """Return all of these images (N, H, W), with labels (N,) in the same order."""
        return cls(images, labels, np.arange(len(labels)))

    def __repr__(self) -> str:
        """Return the number and the size of the images, and their digits."""
        height, width = self.source.shape[1:]
        return f"Digits({len(self.labels):,} images of {height} x {width}: {_list(self.labels)})"

    def _repr_html_(self) -> str:
        """Return the digits as a notebook shows them, with pictures of the first ten."""
        from tinygrad_mnist.datasets import notebook  # imports Pillow

        return notebook.row(repr(self), self.source[self.rows[: notebook.PICTURES]], self.labels.tolist())

    @property
    def images(self) -> NDArray[np.uint8]:
        """A copy of the images (N, H, W), in the order of the labels."""
        return self.source[self.rows]

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """All images of the source as rows of pixels (M, H*W), not copied."""
        return self.source.reshape(len(self.source), -1)

    def take(self, which: NDArray[Any]) -> "Digits":
        """Return the digits at these positions, or those for which a mask is true."""
        return Digits(self.source, self.labels[which], self.rows[which])

    def compact(self) -> "Digits":
        """Return the same digits with a source of their own, which is faster to read, if they are small.

        Otherwise return the digits themselves, whose source may be a file.
        """
        is_small = len(self.rows) * self.source[:1].nbytes <= COPY_LIMIT
        return Digits.of(self.images, self.labels) if is_small else self

    def sample(self, count: int) -> "Digits":
        """Return up to twice this many of the digits, evenly spaced, with a source of their own."""
        which = slice(None, None, max(1, len(self.rows) // count))
        return Digits.of(self.source[self.rows[which]], self.labels[which])

    def changed(self, change: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]) -> "Digits":
        """Return the digits with a source of their own: `change` of their images (N, H, W)."""
        return Digits.of(np.ascontiguousarray(change(self.images)), self.labels)

    def fingerprint(self) -> str:
        """Return 64 hexadecimal digits that identify these digits in this order.

        It is the SHA-256 of the size of an image, the labels, and all images. If the images take more than COPY_LIMIT
        bytes, it includes only evenly spaced ones, which take between half of COPY_LIMIT and COPY_LIMIT bytes: reading
        all of a file larger than memory would take too long.
        """
        content = hashlib.sha256(f"{self.source.shape[1:]} {self.source.dtype}".encode())
        content.update(np.ascontiguousarray(self.labels).data)
        step = max(1, math.ceil(len(self.rows) * self.source[:1].nbytes / COPY_LIMIT))
        content.update(self.source[self.rows[::step]].data)
        return content.hexdigest()

    def only(self, digits: Sequence[int]) -> "Digits":
        """Return the digits with these labels, in the same order. Raises DataError if a label has no image."""
        for digit in digits:
            if not np.any(self.labels == digit):
                raise DataError(f"the data set has no image of digit {digit}: use different data or different digits.")
        return self.take(np.isin(self.labels, np.asarray(digits)))

    def hold_out(self, share: float, seed: int) -> tuple["Digits", "Digits"]:
        """Return the training digits and the held-out digits, which are a share of all digits, drawn with the seed.

        Both get at least one image. Raises DataError if there are fewer than two.
        """
        count = len(self.labels)
        if count < 2:
            raise DataError("a single image cannot be split into training and validation: add more images.")
        # Draw from a child of the seed, because train.py draws from (seed, 0), (seed, 1) and so on.
        order = np.random.default_rng(seed).spawn(1)[0].permutation(count)
        held_out = min(count - 1, max(1, round(share * count)))
        return self.take(np.sort(order[held_out:])), self.take(np.sort(order[:held_out]))


def _list(labels: NDArray[np.uint8]) -> str:
    """Return the different labels as text, like 3, 7."""
    return ", ".join(map(str, np.unique(labels)))


@dataclass(frozen=True)
class DataSet:
    """Training digits and test digits, and where they come from."""

    name: str  # "mnist", "strokes" or the folder
    origin: str  # text for people: "MNIST in data/mnist, verified"
    training: Digits
    test: Digits
    scaling: Scaling = AS_MNIST  # of the pixels as they were stored; they are now MNIST's

    @property
    def train(self) -> Digits:
        """The training digits, by the name that they have in most libraries."""
        return self.training

    def __repr__(self) -> str:
        """Return where the digits come from, and how many there are."""
        counts = f"{len(self.training.labels):,} for training, {len(self.test.labels):,} for testing"
        return f"DataSet({self.origin}: {_list(self.training.labels)}, {counts})"

    def _repr_html_(self) -> str:
        """Return the data set as a notebook shows it, with pictures of the first training digits."""
        return f"<p>{html.escape(repr(self))}</p>{self.training._repr_html_()}"

    def facts(self) -> dict[str, Any]:
        """Return what is reported about the data set."""
        return {"data": self.name, "origin": self.origin, "scaling": self.scaling._asdict()}

    def changed(self, change: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]) -> "DataSet":
        """Return the data set with `change` of its images (N, H, W), which are then in memory."""
        return replace(self, training=self.training.changed(change), test=self.test.changed(change))

    def only(self, digits: Sequence[int]) -> "DataSet":
        """Return the data set with only these digits. Raises DataError if one of them has no image."""
        training, test = (part.only(digits).compact() for part in (self.training, self.test))
        return replace(self, training=training, test=test)
