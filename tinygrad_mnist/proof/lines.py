"""Checks along lines: through 0 in each argument, and through the given point in all of them."""

import functools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.proof import integral
from tinygrad_mnist.proof.integral import Line
from tinygrad_mnist.proof.measuring import Loss, shifted
from tinygrad_mnist.proof.report import Finding
from tinygrad_mnist.proof.subject import Subject
from tinygrad_mnist.proof.values import Direction, noise_of, typical

LARGE = 2_000
"""The number of entries of all arguments above which there are fewer lines, so that a check takes seconds."""

NEARBY = (-1.0, -0.1, -0.01, 0.0, 0.013, 0.11, 1.0)
"""The breakpoints of the line through the given point, relative to the size of the arguments."""


def along_lines(
    subject: Subject,
    upstream: list[NDArray[Any]],
    scale: float | None,
    tolerance: float | None,
    rng: np.random.Generator,
) -> Iterator[Finding]:
    """Yield what is wrong on lines, on which the integral of the backward must be the change of the loss."""
    loss, values = Loss(subject.outputs, upstream), subject.values
    loss.relative_noise = noise_of(loss, values, subject.wrt, rng)
    run = functools.partial(_along, subject, loss, tolerance or integral.TOLERANCE, rng)
    everything = {n: rng.standard_normal(values[n].shape) * typical(values[n]) for n in subject.wrt}
    yield from run(values, everything, list(NEARBY), "near the given arguments")
    is_large = len(subject.wrt) > 3 or sum(v.size for v in values if isinstance(v, np.ndarray)) > LARGE
    for argument in subject.wrt:
        value = values[argument]
        if not value.size:
            continue
        origin = [*values[:argument], np.zeros(value.shape), *values[argument + 1 :]]
        breakpoints = integral.decades(scale or typical(value))
        spreads = [
            rng.uniform(0.3, 3, value.shape) * rng.choice([-1.0, 1.0], value.shape) for _ in range(1 if is_large else 2)
        ]
        if np.all(value > 0):
            spreads.append(value / typical(value))
        for spread in spreads:
            yield from run(origin, {argument: spread}, breakpoints, "on a line through 0")


def _along(
    subject: Subject,
    loss: Loss,
    tolerance: float,
    rng: np.random.Generator,
    start: list[Any],
    direction: Direction,
    breakpoints: list[float],
    where: str,
) -> Iterator[Finding]:
    """Yield a finding if the integral of the backward along a line differs from the change of the loss."""

    @functools.cache
    def losses(step: float) -> tuple[float, float]:
        value, size = loss.with_size(shifted(start, direction, step))
        return float(value), size

    def slopes(step: float) -> tuple[float, float, float]:
        values = shifted(start, direction, step)
        try:
            found = subject.gradients([u.copy() for u in loss.upstream], values)
        except (ArithmeticError, ValueError):
            return math.nan, math.nan, math.nan
        slope = size = sensitivity = 0.0
        for n, gradient in zip(subject.wrt, found, strict=True):
            sensitivity += float(np.abs(gradient * values[n]).sum())
            if n in direction:
                terms = gradient * direction[n]
                slope, size = slope + float(np.real(terms.sum())), size + float(np.abs(terms).sum())
        return slope, size, sensitivity

    found = integral.suspicious(Line(losses, slopes, loss.relative_noise, tolerance), breakpoints, rng)
    if found is not None:
        name = subject.names[next(iter(direction))] if len(direction) == 1 else None
        what = f"d{name}" if name else "the gradient"
        place = f"{where}, from {found.start:.3g} to {found.end:.3g}"
        yield Finding(
            f"{place}, {what} is wrong: its integral is {found.integral:.6g}, the change {found.change:.6g}", name
        )
