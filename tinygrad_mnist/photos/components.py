"""Finds the connected components of a photo's ink, the one that looks most like a digit first.

A digit is dark, large, in the middle, and has paper around it. The constants of the score were chosen by trial on
photos like those of benchmarks/scenes.py, unless another reason is given.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.photos import paper
from tinygrad_mnist.photos.paper import EIGHT, LONGER_SIDE, Page

WINDOW, WIDE_WINDOW, MARGIN = 77, 205, 32
"""The windows for paper, at least twice as wide as a stroke.

The wide one, with a margin of paper added, is for a digit that fills the picture.
"""

MIN_LENGTH = 8
"""The smallest length of a component, in pixels. What is smaller is a speck."""

LEVELS, MOST = 4, 8
"""How many levels of ink are tried, and how many components on each. A high level separates, a low one joins."""

LIGHT_INK, FAULT = 0.85, 0.15
"""The factors of the score for light ink on dark paper, which is rarer, and for each fault."""

OFF_CENTER, ROOM = 4, 3
"""The score has the factors exp(-OFF_CENTER d^2), if d is the distance from the middle of the picture as a share of its
longer side, and p^ROOM, if p is the share of paper around.
"""

MIN_SCORE = 0.03
"""The smallest score of a digit. On photos of those scenes, digits have at least 0.14 and blank pages at most 0.02."""

WHOLE = 0.75
"""A component around the best one is the whole of it if its score is at least this share of the best."""

AROUND = 0.4
"""A light component around a dark one is a sheet unless the dark one's score is below this share of its own."""

TIGHT = 0.9
"""The share of the picture's height and width that a digit fills if the picture is cut out around it."""

TABLE = 0.3
"""What takes more than this share of one of the picture's edges is table, unless it is a tight crop of a digit."""

SOLID_AREA = 50
"""Area / mean depth^2 is 28 to 50 for filled discs, squares and triangles, and more for strokes."""

MAX_WIDTH, MIN_DARKNESS = 1.6, 0.15
"""The largest width of a digit, as a share of its height, and the least darkness of its ink."""

MIN_CLEARANCE, MIN_LIGHT_CLEARANCE = 0.6, 0.8
"""The least share of paper around dark ink, and around light ink, which can be a gap between dark things."""

Box = tuple[slice, ...]


class Fault(StrEnum):
    """What speaks against a component as a digit."""

    SOLID = "the mark is solid, like a blot"
    WIDE = "the mark is wider than a digit"
    FAINT = "the mark is hardly darker than the paper"
    CROWDED = "the mark has little paper around it"
    CUT = "the mark touches the picture's edge"
    RING = "the mark is around another mark"


@dataclass(eq=False)
class Component:
    """A connected component of the ink above a level, which people see as a mark."""

    page: Page
    labels: NDArray[np.int32]  # (H, W): the numbers of all components above the level
    number: int
    box: Box
    mask: NDArray[np.bool_]  # of the box
    darkness: float  # of its ink, from 0 to 1
    thickness: float  # in pixels
    clearance: float  # the share of paper around it, from 0 to 1
    score: float
    faults: list[Fault]

    def blame(self, fault: Fault) -> None:
        """Add a fault, which lowers the score."""
        self.faults.append(fault)
        self.score *= FAULT

    @property
    def length(self) -> int:
        """The longer side of its box, in pixels."""
        return int(max(self.mask.shape))

    def surrounds(self, other: "Component") -> bool:
        """Return whether its box contains that of another component."""
        pairs = zip(self.box, other.box, strict=True)
        return other is not self and all(a.start <= b.start and b.stop <= a.stop for a, b in pairs)


def find(grays: paper.Floats) -> list[Component]:
    """Return the components in a picture (H, W), dark or light ink, the digit first. Empty if there is no digit."""
    grays = paper.fit(grays)
    found = _ranked(grays, WINDOW, 0)
    if not found or found[0].faults or max(component.length for component in found) > LONGER_SIDE / 2:
        # There may be little paper around the digit.
        wide = _ranked(grays, WIDE_WINDOW, MARGIN)
        best = max((component.score for component in found), default=0)
        found = wide if wide and not wide[0].faults and wide[0].score > best else found
    return found if found and found[0].score >= MIN_SCORE else []


def _ranked(grays: paper.Floats, window: int, margin: int) -> list[Component]:
    """Return the components of dark ink and of light ink, those with the highest scores first."""
    dark, light = (_components(paper.page(shades, window, margin)) for shades in (grays, 255 - grays))
    clear = [component for component in dark if not component.faults]
    for component in light:
        component.score *= LIGHT_INK
        digits = [digit for digit in clear if digit.score > AROUND * component.score]
        # A sheet on a dark table is a light component, but solid or around a dark one.
        if Fault.SOLID in component.faults or any(component.surrounds(digit) for digit in digits):
            component.blame(Fault.RING)
        if component.clearance < MIN_LIGHT_CLEARANCE:
            component.blame(Fault.CROWDED)
    found = sorted([*dark, *light], key=lambda component: -component.score)
    # Components of lower levels come first.
    for component in [*dark, *light]:
        is_rival = component.page is found[0].page and component.score > WHOLE * found[0].score
        if is_rival and component.surrounds(found[0]):
            return [component, *found]
    return found


def _components(page: Page) -> list[Component]:
    """Return the components of a page's ink, from the lowest level to the highest."""
    from scipy import ndimage

    found: list[Component] = []
    for level in np.geomspace(page.faintest, max(page.faintest, 0.6 * float(page.ink.max())), LEVELS):
        labels, _ = ndimage.label(page.ink > level, EIGHT)
        boxes = enumerate(ndimage.find_objects(labels), 1)
        large = [(number, box) for number, box in boxes if max(_size(box)) >= MIN_LENGTH]
        large.sort(key=lambda numbered: -np.prod(_size(numbered[1])))
        rated = [component for numbered in large[:MOST] if (component := _rated(page, labels, *numbered))]
        clear = [component for component in rated if not component.faults]
        for component in rated:
            if any(component.surrounds(digit) for digit in clear):
                component.blame(Fault.RING)
        found += rated
    return found


def _rated(page: Page, labels: NDArray[np.int32], number: int, box: Box) -> Component | None:
    """Return a component with its score and faults, except that it may be a ring. None if it is table."""
    from scipy import ndimage

    mask, margin = labels[box] == number, page.margin
    picture = labels[tuple(slice(margin, size - margin) for size in labels.shape)] == number
    height, width = mask.shape
    is_tight = margin > 0 and np.divide(mask.shape, picture.shape).min() > TIGHT
    touching = max(edge.mean() for edge in _edges(picture))
    corners = picture[[0, 0, -1, -1], [0, -1, 0, -1]].sum()
    if touching > TABLE and (not is_tight or (corners >= 3 and width > height / 2)):
        return None
    depths = ndimage.distance_transform_edt(np.pad(mask, 1))
    depths = depths[depths > 0] - 0.5
    darkness, clearance = float(np.percentile(page.ink[box][mask], 90)), _clearance(page, labels, number, box)
    off = [(part.start + part.stop - size) / 2 / LONGER_SIDE for part, size in zip(box, labels.shape, strict=True)]
    size = (max(height, width) / LONGER_SIDE) ** 0.5
    score = darkness * size * float(np.exp(-OFF_CENTER * np.square(off).sum())) * clearance**ROOM
    thickness = 2 * float(depths.max())
    component = Component(page, labels, number, box, mask, darkness, thickness, clearance, score, [])
    faults = {
        Fault.SOLID: len(depths) < SOLID_AREA * depths.mean() ** 2 or thickness > page.window / 2,
        Fault.WIDE: width > MAX_WIDTH * height,
        Fault.FAINT: darkness < MIN_DARKNESS,
        Fault.CROWDED: clearance < MIN_CLEARANCE and not is_tight,
        Fault.CUT: touching > 0 and not is_tight,
    }
    for fault, is_found in faults.items():
        if is_found:
            component.blame(fault)
    return component


def _clearance(page: Page, labels: NDArray[np.int32], number: int, box: Box) -> float:
    """Return the share of paper on a frame around a component, or in the frame beside it, whichever is less.

    A gap in a stroke has ink on its frame, and a part of a sheet has the rest of the sheet beside it.
    """
    mask, region = labels[box] == number, _around(page, box)
    darkest = (np.median(page.grays[box][mask]) + np.percentile(page.paper[box][mask], 5)) / 2
    is_paper = page.grays[region] > darkest
    beside = is_paper[labels[region] != number]
    return float(min(beside.mean(), np.concatenate(_edges(is_paper)).mean()))


def _around(page: Page, box: Box) -> Box:
    """Return a box that is larger by an eighth of its length on each side, as far as the picture goes."""
    gap, low, ends = max(2, max(_size(box)) // 8), page.margin, [size - page.margin for size in page.ink.shape]
    return tuple(slice(max(b.start - gap, low), min(b.stop + gap, end)) for b, end in zip(box, ends, strict=True))


def _size(box: Box) -> tuple[int, ...]:
    """Return the height and the width of a box."""
    return tuple(side.stop - side.start for side in box)


def _edges(array: NDArray[np.bool_]) -> list[NDArray[np.bool_]]:
    """Return the first and the last row and column of an array (H, W)."""
    return [array[0], array[-1], array[:, 0], array[:, -1]]
