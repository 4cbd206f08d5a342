"""Checks of a gradient against measured slopes: entry by entry at the given point, in random directions at others."""

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.check import contracts, tolerances
from tinygrad_mnist.check.comparison import has_kink, is_between, is_off, is_steady, largest
from tinygrad_mnist.check.diagnosis import described
from tinygrad_mnist.check.kinks import at_kink, is_nearby
from tinygrad_mnist.check.point import Direction, Point, one_entry, upstream_for
from tinygrad_mnist.check.report import INCONCLUSIVE, WRONG, ArgumentReport, Finding

CERTAIN = 4
"""The number of wrong entries that are at no kink, after which the others need not be measured from each side."""

SHAKES = 4
"""The number of points next to a suspicious one at which it must look as wrong."""

DIRECTIONS = 3
"""The number of random directions of each argument."""


def at_entries(given: Point, gradient: NDArray[Any], argument: int, sample: int) -> ArgumentReport:
    """Compare entries of a gradient at the given point with measured slopes, from each side at a kink.

    At most `sample` entries are measured, at random places if there are more.
    """
    value, is_analytic = given.values[argument], given.is_analytic(argument)
    wanted = sample if is_analytic else max(1, sample // 4)
    all_fit = value.size <= wanted
    positions = np.arange(value.size) if all_fit else np.sort(given.rng.choice(value.size, wanted, replace=False))
    directions = [{argument: one_entry(value, position)} for position in positions]
    slopes = [given.slope(direction, is_analytic) for direction in directions]
    yours, measured = gradient.reshape(-1)[positions], np.array([slope.value for slope in slopes])
    size, unit = float(np.nanmax(np.abs(measured), initial=0)), given.size / given.scale(argument)
    found = ArgumentReport(given.subject.names[argument], len(positions))
    found.oracle = "complex step" if is_analytic else "differences"
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
    return found


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
