"""The options of `verify`, and what is wrong with those that cannot be used."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.arrays.backend import to_host
from tinygrad_mnist.check.values import upstream_for
from tinygrad_mnist.errors import UsageError

DTYPES = ("float64", "float32", "float16")
"""The types that can be checked."""

CHECKS = ("layouts", "sizes", "lines", "points")
"""The groups of checks that can be skipped."""

SAMPLE = 100
"""The number of entries of each argument that are measured one by one."""


@dataclass(frozen=True)
class Options:
    """How to check a subject."""

    upstream: Any = None
    sample: int = SAMPLE
    scale: float | None = None
    rtol: float | None = None
    dtypes: tuple[str, ...] | None = None
    skip: tuple[str, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        for name, known in (("dtypes", DTYPES), ("skip", CHECKS)):
            for value in getattr(self, name) or ():
                if value not in known:
                    raise UsageError(f"{name} has {value!r}, which is not one of {', '.join(known)}")
        if self.dtypes == ():
            raise UsageError(f"dtypes names no type: name some of {', '.join(DTYPES)}")
        for name, lowest in (("sample", 1), ("seed", 0)):
            number = getattr(self, name)
            if not isinstance(number, int | np.integer) or number < lowest:
                raise UsageError(f"{name} is {number!r:.40}, and must be a whole number from {lowest}")
        for name, limit in (("scale", math.inf), ("rtol", 1.0)):
            number = getattr(self, name)
            if number is not None and not (isinstance(number, float | int) and 0 < number < limit):
                wanted = "greater than 0" if limit == math.inf else f"between 0 and {limit:g}"
                raise UsageError(f"{name} is {number!r:.40}, and must be {wanted}")


def upstream_like(
    given: Any, outputs: Sequence[NDArray[Any]], name: str, rng: np.random.Generator
) -> list[NDArray[Any]]:
    """Return upstream gradients for outputs: those given, or random ones. Raises UsageError if they do not fit.

    `name` is that of the forward. Given ones are not broadcast, and must not all be 0, since that proves nothing.
    """
    if given is None:
        return [upstream_for(output, rng) for output in outputs]
    listed = list(given) if isinstance(given, tuple) else [given]
    if len(listed) != len(outputs):
        raise UsageError(f"{name} returns {len(outputs)} outputs, and upstream is {len(listed)}: give one for each")
    arrays = [to_host(u) if hasattr(u, "dtype") else np.asarray(u) for u in listed]
    for array, output in zip(arrays, outputs, strict=True):
        if array.dtype.kind not in "fiub":
            raise UsageError(f"upstream of {name} holds {array.dtype}, and must hold real numbers")
        if array.shape != output.shape:
            raise UsageError(
                f"upstream of {name} has shape {array.shape}, and must have that of the output, {output.shape}"
            )
        if not np.all(np.isfinite(array)):
            raise UsageError(f"upstream of {name} is not finite")
    if not any(np.any(array) for array in arrays) and any(array.size for array in arrays):
        raise UsageError(f"upstream of {name} is 0 everywhere, so every gradient is 0 and nothing can be checked")
    return [a.astype(o.dtype if o.dtype.kind == "f" else float) for a, o in zip(arrays, outputs, strict=True)]
