"""The integral: along a line, the change of the loss is the integral of what the backward says.

    L(b) - L(a) = ∫ from a to b of sum_j g_j(x + s d) d_j ds

This holds across kinks, needs no derivative of the forward, and sees every interval of the line. If both sides differ
on an interval, it is halved. Of a right backward, only the halves with a kink or a fast wave in them go on to differ,
and a random half of a half soon agrees. Of a wrong one, every half differs, down to where rounding hides it.
"""

import itertools
import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from tinygrad_mnist.check.measuring import EPSILON

QUADRATURES = [list(zip(*np.polynomial.legendre.leggauss(count), strict=True)) for count in (1, 3, 7)]
"""Nodes and weights of Gauss-Legendre quadrature, exact for polynomials of degree 1, 5 and 13. Each is used if the one
before is too coarse, the first only near the start of a line, where functions are nearly straight."""

TOLERANCE = 1e-8
"""The relative difference that is allowed by default."""

BUDGET = 60
"""The number of intervals that are halved on a line."""

DESCENTS, SUSPECTS, HALVINGS, STEADY = 4, 6, 14, 5
"""How often, and for how many intervals, random halves are followed, how many must differ, and how many of them by the
same share of their widths."""

FEWER = 9
"""How many must differ if rounding hides the others."""

NEAREST, FARTHEST = 1e-15, 1e3
"""The smallest and the largest distance from the origin of a line, relative to its scale."""

ALMOST = 1e-2
"""If rounding may explain more than this share of a difference, it says nothing about the backward."""


class Line(NamedTuple):
    """A line through the arguments: the loss and the backward's slope as functions of the distance."""

    loss: Callable[[float], tuple[float, float]]
    """Returns the loss and the size of its terms, NaN where the forward has no value."""
    slope: Callable[[float], tuple[float, float, float]]
    """Returns the derivative of the loss along the line, the sum of the absolute values of its terms, and how much the
    loss changes if the arguments change by their own size, to which their rounding errors are relative."""
    noise: float
    """How far a loss may be off, relative to the size of its terms."""
    tolerance: float = TOLERANCE
    """The largest difference that is allowed, relative to the integral of the absolute values."""
    straight: float = 0.0
    """The distance from the start up to which the loss is nearly a straight line."""


class Interval(NamedTuple):
    """A part of a line on which the integral and the change of the loss differ."""

    start: float
    end: float
    integral: float
    change: float
    is_noise: bool
    """Whether rounding may explain the difference."""
    left: float = math.nan
    right: float = math.nan
    """The slopes near both ends."""

    @property
    def width(self) -> float:
        """The length of the interval."""
        return abs(self.end - self.start)

    @property
    def kink(self) -> float:
        """Where the tangents at both ends meet, which is the kink if there is one between two straight lines."""
        width = self.end - self.start
        share = (self.change / width - self.right) / (self.left - self.right) if self.left != self.right else 0.5
        return self.start + width * (share if ALMOST < share < 1 - ALMOST else 0.5)


def suspicious(line: Line, breakpoints: list[float], rng: np.random.Generator) -> Interval | None:
    """Return an interval on which the backward is wrong, or None if there is none."""
    waiting = [found for found in (compare(line, *ends) for ends in itertools.pairwise(breakpoints)) if found]
    for number in range(BUDGET):
        waiting.sort(key=_difference)
        if not waiting:
            return None
        worst = waiting.pop()
        middle = worst.kink if number % 2 else (worst.start + worst.end) / 2
        halves = [compare(line, worst.start, middle), compare(line, middle, worst.end)]
        waiting += [half for half in halves if half and not half.is_noise]
    for interval in sorted(waiting, key=lambda interval: -interval.width)[:SUSPECTS]:
        sunk = [_descended(line, interval, rng) for _ in range(DESCENTS)]
        if sum(bottom is not None for bottom in sunk) > DESCENTS // 2:
            return next(bottom for bottom in sunk if bottom is not None)
    return None


def compare(line: Line, start: float, end: float) -> Interval | None:
    """Return the interval if the integral and the change of the loss differ on it, or None if they agree.

    Also returns None if the forward has no finite value at an end, because the line has left its domain there.
    """
    (first, first_size), (last, last_size) = line.loss(start), line.loss(end)
    if not math.isfinite(first) or not math.isfinite(last):
        return None
    change, found = last - first, None
    for quadrature in QUADRATURES if max(abs(start), abs(end)) <= line.straight else QUADRATURES[1:]:
        found = _compared(line, start, end, change, first_size + last_size, quadrature)
        if found is None:
            return None
    return found


def _compared(
    line: Line, start: float, end: float, change: float, size: float, quadrature: Sequence[tuple[float, float]]
) -> Interval | None:
    middle, half = (start + end) / 2, (end - start) / 2
    slopes = [line.slope(middle + half * node) for node, _ in quadrature]
    pairs = [(weight, slope) for (_, weight), slope in zip(quadrature, slopes, strict=True)]
    integral = half * math.fsum(weight * slope for weight, (slope, _, _) in pairs)
    absolute = abs(half) * math.fsum(weight * size for weight, (_, size, _) in pairs)
    if not math.isfinite(integral):
        return Interval(start, end, math.nan, change, is_noise=False)
    difference, rounding = abs(integral - change), 64 * line.noise * size
    rounding += 16 * EPSILON * max(sensitivity for _, _, sensitivity in slopes)
    room = (line.tolerance + 64 * line.noise) * absolute
    if difference > room + rounding:
        # Terms that cancel in a tail leave a loss of 0. On the other side of the line they show how large they are.
        mirrored = line.loss(-start)[1] + line.loss(-end)[1]
        rounding += 4 * EPSILON * mirrored if math.isfinite(mirrored) else 0.0
    if difference <= room + rounding:
        return None
    return Interval(start, end, integral, change, rounding > ALMOST * difference, slopes[0][0], slopes[-1][0])


def _descended(line: Line, interval: Interval, rng: np.random.Generator) -> Interval | None:
    """Return the interval if in a chain of random halves all differ by a constant share of their widths, or None.

    A wrong slope adds up: half the width, half the difference. What rounding adds does not depend on the width, and
    what a wave adds jumps.
    """
    found, shares = interval, list[float]()
    for _ in range(4 * HALVINGS):
        middle = (found.start + found.end) / 2
        half = compare(line, *((found.start, middle) if rng.random() < 0.5 else (middle, found.end)))
        if half is None or half.width == found.width:
            return None
        if half.is_noise:
            return interval if len(shares) >= FEWER and _is_steady(shares) else None
        found = half
        shares.append(_difference(half) / half.width)
        if len(shares) >= HALVINGS and _is_steady(shares):
            return interval
    return None


def _is_steady(shares: list[float]) -> bool:
    last = shares[-STEADY:]
    return min(last) == math.inf or max(last) <= 3 * min(last)


def decades(scale: float) -> list[float]:
    """Return breakpoints on both sides of 0, ten times as far each, so that no threshold is hidden in an interval."""
    count = round(math.log10(FARTHEST / NEAREST)) + 1
    positive = [float(s) for s in scale * np.geomspace(NEAREST, FARTHEST, count)]
    return [*(-s for s in reversed(positive)), *positive]


def _difference(interval: Interval) -> float:
    """Return how far the integral is from the change. NaN is farther than any number."""
    difference = abs(interval.integral - interval.change)
    return math.inf if math.isnan(difference) else difference
