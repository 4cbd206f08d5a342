"""Checks of a gradient if a function may have a kink: at special numbers such as 0 and 1, and at ties."""

import itertools
import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.check import tolerances
from tinygrad_mnist.check.comparison import has_kink, is_between
from tinygrad_mnist.check.measuring import REFUSALS, Slope
from tinygrad_mnist.check.point import Direction, Point, one_entry, shifted, upstream_for
from tinygrad_mnist.check.report import INCONCLUSIVE, WRONG, Finding

SPECIAL = (0.0, 1.0, -1.0, 0.5, 2.0, 3.0, 10.0)
"""Numbers that code is often wrong at, exactly."""

PLACES = 4
"""The number of chosen entries that are checked one by one."""

TOGETHER = "the sum of their gradients"
"""What is checked if several entries move together."""


def at_special_points(given: Point) -> Iterator[Finding]:
    """Check the gradients if an entry is 0, 1 and so on, if one is next to that, and if two are equal."""
    for argument in given.subject.wrt:
        value = given.values[argument]
        if not value.size:
            continue
        for number in SPECIAL:
            beside = number + tolerances.BESIDE_SPECIAL * (abs(number) or 1)
            for there, what in ((number, f"{number:g}"), (beside, f"next to {number:g}")):
                chosen = np.zeros(value.shape, bool)
                chosen.reshape(-1)[given.rng.integers(value.size)] = True
                yield from at_kink(given, argument, chosen, there, f"where an entry is {what}")
        if value.ndim and value.shape[-1] > 1:
            chosen, place = np.zeros(value.shape, bool), int(given.rng.integers(value.size))
            place -= place % value.shape[-1] == value.shape[-1] - 1
            chosen.reshape(-1)[[place, place + 1]] = True
            yield from at_kink(given, argument, chosen, value.reshape(-1)[place], "where two entries are equal")


def at_kink(given: Point, argument: int, chosen: NDArray[np.bool_], number: Any, where: str) -> Iterator[Finding]:
    """Check the gradient if the chosen entries have a value at which there may be a kink.

    It lies between the slopes of the sides, or is one of those next to it.
    """
    values = [np.where(chosen, number, value) if n == argument else value for n, value in enumerate(given.values)]
    point = _with_positive_upstream(given, values)
    if not math.isfinite(np.real(point.loss_at(values)[0])):
        return
    try:
        gradients = point.gradients
    except REFUSALS:
        return  # there is no gradient, which lines through this point show if it matters
    if gradients[point.subject.wrt.index(argument)].shape != chosen.shape:
        return
    name, is_analytic = point.subject.names[argument], given.is_analytic(argument)
    places = given.rng.permutation(np.flatnonzero(chosen))[:PLACES]
    directions = [(one_entry(chosen, place), f"d{name}") for place in places]
    if len(places) > 1:
        # Each entry that wins may get the whole gradient, as each then has a slope of its own, but not all slopes.
        directions.append((chosen.astype(float), TOGETHER))
    for along, what in directions:
        direction = {argument: along}
        yours = point.slope_of_yours(direction)
        if is_analytic and abs(yours - point.slope(direction, True).value) <= tolerances.NEAR * abs(yours):
            continue
        if finding := _outside(point, direction, f"{where}, {what}", name):
            yield replace(finding, verdict=INCONCLUSIVE) if what == TOGETHER else finding
            return


def at_joint_ties(given: Point) -> Iterator[Finding]:
    """Check the gradients if all arguments move together, which keeps equal entries of two arguments equal."""
    wrt, values = given.subject.wrt, given.values
    if len(wrt) < 2:
        return
    point = _with_positive_upstream(given, values)
    what = "if all arguments grow together, the sum of the gradients"
    if finding := _outside(point, {n: np.ones(values[n].shape) for n in wrt}, what, None):
        pairs = itertools.combinations([values[n] for n in wrt], 2)
        are_tied = any(a.shape == b.shape and np.any(a == b) for a, b in pairs)
        yield replace(finding, verdict=INCONCLUSIVE) if are_tied else finding


def _with_positive_upstream(given: Point, values: list[Any]) -> Point:
    """Return a point whose upstream gradient is positive: at several kinks at once, others bound no slope."""
    return given.elsewhere(values, [abs(upstream_for(y, given.rng)) for y in given.subject.outputs(values)])


def _outside(point: Point, direction: Direction, what: str, name: str | None) -> Finding | None:
    """Return a finding if a slope is neither between those of the sides nor among the backward's own next to it."""
    yours, (left, right) = point.slope_of_yours(direction), point.sides(direction)
    sizes = (left.value, right.value, yours if math.isfinite(yours) else 0.0, 1e-9 * point.size)
    if not max(left.error, right.error) <= tolerances.KINK * max(map(abs, sizes)):
        return None
    if is_between(yours, left, right, point.tolerance):
        return None
    if has_kink(left, right) and is_nearby(point, direction, yours):
        return None
    measured = (left.value + right.value) / 2
    if not math.isfinite(yours):
        return Finding(f"{what} is not finite", name, INCONCLUSIVE, yours=yours, measured=measured)
    return Finding(f"{what} is wrong", name, WRONG, yours=yours, measured=measured)


def is_nearby(point: Point, direction: Direction, yours: float) -> bool:
    """Return whether a slope is among the backward's own slopes next to a kink, or between them."""
    slopes = []
    for _ in range(8):
        moves = {n: point.scale(n) * point.rng.standard_normal(along.shape) for n, along in direction.items()}
        near = point.elsewhere(shifted(point.values, moves, tolerances.BESIDE_KINK), point.upstream)
        slopes.append(near.slope_of_yours(direction))
    room = tolerances.KINK * max(map(abs, slopes))
    return is_between(yours, Slope(min(slopes), room), Slope(max(slopes), room))
