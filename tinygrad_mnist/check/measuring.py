"""Measured derivatives: slopes of functions of one number at 0, and when a slope of yours counts as wrong.

Each measurement knows how far it can be trusted. All functions run on the host, in float64 or complex.
"""

import math
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.exceptions import ComplexWarning

from tinygrad_mnist.check import tolerances
from tinygrad_mnist.check.tolerances import EPSILON, ESTIMATED, NEAR

LEVELS = 8
"""The number of step sizes in Ridders' method, each a quarter of the one before."""

IMAGINARY_STEP = 1e-30
"""The complex step, relative to the size of the arguments. Its square is lost when it is added to 1."""

REFUSALS = (ArithmeticError, ValueError, IndexError, TypeError)
"""What functions raise for arguments that they do not take."""


class Slope(NamedTuple):
    """A measured slope, and how far it may be off."""

    value: float
    error: float


def complex_step(function: Callable[[Any], Any], scale: float) -> Slope | None:
    """Return the slope at 0 by the complex step, or None if the function does not let complex numbers through.

    f(ih) = f(0) + ih f'(0) + O(h^2), so Im f(ih) / h is the slope, with no difference of near numbers (Squire and
    Trapp, Using complex variables to estimate derivatives of real functions, 1998). It is only a slope if f is
    analytic, which the caller has to know (`Point.is_analytic`).
    """
    step = IMAGINARY_STEP * scale
    with warnings.catch_warnings():
        warnings.simplefilter("error", ComplexWarning)
        try:
            result = function(complex(0, step))
        except (*REFUSALS, ComplexWarning):
            return None
    if not isinstance(result, complex | np.complexfloating) or not math.isfinite(abs(complex(result))):
        return None
    value = float(result.imag) / step
    return Slope(value, tolerances.ROUNDED * EPSILON * abs(value))


def differences(function: Callable[[float], float], scale: float, noise: float) -> Slope:
    """Return the slope at 0 by central differences, extrapolated to the step 0 by Ridders' method (1982).

    `noise` is how far a value of the function may be off.
    """
    return _limit(lambda h: (function(h) - function(-h)) / (2 * h), 2, scale, noise)


def one_sided(function: Callable[[float], float], scale: float, noise: float) -> tuple[Slope, Slope]:
    """Return the slopes at 0 from the left and from the right, extrapolated to the step 0."""
    here = function(0.0)
    left = _limit(lambda h: (here - function(-h)) / h, 1, scale, noise)
    right = _limit(lambda h: (function(h) - here) / h, 1, scale, noise)
    return left, right


def _limit(quotient: Callable[[float], float], power: int, scale: float, noise: float) -> Slope:
    """Return the limit of a difference quotient, from steps so small that no kink nearby is taken for a slope."""
    coarse, fine = (_extrapolated(quotient, power, scale * size, noise) for size in (1.0, tolerances.NEAR_STEP))
    if abs(coarse.value - fine.value) <= coarse.error + fine.error:
        return min(coarse, fine, key=lambda slope: slope.error)
    return fine


def _extrapolated(quotient: Callable[[float], float], power: int, scale: float, noise: float) -> Slope:
    """Return the limit of a difference quotient for the step 0, whose error is a series in step^power."""
    best, row = Slope(math.nan, math.inf), list[float]()
    for step in (scale * 4.0 ** -(level + 1) for level in range(LEVELS)):
        new = [quotient(step)]
        for order, before in enumerate(row, start=1):
            weight = 4.0 ** (order * power)
            new.append((weight * new[-1] - before) / (weight - 1))
        for order in range(1, len(new)):
            error = max(abs(new[order] - new[order - 1]), abs(new[order] - row[order - 1])) + noise / step
            if error < best.error:
                best = Slope(new[order], error)
        row = new
        if best.error <= tolerances.MEASURED * abs(best.value):
            break
    return best


def relative_noise(function: Callable[[Any], Any], size: float, scale: float) -> float:
    """Return how far a function is off from a smooth curve, relative to the size of its terms.

    It is far above the rounding error of float64 if the forward computes in float32. Points that are much nearer than
    the function changes are compared with a parabola through them; the smaller of two distances counts.
    """
    noises = []
    for distance in tolerances.NOISE_STEPS:
        steps = distance * scale * np.linspace(-1, 1, 13) * (1 + 0.1 * np.cos(np.arange(13)))
        # Beside the point, because there may be a kink at the point itself.
        numbers = np.array([float(np.real(function(1e-3 * scale + step))) for step in steps])
        if np.all(np.isfinite(numbers)):
            curve = np.polynomial.Polynomial.fit(steps, numbers, 2)
            noises.append(float(np.max(np.abs(numbers - curve(steps)))))
    if not noises or not size or not math.isfinite(size):
        return EPSILON
    return max(EPSILON, min(noises) / size)


def is_off(
    yours: float, slope: Slope, largest: float, unit: float = 0.0, tolerance: float = tolerances.ENTRY
) -> bool | None:
    """Return whether an entry differs from its measured slope, or None if that cannot be decided.

    `largest` is the size of the largest entry, and `unit` that of a slope of 1, if nothing canceled.
    """
    if not math.isfinite(slope.value):
        return None
    if not math.isfinite(yours):
        return True
    room, unsure = tolerances.HIDDEN * max(largest, 0.01 * unit), ESTIMATED * slope.error
    if abs(yours - slope.value) <= tolerance * abs(slope.value) + room + unsure:
        # A measurement that may be off by much agrees with everything.
        return None if unsure > tolerances.UNCLEAR * max(largest, abs(yours), 1e-3 * unit) else False
    return True


def has_kink(left: Slope, right: Slope) -> bool:
    """Return whether the slopes on both sides differ by more than their errors."""
    room = ESTIMATED * (left.error + right.error) + NEAR * max(abs(left.value), abs(right.value))
    return abs(left.value - right.value) > room


def is_between(yours: float, left: Slope, right: Slope, tolerance: float = NEAR) -> bool:
    """Return whether a slope at a kink is between those of both sides, or cannot be told from one of them."""
    low, high = sorted((left.value, right.value))
    room = ESTIMATED * max(left.error, right.error) + max(NEAR, tolerance) * max(abs(low), abs(high))
    return not math.isfinite(room) or low - room <= yours <= high + room


def is_steady(differences: list[float]) -> bool:
    """Return whether differences are nearly the same, or not finite.

    If terms cancel in a loss or in a gradient, what is left may be their rounding errors. A difference that changes if
    the arguments are shaken (`Point.shaken`) says nothing about the backward.
    """
    size = max(map(abs, differences))
    return not math.isfinite(size) or max(differences) - min(differences) <= tolerances.STEADY * size
