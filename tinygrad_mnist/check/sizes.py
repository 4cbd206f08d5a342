"""Arguments of other sizes: one row, one output, a prime number of rows, more than a block of them.

Axes of equal length in the arguments are resized together, since a function usually needs them to be equal. If the
forward refuses the new sizes, they are skipped.
"""

import math
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.check.subject import Subject

LENGTHS = (1, 2, 3, 17, 64, 257, 0)
"""The lengths that the rows' axis gets: few, prime, a multiple of many blocks, beyond them, none."""

SHORT = (1, 3, 17, 129)
"""The lengths that an axis gets if it is not that of the rows. They are odd, as a median or a kernel may need them."""

MAX_ENTRIES = 20_000
"""The largest number of entries that an array of another size may have."""


def resized(subject: Subject, rng: np.random.Generator) -> Iterator[tuple[str, list[Any], int | None]]:
    """Yield arguments of other sizes that the forward accepts.

    Each comes with a description, and with the number of rows, None if their number is not what has changed.
    """
    outputs = subject.outputs(subject.values)
    given = [v for n, v in enumerate(subject.values) if n not in subject.wrt and isinstance(v, np.ndarray)]
    arrays = [value for value in subject.values if isinstance(value, np.ndarray)]
    lengths = list(dict.fromkeys(length for array in arrays for length in array.shape))
    rows = next((array.shape[0] for array in arrays if array.ndim), 0)
    is_of_rows = all(output.ndim and output.shape[0] == rows for output in outputs)
    for length in lengths:
        # As many rows as columns, a transpose fits.
        for new in dict.fromkeys((*LENGTHS, *lengths)) if length == rows else SHORT:
            if new == length or length == 1:
                continue  # an axis of length 1 may be broadcast
            if any(_is_distribution(value) and value.shape[-1] == length > new for value in given):
                continue  # its rows would no longer sum to the same
            shapes = [_shape(array.shape, length, new) for array in (*outputs, *arrays)]
            if max(map(math.prod, shapes)) > MAX_ENTRIES:
                continue
            values = [
                _resized(value, length, new, rng) if n in subject.wrt else _redrawn(value, length, new, rng)
                for n, value in enumerate(subject.values)
            ]
            if accepts(subject, values, shapes[: len(outputs)]):
                yield (
                    f"with axes of length {new} instead of {length}",
                    values,
                    new if is_of_rows and length == rows else None,
                )


def accepts(subject: Subject, values: list[Any], shapes: list[tuple[int, ...]]) -> bool:
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


def _shape(shape: tuple[int, ...], length: int, new: int) -> tuple[int, ...]:
    return tuple(new if size == length else size for size in shape)


def _resized(value: Any, length: int, new: int, rng: np.random.Generator) -> Any:
    """Return an array whose axes of this length have a new one, filled with entries of the old one."""
    if not isinstance(value, np.ndarray) or length not in value.shape:
        return value
    shape = _shape(value.shape, length, new)
    drawn: NDArray[Any] = (
        value.reshape(-1)[rng.integers(0, max(1, value.size), shape)] if value.size else np.zeros(shape)
    )
    if value.dtype.kind == "f" and not np.array_equal(value, np.round(value)):
        # Different entries are no longer equal, so that they have no ties, and none is larger than before.
        drawn = (drawn * rng.uniform(0.9, 1, shape)).astype(value.dtype)
    return drawn.astype(value.dtype)


def _redrawn(value: Any, length: int, new: int, rng: np.random.Generator) -> Any:
    """Return an argument that is not differentiated with axes of a new length. Rows that sum to the same still do."""
    if not _is_distribution(value):
        return _resized(value, length, new, rng)
    for axis in range(value.ndim - 1):
        if value.shape[axis] == length:
            value = np.take(value, rng.integers(0, max(1, length), new), axis=axis)
    if value.shape[-1] == length:
        wider = np.zeros((*value.shape[:-1], new), value.dtype)
        wider[..., rng.permutation(new)[:length]] = value
        value = wider
    return value


def _is_distribution(value: Any) -> bool:
    """Return whether every row has the same sum and no entry is below 0, as one-hot targets and probabilities have."""
    if not isinstance(value, np.ndarray) or value.ndim < 2 or not value.size or value.dtype.kind not in "fiu":
        return False
    sums = value.sum(axis=-1, dtype=float)
    return bool(np.all(value >= 0) and np.all(np.abs(sums - sums.flat[0]) <= 1e-6 * abs(sums.flat[0])))
