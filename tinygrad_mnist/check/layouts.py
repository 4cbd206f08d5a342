"""What must not matter for a gradient: the layout and the type of the arrays that it is computed from."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.check.comparison import NEAR, Arrays, alike, is_array, near
from tinygrad_mnist.check.report import Finding
from tinygrad_mnist.check.subject import Subject
from tinygrad_mnist.errors import UsageError

NEAR_IN_FLOAT32 = 2e-3
"""How near a gradient in float32 must be to that in float64, besides what rounded arguments explain."""


def layouts(subject: Subject, upstream: Arrays, gradients: Arrays) -> Iterator[Finding]:
    """Check that the layout of arrays in memory makes no difference: Fortran order, strides, views, read-only."""
    outputs = subject.outputs(subject.values)
    for layout, laid_out in LAYOUTS.items():
        values = [laid_out(value) if is_array(value) and value.ndim else value for value in subject.values]
        above = [laid_out(u) if u.ndim else u for u in upstream]
        tried = [("arguments", values, upstream), ("upstream gradients", subject.values, above)]
        for what, given, dout in tried:
            try:
                if not alike(subject.outputs(given), outputs):
                    continue  # then forward depends on it as well
                found = subject.gradients([u.copy() if what == "arguments" else u for u in dout], given)
            except ValueError as error:
                if "read-only" in str(error):
                    yield Finding(f"backward or forward writes to its {what}")
                continue
            largest = 1e-6 * max(np.max(np.abs(g), initial=0) for g in gradients)
            for position, old, new in zip(subject.wrt, gradients, found, strict=True):
                if old.shape != new.shape or not near(new, old, NEAR, largest + np.max(np.abs(old), initial=0)):
                    name = subject.names[position]
                    yield Finding(f"d{name} differs if the {what} are {layout}", name)
                    return


def integers(subject: Subject, upstream: Arrays, gradients: Arrays) -> Iterator[Finding]:
    """Check that the type of integer arguments, such as labels, makes no difference, and that they stay unchanged."""
    outputs = subject.outputs(subject.values)
    for n, value in enumerate(subject.values):
        if n in subject.wrt or not is_array(value) or value.dtype.kind == "b" or not np.all(value == np.round(value)):
            continue  # bools may be a mask, of which integers are not a replacement
        for dtype in ("bool", "uint8", "int8", "int32", "int64", "float32", "float64"):
            with np.errstate(all="ignore"):
                changed = value.astype(dtype)
            if dtype == value.dtype or not np.array_equal(changed.astype(float), value.astype(float)):
                continue
            values = [*subject.values[:n], changed, *subject.values[n + 1 :]]
            try:
                if not alike(subject.outputs(values), outputs):
                    continue
                found = subject.gradients([u.copy() for u in upstream], values)
            except (TypeError, IndexError, ValueError):
                continue  # labels that are an index cannot be floats
            for position, old, new in zip(subject.wrt, gradients, found, strict=True):
                if old.shape != new.shape or not near(new, old, NEAR_IN_FLOAT32 if dtype == "float32" else NEAR):
                    name = subject.names[position]
                    yield Finding(f"d{name} differs if {subject.names[n]} holds {dtype}", name)
                    return


def lower_precision(subject: Subject, upstream: Arrays, dtype: str, is_wanted: bool) -> Iterator[Finding]:
    """Check that gradients of float32 or float16 arguments are near those in float64.

    They must also have that type, if the forward keeps it and somebody wants it.
    """
    wide = [v.astype(dtype).astype(float) if n in subject.wrt else v for n, v in enumerate(subject.values)]
    narrow = [v.astype(dtype) if n in subject.wrt else v for n, v in enumerate(wide)]
    try:
        outputs, expected_outputs = subject.outputs(narrow), subject.outputs(wide)
    except (ArithmeticError, TypeError, ValueError) as error:
        if is_wanted:
            raise UsageError(f"{subject.name} does not take {dtype}: {error}") from error
        return
    room = NEAR_IN_FLOAT32 if dtype == "float32" else 0.1
    pairs = list(zip(outputs, expected_outputs, strict=True))
    if any(a.shape != b.shape or not np.all(np.isfinite(a)) or not near(a, b, room) for a, b in pairs):
        return  # then forward is not near either
    given = [u.astype(output.dtype) for u, output in zip(upstream, outputs, strict=True)]
    found, expected = subject.gradients(given, narrow), subject.gradients([u.astype(float) for u in given], wide)
    shaken = subject.gradients(
        [u.astype(float) for u in given],
        [v * (1 + float(np.finfo(dtype).eps)) if n in subject.wrt else v for n, v in enumerate(wide)],
    )
    floor = 1e-3 * max((float(np.max(np.abs(g), initial=0)) for g in expected), default=0.0)
    for position, new, old, moved in zip(subject.wrt, found, expected, shaken, strict=True):
        name = subject.names[position]
        if is_wanted and new.dtype != dtype and all(output.dtype == dtype for output in outputs):
            yield Finding(f"d{name} holds {new.dtype}, and {name} holds {dtype}", name)
        elif new.shape == old.shape and np.all(np.isfinite(old)):
            size = np.max(np.abs(old), initial=0) + floor
            explained = 64 * np.max(np.abs(moved - old), initial=0)
            if not np.all(np.isfinite(new)) or not near(new, old, room, size + explained / room):
                yield Finding(f"d{name} in {dtype} is far from d{name} in float64", name)


LAYOUTS: dict[str, Callable[[NDArray[Any]], NDArray[Any]]] = {
    "in Fortran order": np.asfortranarray,
    "transposed views": lambda array: np.ascontiguousarray(array.T).T,
    "every second entry of a larger array": lambda array: _strided(array, 2),
    "views that run backwards": lambda array: _strided(array, -1),
    "read-only": lambda array: _read_only(array),
}
"""Ways to lay out an array in memory, by what a person calls them."""


def _strided(array: NDArray[Any], step: int) -> NDArray[Any]:
    """Return the array as a view of a larger one, along its last axis."""
    if array.ndim == 0:
        return array
    length = array.shape[-1]
    larger = np.full((*array.shape[:-1], abs(step) * length), 3, array.dtype)
    view = larger[..., ::step]
    view[...] = array
    return view


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    copy = array.copy()
    copy.flags.writeable = False
    return copy
