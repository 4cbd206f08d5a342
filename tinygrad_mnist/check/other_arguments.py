"""Other arguments to check a backward at: other sizes, one sign, nearly equal, labels of every class, soft targets.

What a backward does for one row, or for labels that do not occur among the given ones, cannot be seen otherwise. Axes
of equal length are resized together, since a function usually needs them to be equal. Values are chosen with care, as
some combinations have no meaning: rows of one-hot targets still sum to 1, signs stay signs. Each function yields
arguments that the forward accepts, with a description.
"""

import math
import warnings
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.check import tolerances
from tinygrad_mnist.check.point import typical
from tinygrad_mnist.check.subject import Subject

ROWS = (1, 2, 3, 17, 64, 257, 0)
"""The lengths that the rows' axis gets: few, prime, a multiple of many blocks, beyond them, none."""

LENGTHS = (1, 3, 17, 129)
"""The lengths that an axis gets if it is not that of the rows. They are odd, as a median or a kernel may need them."""

MAX_ENTRIES = 20_000
"""The largest number of entries that an array of another size may have."""

SIGNS = {-1, 0, 1}
"""Whole numbers that may stand for two or three cases, so that no larger one has a meaning."""

Described = Iterator[tuple[str, list[Any]]]


def of_other_sizes(subject: Subject, rng: np.random.Generator) -> Iterator[tuple[str, list[Any], int | None]]:
    """Yield arguments of other sizes, also with the number of rows, None if their number is not what has changed."""
    outputs = subject.outputs(subject.values)
    distributions = {n: value for n, value in _constant_arrays(subject) if _is_distribution(value)}
    arrays = [value for _, value in subject.arrays(subject.values)]
    lengths = list(dict.fromkeys(length for array in arrays for length in array.shape))
    rows = next((array.shape[0] for array in arrays if array.ndim), 0)
    is_of_rows = all(output.ndim and output.shape[0] == rows for output in outputs)
    for length in lengths:
        # As many rows as columns, a transpose fits.
        for new in dict.fromkeys((*ROWS, *lengths)) if length == rows else LENGTHS:
            if new == length or length == 1:
                continue  # an axis of length 1 may be broadcast
            if any(value.shape[-1] == length > new for value in distributions.values()):
                continue  # its rows would no longer sum to the same
            shapes = [_shape(array.shape, length, new) for array in (*outputs, *arrays)]
            if max(map(math.prod, shapes)) > MAX_ENTRIES:
                continue
            values = [
                (_redrawn if n in distributions else _resized)(value, length, new, rng)
                for n, value in enumerate(subject.values)
            ]
            if _accepts(subject, values, shapes[: len(outputs)]):
                changed = new if is_of_rows and length == rows else None
                yield f"with axes of length {new} instead of {length}", values, changed


def with_other_values(subject: Subject, rng: np.random.Generator) -> Described:
    """Yield arguments of one sign, nearly equal ones, and constants with other values."""
    tried = (*_with_other_constants(subject, rng), *_signed(subject), *_nearly_equal(subject, rng))
    yield from _accepted(subject, tried)


def with_soft_targets(subject: Subject, rng: np.random.Generator) -> Described:
    """Yield arguments in which floats that are all 0 or 1, like targets, are between the two.

    Rows are mixed, so that targets that sum to 1 still do. Floats that are a mask have no meaning between 0 and 1.
    """
    tried = list[tuple[str, list[Any]]]()
    for n, value in _constant_arrays(subject):
        if value.dtype.kind == "f" and set(np.unique(value)) == {0.0, 1.0}:
            mixed = 0.75 * value + 0.25 * rng.permutation(value, axis=0)
            tried.append((f"if {subject.names[n]} is between 0 and 1", _replaced(subject, n, mixed)))
    yield from _accepted(subject, tried)


def _accepted(subject: Subject, tried: Iterable[tuple[str, list[Any]]]) -> Described:
    """Yield those of the arguments that the forward accepts."""
    shapes = [output.shape for output in subject.outputs(subject.values)]
    yield from ((where, values) for where, values in tried if _accepts(subject, values, shapes))


def _accepts(subject: Subject, values: list[Any], shapes: list[tuple[int, ...]]) -> bool:
    """Return whether forward returns finite numbers of these shapes, without an error or a warning.

    If an output keeps its shape, an argument of length 1 was broadcast, or the forward has sizes of its own.
    """
    try:
        with np.errstate(all="raise"), warnings.catch_warnings():
            warnings.simplefilter("error")
            outputs = subject.outputs(values)
    except Exception:  # a forward may refuse sizes with any exception
        return False
    return [o.shape for o in outputs] == shapes and all(np.all(np.isfinite(output)) for output in outputs)


def _constant_arrays(subject: Subject) -> list[tuple[int, NDArray[Any]]]:
    """Return the arrays that are not differentiated and have entries and axes, each with its position."""
    return [(n, v) for n, v in subject.arrays(subject.values) if n not in subject.wrt and v.ndim and v.size]


def _replaced(subject: Subject, n: int, value: NDArray[Any]) -> list[Any]:
    """Return the arguments with another value for one of them, of the same type."""
    return [*subject.values[:n], value.astype(subject.values[n].dtype), *subject.values[n + 1 :]]


def _with_other_constants(subject: Subject, rng: np.random.Generator) -> Described:
    """Yield arguments in which an array that is not differentiated has other values."""
    first = subject.values[subject.wrt[0]]
    classes = first.shape[-1] if first.ndim == 2 else 0  # if it holds labels, they choose columns
    for n, value in _constant_arrays(subject):
        for what, changed in _other_constants(value, classes, rng):
            yield f"{subject.names[n]} {what}", _replaced(subject, n, changed)


def _other_constants(value: NDArray[Any], classes: int, rng: np.random.Generator) -> Iterator[tuple[str, Any]]:
    yield "in another order", rng.permutation(value, axis=0)
    if np.all(value == value.flat[0]):
        yield "with zeros and twos", 2 * rng.integers(0, 2, value.shape)
    if value.dtype.kind not in "iu" or value.ndim > 1:
        return
    largest, is_sign = int(value.max()), set(value.tolist()) <= SIGNS
    if largest < classes - 1:
        yield f"of every class up to {classes - 1}", np.resize(np.arange(classes)[::-1], value.shape)
    elif not is_sign:
        yield f"with {largest + 1}", np.where(np.arange(value.size) % 2, largest + 1, value)
    if not is_sign:
        yield "times 4", 4 * value


def _signed(subject: Subject) -> Described:
    """Yield arguments whose entries are all positive, and all negative."""
    for what, sign in (("positive", 1), ("negative", -1)):
        values = [sign * abs(value) if n in subject.wrt else value for n, value in enumerate(subject.values)]
        yield f"if all arguments are {what}", values


def _nearly_equal(subject: Subject, rng: np.random.Generator) -> Described:
    """Yield arguments in which one is nearly equal to another, as predictions may be to targets."""
    for n in subject.wrt:
        value = subject.values[n]
        for m, other in enumerate(subject.values):
            if m != n and getattr(other, "shape", None) == value.shape and value.ndim:
                near = other + tolerances.NEARLY_EQUAL * typical(other) * rng.standard_normal(value.shape)
                yield f"if {subject.names[n]} is near {subject.names[m]}", _replaced(subject, n, near)
                break


def _shape(shape: tuple[int, ...], length: int, new: int) -> tuple[int, ...]:
    return tuple(new if size == length else size for size in shape)


def _resized(value: Any, length: int, new: int, rng: np.random.Generator) -> Any:
    """Return an array whose axes of this length have a new one, filled with entries of the old one."""
    if not isinstance(value, np.ndarray) or length not in value.shape:
        return value
    shape = _shape(value.shape, length, new)
    if not value.size:
        return np.zeros(shape, value.dtype)
    drawn = value.reshape(-1)[rng.integers(0, value.size, shape)]
    if value.dtype.kind == "f" and not np.array_equal(value, np.round(value)):
        # Different entries are no longer equal, so that they have no ties, and none is larger than before.
        drawn = drawn * rng.uniform(0.9, 1, shape)
    return drawn.astype(value.dtype)


def _redrawn(value: NDArray[Any], length: int, new: int, rng: np.random.Generator) -> NDArray[Any]:
    """Return rows that all sum to the same with axes of a new length, so that they still do."""
    for axis in range(value.ndim - 1):
        if value.shape[axis] == length:
            value = np.take(value, rng.integers(0, length, new), axis=axis)
    if value.shape[-1] == length:
        wider = np.zeros((*value.shape[:-1], new), value.dtype)
        wider[..., rng.permutation(new)[:length]] = value
        value = wider
    return value


def _is_distribution(value: NDArray[Any]) -> bool:
    """Return whether every row has the same sum and no entry is below 0, as one-hot targets and probabilities have."""
    if value.ndim < 2 or value.dtype.kind not in "fiu":
        return False
    sums = value.sum(axis=-1, dtype=float)
    return bool(np.all(value >= 0) and np.all(np.abs(sums - sums.flat[0]) <= 1e-6 * abs(sums.flat[0])))
