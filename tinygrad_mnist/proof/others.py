"""The arguments that are not differentiated, with other values: labels of every class, more counts, masks with zeros.

What a backward does for labels that do not occur among the given ones cannot be seen otherwise. Values are chosen with
care, since some combinations have no meaning: rows of one-hot targets still sum to 1, signs stay signs.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.proof.sizes import accepts
from tinygrad_mnist.proof.subject import Subject

SIGNS = {-1, 0, 1}
"""Whole numbers that may stand for two or three cases, so that no larger one has a meaning."""


def varied(subject: Subject, rng: np.random.Generator) -> Iterator[tuple[str, list[Any]]]:
    """Yield arguments in which one that is not differentiated has other values, each with a description."""
    shapes = [output.shape for output in subject.outputs(subject.values)]
    for n, value in enumerate(subject.values):
        if n in subject.wrt or not isinstance(value, np.ndarray) or not value.ndim or not value.size:
            continue
        for what, changed in _variants(value, _classes(subject), rng):
            values = [*subject.values[:n], changed.astype(value.dtype), *subject.values[n + 1 :]]
            if accepts(subject, values, shapes):
                yield f"{subject.names[n]} {what}", values


def signed(subject: Subject) -> Iterator[tuple[str, list[Any]]]:
    """Yield arguments whose entries are all positive, and all negative, if the forward accepts them."""
    shapes = [output.shape for output in subject.outputs(subject.values)]
    for what, sign in (("positive", 1), ("negative", -1)):
        values = [sign * abs(value) if n in subject.wrt else value for n, value in enumerate(subject.values)]
        if accepts(subject, values, shapes):
            yield f"if all arguments are {what}", values


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
