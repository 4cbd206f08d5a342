"""How the digits of a data set look: the size of the images, how much of it a digit fills, and the grays.

A network remembers it, so that pictures can be prepared as the images were that it was trained on.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.datasets.digits import DataSet
from tinygrad_mnist.datasets.scaling import Scaling, measured
from tinygrad_mnist.datasets.strokes import BOX, SIDE

SAMPLE = 500
"""The number of training digits whose extent is measured."""

INK = 64
"""Pixels of at least this count as ink when the extent of a digit is measured."""

TOLERANCE = 0.1
"""Digits that fill as much of the image as MNIST's do, up to this share, stay as they are."""


class View(NamedTuple):
    """The look of a data set's digits."""

    height: int
    width: int
    box: int  # pixels along the longer side of a digit
    paper: int  # as in Scaling
    ink: int

    @property
    def shape(self) -> tuple[int, int]:
        """The height and the width of the images."""
        return self.height, self.width

    @property
    def scaling(self) -> Scaling:
        """The grays of the data set as it was stored."""
        return Scaling(self.paper, self.ink)

    def fitted(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the image (height, width) of a digit as large as those of the data set, given MNIST's image (28, 28).

        Its center of mass is in the middle, or as near to it as the digit fits.
        """
        if self.shape == (SIDE, SIDE) and abs(self.box - BOX) <= TOLERANCE * BOX:
            return image
        from PIL import Image  # slow to import

        rows, columns = (np.flatnonzero(image.any(axis=axis)) for axis in (1, 0))
        digit = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        height, width = digit.shape
        scale = min(self.box / max(height, width), self.height / height, self.width / width)
        size = max(1, round(scale * width)), max(1, round(scale * height))
        small = np.asarray(Image.fromarray(digit).resize(size, Image.Resampling.HAMMING), float)
        # Fewer pixels average ink and paper, so the strongest would no longer be full ink.
        small = (small * (255 / max(1.0, np.percentile(small[small > 0], 95)))).clip(0, 255)
        fitted = np.zeros(self.shape, np.uint8)
        top, left = (_start(small.sum(axis=1 - axis), side) for axis, side in enumerate(self.shape))
        fitted[top : top + small.shape[0], left : left + small.shape[1]] = np.rint(small)
        return fitted

    def as_it_is(self, grays: NDArray[np.floating]) -> NDArray[np.uint8] | None:
        """Return the image that a picture's grays (H, W) already are, or None if they have another size, or MNIST's."""
        if grays.shape != self.shape or grays.shape == (SIDE, SIDE):
            return None
        image = np.rint(grays.clip(0, 255)).astype(np.uint8)
        return (measured(image[None]) or self.scaling).apply(image)


def _start(ink: NDArray[np.floating], side: int) -> int:
    """Return where ink (S,) along an axis starts, so that its center of mass is in the middle, or near it."""
    middle = (ink * (np.arange(len(ink)) + 0.5)).sum() / ink.sum()
    return int(np.clip(np.rint(side / 2 - middle), 0, side - len(ink)))


def of(data: DataSet) -> View:
    """Return the view of a data set's training digits, whose ink is light."""
    images = data.training.sample(SAMPLE).source >= INK
    extents = [np.where(images.any(axis=axis), 1, 0) for axis in (2, 1)]
    longer = np.maximum(*(_extent(extent) for extent in extents))
    box = int(np.median(longer)) or max(images.shape[1:])
    height, width = images.shape[1:]
    return View(height, width, box, *data.scaling)


def _extent(inked: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the distance (N,) from the first to the last pixel of ink, both included, along an axis (N, S)."""
    last = inked.shape[1] - np.argmax(inked[:, ::-1], axis=1)
    return np.where(inked.any(axis=1), last - np.argmax(inked, axis=1), 0)
