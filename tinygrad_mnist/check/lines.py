"""Checks along lines: through 0 in each argument, and through the given point in all of them."""

import functools
import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from tinygrad_mnist.check import integral
from tinygrad_mnist.check.integral import Interval, Line
from tinygrad_mnist.check.measuring import Loss, shifted
from tinygrad_mnist.check.report import Finding
from tinygrad_mnist.check.subject import Subject
from tinygrad_mnist.check.values import SHAKES, Direction, Probe, is_steady, shaken, typical

LARGE = 2_000
"""The number of entries of all arguments above which there are fewer lines, so that a check takes seconds."""

NEARBY = (-1.0, -0.1, -0.01, 0.0, 0.013, 0.11, 1.0)
"""The breakpoints of the line through the given point, relative to the size of the arguments."""


STRAIGHT = 1e-4
"""The distance from 0, relative to the size of an argument, up to which functions are nearly straight lines."""


class Path(NamedTuple):
    """A line through the arguments, and the breakpoints on it."""

    start: list[Any]
    direction: Direction
    breakpoints: list[float]
    where: str
    """What a person calls it."""
    straight: float = 0.0
    """The distance from the start up to which the loss is nearly a straight line."""

    def shaken(self, wrt: list[int], rng: np.random.Generator, interval: Interval) -> "Path":
        """Return a line that is almost the same. Where functions are nearly straight, it may differ more."""
        share = 1e-3 if max(abs(interval.start), abs(interval.end)) <= self.straight else 1e-9
        direction = {n: shaken([along], [0], rng, share)[0] for n, along in self.direction.items()}
        return self._replace(start=shaken(self.start, wrt, rng), direction=direction)


def along_lines(subject: Subject, given: Probe, scale: float | None, tolerance: float | None) -> Iterator[Finding]:
    """Yield what is wrong on lines, on which the integral of the backward must be the change of the loss."""
    for path in _paths(subject, given.rng, scale):
        yield from _along(subject, given, path, tolerance or integral.TOLERANCE)


def _paths(subject: Subject, rng: np.random.Generator, scale: float | None) -> Iterator[Path]:
    """Yield a line through the given point, and lines through 0 in each argument."""
    values = subject.values
    everything = {n: rng.standard_normal(values[n].shape) * typical(values[n]) for n in subject.wrt}
    yield Path(values, everything, list(NEARBY), "near the given arguments")
    is_large = len(subject.wrt) > 3 or sum(v.size for v in values if isinstance(v, np.ndarray)) > LARGE
    for argument in subject.wrt:
        value = values[argument]
        if not value.size:
            continue
        origin = [*values[:argument], np.zeros(value.shape), *values[argument + 1 :]]
        size = scale or typical(value)
        # On one line all entries have the same sign, on the other both signs occur.
        signs = ([-1.0, 1.0],) if is_large else ([1.0], [-1.0, 1.0])
        spreads = [rng.uniform(0.3, 3, value.shape) * rng.choice(sign, value.shape) for sign in signs]
        if np.all(value > 0):
            spreads.append(value / typical(value))
        for spread in spreads:
            breakpoints = integral.decades(size)
            yield Path(origin, {argument: spread}, breakpoints, "on a line through 0", STRAIGHT * size)


def _along(subject: Subject, given: Probe, path: Path, tolerance: float) -> Iterator[Finding]:
    """Yield a finding if the integral of the backward along a line differs from the change of the loss."""
    found = integral.suspicious(_line(subject, given.loss, path, tolerance), path.breakpoints, given.rng)
    if found is None:
        return
    # Next to the line, a wrong slope is as wrong, and rounding errors are new ones.
    paths = (path.shaken(subject.wrt, given.rng, found) for _ in range(SHAKES))
    lines = (_line(subject, given.loss, near, 0.0) for near in paths)
    again = [integral.compare(line, found.start, found.end) for line in lines]
    if all(again) and is_steady([one.integral - one.change for one in again if one]):
        name = subject.names[next(iter(path.direction))] if len(path.direction) == 1 else None
        what = f"d{name}" if name else "the gradient"
        place = f"{path.where}, from {found.start:.3g} to {found.end:.3g}"
        yield Finding(
            f"{place}, {what} is wrong: its integral is {found.integral:.6g}, the change {found.change:.6g}", name
        )


def _line(subject: Subject, loss: Loss, path: Path, tolerance: float) -> Line:
    """Return the loss and the backward's slope as functions of the distance from the start."""

    @functools.cache
    def losses(step: float) -> tuple[float, float]:
        value, size = loss.with_size(shifted(path.start, path.direction, step))
        return float(value), size

    def slopes(step: float) -> tuple[float, float, float]:
        values = shifted(path.start, path.direction, step)
        try:
            found = subject.gradients([u.copy() for u in loss.upstream], values)
        except (ArithmeticError, ValueError):
            return math.nan, math.nan, math.nan
        slope = size = sensitivity = 0.0
        for n, gradient in zip(subject.wrt, found, strict=True):
            sensitivity += float(np.abs(gradient * values[n]).sum())
            if n in path.direction:
                terms = gradient * path.direction[n]
                slope, size = slope + float(np.real(terms.sum())), size + float(np.abs(terms).sum())
        return slope, size, sensitivity

    return Line(losses, slopes, loss.relative_noise, tolerance, path.straight)
