"""Checks of a gradient at points: the given one entry by entry, and others in random directions."""

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.check import relations
from tinygrad_mnist.check.diagnosis import described
from tinygrad_mnist.check.kinks import at_kink, has_kink, is_nearby
from tinygrad_mnist.check.measuring import Loss
from tinygrad_mnist.check.report import INCONCLUSIVE, ArgumentReport, Finding
from tinygrad_mnist.check.subject import Subject
from tinygrad_mnist.check.values import (
    SHAKES,
    Direction,
    Probe,
    is_between,
    is_off,
    is_steady,
    one_entry,
    shaken,
    unit,
    upstream_for,
)

UNDECIDED = 0.1
"""The largest share of entries that may stay undecided."""

ELSEWHERE = 1e-5
"""The largest error of a slope that is allowed at other points than the given one, relative to its terms."""

CERTAIN = 4
"""The number of wrong entries that are at no kink, after which the others need not be measured from each side."""


def at_entries(probe: Probe, subject: Subject, gradient: NDArray[Any], argument: int, count: int) -> ArgumentReport:
    """Compare the entries of a gradient at the given point with measured slopes, from each side at a kink."""
    found = ArgumentReport(subject.names[argument])
    measured = probe.entries(argument, count)
    found.oracle, found.entries = measured.oracle, len(measured.positions)
    values = np.array([slope.value for slope in measured.slopes])
    largest = float(np.nanmax(np.abs(values), initial=0))
    flat, worst, certain = gradient.reshape(-1), (-1.0, -1), 0
    for number, (position, slope) in enumerate(zip(measured.positions, measured.slopes, strict=True)):
        off = is_off(float(flat[position]), slope, largest, probe.size / probe.scale(argument), probe.tolerance)
        if off is None or (off and certain < CERTAIN):
            direction = one_entry(probe.values, argument, int(position))
            sides = probe.sides(direction, probe.scale(argument))
            if has_kink(*sides):
                off = not (
                    is_between(float(flat[position]), *sides) or is_nearby(subject, probe, direction, flat[position])
                )
                values[number] = flat[position] if not off else values[number]
            else:
                certain += bool(off)
        found.undecided += off is None
        error = abs(flat[position] - values[number]) / (largest or 1)
        if off and not error <= worst[0]:
            worst = (error, number)
        if off is False and error < math.inf:
            found.error = max(found.error, float(error))
    if worst[1] >= 0:
        position = int(measured.positions[worst[1]])
        index = tuple(int(i) for i in np.unravel_index(position, gradient.shape))
        rows = len(probe.loss.upstream[0]) if probe.loss.upstream[0].ndim else 1
        sentence = described(gradient, measured.positions, values, rows)
        found.error = float(worst[0])
        found.findings.append(
            Finding(sentence, found.name, index=index, yours=float(flat[position]), measured=float(values[worst[1]]))
        )
    elif found.undecided > UNDECIDED * found.entries:
        sentence = f"{found.undecided} of {found.entries} slopes cannot be measured well enough"
        found.findings.append(Finding(sentence, found.name, INCONCLUSIVE))
    return found


def in_directions(
    subject: Subject, values: list[Any], given: Probe, where: str, directions: int = 3
) -> Iterator[Finding]:
    """Compare the gradients at other values than the given ones with slopes in random directions.

    What measures slopes at the given point, and how much rounding there is, is taken from there.
    """
    rng, outputs = given.rng, subject.outputs(values)
    upstream = [upstream_for(output, rng) for output in outputs]
    loss = Loss(subject.outputs, upstream)
    dout = [u.copy() for u in upstream]
    gradients = subject.gradients(dout, values)
    for finding in relations.memory(subject, dout, values, gradients):
        yield replace(finding, sentence=f"{where}, {finding.sentence}")
    for position, gradient in zip(subject.wrt, gradients, strict=True):
        name, value = subject.names[position], values[position]
        if gradient.shape != value.shape:
            # A backward may have sizes of its own. If only axes of length 1 differ, it is wrong for one row or column.
            if gradient.squeeze().shape == value.squeeze().shape:
                yield Finding(f"{where}, d{name} has shape {gradient.shape}, and {name} has {value.shape}", name)
            return
    loss.relative_noise, tolerance = given.loss.relative_noise, max(ELSEWHERE, given.tolerance)
    probe = Probe(loss, values, rng, tolerance=given.tolerance)
    for position, gradient in zip(subject.wrt, gradients, strict=True):
        if not gradient.size:
            continue
        name, scale = subject.names[position], probe.scale(position)
        is_analytic = given.lets_complex_through(position, given.scale(position))
        for _ in range(directions):
            direction = {position: unit(rng.standard_normal(gradient.shape))}
            terms = gradient * direction[position]
            yours, size = float(terms.sum()), float(np.abs(terms).sum())
            # Inside, numbers as large as the upstream gradient may have canceled, with the rounding of the argument.
            rounded = 4 * max(1.0, scale)
            inner = max(probe.size / scale, *(rounded * float(np.max(np.abs(u), initial=0)) for u in upstream))
            slopes = (probe.along(direction, scale, complex_step) for complex_step in (is_analytic, False))
            # The complex step may fail here, and then differences decide.
            if not all(is_off(yours, slope := s, max(size, abs(s.value)), inner, tolerance) for s in slopes):
                continue
            sides = probe.sides(direction, scale)
            if not has_kink(*sides):
                if not _stays_wrong(subject, probe, direction, scale, is_analytic):
                    continue
                yield Finding(f"{where}, d{name} is wrong", name, yours=yours, measured=slope.value)
                return
            yield from at_kink(subject, probe, position, np.ones(gradient.shape, bool), values[position], where)
            break


def _stays_wrong(subject: Subject, probe: Probe, direction: Direction, scale: float, is_analytic: bool) -> bool:
    """Return whether a gradient differs from the measured slope by as much at points that are almost the same."""
    ((position, along),) = direction.items()
    order, differences = subject.wrt.index(position), list[float]()
    for _ in range(SHAKES):
        there = shaken(probe.values, subject.wrt, probe.rng)
        gradient = subject.gradients([u.copy() for u in probe.loss.upstream], there)[order]
        slope = Probe(probe.loss, there, probe.rng).along(direction, scale, is_analytic)
        differences.append(float(np.real((gradient * along).sum())) - slope.value)
    return is_steady(differences)
