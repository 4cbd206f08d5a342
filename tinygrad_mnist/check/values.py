"""The values of a gradient at one point, entry by entry, against the slopes that are measured there."""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.check.comparison import NEAR
from tinygrad_mnist.check.measuring import EPSILON, Loss, Slope, complex_step, differences, one_sided, relative_noise

ENTRYWISE = 1e-7
"""The largest error of an entry that is allowed, relative to that entry."""

FLOOR = 1e-12
"""The same relative to the largest entry, below which rounding may hide an entry."""

UNCLEAR = 1e-3
"""If a measurement may be off by more than this share of the largest entry, it decides nothing."""

COARSE = 2.0**-13
"""The step of a difference that is tried before more exact ones, relative to the size of the arguments."""

SHAKES = 4
"""The number of points next to a suspicious one at which it must look as wrong."""

Direction = dict[int, NDArray[Any]]


class Measured(NamedTuple):
    """Measured slopes of some entries of an argument."""

    positions: NDArray[np.intp]  # (K,) in the flat argument
    slopes: list[Slope]
    oracle: str


class Probe:
    """Measures slopes of a loss at one point."""

    def __init__(
        self,
        loss: Loss,
        values: list[Any],
        rng: np.random.Generator,
        scale: float | None = None,
        tolerance: float = ENTRYWISE,
    ) -> None:
        self.loss, self.values, self.rng = loss, values, rng
        self.tolerance, self._scale = tolerance, scale
        self.size = loss.with_size(values)[1]
        self._analytic = dict[int, bool]()

    def scale(self, argument: int) -> float:
        """Return the typical size of an argument's entries, 1 if all are 0, unless one was given."""
        return self._scale or typical(self.values[argument])

    def noise(self) -> float:
        """Return how far the loss may be off."""
        return 16 * self.loss.relative_noise * self.size

    def lets_complex_through(self, argument: int, scale: float) -> bool:
        """Return whether the complex step measures slopes: it agrees with differences in random directions."""
        if argument not in self._analytic:
            self._analytic[argument] = self._agrees_with_differences(argument, scale)
        return self._analytic[argument]

    def _agrees_with_differences(self, argument: int, scale: float) -> bool:
        for _ in range(2):
            direction = {argument: unit(self.rng.standard_normal(self.values[argument].shape))}
            function = self.loss.moved(self.values, direction)
            exact, step = complex_step(function, scale), COARSE * scale
            if exact is None:
                return False
            if abs(exact.value - (function(step) - function(-step)) / (2 * step)) <= NEAR * abs(exact.value):
                continue
            rough = differences(function, scale, self.noise())
            if not abs(exact.value - rough.value) <= 8 * rough.error + NEAR * abs(exact.value):
                return False
        return True

    def entries(self, argument: int, count: int) -> Measured:
        """Return the measured slopes of at most `count` entries of an argument, at random places if it has more."""
        size, scale = self.values[argument].size, self.scale(argument)
        is_analytic = self.lets_complex_through(argument, scale)
        wanted = count if is_analytic else max(1, count // 4)
        positions = np.arange(size) if size <= wanted else np.sort(self.rng.choice(size, wanted, replace=False))
        slopes = [self.along(one_entry(self.values, argument, position), scale, is_analytic) for position in positions]
        return Measured(positions, slopes, "complex step" if is_analytic else "differences")

    def along(self, direction: Direction, scale: float, is_analytic: bool) -> Slope:
        """Return the slope in a direction."""
        function = self.loss.moved(self.values, direction)
        exact = complex_step(function, scale) if is_analytic else None
        if exact is None:
            return differences(function, scale, self.noise())
        # Where terms cancel in the loss, they also cancel in its derivative.
        return exact._replace(error=max(exact.error, 16 * self.loss.relative_noise * abs(exact.value)))

    def sides(self, direction: Direction, scale: float) -> tuple[Slope, Slope]:
        """Return the slopes on both sides in a direction."""
        return one_sided(self.loss.moved(self.values, direction), scale / 16, self.noise())


def noise_of(loss: Loss, values: list[Any], wrt: list[int], rng: np.random.Generator) -> float:
    """Return the relative noise of a loss, in the middle of those in a few random directions."""
    found = []
    for argument in wrt[:3]:
        direction = {argument: unit(rng.standard_normal(values[argument].shape))}
        found.append(relative_noise(loss, values, direction, typical(values[argument])))
    return max(EPSILON, float(np.median(found)))


def is_off(yours: float, slope: Slope, largest: float, unit: float = 0.0, tolerance: float = ENTRYWISE) -> bool | None:
    """Return whether an entry differs from its measured slope, or None if that cannot be decided.

    `largest` is the size of the largest entry, and `unit` that of a slope of 1, if nothing canceled.
    """
    if not math.isfinite(slope.value):
        return None
    if not math.isfinite(yours):
        return True
    difference = abs(yours - slope.value)
    if difference <= tolerance * abs(slope.value) + FLOOR * max(largest, 0.01 * unit) + 8 * slope.error:
        # A measurement that may be off by much agrees with everything.
        return None if 8 * slope.error > UNCLEAR * max(largest, abs(yours), 1e-3 * unit) else False
    return True


def is_between(yours: float, left: Slope, right: Slope, tolerance: float = NEAR) -> bool:
    """Return whether a slope at a kink is between those of both sides, or cannot be told from one of them."""
    low, high = sorted((left.value, right.value))
    room = 8 * max(left.error, right.error) + max(NEAR, tolerance) * max(abs(low), abs(high))
    return not math.isfinite(room) or low - room <= yours <= high + room


def shaken(values: list[Any], wrt: list[int], rng: np.random.Generator, share: float = 1e-9) -> list[Any]:
    """Return arguments that are changed so little that a wrong slope stays as wrong, but rounds differently.

    If terms cancel in a loss or in a gradient, what is left may be their rounding errors. A difference that such a
    change does not leave as it is says nothing about the backward: `is_steady` decides.
    """
    return [v * (1 + share * rng.standard_normal(v.shape)) if n in wrt else v for n, v in enumerate(values)]


def is_steady(differences: list[float]) -> bool:
    """Return whether differences are nearly the same, or not finite."""
    largest = max(map(abs, differences))
    return not math.isfinite(largest) or max(differences) - min(differences) <= 0.1 * largest


def typical(array: NDArray[Any]) -> float:
    """Return the median size of the entries that are not 0, and 1 if there are none."""
    sizes = np.abs(np.asarray(array, np.float64))
    sizes = sizes[(sizes > 0) & np.isfinite(sizes)]
    return float(np.median(sizes)) if sizes.size else 1.0


def unit(array: NDArray[Any]) -> NDArray[np.float64]:
    """Return an array whose largest entry is 1 or -1."""
    largest = np.max(np.abs(array), initial=0)
    scaled: NDArray[np.float64] = array / (largest or 1)
    return scaled


def one_entry(values: list[Any], argument: int, position: int) -> Direction:
    """Return the direction that moves one entry of an argument."""
    direction = np.zeros(values[argument].shape)
    direction.reshape(-1)[position] = 1
    return {argument: direction}


def upstream_for(output: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
    """Return random upstream gradients for an output, of both signs and none of them near 0."""
    drawn = rng.uniform(0.5, 2, output.shape) * rng.choice([-1.0, 1.0], output.shape)
    return np.asarray(drawn).astype(output.dtype if output.dtype.kind == "f" else np.float64)
