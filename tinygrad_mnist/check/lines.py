"""Checks along lines, on which the change of the loss is the integral of what the backward says.

    L(b) - L(a) = ∫ from a to b of sum_j g_j(x + s d) d_j ds

This holds across kinks, needs no derivative of the forward, and sees every interval of the line. If both sides differ
on an interval, it is halved. Of a right backward, only the halves with a kink or a fast wave in them go on to differ,
and a random half of a half soon agrees. Of a wrong one, every half differs, down to the size that rounding hides.
"""

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from tinygrad_mnist.check import tolerances
from tinygrad_mnist.check.measuring import REFUSALS, is_steady
from tinygrad_mnist.check.point import Direction, Point, shaken, shifted, typical
from tinygrad_mnist.check.report import Finding

LARGE = 2_000
"""The number of entries of all arguments above which there are fewer lines, so that a check takes seconds."""

NEARBY = (-1.0, -0.1, -0.01, 0.0, 0.013, 0.11, 1.0)
"""The breakpoints of the line through the given point, relative to the size of the arguments."""

DECADES = np.geomspace(1e-15, 1e3, 19)
"""The breakpoints of a line through 0 on each side, ten times as far each, so that none hides a threshold."""

QUADRATURES = [list(zip(*np.polynomial.legendre.leggauss(count), strict=True)) for count in (1, 3, 7)]
"""Nodes and weights of Gauss-Legendre quadrature, exact for polynomials of degree 1, 5 and 13. Each is used if the one
before is too coarse, the first only near the start of a line, where functions are nearly straight."""

SPLITS = 60
"""The number of intervals that are halved on a line."""

SUSPECTS, DESCENTS = 6, 4
"""The number of intervals that are suspected, and how often each is followed through a chain of random halves."""

HALVINGS, FEWER, LAST = 14, 9, 5
"""How many halves must differ, how many if rounding hides the others, and how many by the same share of their width."""

SHAKES = 4
"""The number of lines next to a suspicious one on which the interval must look as wrong."""


class Interval(NamedTuple):
    """A part of a line on which the integral and the change of the loss differ."""

    start: float
    end: float
    integral: float
    change: float
    is_noise: bool = False
    """Whether rounding may explain the difference."""
    left: float = math.nan
    right: float = math.nan
    """The slopes near both ends."""

    @property
    def width(self) -> float:
        """The length of the interval."""
        return abs(self.end - self.start)

    @property
    def difference(self) -> float:
        """How far the integral is from the change, infinity if it is not a number."""
        difference = abs(self.integral - self.change)
        return math.inf if math.isnan(difference) else difference

    @property
    def middle(self) -> float:
        """The middle."""
        return (self.start + self.end) / 2

    @property
    def kink(self) -> float:
        """Where the tangents at both ends meet, which is the kink if there is one between two straight lines."""
        width, edge = self.end - self.start, tolerances.EXPLAINABLE
        share = (self.change / width - self.right) / (self.left - self.right) if self.left != self.right else 0.5
        return self.start + width * (share if edge < share < 1 - edge else 0.5)


class Line:
    """A line through the arguments, with the loss and the backward's slope as functions of the distance."""

    def __init__(self, start: Point, direction: Direction, tolerance: float, straight: float = 0.0) -> None:
        self.start, self.direction, self.tolerance = start, direction, tolerance
        self.straight = straight  # the distance up to which the loss is nearly a straight line
        self._losses = dict[float, tuple[float, float]]()

    def loss(self, step: float) -> tuple[float, float]:
        """Return the loss and the size of its terms, NaN if the forward has no value there."""
        if step not in self._losses:
            loss, size = self.start.loss_at(shifted(self.start.values, self.direction, step))
            self._losses[step] = float(loss), size
        return self._losses[step]

    def slope(self, step: float) -> tuple[float, float, float]:
        """Return the backward's slope along the line, the size of its terms, and how much rounding is magnified.

        The last is how much the loss changes if the arguments change by their own size.
        """
        values = shifted(self.start.values, self.direction, step)
        try:
            gradients = dict(zip(self.start.subject.wrt, self.start.gradients_at(values), strict=True))
        except REFUSALS:
            return math.nan, math.nan, math.nan
        terms = [gradients[n] * along for n, along in self.direction.items()]
        slope, size = sum(float(np.real(term.sum())) for term in terms), sum(float(np.abs(t).sum()) for t in terms)
        return slope, size, sum(float(np.abs(gradient * values[n]).sum()) for n, gradient in gradients.items())

    def shaken(self, interval: Interval) -> "Line":
        """Return a line that is almost the same. If functions are nearly straight, it may differ more."""
        is_straight = max(abs(interval.start), abs(interval.end)) <= self.straight
        share, rng = tolerances.SHAKEN_STRAIGHT if is_straight else tolerances.SHAKEN, self.start.rng
        direction = {n: shaken([along], [0], rng, share)[0] for n, along in self.direction.items()}
        return Line(self.start.shaken(), direction, 0.0, self.straight)


def along_lines(given: Point, tolerance: float) -> Iterator[Finding]:
    """Yield what is wrong on lines through the given point, and through 0 in each argument."""
    wrt, rng, values = given.subject.wrt, given.rng, given.values
    everything = {n: rng.standard_normal(values[n].shape) * typical(values[n]) for n in wrt}
    yield from _wrong_on(Line(given, everything, tolerance), NEARBY, "near the given arguments")
    is_large = len(wrt) > 3 or sum(v.size for _, v in given.subject.arrays(values)) > LARGE
    for argument in wrt:
        value = values[argument]
        if not value.size:
            continue
        origin = given.elsewhere([*values[:argument], np.zeros(value.shape), *values[argument + 1 :]], given.upstream)
        # On one line all entries have the same sign, on the other both signs occur.
        signs = ([-1.0, 1.0],) if is_large else ([1.0], [-1.0, 1.0])
        directions = [rng.uniform(0.3, 3, value.shape) * rng.choice(sign, value.shape) for sign in signs]
        if np.all(value > 0):
            directions.append(value / typical(value))
        scale = given.scale(argument)
        breakpoints = [*(-scale * DECADES[::-1]).tolist(), *(scale * DECADES).tolist()]
        for direction in directions:
            line = Line(origin, {argument: direction}, tolerance, tolerances.STRAIGHT * scale)
            yield from _wrong_on(line, breakpoints, "on a line through 0")


def _wrong_on(line: Line, breakpoints: Sequence[float], where: str) -> Iterator[Finding]:
    """Yield a finding if the integral of the backward along a line differs from the change of the loss."""
    found = _suspicious(line, breakpoints)
    if found is None:
        return
    # Next to the line, a wrong slope is as wrong, and rounding errors are new ones.
    again = [_compared(line.shaken(found), found.start, found.end) for _ in range(SHAKES)]
    if all(again) and is_steady([one.integral - one.change for one in again if one]):
        name = line.start.subject.names[next(iter(line.direction))] if len(line.direction) == 1 else None
        what = f"d{name}" if name else "the gradient"
        sentence = f"{what} is wrong: its integral is {found.integral:.6g}, the change {found.change:.6g}"
        yield Finding(f"{where}, from {found.start:.3g} to {found.end:.3g}, {sentence}", name)


def _suspicious(line: Line, breakpoints: Sequence[float]) -> Interval | None:
    """Return an interval on which the backward seems wrong, or None if there is none."""
    waiting = [found for found in (_compared(line, *ends) for ends in itertools.pairwise(breakpoints)) if found]
    for number in range(SPLITS):
        waiting.sort(key=lambda interval: interval.difference)
        if not waiting:
            return None
        worst = waiting.pop()
        middle = worst.kink if number % 2 else worst.middle
        halves = [_compared(line, worst.start, middle), _compared(line, middle, worst.end)]
        waiting += [half for half in halves if half and not half.is_noise]
    for interval in sorted(waiting, key=lambda interval: -interval.width)[:SUSPECTS]:
        if sum(_all_halves_differ(line, interval) for _ in range(DESCENTS)) > DESCENTS // 2:
            return interval
    return None


def _all_halves_differ(line: Line, interval: Interval) -> bool:
    """Return whether in a chain of random halves all differ by a constant share of their widths.

    A wrong slope adds up: half the width, half the difference. What rounding adds does not depend on the width, and
    what a wave adds jumps.
    """
    found, shares = interval, list[float]()
    for _ in range(4 * HALVINGS):
        is_first = line.start.rng.random() < 0.5
        half = _compared(line, *((found.start, found.middle) if is_first else (found.middle, found.end)))
        if half is None or half.width == found.width:
            return False
        if half.is_noise:
            return len(shares) >= FEWER and _are_constant(shares)
        found = half
        shares.append(half.difference / half.width)
        if len(shares) >= HALVINGS and _are_constant(shares):
            return True
    return False


def _are_constant(shares: list[float]) -> bool:
    last = shares[-LAST:]
    return min(last) == math.inf or max(last) <= 3 * min(last)


def _compared(line: Line, start: float, end: float) -> Interval | None:
    """Return the interval if the integral and the change of the loss differ on it, or None if they agree.

    Also returns None if the forward has no finite value at an end, because the line has left its domain there.
    """
    found, is_straight = None, max(abs(start), abs(end)) <= line.straight
    (first, first_size), (last, last_size), noise = line.loss(start), line.loss(end), line.start.relative_noise
    if not math.isfinite(first) or not math.isfinite(last):
        return None
    for quadrature in QUADRATURES if is_straight else QUADRATURES[1:]:
        middle, half, change = (start + end) / 2, (end - start) / 2, last - first
        slopes = [line.slope(middle + half * node) for node, _ in quadrature]
        pairs = [(weight, slope) for (_, weight), slope in zip(quadrature, slopes, strict=True)]
        integral = half * math.fsum(weight * slope for weight, (slope, _, _) in pairs)
        absolute = abs(half) * math.fsum(weight * size for weight, (_, size, _) in pairs)
        rounding = tolerances.LINE_ROUNDED * noise * (first_size + last_size)
        rounding += tolerances.ROUNDED * tolerances.EPSILON * max(sensitivity for _, _, sensitivity in slopes)
        room, difference = (line.tolerance + tolerances.LINE_ROUNDED * noise) * absolute, abs(integral - change)
        if difference > room + rounding:
            # Terms that cancel in a tail leave a loss of 0. On the other side of the line they show how large they are.
            mirrored = line.loss(-start)[1] + line.loss(-end)[1]
            rounding += 4 * tolerances.EPSILON * mirrored if math.isfinite(mirrored) else 0.0
        if difference <= room + rounding:
            return None
        is_noise = rounding > tolerances.EXPLAINABLE * difference
        found = Interval(start, end, integral, change, is_noise, slopes[0][0], slopes[-1][0])
    return found
