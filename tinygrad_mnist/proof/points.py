"""Checks of a gradient at points: the given one, those of other sizes, and special ones such as 0 and ties."""

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.proof.diagnosis import described
from tinygrad_mnist.proof.measuring import Loss, Slope, shifted
from tinygrad_mnist.proof.relations import NEAR, memory
from tinygrad_mnist.proof.report import INCONCLUSIVE, ArgumentReport, Finding
from tinygrad_mnist.proof.subject import Subject
from tinygrad_mnist.proof.values import Direction, Probe, is_between, is_off, noise_of, one_entry, unit

SPECIAL = (0.0, 1.0, -1.0, 0.5, 2.0)
"""Numbers that code is often wrong at, exactly."""

UNDECIDED = 0.1
"""The largest share of entries that may stay undecided."""

Arrays = list[NDArray[Any]]


def at_entries(probe: Probe, subject: Subject, gradient: NDArray[Any], argument: int, count: int) -> ArgumentReport:
    """Compare the entries of a gradient at the given point with measured slopes, from each side at a kink."""
    found = ArgumentReport(subject.names[argument])
    measured = probe.entries(argument, count)
    found.oracle, found.entries = measured.oracle, len(measured.positions)
    values = np.array([slope.value for slope in measured.slopes])
    largest = float(np.nanmax(np.abs(values), initial=0))
    flat, worst = gradient.reshape(-1), (-1.0, -1)
    for number, (position, slope) in enumerate(zip(measured.positions, measured.slopes, strict=True)):
        off = is_off(float(flat[position]), slope, largest, probe.size / probe.scale(argument), probe.tolerance)
        if off is None or off:
            direction = one_entry(probe.values, argument, int(position))
            sides = probe.sides(direction, probe.scale(argument))
            if has_kink(*sides):
                off = not (
                    is_between(float(flat[position]), *sides) or _is_nearby(subject, probe, direction, flat[position])
                )
                values[number] = flat[position] if not off else values[number]
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
    subject: Subject, values: list[Any], rng: np.random.Generator, where: str, directions: int = 3
) -> Iterator[Finding]:
    """Compare the gradients at other values with slopes in random directions."""
    outputs = subject.outputs(values)
    upstream = [upstream_for(output, rng) for output in outputs]
    loss = Loss(subject.outputs, upstream)
    dout = [u.copy() for u in upstream]
    gradients = subject.gradients(dout, values)
    for finding in memory(subject, dout, values, gradients):
        yield replace(finding, sentence=f"{where}, {finding.sentence}")
    for position, gradient in zip(subject.wrt, gradients, strict=True):
        name, value = subject.names[position], values[position]
        if gradient.shape != value.shape:
            # A backward may have sizes of its own. If only axes of length 1 differ, it is wrong for one row or column.
            if gradient.squeeze().shape == value.squeeze().shape:
                yield Finding(f"{where}, d{name} has shape {gradient.shape}, and {name} has {value.shape}", name)
            return
    loss.relative_noise = noise_of(loss, values, subject.wrt, rng)
    probe = Probe(loss, values, rng)
    for position, gradient in zip(subject.wrt, gradients, strict=True):
        if not gradient.size:
            continue
        name, scale = subject.names[position], probe.scale(position)
        is_analytic = probe.lets_complex_through(position, scale)
        for _ in range(directions):
            direction = {position: unit(rng.standard_normal(gradient.shape))}
            terms = gradient * direction[position]
            yours, size = float(terms.sum()), float(np.abs(terms).sum())
            slope = probe.along(direction, scale, is_analytic)
            # Inside, numbers as large as the upstream gradient may have canceled, with the rounding of the argument.
            rounded = 4 * max(1.0, scale)
            inner = max(probe.size / scale, *(rounded * float(np.max(np.abs(u), initial=0)) for u in upstream))
            if not is_off(yours, slope, max(size, abs(slope.value)), inner, NEAR):
                continue
            sides = probe.sides(direction, scale)
            if not has_kink(*sides):
                yield Finding(f"{where}, d{name} is wrong", name, yours=yours, measured=slope.value)
                return
            yield from _at_kink(subject, values, position, np.ones(gradient.shape, bool), where, rng)
            break


def at_special_points(subject: Subject, values: list[Any], rng: np.random.Generator) -> Iterator[Finding]:
    """Check the gradients where an entry is 0, 1 and so on, or equal to its neighbor."""
    for argument in subject.wrt:
        value = values[argument]
        if not value.size:
            continue
        for number in (*SPECIAL, math.nan):
            chosen, point = np.zeros(value.shape, bool), value.copy()
            place = int(rng.integers(value.size))
            chosen.reshape(-1)[place] = True
            if math.isnan(number):
                if value.ndim == 0 or value.shape[-1] < 2:
                    continue
                place -= place % value.shape[-1] == value.shape[-1] - 1
                chosen.reshape(-1)[[place, place + 1]] = True
                point[chosen] = value.reshape(-1)[place]
            else:
                point[chosen] = number
            what = "where two entries are equal" if math.isnan(number) else f"where an entry is {number:g}"
            there = [*values[:argument], point, *values[argument + 1 :]]
            yield from _at_kink(subject, there, argument, chosen, what, rng)


def _at_kink(
    subject: Subject, point: list[Any], argument: int, chosen: NDArray[np.bool_], where: str, rng: np.random.Generator
) -> Iterator[Finding]:
    """Check the gradient at a point that may be a kink: it lies between the slopes of the sides, or those next to it.

    The upstream gradient is positive, since at several kinks at once, the slopes of the sides bound nothing else.
    """
    loss = Loss(subject.outputs, [abs(upstream_for(output, rng)) for output in subject.outputs(point)])
    if not math.isfinite(np.real(loss(point))):
        return
    probe, order, name = Probe(loss, point, rng), subject.wrt.index(argument), subject.names[argument]
    try:
        gradient = subject.gradients([u.copy() for u in loss.upstream], point)[order]
    except (ArithmeticError, ValueError):
        return  # there is no gradient, which lines through this point show if it matters
    if gradient.shape != point[argument].shape:
        return
    places = rng.permutation(np.flatnonzero(chosen))[:4]
    directions = [one_entry(point, argument, int(place)) for place in places]
    for direction in (*directions, {argument: chosen.astype(float)}):
        yours = float(np.real((gradient * direction[argument])[chosen].sum()))
        if finding := _outside(subject, probe, direction, yours, f"{where}, d{name}", name):
            yield finding
            return


def at_joint_ties(subject: Subject, values: list[Any], rng: np.random.Generator) -> Iterator[Finding]:
    """Check the gradients if all arguments move together, which keeps equal entries of two arguments equal."""
    if len(subject.wrt) < 2:
        return
    loss = Loss(subject.outputs, [abs(upstream_for(output, rng)) for output in subject.outputs(values)])
    probe, direction = Probe(loss, values, rng), {n: np.ones(values[n].shape) for n in subject.wrt}
    gradients = subject.gradients([u.copy() for u in loss.upstream], values)
    yours = float(sum(np.real(gradient.sum()) for gradient in gradients))
    if finding := _outside(
        subject, probe, direction, yours, "if all arguments grow together, the sum of the gradients", None
    ):
        yield finding


def _outside(
    subject: Subject, probe: Probe, direction: Direction, yours: float, what: str, name: str | None
) -> Finding | None:
    """Return a finding if a slope is neither between those of the sides nor among the backward's own next to it."""
    left, right = probe.sides(direction, min(probe.scale(argument) for argument in direction))
    if not max(left.error, right.error) <= 1e-4 * max(abs(left.value), abs(right.value), abs(yours), 1e-9 * probe.size):
        return None
    if is_between(yours, left, right) or _is_nearby(subject, probe, direction, yours):
        return None
    measured = (left.value + right.value) / 2
    if not math.isfinite(yours):
        return Finding(f"{what} is not finite", name, INCONCLUSIVE, yours=yours, measured=measured)
    return Finding(f"{what} is wrong", name, yours=yours, measured=measured)


def _is_nearby(subject: Subject, probe: Probe, direction: Direction, yours: float) -> bool:
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


def upstream_for(output: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
    """Return random upstream gradients for an output, of both signs and none of them near 0."""
    drawn = rng.uniform(0.5, 2, output.shape) * rng.choice([-1.0, 1.0], output.shape)
    return np.asarray(drawn).astype(output.dtype if output.dtype.kind == "f" else np.float64)
