"""When two arrays count as the same, and when a slope of a backward counts as wrong."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.check.measuring import Slope
from tinygrad_mnist.check.tolerances import ENTRY, ESTIMATED, HIDDEN, NEAR, STEADY, UNCLEAR

Arrays = Sequence[NDArray[Any]]


def equal(a: NDArray[Any], b: NDArray[Any]) -> bool:
    """Return whether two arrays have the same shape and entries, NaN at the same places."""
    return a.shape == b.shape and np.array_equal(a, b, equal_nan=a.dtype.kind in "fc" and b.dtype.kind in "fc")


def largest(arrays: Arrays) -> float:
    """Return the largest absolute value of all entries, 0 if there are none."""
    return max((float(np.max(np.abs(array), initial=0)) for array in arrays), default=0.0)


def near(actual: NDArray[Any], expected: NDArray[Any], tolerance: float = NEAR, size: float | None = None) -> bool:
    """Return whether two arrays have the same shape and agree, relative to the largest expected entry or to `size`."""
    if actual.shape != expected.shape:
        return False
    size = largest([expected]) if size is None else size
    with np.errstate(invalid="ignore"):
        difference = np.max(np.abs(np.asarray(actual, float) - expected), initial=0)
    return bool(difference <= tolerance * size) or not np.isfinite(size)


def is_off(yours: float, slope: Slope, largest: float, unit: float = 0.0, tolerance: float = ENTRY) -> bool | None:
    """Return whether an entry differs from its measured slope, or None if that cannot be decided.

    `largest` is the size of the largest entry, and `unit` that of a slope of 1, if nothing canceled.
    """
    if not math.isfinite(slope.value):
        return None
    if not math.isfinite(yours):
        return True
    room, unsure = HIDDEN * max(largest, 0.01 * unit), ESTIMATED * slope.error
    if abs(yours - slope.value) <= tolerance * abs(slope.value) + room + unsure:
        # A measurement that may be off by much agrees with everything.
        return None if unsure > UNCLEAR * max(largest, abs(yours), 1e-3 * unit) else False
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
    return not math.isfinite(size) or max(differences) - min(differences) <= STEADY * size
