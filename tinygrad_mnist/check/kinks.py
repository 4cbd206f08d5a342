"""Checks of a gradient where a function may have a kink: at special numbers such as 0 and 1, and at ties."""

import itertools
import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.check.comparison import NEAR
from tinygrad_mnist.check.measuring import Loss, Slope, shifted
from tinygrad_mnist.check.report import INCONCLUSIVE, WRONG, Finding
from tinygrad_mnist.check.subject import Subject
from tinygrad_mnist.check.values import Direction, Probe, is_between, one_entry, upstream_for

SPECIAL = (0.0, 1.0, -1.0, 0.5, 2.0, 3.0, 10.0)
"""Numbers that code is often wrong at, exactly."""

BESIDE = 4e-6
"""How far a number is from a special one that is next to it, relative to that, or to 1."""


def at_special_points(subject: Subject, given: Probe) -> Iterator[Finding]:
    """Check the gradients where an entry is 0, 1 and so on, where one is next to that, and where two are equal."""
    for argument in subject.wrt:
        value, rng = given.values[argument], given.rng
        if not value.size:
            continue
        for number in SPECIAL:
            for there, what in ((number, f"{number:g}"), (number + BESIDE * (abs(number) or 1), f"next to {number:g}")):
                chosen = np.zeros(value.shape, bool)
                chosen.reshape(-1)[rng.integers(value.size)] = True
                yield from at_kink(subject, given, argument, chosen, there, f"where an entry is {what}")
        if value.ndim and value.shape[-1] > 1:
            chosen, place = np.zeros(value.shape, bool), int(rng.integers(value.size))
            place -= place % value.shape[-1] == value.shape[-1] - 1
            chosen.reshape(-1)[[place, place + 1]] = True
            yield from at_kink(
                subject, given, argument, chosen, value.reshape(-1)[place], "where two entries are equal"
            )


def at_kink(
    subject: Subject, given: Probe, argument: int, chosen: NDArray[np.bool_], number: Any, where: str
) -> Iterator[Finding]:
    """Check the gradient if the chosen entries have a value at which there may be a kink.

    It lies between the slopes of the sides, or is one of those next to it. The upstream gradient is positive, since at
    several kinks at once, the slopes of the sides bound nothing else.
    """
    point = [np.where(chosen, number, value) if n == argument else value for n, value in enumerate(given.values)]
    loss = Loss(subject.outputs, [abs(upstream_for(output, given.rng)) for output in subject.outputs(point)])
    loss.relative_noise = given.loss.relative_noise
    if not math.isfinite(np.real(loss(point))):
        return
    probe = Probe(loss, point, given.rng, tolerance=given.tolerance)
    order, name = subject.wrt.index(argument), subject.names[argument]
    try:
        gradient = subject.gradients([u.copy() for u in loss.upstream], point)[order]
    except (ArithmeticError, ValueError):
        return  # there is no gradient, which lines through this point show if it matters
    if gradient.shape != point[argument].shape:
        return
    places = given.rng.permutation(np.flatnonzero(chosen))[:4]
    directions = [(one_entry(point, argument, int(place)), WRONG) for place in places]
    if len(places) > 1:
        # Each entry that wins may get the whole gradient, as each then has a slope of its own, but not all slopes.
        directions.append(({argument: chosen.astype(float)}, INCONCLUSIVE))
    is_analytic = given.lets_complex_through(argument, given.scale(argument))
    for direction, verdict in directions:
        yours = float(np.real((gradient * direction[argument])[chosen].sum()))
        if is_analytic and abs(yours - probe.along(direction, probe.scale(argument), True).value) <= NEAR * abs(yours):
            continue
        what = f"{where}, d{name}" if verdict == WRONG else f"{where}, the sum of their gradients"
        if finding := _outside(subject, probe, direction, yours, what, name):
            yield replace(finding, verdict=verdict if finding.verdict == WRONG else INCONCLUSIVE)
            return


def at_joint_ties(subject: Subject, given: Probe) -> Iterator[Finding]:
    """Check the gradients if all arguments move together, which keeps equal entries of two arguments equal."""
    if len(subject.wrt) < 2:
        return
    values, rng = given.values, given.rng
    loss = Loss(subject.outputs, [abs(upstream_for(output, rng)) for output in subject.outputs(values)])
    loss.relative_noise = given.loss.relative_noise
    probe, direction = (
        Probe(loss, values, rng, tolerance=given.tolerance),
        {n: np.ones(values[n].shape) for n in subject.wrt},
    )
    gradients = subject.gradients([u.copy() for u in loss.upstream], values)
    yours = float(sum(np.real(gradient.sum()) for gradient in gradients))
    what = "if all arguments grow together, the sum of the gradients"
    if finding := _outside(subject, probe, direction, yours, what, None):
        arrays = [values[n] for n in subject.wrt]
        are_tied = any(a.shape == b.shape and np.any(a == b) for a, b in itertools.combinations(arrays, 2))
        yield replace(finding, verdict=INCONCLUSIVE) if are_tied else finding


def _outside(
    subject: Subject, probe: Probe, direction: Direction, yours: float, what: str, name: str | None
) -> Finding | None:
    """Return a finding if a slope is neither between those of the sides nor among the backward's own next to it."""
    left, right = probe.sides(direction, min(probe.scale(argument) for argument in direction))
    largest = max(abs(left.value), abs(right.value), abs(yours) if math.isfinite(yours) else 0.0, 1e-9 * probe.size)
    if not max(left.error, right.error) <= 1e-4 * largest:
        return None
    if is_between(yours, left, right, probe.tolerance):
        return None
    if has_kink(left, right) and is_nearby(subject, probe, direction, yours):
        return None
    measured = (left.value + right.value) / 2
    if not math.isfinite(yours):
        return Finding(f"{what} is not finite", name, INCONCLUSIVE, yours=yours, measured=measured)
    return Finding(f"{what} is wrong", name, yours=yours, measured=measured)


def is_nearby(subject: Subject, probe: Probe, direction: Direction, yours: float) -> bool:
    """Return whether a slope is among the backward's own slopes next to a kink, or between them."""
    slopes = []
    for _ in range(8):
        shaken = {n: probe.scale(n) * probe.rng.standard_normal(along.shape) for n, along in direction.items()}
        gradients = subject.gradients([u.copy() for u in probe.loss.upstream], shifted(probe.values, shaken, 1e-6))
        terms = [(gradients[subject.wrt.index(n)] * along).sum() for n, along in direction.items()]
        slopes.append(float(np.real(sum(terms))))
    room = 1e-4 * max(map(abs, slopes))
    return is_between(yours, Slope(min(slopes), room), Slope(max(slopes), room))


def has_kink(left: Slope, right: Slope) -> bool:
    """Return whether the slopes on both sides differ by more than their errors."""
    return abs(left.value - right.value) > 8 * (left.error + right.error) + 1e-6 * max(
        abs(left.value), abs(right.value)
    )
