"""Checks of a gradient against measured slopes, which are on both sides of a point if the function has a kink there.

They are measured entry by entry at the given point, in random directions at others, and at special numbers and ties.
"""

import itertools
import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.check import contracts, tolerances
from tinygrad_mnist.check.contracts import largest
from tinygrad_mnist.check.measuring import REFUSALS, Slope, has_kink, is_between, is_off, is_steady
from tinygrad_mnist.check.point import Direction, Point, one_entry, shifted, upstream_for
from tinygrad_mnist.check.report import INCONCLUSIVE, WRONG, ArgumentReport, Finding, described

CERTAIN = 4
"""The number of wrong entries that are at no kink, after which the others need not be measured from each side."""

SHAKES = 4
"""The number of points next to a suspicious one at which it must look as wrong."""

DIRECTIONS = 3
"""The number of random directions of each argument."""

SPECIAL = (0.0, 1.0, -1.0, 0.5, 2.0, 3.0, 10.0)
"""Numbers that code is often wrong at, exactly."""

PLACES = 4
"""The number of chosen entries that are checked one by one."""

TOGETHER = "the sum of their gradients"
"""What is checked if several entries move together."""


def at_entries(given: Point, gradient: NDArray[Any], argument: int, sample: int, found: ArgumentReport) -> None:
    """Compare entries of a gradient at the given point with measured slopes, from each side at a kink.

    At most `sample` entries are measured, at random places if there are more. Adds what is found to the report.
    """
    value, is_analytic = given.values[argument], given.is_analytic(argument)
    wanted = sample if is_analytic else max(1, sample // 4)
    all_fit = value.size <= wanted
    positions = np.arange(value.size) if all_fit else np.sort(given.rng.choice(value.size, wanted, replace=False))
    directions = [{argument: one_entry(value, position)} for position in positions]
    slopes = [given.slope(direction, is_analytic) for direction in directions]
    yours, measured = gradient.reshape(-1)[positions], np.array([slope.value for slope in slopes])
    size, unit = float(np.nanmax(np.abs(measured), initial=0)), given.size / given.scale(argument)
    found.entries, found.oracle = len(positions), "complex step" if is_analytic else "differences"
    worst, worst_error, certain = -1, -1.0, 0
    for number, (mine, slope, direction) in enumerate(zip(map(float, yours), slopes, directions, strict=True)):
        off = is_off(mine, slope, size, unit, given.tolerance)
        if off is None or (off and certain < CERTAIN):
            sides = given.sides(direction)
            if not has_kink(*sides):
                certain += bool(off)
            elif is_between(mine, *sides) or is_nearby(given, direction, mine):
                off, measured[number] = False, mine
            else:
                off = True
        found.undecided += off is None
        error = abs(mine - measured[number]) / (size or 1)
        if off and not error <= worst_error:
            worst, worst_error = number, float(error)
        if off is False and error < math.inf:
            found.error = max(found.error, float(error))
    if worst >= 0:
        found.error = worst_error
        rows = len(given.upstream[0]) if given.upstream[0].ndim else 1
        sentence = described(gradient, positions, measured, rows)
        index = tuple(int(i) for i in np.unravel_index(positions[worst], gradient.shape))
        found.findings.append(Finding(sentence, found.name, WRONG, index, float(yours[worst]), float(measured[worst])))
    elif found.undecided > tolerances.UNDECIDED * found.entries:
        sentence = f"{found.undecided} of {found.entries} slopes cannot be measured well enough"
        found.findings.append(Finding(sentence, found.name, INCONCLUSIVE))


def in_directions(given: Point, values: list[Any], where: str) -> Iterator[Finding]:
    """Compare the gradients at other values than the given ones with slopes in random directions."""
    subject = given.subject
    upstream = [upstream_for(output, given.rng) for output in subject.outputs(values)]
    point = given.elsewhere(values, upstream)
    for finding in contracts.memory(point):
        yield replace(finding, sentence=f"{where}, {finding.sentence}")
    for argument, gradient in zip(subject.wrt, point.gradients, strict=True):
        name, value = subject.names[argument], values[argument]
        if gradient.shape != value.shape:
            # A backward may have sizes of its own. If only axes of length 1 differ, it is wrong for one row or column.
            if gradient.squeeze().shape == value.squeeze().shape:
                yield Finding(f"{where}, d{name} has shape {gradient.shape}, and {name} has {value.shape}", name)
            return
    for argument, gradient in zip(subject.wrt, point.gradients, strict=True):
        if not gradient.size:
            continue
        name, value, is_analytic = subject.names[argument], values[argument], given.is_analytic(argument)
        for _ in range(DIRECTIONS):
            direction = {argument: point.random_direction(argument)}
            slope = _off(point, direction, is_analytic)
            if slope is None:
                continue
            if has_kink(*point.sides(direction)):
                yield from at_kink(point, argument, np.ones(gradient.shape, bool), value, where)
                break
            nearby = [point.shaken() for _ in range(SHAKES)]
            if is_steady([p.slope_of_yours(direction) - p.slope(direction, is_analytic).value for p in nearby]):
                yours = point.slope_of_yours(direction)
                yield Finding(f"{where}, d{name} is wrong", name, yours=yours, measured=slope)
                return


def _off(point: Point, direction: Direction, is_analytic: bool) -> float | None:
    """Return the measured slope in a direction of one argument if the gradient differs from it, or None."""
    ((argument, along),) = direction.items()
    terms, scale = point.gradients[point.subject.wrt.index(argument)] * along, point.scale(argument)
    yours, size = float(terms.sum()), float(np.abs(terms).sum())
    # Inside, numbers as large as the upstream gradient may have canceled, with the rounding of the argument.
    unit = max(point.size / scale, 4 * max(1.0, scale) * largest(point.upstream))
    tolerance, slope = max(tolerances.ELSEWHERE, point.tolerance), math.nan
    # The complex step may fail here, and then differences decide.
    for with_complex_step in (is_analytic, False):
        measured = point.slope(direction, with_complex_step)
        slope = measured.value
        if not is_off(yours, measured, max(size, abs(slope)), unit, tolerance):
            return None
    return slope


def at_special_points(given: Point) -> Iterator[Finding]:
    """Check the gradients if an entry is 0, 1 and so on, if one is next to that, and if two are equal."""
    for argument in given.subject.wrt:
        value = given.values[argument]
        if not value.size:
            continue
        for number in SPECIAL:
            beside = number + tolerances.BESIDE_SPECIAL * (abs(number) or 1)
            for there, what in ((number, f"{number:g}"), (beside, f"next to {number:g}")):
                chosen = one_entry(value, int(given.rng.integers(value.size))) > 0
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
    places = given.rng.permutation(np.flatnonzero(chosen))[:PLACES]
    name, is_analytic = point.subject.names[argument], given.is_analytic(argument)
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
