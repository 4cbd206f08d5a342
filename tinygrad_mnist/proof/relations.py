"""Relations that hold for every right backward, whatever its function: they need no measured derivative.

Each function yields findings. `gradients` is what the backward returns for the given arguments and upstream gradient.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.proof.report import INCONCLUSIVE, Finding
from tinygrad_mnist.proof.subject import Subject, Values

Arrays = Sequence[NDArray[Any]]

NEAR = 1e-6
"""How near two computations of the same gradient must be, relative to the largest entry."""

NEAR_IN_FLOAT32 = 2e-3
"""How near a gradient in float32 must be to that in float64, besides what rounded arguments explain."""

POWERS = (2.0**-20, 2.0**20, -1.0)
"""The factors of the upstream gradient."""


def contract(subject: Subject, gradients: Arrays, outputs: Arrays) -> Iterator[Finding]:
    """Check shapes, types and that entries are finite."""
    for position, gradient in zip(subject.wrt, gradients, strict=True):
        name, value = subject.names[position], subject.values[position]
        if gradient.shape != value.shape:
            yield Finding(f"d{name} has shape {gradient.shape}, and {name} has {value.shape}", name)
            continue
        if gradient.dtype.kind != "f":
            yield Finding(f"d{name} holds {gradient.dtype}, which is not a real floating-point type", name)
        elif gradient.dtype != value.dtype and all(output.dtype == value.dtype for output in outputs):
            yield Finding(f"d{name} holds {gradient.dtype}, and {name} holds {value.dtype}", name)
        if not np.all(np.isfinite(gradient)):
            place = tuple(int(i) for i in np.argwhere(~np.isfinite(gradient))[0])
            yield Finding(f"d{name} is not finite", name, index=place, yours=float(np.real(gradient[place])))


def memory(subject: Subject, upstream: Sequence[Any], values: Values, gradients: Arrays) -> Iterator[Finding]:
    """Check that no gradient shares memory with an argument, the upstream gradient or another gradient."""
    named = [(f"the argument {name}", v) for name, v in zip(subject.names, values, strict=True) if _is_array(v)]
    named += [("the upstream gradient", u) for u in upstream]
    for number, (position, gradient) in enumerate(zip(subject.wrt, gradients, strict=True)):
        name = subject.names[position]
        for other, array in named:
            if np.shares_memory(gradient, array):
                yield Finding(f"d{name} shares memory with {other}: return a copy", name)
        for earlier, array in zip(subject.wrt[:number], gradients[:number], strict=True):
            if np.shares_memory(gradient, array):
                yield Finding(f"d{name} and d{subject.names[earlier]} share memory: return a copy", name)


def purity(subject: Subject, upstream: Arrays, values: Values) -> Iterator[Finding]:
    """Check that forward and backward leave their arguments unchanged, and return the same in every call."""
    before = [_copied(value) for value in values]
    first = subject.outputs(values)
    if changed := _changed(subject.names, before, values):
        yield Finding(f"forward changes its argument {changed}")
        _restore(before, values)
    again = subject.outputs(values)
    if not _same(first, again):
        sentence = (
            "forward returns something different in every call, so it has no derivative: pass its random numbers in"
        )
        yield Finding(sentence, verdict=INCONCLUSIVE)
        return
    given = [u.copy() for u in upstream]
    once = subject.gradients(given, values)
    kept = [gradient.copy() for gradient in once]
    if changed := _changed(subject.names, before, values):
        yield Finding(f"backward changes its argument {changed}")
        _restore(before, values)
    if any(not _equal(new, old) for new, old in zip(given, upstream, strict=True)):
        yield Finding("backward changes the upstream gradient")
    yield from _state(subject, upstream, values, once, kept)


def _state(subject: Subject, upstream: Arrays, values: Values, once: Arrays, kept: Arrays) -> Iterator[Finding]:
    """Check that a call in between, with different numbers, changes nothing."""
    rng = np.random.default_rng(5)
    elsewhere = [
        value * (1 + rng.permutation(value.size).reshape(value.shape) / value.size).astype(value.dtype) * -1
        if n in subject.wrt and value.size
        else value
        for n, value in enumerate(values)
    ]
    with np.errstate(all="ignore"):
        try:
            between = subject.gradients([u.copy() for u in upstream], elsewhere)
        except (ArithmeticError, ValueError, IndexError):
            between = []
    if any(np.shares_memory(a, b) for a, b in itertools.product(once, between)):
        yield Finding("backward returns the same array in every call, and overwrites the earlier result")
        return
    for call in range(4):
        again = subject.gradients([u.copy() for u in upstream], values)
        for position, old, new in zip(subject.wrt, kept, again, strict=True):
            if not _equal(old, new):
                name = subject.names[position]
                yield Finding(f"d{name} differs in call {call + 3} with the same arguments: backward keeps state", name)
                return


def upstream_is_linear(subject: Subject, upstream: Arrays, values: Values, gradients: Arrays) -> Iterator[Finding]:
    """Check that the gradients are proportional to the upstream gradient, and add up."""
    # What is 0 up to rounding is off by as much as the largest gradient rounds.
    floor = NEAR * max((float(np.max(np.abs(g), initial=0)) for g in gradients), default=0.0)
    for factor in POWERS:
        scaled = subject.gradients([(u * factor).astype(u.dtype) for u in upstream], values)
        for position, here, there in zip(subject.wrt, gradients, scaled, strict=True):
            size = np.max(np.abs(here), initial=0) + floor
            if here.shape == there.shape and not _near(there.astype(float) / factor, here, NEAR, size):
                name = subject.names[position]
                yield Finding(
                    f"d{name} is not proportional to the upstream gradient: times {factor:g} it differs", name
                )
                return
    for what, part in _parts(upstream).items():
        rest = [np.asarray(u - p).astype(u.dtype) for u, p in zip(upstream, part, strict=True)]
        parts = zip(subject.gradients(part, values), subject.gradients(rest, values), strict=True)
        for position, here, (one, two) in zip(subject.wrt, gradients, parts, strict=True):
            name = subject.names[position]
            size = np.max(np.abs(one), initial=0) + np.max(np.abs(two), initial=0) + floor
            if here.shape == one.shape and (np.isnan(size) or not _near(one + two, here, NEAR, size)):
                yield Finding(
                    f"d{name} is not linear in the upstream gradient: {what} and the rest do not add up", name
                )
                return


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


def layouts(subject: Subject, upstream: Arrays, gradients: Arrays) -> Iterator[Finding]:
    """Check that the layout of arrays in memory makes no difference: Fortran order, strides, views, read-only."""
    outputs = subject.outputs(subject.values)
    for layout, laid_out in LAYOUTS.items():
        values = [laid_out(value) if _is_array(value) and value.ndim else value for value in subject.values]
        above = [laid_out(u) if u.ndim else u for u in upstream]
        tried = [("arguments", values, upstream), ("upstream gradients", subject.values, above)]
        for what, given, dout in tried:
            try:
                if not _alike(subject.outputs(given), outputs):
                    continue  # then forward depends on it as well
                found = subject.gradients([u.copy() if what == "arguments" else u for u in dout], given)
            except ValueError as error:
                if "read-only" in str(error):
                    yield Finding(f"backward or forward writes to its {what}")
                continue
            largest = 1e-6 * max(np.max(np.abs(g), initial=0) for g in gradients)
            for position, old, new in zip(subject.wrt, gradients, found, strict=True):
                if old.shape != new.shape or not _near(new, old, NEAR, largest + np.max(np.abs(old), initial=0)):
                    name = subject.names[position]
                    yield Finding(f"d{name} differs if the {what} are {layout}", name)
                    return


def integers(subject: Subject, upstream: Arrays, gradients: Arrays) -> Iterator[Finding]:
    """Check that the type of integer arguments, such as labels, makes no difference, and that they stay unchanged."""
    outputs = subject.outputs(subject.values)
    for n, value in enumerate(subject.values):
        if n in subject.wrt or not _is_array(value) or value.dtype.kind == "b" or not np.all(value == np.round(value)):
            continue  # bools may be a mask, of which integers are not a replacement
        for dtype in ("bool", "uint8", "int8", "int32", "int64", "float32", "float64"):
            with np.errstate(all="ignore"):
                changed = value.astype(dtype)
            if dtype == value.dtype or not np.array_equal(changed.astype(float), value.astype(float)):
                continue
            values = [*subject.values[:n], changed, *subject.values[n + 1 :]]
            try:
                if not _alike(subject.outputs(values), outputs):
                    continue
                found = subject.gradients([u.copy() for u in upstream], values)
            except (TypeError, IndexError, ValueError):
                continue  # labels that are an index cannot be floats
            for position, old, new in zip(subject.wrt, gradients, found, strict=True):
                if old.shape != new.shape or not _near(new, old, NEAR_IN_FLOAT32 if dtype == "float32" else NEAR):
                    name = subject.names[position]
                    yield Finding(f"d{name} differs if {subject.names[n]} holds {dtype}", name)
                    return


def lower_precision(subject: Subject, upstream: Arrays, dtype: str, is_wanted: bool) -> Iterator[Finding]:
    """Check that gradients of float32 or float16 arguments are near those in float64.

    They must also have that type, if the forward keeps it and somebody wants it.
    """
    wide = [v.astype(dtype).astype(float) if n in subject.wrt else v for n, v in enumerate(subject.values)]
    narrow = [v.astype(dtype) if n in subject.wrt else v for n, v in enumerate(wide)]
    outputs, expected_outputs = subject.outputs(narrow), subject.outputs(wide)
    room = NEAR_IN_FLOAT32 if dtype == "float32" else 0.1
    pairs = list(zip(outputs, expected_outputs, strict=True))
    if any(a.shape != b.shape or not np.all(np.isfinite(a)) or not _near(a, b, room) for a, b in pairs):
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
            if not np.all(np.isfinite(new)) or not _near(new, old, room, size + explained / room):
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


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray)


def _copied(value: Any) -> Any:
    return value.copy() if _is_array(value) else value


def _changed(names: Sequence[str], before: Sequence[Any], after: Sequence[Any]) -> str | None:
    """Return the name of an array that has changed, or None."""
    return next((n for n, a, b in zip(names, before, after, strict=True) if _is_array(a) and not _equal(a, b)), None)


def _restore(before: Sequence[Any], after: Sequence[Any]) -> None:
    for old, new in zip(before, after, strict=True):
        if _is_array(old):
            new[...] = old


def _equal(a: NDArray[Any], b: NDArray[Any]) -> bool:
    return a.shape == b.shape and np.array_equal(a, b, equal_nan=a.dtype.kind in "fc" and b.dtype.kind in "fc")


def _same(first: Arrays, second: Arrays) -> bool:
    return len(first) == len(second) and all(_equal(a, b) for a, b in zip(first, second, strict=True))


def _alike(first: Arrays, second: Arrays) -> bool:
    pairs = list(zip(first, second, strict=False))
    return len(first) == len(second) and all(a.shape == b.shape and _near(a, b, 1e-6) for a, b in pairs)


def _near(actual: NDArray[Any], expected: NDArray[Any], tolerance: float, size: Any = None) -> bool:
    """Return whether two arrays agree, relative to the largest expected entry."""
    largest = np.max(np.abs(expected), initial=0) if size is None else size
    with np.errstate(invalid="ignore"):
        difference = np.max(np.abs(np.asarray(actual, float) - expected), initial=0)
    return bool(difference <= tolerance * largest) or not np.isfinite(largest)
