"""Finds the marks on paper, the one that looks most like a digit first: dark, large, in the middle, paper around it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.photos import paper
from tinygrad_mnist.photos.paper import EIGHT, SIDE, Floats

WINDOW, WIDE_WINDOW = 77, 205
"""The windows for paper, at least twice as wide as a stroke. The wide one is for a digit that fills the picture."""

MIN_CONTRAST, MIN_LENGTH = 0.04, 8
"""The lightest ink, as a share of the paper, and the smallest length of a mark."""

LEVELS, MOST = 4, 8
"""How many levels of ink are tried, and how many marks on each. A high level separates, a low one keeps together."""

LIGHT_INK, FAULT = 0.85, 0.15
"""The factors of the score for light ink on dark paper, which is rarer, and for each fault."""

TIGHT = 0.9
"""The share of the picture's height and width that a digit fills if the picture is cut out around it."""

MIN_SCORE = 0.03
"""The smallest score of a digit."""

Box = tuple[slice, ...]


class Fault(StrEnum):
    """What speaks against a mark as a digit."""

    SOLID = "the mark is solid, like a blot"
    WIDE = "the mark is wider than a digit"
    FAINT = "the mark is hardly darker than the paper"
    CROWDED = "the mark has little paper around it"
    CUT = "the mark touches the picture's edge"
    RING = "the mark is around another mark"


@dataclass(frozen=True, eq=False)
class Layer:
    """The labels (H, W) of the marks above a level of ink, with a picture's grays, ink and paper (H, W).

    If the ink was light, the grays were inverted. A margin of paper, in pixels, was added on each side.
    """

    grays: Floats
    ink: Floats
    paper: Floats
    labels: NDArray[np.int32]
    margin: int

    def around(self, box: Box, gap: int) -> Box:
        """Return a box that is larger by a gap on each side, within the picture."""
        low, room = self.margin, self.labels.shape
        return tuple(slice(max(b.start - gap, low), min(b.stop + gap, n - low)) for b, n in zip(box, room, strict=True))


@dataclass(frozen=True, eq=False)
class Mark:
    """A connected mark: its number, box and mask in a layer, its darkness, thickness, score and faults."""

    layer: Layer
    number: int
    box: Box
    mask: NDArray[np.bool_]
    darkness: float
    thickness: float
    clearance: float
    score: float
    faults: tuple[Fault, ...]

    @property
    def length(self) -> int:
        """The longer side of its box."""
        return int(max(self.mask.shape))

    def surrounds(self, other: "Mark") -> bool:
        """Return whether its box contains that of another mark."""
        pairs = zip(self.box, other.box, strict=True)
        return other is not self and all(a.start <= b.start and b.stop <= a.stop for a, b in pairs)

    def but(self, *faults: Fault) -> "Mark":
        """Return the mark with more faults."""
        return replace(self, score=self.score * FAULT ** len(faults), faults=(*self.faults, *faults))


def find(grays: Floats) -> list[Mark]:
    """Return the marks in a picture (H, W), dark on light or light on dark, the digit first. Empty without a digit."""
    grays = paper.fit(grays)
    found = _search(grays, WINDOW, 0)
    if not found or found[0].faults or max(mark.length for mark in found) > SIDE / 2:
        # If there is little paper around the digit, the window must be wider, and paper is added on all sides.
        wide = _search(grays, WIDE_WINDOW, SIDE // 8)
        if wide and not wide[0].faults and wide[0].score > max((mark.score for mark in found), default=0):
            found = wide
    return found if found and found[0].score >= MIN_SCORE else []


def _search(grays: Floats, window: int, margin: int) -> list[Mark]:
    dark, light = ([*_marks(shades, window, margin)] for shades in (grays, 255 - grays))
    clear = [mark for mark in dark if not mark.faults]
    for mark in light:
        rated = replace(mark, score=LIGHT_INK * mark.score)
        # A sheet on a dark table is a light mark, but solid or around a dark one.
        is_around = any(mark.surrounds(digit) and digit.score > 0.4 * rated.score for digit in clear)
        is_sheet = is_around or Fault.SOLID in mark.faults
        faults = {Fault.RING: is_sheet, Fault.CROWDED: mark.clearance < 0.8}
        dark.append(rated.but(*(fault for fault, is_found in faults.items() if is_found)))
    found = sorted(dark, key=lambda mark: -mark.score)
    # A mark of a lower level, which is nearly as good, is the whole of it. Lower levels come first.
    rivals = [mark for mark in dark if found[0].layer.grays is mark.layer.grays and mark.score > 0.75 * found[0].score]
    return [*[mark for mark in rivals if mark.surrounds(found[0])][:1], *found]


def _marks(grays: Floats, window: int, margin: int) -> Iterator[Mark]:
    """Yield the marks of dark ink, from the lowest level to the highest."""
    from scipy import ndimage

    grays = np.pad(grays, margin, constant_values=float(np.percentile(grays, 95)))
    ink, sheet = paper.subtract(grays, window)
    # A quarter of a normal distribution is within 0.3186 standard deviations of its mean.
    lowest = max(4 * float(np.percentile(ink, 25)) / 0.3186, MIN_CONTRAST)
    ink = paper.remove_lines(ink, lowest)
    for level in np.geomspace(lowest, max(lowest, 0.6 * float(ink.max())), LEVELS):
        layer = Layer(grays, ink, sheet, ndimage.label(ink > level, EIGHT)[0], margin)
        boxes = ndimage.find_objects(layer.labels)
        sizes = [[b.stop - b.start for b in box] for box in boxes]
        large = sorted((n for n, size in enumerate(sizes) if max(size) >= MIN_LENGTH), key=lambda n: -np.prod(sizes[n]))
        rated = [mark for n in large[:MOST] if (mark := _rated(layer, n + 1, boxes[n], window))]
        clear = [mark for mark in rated if not mark.faults]
        for mark in rated:
            yield mark.but(Fault.RING) if any(mark.surrounds(digit) for digit in clear) else mark


def _rated(layer: Layer, number: int, box: Box, window: int) -> Mark | None:
    """Return a mark with its score and its faults, except that it may be around another mark. None if it is no mark.

    What takes much of the picture's edge is table, unless it is a tight crop of a digit.
    """
    from scipy import ndimage

    mask = layer.labels[box] == number
    picture = layer.labels[tuple(slice(layer.margin, size - layer.margin) for size in layer.labels.shape)] == number
    sides = [edge.mean() for edge in (picture[0], picture[-1], picture[:, 0], picture[:, -1])]
    corners = picture[[0, 0, -1, -1], [0, -1, 0, -1]].sum()
    (height, width), fills = mask.shape, layer.margin > 0 and all(np.divide(mask.shape, picture.shape) > TIGHT)
    if max(sides) > 0.3 and (not fills or (corners >= 3 and width > height / 2)):
        return None
    depths = ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1][mask] - 0.5
    darkness, clearance = float(np.percentile(layer.ink[box][mask], 90)), _clearance(layer, number, box)
    # Area / depth^2 is 28 to 50 for filled discs, squares and triangles, and more for strokes.
    faults = {
        Fault.SOLID: len(depths) < 50 * depths.mean() ** 2 or depths.max() > window / 4,
        Fault.WIDE: width > 1.6 * height,
        Fault.FAINT: darkness < 0.15,
        Fault.CROWDED: clearance < 0.6 and not fills,
        Fault.CUT: max(sides) > 0 and not fills,
    }
    off = [(part.start + part.stop - size) / 2 / SIDE for part, size in zip(box, layer.ink.shape, strict=True)]
    score = darkness * (max(mask.shape) / SIDE) ** 0.5 * float(np.exp(-4 * np.square(off).sum())) * clearance**3
    mark = Mark(layer, number, box, mask, darkness, 2 * float(depths.max()), clearance, score, ())
    return mark.but(*(fault for fault, is_found in faults.items() if is_found))


def _clearance(layer: Layer, number: int, box: Box) -> float:
    """Return the share of paper on a frame around a mark, or in the frame beside the mark, whichever is less.

    A gap in a stroke has ink on its frame, and a part of a sheet has the rest of the sheet beside it.
    """
    mask, gap = layer.labels[box] == number, max(b.stop - b.start for b in box) // 8
    is_paper = layer.grays > (np.median(layer.grays[box][mask]) + np.percentile(layer.paper[box][mask], 5)) / 2
    region = layer.around(box, max(2, gap))
    frame, beside = is_paper[region], is_paper[region][layer.labels[region] != number]
    return float(min(beside.mean(), np.concatenate([frame[0], frame[-1], frame[:, 0], frame[:, -1]]).mean()))
