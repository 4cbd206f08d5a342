"""What every right backward keeps to, whatever its function is. None of it needs a measured derivative.

Calls change nothing and depend on nothing but their arguments, gradients have the shapes and types of the arguments,
they are linear in the upstream gradient, and the layout and the type of arrays make no difference.
"""

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.check import tolerances
from tinygrad_mnist.check.measuring import REFUSALS
from tinygrad_mnist.check.point import Arrays, Point
from tinygrad_mnist.check.report import INCONCLUSIVE, Finding
from tinygrad_mnist.errors import UsageError

FACTORS = (2.0**-100, 2.0**-20, 2.0**20, 2.0**60, -1.0)
"""The factors of the upstream gradient, which round nothing."""

REPEATED = 4
"""The number of calls that must return the same gradients."""

TYPES = ("bool", "uint8", "int8", "int32", "int64", "float32", "float64")
"""The types that whole numbers may have."""

LAYOUTS: dict[str, Callable[[NDArray[Any]], NDArray[Any]]] = {
    "in Fortran order": np.asfortranarray,
    "every second entry of a larger array": lambda array: np.repeat(array, 2, axis=-1)[..., ::2],
    "views that run backwards": lambda array: array[..., ::-1].copy()[..., ::-1],
    "read-only": lambda array: np.broadcast_to(array, array.shape),
}
"""Ways to lay out an array in memory, by what a person calls them."""


def equal(a: NDArray[Any], b: NDArray[Any]) -> bool:
    """Return whether two arrays have the same shape and entries, NaN at the same places."""
    return np.array_equal(a, b, equal_nan=a.dtype.kind in "fc" and b.dtype.kind in "fc")


def largest(arrays: Arrays) -> float:
    """Return the largest absolute value of all entries, 0 if there are none."""
    return max((float(np.max(np.abs(array), initial=0)) for array in arrays), default=0.0)


def near(
    actual: NDArray[Any], expected: NDArray[Any], tolerance: float = tolerances.NEAR, size: float | None = None
) -> bool:
    """Return whether two arrays have the same shape and agree, relative to the largest expected entry or to `size`."""
    if actual.shape != expected.shape:
        return False
    room = tolerance * (largest([expected]) if size is None else size)
    return not math.isfinite(room) or np.allclose(actual, expected, rtol=0, atol=room)


def copied(values: Sequence[Any]) -> list[Any]:
    """Return copies of the arrays among the arguments, and anything else as it is."""
    return [value.copy() if isinstance(value, np.ndarray) else value for value in values]


def changes_nothing(point: Point) -> Iterator[Finding]:
    """Check that forward and backward leave their arguments unchanged, and return the same in every call."""
    subject, values, before = point.subject, point.values, copied(point.values)
    first = subject.outputs(values)
    yield from _restored(point, before, "forward")
    again = subject.outputs(values)
    if len(first) != len(again) or not all(map(equal, first, again)):
        sentence = "forward returns something different in every call, so it has no derivative: "
        yield Finding(f"{sentence}pass its random numbers in", verdict=INCONCLUSIVE)
        return
    once = point.gradients
    kept = [gradient.copy() for gradient in once]
    yield from _restored(point, before, "backward")
    if not all(map(equal, point.dout, point.upstream)):
        yield Finding("backward changes the upstream gradient")
    different = _different_arguments(point)
    between: Arrays = []
    with suppress(*REFUSALS):
        between = point.gradients_at(different)
    if any(np.shares_memory(a, b) for a, b in itertools.product(once, between)):
        yield Finding("backward returns the same array in every call, and overwrites the earlier result")
        return
    yield from _takes_numbers_in_place(point, different)
    for call in range(REPEATED):
        if name := _differing(point, kept, point.gradients_at(values)):
            yield Finding(f"d{name} differs in call {call + 3} with the same arguments: backward keeps state", name)
            return


def _restored(point: Point, before: Sequence[Any], function: str) -> Iterator[Finding]:
    """Yield a finding if a call has changed an argument, and restore them."""
    for name, old, new in zip(point.subject.names, before, point.values, strict=True):
        if isinstance(old, np.ndarray) and not equal(old, new):
            yield Finding(f"{function} changes its argument {name}")
            new[...] = old


def _different_arguments(point: Point) -> list[Any]:
    """Return arguments with different numbers, of the same types."""
    rng, different = np.random.default_rng(5), list(point.values)
    for n in point.subject.wrt:
        value = point.values[n]
        factors = 1 + rng.permutation(value.size).reshape(value.shape) / max(value.size, 1)
        different[n] = -value * factors.astype(value.dtype)
    return different


def _takes_numbers_in_place(point: Point, different: Sequence[Any]) -> Iterator[Finding]:
    """Check that arrays may get new numbers in place, as parameters do in training."""
    reused, fresh = copied(point.values), copied(different)
    with suppress(*REFUSALS):
        point.gradients_at(reused)
        for n in point.subject.wrt:
            reused[n][...] = different[n]
        if name := _differing(point, point.gradients_at(reused), point.gradients_at(fresh)):
            yield Finding(f"d{name} belongs to earlier numbers if an array was changed in place", name)


def _differing(point: Point, first: Arrays, second: Arrays) -> str | None:
    """Return the name of the first argument with two gradients that are not equal, or None."""
    pairs = zip(point.subject.differentiated, first, second, strict=True)
    return next((name for name, one, two in pairs if not equal(one, two)), None)


def shapes_and_types(point: Point) -> Iterator[Finding]:
    """Check shapes, types and that entries are finite."""
    outputs = point.subject.outputs(point.values)
    for n, name, gradient in zip(point.subject.wrt, point.subject.differentiated, point.gradients, strict=True):
        value = point.values[n]
        if gradient.shape != value.shape:
            why = f"; dout is a tuple, since there are {len(outputs)} outputs" if len(outputs) > 1 else ""
            yield Finding(f"d{name} has shape {gradient.shape}, and {name} has {value.shape}{why}", name)
            continue
        if gradient.dtype.kind != "f":
            yield Finding(f"d{name} holds {gradient.dtype}, which is not a real floating-point type", name)
        elif gradient.dtype != value.dtype and all(output.dtype == value.dtype for output in outputs):
            yield Finding(f"d{name} holds {gradient.dtype}, and {name} holds {value.dtype}", name)
        if not np.all(np.isfinite(gradient)):
            place = tuple(int(i) for i in np.argwhere(~np.isfinite(gradient))[0])
            yield Finding(f"d{name} is not finite", name, index=place, yours=float(np.real(gradient[place])))


def memory(point: Point) -> Iterator[Finding]:
    """Check that no gradient shares memory with an argument, the upstream gradient or another gradient."""
    arrays, names = point.subject.arrays(point.values), point.subject.names
    others = [(f"shares memory with the argument {names[n]}", array) for n, array in arrays]
    others += [("shares memory with the upstream gradient", u) for u in point.dout]
    for name, gradient in zip(point.subject.differentiated, point.gradients, strict=True):
        for what, array in others:
            if np.shares_memory(gradient, array):
                yield Finding(f"d{name} {what}: return a copy", name)
        others.append((f"and d{name} share memory", gradient))


def linear_in_upstream(point: Point) -> Iterator[Finding]:
    """Check that the gradients are proportional to the upstream gradient, and add up."""
    upstream, gradients, subject = point.upstream, point.gradients, point.subject
    for factor in FACTORS:
        scaled = subject.gradients([(u * factor).astype(u.dtype) for u in upstream], point.values)
        if name := _far(point, [gradient.astype(float) / factor for gradient in scaled]):
            yield Finding(f"d{name} is not proportional to the upstream gradient: times {factor:g} it differs", name)
            return
    floor = tolerances.NEAR * largest(gradients)
    for what, part in _parts(upstream).items():
        rest = [np.asarray(u - p).astype(u.dtype) for u, p in zip(upstream, part, strict=True)]
        parts = [subject.gradients(one, point.values) for one in (part, rest)]
        for name, whole, one, two in zip(subject.differentiated, gradients, *parts, strict=True):
            size = largest([one]) + largest([two]) + floor
            if np.any(np.isnan(one + two)) or not near(one + two, whole, size=size):
                sentence = f"d{name} is not linear in the upstream gradient: {what} and the rest do not add up"
                yield Finding(sentence, name)


def _far(point: Point, gradients: Arrays, tolerance: float = tolerances.NEAR) -> str | None:
    """Return the name of the first argument whose gradient is not near that of the point, or None."""
    # What is 0 up to rounding is off by as much as the largest gradient rounds.
    floor = tolerances.NEAR * largest(point.gradients)
    for name, old, new in zip(point.subject.differentiated, point.gradients, gradients, strict=True):
        if not near(new, old, tolerance, largest([old]) + floor):
            return name
    return None


def _parts(upstream: Arrays) -> dict[str, list[NDArray[Any]]]:
    """Return upstream gradients of special forms, by what a person calls them."""
    rng = np.random.default_rng(7)
    one_hot = [np.zeros_like(u) for u in upstream]
    for array in one_hot:
        if array.size:
            array.reshape(-1)[rng.integers(array.size)] = 1.5
    return {
        "a random part": [np.asarray(u * rng.uniform(-1, 2, u.shape)).astype(u.dtype) for u in upstream],
        "ones": [np.ones_like(u) for u in upstream],
        "a single entry": one_hot,
        "zeros": [np.zeros_like(u) for u in upstream],
    }


def layouts(point: Point) -> Iterator[Finding]:
    """Check that the layout of arrays in memory makes no difference: Fortran order, strides, views, read-only."""
    subject, outputs = point.subject, point.subject.outputs(point.values)
    for layout, laid_out in LAYOUTS.items():
        values = [laid_out(value) if isinstance(value, np.ndarray) and value.ndim else value for value in point.values]
        upstream = [laid_out(u) if u.ndim else u for u in point.upstream]
        changes = [("arguments", values, copied(point.upstream)), ("upstream gradients", point.values, upstream)]
        for what, arguments, dout in changes:
            try:
                if not all(map(near, subject.outputs(arguments), outputs)):
                    continue  # then forward depends on it as well
                found = subject.gradients(dout, arguments)
            except ValueError as error:
                if "read-only" in str(error):
                    yield Finding(f"backward or forward writes to its {what}")
                continue
            if name := _far(point, found):
                yield Finding(f"d{name} differs if the {what} are {layout}", name)
                return


def whole_numbers(point: Point) -> Iterator[Finding]:
    """Check that the type of whole numbers, such as labels, makes no difference."""
    subject, outputs = point.subject, point.subject.outputs(point.values)
    for n, value in subject.arrays(point.values):
        # Bools may be a mask, of which whole numbers are not a replacement.
        if n in subject.wrt or value.dtype.kind not in "fiu" or np.any(value != np.round(value)):
            continue
        for dtype in TYPES:
            changed = value.astype(dtype)
            if dtype == value.dtype or not np.array_equal(changed, value):
                continue
            values = [*point.values[:n], changed, *point.values[n + 1 :]]
            try:
                if not all(map(near, subject.outputs(values), outputs)):
                    continue
                found = point.gradients_at(values)
            except REFUSALS:
                continue  # labels that are an index cannot be floats
            if name := _far(point, found, tolerances.FLOAT32 if dtype == "float32" else tolerances.NEAR):
                yield Finding(f"d{name} differs if {subject.names[n]} holds {dtype}", name)
                return


def narrow_types(point: Point, dtype: str, is_wanted: bool) -> Iterator[Finding]:
    """Check that gradients of float32 or float16 arguments are near those in float64.

    They must also have that type, if the forward keeps it and somebody wants it.
    """
    subject = point.subject
    wide = [v.astype(dtype).astype(float) if n in subject.wrt else v for n, v in enumerate(point.values)]
    narrow = [v.astype(dtype) if n in subject.wrt else v for n, v in enumerate(wide)]
    try:
        outputs, wide_outputs = subject.outputs(narrow), subject.outputs(wide)
    except REFUSALS as error:
        if is_wanted:
            raise UsageError(f"{subject.name} does not take {dtype}: {error}") from error
        return
    room = tolerances.FLOAT32 if dtype == "float32" else tolerances.FLOAT16
    if not all(np.all(np.isfinite(a)) and near(a, b, room) for a, b in zip(outputs, wide_outputs, strict=True)):
        return  # then forward is not near either
    upstream = [u.astype(output.dtype) for u, output in zip(point.upstream, outputs, strict=True)]
    rounded = [v * (1 + float(np.finfo(dtype).eps)) if n in subject.wrt else v for n, v in enumerate(wide)]
    found = subject.gradients(copied(upstream), narrow)
    expected, moved = (subject.gradients([u.astype(float) for u in upstream], values) for values in (wide, rounded))
    floor = tolerances.NARROW_FLOOR * largest(expected)
    for name, mine, exact, near_it in zip(subject.differentiated, found, expected, moved, strict=True):
        if is_wanted and mine.dtype != dtype and all(output.dtype == dtype for output in outputs):
            yield Finding(f"d{name} holds {mine.dtype}, and {name} holds {dtype}", name)
        elif mine.shape == exact.shape and np.all(np.isfinite(exact)):
            size = largest([exact]) + floor + tolerances.EXPLAINED * largest([near_it - exact]) / room
            if not np.all(np.isfinite(mine)) or not near(mine, exact, room, size):
                yield Finding(f"d{name} in {dtype} is far from d{name} in float64", name)
