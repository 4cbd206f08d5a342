"""Finds the digit in a picture, and gives it the form that MNIST's digits have.

    grays --components.find--> components --> ink of the digit --> image (28, 28)

The size, the box and the center of mass follow LeCun, Cortes and Burges, The MNIST database. The constants were chosen
by trial on photos like those of benchmarks/scenes.py, unless another reason is given.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.datasets.strokes import BOX, SIDE, center
from tinygrad_mnist.datasets.view import View, scaling_of
from tinygrad_mnist.errors import DataError
from tinygrad_mnist.photos import components, paper
from tinygrad_mnist.photos.components import Component, Fault

MIN_PEN = 0.4
"""Parts of a digit have at least this share of its thickness. What is thinner is a speck or printed."""

NEAR, NEAR_SOLID = 0.2, 0.1
"""The largest distance of a part from the digit, as a share of the digit's length. A solid part may be a blot."""

MAX_GAP = 1 / 8
"""The widest gap between two parts of one digit, as a share of its height. Two digits have a wider gap."""

EDGE = 0.25
"""The digit ends at this share of the ink's darkness. Chosen on enlarged training digits of MNIST."""


TOLERANCE = 0.1
"""Digits that fill as much of the image as MNIST's do, up to this share, stay as they are."""


class Prepared(NamedTuple):
    """The image of the digit in a picture, and what speaks against trusting it."""

    image: NDArray[np.uint8]  # (28, 28), 255 is ink
    fault: str = ""  # a short clause, empty if the choice of the digit was clear


def prepare(grays: NDArray[Any], name: str) -> Prepared:
    """Return the digit in a picture's grays (H, W), from 0 (black) to 255 (white), dark on light or light on dark.

    Raises DataError, which names the picture, if it does not show exactly one digit.
    """
    found = components.find(grays.astype(np.float32))
    if not found:
        raise DataError(f"{name} has no digit that stands out from the paper: use a picture with more contrast")
    digit, same_ink = found[0], [component for component in found if component.page is found[0].page]
    if any(_is_second_digit(component, digit) for component in same_ink):
        raise DataError(f"{name} has more than one digit: crop it to one")
    parts = [component for component in same_ink if _is_part(component, digit)]
    return Prepared(_normalized(_cut_out(digit, parts)), str(digit.faults[0]) if digit.faults else "")


def as_it_is(grays: NDArray[Any], view: View) -> NDArray[np.uint8] | None:
    """Return the image that a picture's grays (H, W) already are, or None if they have another size, or MNIST's."""
    if grays.shape != view.shape or grays.shape == (SIDE, SIDE):
        return None
    image = np.rint(grays.clip(0, 255)).astype(np.uint8)
    return (scaling_of(image[None]) or view.scaling).apply(image)


def fitted(image: NDArray[np.uint8], view: View) -> NDArray[np.uint8]:
    """Return the image (height, width) of a digit as large as those of a view, given MNIST's image (28, 28).

    Its center of mass is in the middle, or as near to it as the digit fits.
    """
    if view.shape == (SIDE, SIDE) and abs(view.box - BOX) <= TOLERANCE * BOX:
        return image
    from PIL import Image  # slow to import

    rows, columns = (np.flatnonzero(image.any(axis=axis)) for axis in (1, 0))
    digit = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = digit.shape
    scale = min(view.box / max(height, width), view.height / height, view.width / width)
    size = max(1, round(scale * width)), max(1, round(scale * height))
    small = np.asarray(Image.fromarray(digit).resize(size, Image.Resampling.HAMMING), float)
    # Fewer pixels average ink and paper, so the strongest would no longer be full ink.
    small = (small * (255 / max(1.0, np.percentile(small[small > 0], 95)))).clip(0, 255)
    image = np.zeros(view.shape, np.uint8)
    top, left = (_start(small.sum(axis=1 - axis), side) for axis, side in enumerate(view.shape))
    image[top : top + small.shape[0], left : left + small.shape[1]] = np.rint(small)
    return image


def _start(ink: NDArray[np.floating], side: int) -> int:
    """Return where ink (S,) along an axis starts, so that its center of mass is in the middle, or near it."""
    middle = (ink * (np.arange(len(ink)) + 0.5)).sum() / ink.sum()
    return int(np.clip(np.rint(side / 2 - middle), 0, side - len(ink)))


def _is_second_digit(component: Component, digit: Component) -> bool:
    """Return whether a component is a second digit, with paper between it and the digit."""
    lower, higher = sorted([component.mask.shape[0], digit.mask.shape[0]])
    is_large = lower >= higher / 2 and component.mask.sum() >= digit.mask.sum() / 4
    is_digit = not component.faults and component.thickness >= MIN_PEN * digit.thickness
    return component is not digit and is_digit and is_large and _distance(component, digit) > MAX_GAP * higher


def _is_part(component: Component, digit: Component) -> bool:
    """Return whether a component, which is no second digit, belongs to the digit: it is near, and of the same pen."""
    near = NEAR_SOLID if Fault.SOLID in component.faults else NEAR
    is_near = _distance(component, digit) <= near * digit.length and Fault.CUT not in component.faults
    is_pen = MIN_PEN * digit.thickness <= component.thickness <= 1.2 * digit.thickness + 1
    is_other = component.labels is digit.labels and is_near and is_pen and not component.surrounds(digit)
    return component is digit or is_other


def _distance(first: Component, second: Component) -> int:
    """Return the distance between two components' boxes, down or across, whichever is more, or 0 if they overlap."""
    return max(int(max(a.start - b.stop, b.start - a.stop, 0)) for a, b in zip(first.box, second.box, strict=True))


def _cut_out(digit: Component, parts: Sequence[Component]) -> paper.Floats:
    """Return the ink (H, W) of a digit's parts, from 0 to 1, cropped to its box."""
    from scipy import ndimage

    ink, least = digit.page.ink, EDGE * digit.darkness
    mask = np.isin(digit.labels, [part.number for part in parts])
    (box,) = ndimage.find_objects((mask & (ink >= least)).astype(np.uint8))
    floor = min(2 * paper.noise(ink), least)
    sharp = ((ink - floor) / (digit.darkness - floor)).clip(0, 1) * ndimage.binary_dilation(mask, iterations=2)
    cropped: paper.Floats = sharp[box]
    return cropped


def _normalized(ink: paper.Floats) -> NDArray[np.uint8]:
    """Return the image (28, 28) of a digit's ink (H, W), from 0 to 1: it fills the box and is centered by mass.

    Each pixel is a mean of the pixels that it replaces. One in twenty inked pixels is full, even if the pen is thin.
    """
    from PIL import Image

    scale = BOX / max(ink.shape)
    height, width = (max(1, round(side * scale)) for side in ink.shape)
    small = np.asarray(Image.fromarray(ink).resize((width, height), Image.Resampling.HAMMING)).clip(0, 1)
    small = (small / np.percentile(small[small > 0], 95)).clip(0, 1)
    margins = [((BOX - side) // 2, (BOX - side + 1) // 2) for side in small.shape]
    image: NDArray[np.uint8] = center(np.pad(np.rint(255 * small).astype(np.uint8), margins)[None])[0]
    return image
