"""A gradient case: a function of ours and its backward, with the arguments to check them at."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.arrays.backend import Array, Backend
from tinygrad_mnist.check.report import Finding, Report
from tinygrad_mnist.check.verify import verify
from tinygrad_mnist.errors import UsageError

Draw: TypeAlias = Callable[..., NDArray[np.float64]]
"""Returns a random array of the given shape."""


@dataclass(frozen=True)
class Case:
    """What `verify` is called with, and a name for it."""

    name: str
    forward: Callable[..., Array]
    backward: Callable[..., Any]
    arguments: tuple[Any, ...]
    options: dict[str, Any] = field(default_factory=dict)  # those of `verify`, such as wrt
    chained: bool = False  # whether it consists of functions with cases of their own, and so is wrong if one of them is

    def report(self, backend: Backend, dtypes: Sequence[str] = ("float64", "float32"), seed: int = 0) -> Report:
        """Return the report on this case, with its arrays on the device of a backend."""
        try:
            return self.verified(backend, dtypes, seed)
        except UsageError as error:  # the arguments are ours, so a function that refuses them is wrong
            return Report(self.name, findings=[Finding(str(error))])

    def verified(self, backend: Backend, dtypes: Sequence[str] | None, seed: int) -> Report:
        """Return the same report. Raises UsageError if the functions cannot be called with these arguments."""
        arguments = [backend.to_device(x) if isinstance(x, np.ndarray) else x for x in self.arguments]
        options = {"dtypes": dtypes, "seed": seed, **self.options}
        return verify(self.forward, self.backward, *arguments, report=True, **options)


def drawn(rng: np.random.Generator) -> Draw:
    """Return a source of random standard normal arrays, which are the same in float32 and in float64."""

    def draw(*shape: int) -> NDArray[Any]:
        numbers = rng.standard_normal(math.prod(shape)).astype(np.float32).astype(np.float64)
        return numbers.reshape(shape)

    return draw


def images(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return random images: whole numbers, with 255 for each 1."""
    return np.round(255 * numbers)


def hard(numbers: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return random targets 0 and 1."""
    return (numbers > 0).astype(np.uint8)
