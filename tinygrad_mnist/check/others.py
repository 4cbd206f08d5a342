"""Arguments with other values: of one sign, nearly equal, and labels of every class, more counts, masks with zeros.

What a backward does for labels that do not occur among the given ones cannot be seen otherwise. Values are chosen with
care, since some combinations have no meaning: rows of one-hot targets still sum to 1, signs stay signs.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.check.sizes import accepts
from tinygrad_mnist.check.subject import Subject
from tinygrad_mnist.check.values import typical

NEARBY = 1e-5
"""How far arguments are apart that are nearly equal, relative to their size."""

SIGNS = {-1, 0, 1}
"""Whole numbers that may stand for two or three cases, so that no larger one has a meaning."""


def others(subject: Subject, rng: np.random.Generator) -> Iterator[tuple[str, list[Any]]]:
    """Yield arguments with other values than the given ones that the forward accepts, each with a description."""
    yield from _accepted(subject, (*_varied(subject, rng), *_signed(subject), *_nearby(subject, rng)))


def softened(subject: Subject, rng: np.random.Generator) -> Iterator[tuple[str, list[Any]]]:
    """Yield arguments in which floats that are all 0 or 1, like targets, are between the two, each with a description.

    Rows are mixed, so that targets that sum to 1 still do. Floats that are a mask have no meaning between 0 and 1.
    """
    softer = list[tuple[str, list[Any]]]()
    for n, value in _fixed(subject):
        if value.dtype.kind == "f" and set(np.unique(value)) == {0.0, 1.0}:
            mixed = 0.75 * value + 0.25 * rng.permutation(value, axis=0)
            softer.append((f"if {subject.names[n]} is between 0 and 1", _replaced(subject, n, mixed)))
    yield from _accepted(subject, softer)


def _accepted(subject: Subject, tried: Iterable[tuple[str, list[Any]]]) -> Iterator[tuple[str, list[Any]]]:
    """Yield those of the arguments that the forward accepts."""
    shapes = [output.shape for output in subject.outputs(subject.values)]
    yield from ((where, values) for where, values in tried if accepts(subject, values, shapes))


def _fixed(subject: Subject) -> Iterator[tuple[int, NDArray[Any]]]:
    """Yield the arrays that are not differentiated and have entries and axes, each with its position."""
    for n, value in enumerate(subject.values):
        if n not in subject.wrt and isinstance(value, np.ndarray) and value.ndim and value.size:
            yield n, value


def _replaced(subject: Subject, n: int, value: NDArray[Any]) -> list[Any]:
    """Return the arguments with another value for one of them, of the same type."""
    return [*subject.values[:n], value.astype(subject.values[n].dtype), *subject.values[n + 1 :]]


def _varied(subject: Subject, rng: np.random.Generator) -> Iterator[tuple[str, list[Any]]]:
    """Yield arguments in which one that is not differentiated has other values, each with a description."""
    for n, value in _fixed(subject):
        for what, changed in _variants(value, _classes(subject), rng):
            yield f"{subject.names[n]} {what}", _replaced(subject, n, changed)


def _signed(subject: Subject) -> Iterator[tuple[str, list[Any]]]:
    """Yield arguments whose entries are all positive, and all negative."""
    for what, sign in (("positive", 1), ("negative", -1)):
        values = [sign * abs(value) if n in subject.wrt else value for n, value in enumerate(subject.values)]
        yield f"if all arguments are {what}", values


def _nearby(subject: Subject, rng: np.random.Generator) -> Iterator[tuple[str, list[Any]]]:
    """Yield arguments in which one is nearly equal to another, as predictions may be to targets."""
    for n, value in enumerate(subject.values):
        for m, other in enumerate(subject.values):
            if n in subject.wrt and m != n and getattr(other, "shape", None) == value.shape and value.ndim:
                near = other + NEARBY * typical(other) * rng.standard_normal(value.shape)
                yield f"if {subject.names[n]} is near {subject.names[m]}", _replaced(subject, n, near)
                break


def _variants(value: NDArray[Any], classes: int, rng: np.random.Generator) -> Iterator[tuple[str, NDArray[Any]]]:
    yield "in another order", rng.permutation(value, axis=0)
    if np.all(value == value.flat[0]):
        yield "with zeros and twos", 2 * rng.integers(0, 2, value.shape)
    if value.dtype.kind not in "iu" or value.ndim > 1:
        return
    largest = int(value.max())
    if largest < classes - 1:
        yield f"of every class up to {classes - 1}", np.resize(np.arange(classes)[::-1], value.shape)
    elif not set(value.tolist()) <= SIGNS:
        yield f"with {largest + 1}", np.where(np.arange(value.size) % 2, largest + 1, value)
    if not set(value.tolist()) <= SIGNS:
        yield "times 4", 4 * value


def _classes(subject: Subject) -> int:
    """Return the number of columns of the first argument, which are the classes if there are labels."""
    first = subject.values[subject.wrt[0]]
    return int(first.shape[-1]) if first.ndim == 2 else 0
