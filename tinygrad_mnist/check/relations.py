"""Relations that hold for every right backward, whatever its function: they need no measured derivative.

Each function yields findings. `gradients` is what the backward returns for the given arguments and upstream gradient.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.check.comparison import NEAR, Arrays, is_array, near
from tinygrad_mnist.check.report import Finding
from tinygrad_mnist.check.subject import Subject, Values

POWERS = (2.0**-100, 2.0**-20, 2.0**20, 2.0**60, -1.0)
"""The factors of the upstream gradient."""


def contract(subject: Subject, gradients: Arrays, outputs: Arrays) -> Iterator[Finding]:
    """Check shapes, types and that entries are finite."""
    for position, gradient in zip(subject.wrt, gradients, strict=True):
        name, value = subject.names[position], subject.values[position]
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


def memory(subject: Subject, upstream: Sequence[Any], values: Values, gradients: Arrays) -> Iterator[Finding]:
    """Check that no gradient shares memory with an argument, the upstream gradient or another gradient."""
    named = [(f"the argument {name}", v) for name, v in zip(subject.names, values, strict=True) if is_array(v)]
    named += [("the upstream gradient", u) for u in upstream]
    for number, (position, gradient) in enumerate(zip(subject.wrt, gradients, strict=True)):
        name = subject.names[position]
        for other, array in named:
            if np.shares_memory(gradient, array):
                yield Finding(f"d{name} shares memory with {other}: return a copy", name)
        for earlier, array in zip(subject.wrt[:number], gradients[:number], strict=True):
            if np.shares_memory(gradient, array):
                yield Finding(f"d{name} and d{subject.names[earlier]} share memory: return a copy", name)


def upstream_is_linear(subject: Subject, upstream: Arrays, values: Values, gradients: Arrays) -> Iterator[Finding]:
    """Check that the gradients are proportional to the upstream gradient, and add up."""
    # What is 0 up to rounding is off by as much as the largest gradient rounds.
    floor = NEAR * max((float(np.max(np.abs(g), initial=0)) for g in gradients), default=0.0)
    for factor in POWERS:
        scaled = subject.gradients([(u * factor).astype(u.dtype) for u in upstream], values)
        for position, here, there in zip(subject.wrt, gradients, scaled, strict=True):
            size = np.max(np.abs(here), initial=0) + floor
            if here.shape == there.shape and not near(there.astype(float) / factor, here, NEAR, size):
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
            if here.shape == one.shape and (np.isnan(size) or not near(one + two, here, NEAR, size)):
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
