"""When two arrays, or two lists of arrays, count as the same."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = Sequence[NDArray[Any]]

NEAR = 1e-6
"""How near two computations of the same gradient must be, relative to the largest entry."""


def is_array(value: Any) -> bool:
    """Return whether an argument is an array."""
    return isinstance(value, np.ndarray)


def copied(value: Any) -> Any:
    """Return a copy of an array, or anything else as it is."""
    return value.copy() if is_array(value) else value


def equal(a: NDArray[Any], b: NDArray[Any]) -> bool:
    """Return whether two arrays have the same shape and entries, NaN at the same places."""
    return a.shape == b.shape and np.array_equal(a, b, equal_nan=a.dtype.kind in "fc" and b.dtype.kind in "fc")


def same(first: Arrays, second: Arrays) -> bool:
    """Return whether two lists hold equal arrays."""
    return len(first) == len(second) and all(equal(a, b) for a, b in zip(first, second, strict=True))


def alike(first: Arrays, second: Arrays) -> bool:
    """Return whether two lists hold arrays that are near each other."""
    pairs = list(zip(first, second, strict=False))
    return len(first) == len(second) and all(a.shape == b.shape and near(a, b, NEAR) for a, b in pairs)


def near(actual: NDArray[Any], expected: NDArray[Any], tolerance: float, size: Any = None) -> bool:
    """Return whether two arrays agree, relative to the largest expected entry."""
    largest = np.max(np.abs(expected), initial=0) if size is None else size
    with np.errstate(invalid="ignore"):
        difference = np.max(np.abs(np.asarray(actual, float) - expected), initial=0)
    return bool(difference <= tolerance * largest) or not np.isfinite(largest)
