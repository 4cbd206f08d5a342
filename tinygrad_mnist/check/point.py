"""A point: arguments of a function and an upstream gradient, with the slopes that are measured there."""

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.check import tolerances
from tinygrad_mnist.check.measuring import REFUSALS, Slope, complex_step, differences, one_sided, relative_noise
from tinygrad_mnist.check.subject import Subject

Arrays = Sequence[NDArray[Any]]

Direction = dict[int, NDArray[Any]]
"""How the arguments move, by their positions."""


class Point:
    """Arguments and an upstream gradient. The loss is the sum of all outputs, each times its upstream gradient."""

    def __init__(self, subject: Subject, values: list[Any], upstream: Arrays, rng: np.random.Generator) -> None:
        self.subject, self.values, self.upstream, self.rng = subject, values, upstream, rng
        self.dout = [u.copy() for u in upstream]  # what the backward gets here, and may write to
        self.tolerance, self.relative_noise = tolerances.ENTRY, tolerances.EPSILON
        self.scale_of_all: float | None = None
        self._analytic = dict[int, bool]()

    def elsewhere(self, values: list[Any], upstream: Arrays) -> "Point":
        """Return another point, with the tolerance and the noise of this one."""
        point = Point(self.subject, values, upstream, self.rng)
        point.tolerance, point.relative_noise = self.tolerance, self.relative_noise
        return point

    def shaken(self) -> "Point":
        """Return a point that is so near that a wrong slope stays as wrong, but rounding errors are new ones."""
        return self.elsewhere(shaken(self.values, self.subject.wrt, self.rng, tolerances.SHAKEN), self.upstream)

    @functools.cached_property
    def gradients(self) -> list[NDArray[Any]]:
        """What the backward returns here."""
        return self.subject.gradients(self.dout, self.values)

    def gradients_at(self, values: Sequence[Any]) -> list[NDArray[Any]]:
        """Return what the backward returns for other arguments and the same upstream gradient."""
        return self.subject.gradients([u.copy() for u in self.upstream], values)

    def slope_of_yours(self, direction: Direction) -> float:
        """Return the slope that the backward's gradients have in a direction."""
        gradients = dict(zip(self.subject.wrt, self.gradients, strict=True))
        # Entries that do not move may be infinite.
        terms = [gradients[n][along != 0] * along[along != 0] for n, along in direction.items()]
        return float(np.real(sum(term.sum() for term in terms)))

    @functools.cached_property
    def size(self) -> float:
        """The sum of the absolute values of the loss's terms, to which rounding errors are proportional."""
        return self.loss_at(self.values)[1]

    def loss_at(self, values: Sequence[Any]) -> tuple[Any, float]:
        """Return the loss and the size of its terms for other arguments, NaN if the forward does not take them."""
        try:
            outputs = self.subject.outputs(values)
        except REFUSALS:
            return math.nan, math.nan
        if any(y.shape != u.shape for y, u in zip(outputs, self.upstream, strict=True)):
            return math.nan, math.nan
        terms = [np.asarray(u * y) for u, y in zip(self.upstream, outputs, strict=True)]
        return sum(term.sum() for term in terms), float(sum(np.abs(term).sum() for term in terms))

    def moved(self, direction: Direction) -> Callable[[Any], Any]:
        """Return the loss as a function of a number, which moves the arguments in a direction."""
        return lambda step: self.loss_at(shifted(self.values, direction, step))[0]

    def scale(self, *arguments: int) -> float:
        """Return the typical size of an argument's entries, and the smallest of several, unless one was given."""
        return self.scale_of_all or min(typical(self.values[argument]) for argument in arguments)

    def noise(self) -> float:
        """Return how far the loss may be off."""
        return tolerances.ROUNDED * self.relative_noise * self.size

    def measure_noise(self) -> None:
        """Measure the noise of the loss: it is in the middle of those in a few random directions."""
        found = []
        for argument in self.subject.wrt[:3]:
            loss = self.moved({argument: self.random_direction(argument)})
            found.append(relative_noise(loss, self.size, typical(self.values[argument])))
        self.relative_noise = max(tolerances.EPSILON, float(np.median(found)))

    def random_direction(self, argument: int) -> NDArray[np.float64]:
        """Return a random direction of an argument, whose largest entry is 1 or -1."""
        drawn = self.rng.standard_normal(self.values[argument].shape)
        scaled: NDArray[np.float64] = drawn / (np.max(np.abs(drawn), initial=0) or 1)
        return scaled

    def is_analytic(self, argument: int) -> bool:
        """Return whether the complex step measures slopes: it agrees with differences in random directions."""
        if argument not in self._analytic:
            self._analytic[argument] = all(self._complex_step_agrees(argument) for _ in range(2))
        return self._analytic[argument]

    def _complex_step_agrees(self, argument: int) -> bool:
        function, scale = self.moved({argument: self.random_direction(argument)}), self.scale(argument)
        exact, step = complex_step(function, scale), tolerances.ROUGH_STEP * scale
        if exact is None:
            return False
        room = tolerances.NEAR * abs(exact.value)
        if abs(exact.value - (function(step) - function(-step)) / (2 * step)) <= room:
            return True
        finer = differences(function, scale, self.noise())
        return bool(abs(exact.value - finer.value) <= tolerances.ESTIMATED * finer.error + room)

    def slope(self, direction: Direction, is_analytic: bool) -> Slope:
        """Return the slope in a direction."""
        function, scale = self.moved(direction), self.scale(*direction)
        exact = complex_step(function, scale) if is_analytic else None
        if exact is None:
            return differences(function, scale, self.noise())
        # If terms cancel in the loss, they also cancel in its derivative.
        return exact._replace(error=max(exact.error, tolerances.ROUNDED * self.relative_noise * abs(exact.value)))

    def sides(self, direction: Direction) -> tuple[Slope, Slope]:
        """Return the slopes on both sides in a direction."""
        return one_sided(self.moved(direction), self.scale(*direction) / 16, self.noise())


def shifted(values: Sequence[Any], direction: Direction, step: Any) -> list[Any]:
    """Return values, some of which are moved by a step in a direction."""
    return [value + step * direction[n] if n in direction else value for n, value in enumerate(values)]


def shaken(values: list[Any], wrt: Sequence[int], rng: np.random.Generator, share: float) -> list[Any]:
    """Return values of which those at some positions are changed a little."""
    return [v * (1 + share * rng.standard_normal(v.shape)) if n in wrt else v for n, v in enumerate(values)]


def typical(array: NDArray[Any]) -> float:
    """Return the median size of the entries that are not 0, and 1 if there are none."""
    sizes = np.abs(np.asarray(array, np.float64))
    sizes = sizes[(sizes > 0) & np.isfinite(sizes)]
    return float(np.median(sizes)) if sizes.size else 1.0


def one_entry(array: NDArray[Any], position: int) -> NDArray[np.float64]:
    """Return the direction of an array that moves one entry, at a position in the flat array."""
    direction = np.zeros(array.shape)
    direction.reshape(-1)[position] = 1
    return direction


def upstream_for(output: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
    """Return random upstream gradients for an output, of both signs and none of them near 0."""
    drawn = rng.uniform(0.5, 2, output.shape) * rng.choice([-1.0, 1.0], output.shape)
    return np.asarray(drawn).astype(output.dtype if output.dtype.kind == "f" else np.float64)
