"""How the digits of a data set look: the size of the images, how much of it a digit fills, and the grays.

A network remembers it, so that pictures can be prepared as the images were that it was trained on.

The grays are those of paper and ink. MNIST's paper is 0 and its ink 255. Elsewhere digits are dark on light, use only
the values 0 and 1 or 0 to 16, or are on gray paper. Pixels are converted so that paper becomes 0 and ink 255, because a
network that was trained on one kind of pixels is lost on the other, and learns almost nothing from pixels near 0 or
near 255.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

MAX_PAPER, MIN_INK = 25, 128
"""Pixels are left as they are if the paper is at most the first, and the ink at least the second."""

PLAIN = 0.6
"""The smallest share of the pixels at the edge that are paper, within a tenth of the range of all pixels."""

INKED = 64
"""Pixels of at least this count as ink when the extent of a digit is measured."""


class Scaling(NamedTuple):
    """The grays of paper and of ink in a data set, from 0 to 255. They differ."""

    paper: int
    ink: int

    def __str__(self) -> str:
        """Return what is done to the pixels, as a clause."""
        if self.ink < self.paper:
            return f"the digits are dark ({self.ink}) on light paper ({self.paper}), so they are inverted"
        return f"the pixels are from {self.paper} to {self.ink}, so they are stretched to the range from 0 to 255"

    def apply(self, images: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return images of any shape with paper as 0 and ink as 255. Pixels beyond them are clipped.

        >>> Scaling(paper=255, ink=0).apply(np.array([255, 200, 0], np.uint8))
        array([  0,  55, 255], dtype=uint8)
        >>> Scaling(paper=0, ink=16).apply(np.array([0, 8, 16, 17], np.uint8))
        array([  0, 128, 255, 255], dtype=uint8)
        """
        share = (np.arange(256) - self.paper) / (self.ink - self.paper)
        table = np.rint(255 * share.clip(0, 1)).astype(np.uint8)
        return np.asarray(table[images])


AS_MNIST = Scaling(paper=0, ink=255)
"""MNIST's. Nothing has to be converted."""


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


def view_of(images: NDArray[np.uint8], scaling: Scaling) -> View:
    """Return the view of images (N, H, W) with light ink on black, which were stored with the grays of `scaling`."""
    inked = [np.nonzero(image >= INKED) for image in images if np.any(image >= INKED)]
    extents = [max(np.ptp(rows), np.ptp(columns)) + 1 for rows, columns in inked]
    height, width = images.shape[1:]
    return View(height, width, int(np.median(extents)) if extents else max(height, width), *scaling)


def scaling_of(images: NDArray[np.uint8]) -> Scaling | None:
    """Return the scaling of images (N, H, W), or None if they are not on plain paper of one gray.

    Paper is the gray of most pixels at the edge. Ink is on the side of it to which the images reach farther.
    """
    numbers = images.astype(np.int16)
    edge = np.ones(numbers.shape[1:], bool)
    edge[1:-1, 1:-1] = False
    paper = int(np.median(numbers[:, edge]))
    is_paper = np.abs(numbers[:, edge] - paper) <= np.ptp(numbers) / 10
    below, above = paper - numbers.min(axis=(1, 2)), numbers.max(axis=(1, 2)) - paper
    nearer, farther = sorted((below, above), key=lambda reach: float(np.median(reach)))
    # Some images are paler than others, so the strongest ones tell what full ink is.
    reach = int(np.percentile(farther, 95))
    if is_paper.mean() < PLAIN or np.median(nearer) > reach / 2 or reach == 0:
        return None
    ink = paper - reach if farther is below else paper + reach
    return AS_MNIST if paper <= MAX_PAPER and ink >= MIN_INK else Scaling(paper, ink)
