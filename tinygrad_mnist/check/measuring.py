"""Measured derivatives: what a forward says about its slopes, by the complex step and by differences.

Each measurement knows how far it can be trusted. All functions run on the host, in float64 or complex.
"""

import math
import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.exceptions import ComplexWarning
from numpy.typing import NDArray

EPSILON = float(np.finfo(np.float64).eps)

LEVELS = 8
"""The number of step sizes in Ridders' method, each a quarter of the one before."""

IMAGINARY_STEP = 1e-30
"""The complex step, relative to the size of the arguments. Its square is lost when it is added to 1."""

ENOUGH = 1e-9
"""The relative error at which no smaller steps are taken."""


class Slope(NamedTuple):
    """A measured slope, and how far it may be off."""

    value: float
    error: float


class Loss:
    """The sum of all outputs, weighted by the upstream gradients, as a function of the arguments."""

    def __init__(
        self, outputs: Callable[[Sequence[Any]], Sequence[NDArray[Any]]], upstream: Sequence[NDArray[Any]]
    ) -> None:
        self._outputs, self.upstream = outputs, upstream
        self.relative_noise = EPSILON

    def __call__(self, values: Sequence[Any]) -> Any:
        """Return the loss, NaN if an output is not finite or forward raises an arithmetic or value error."""
        return self.with_size(values)[0]

    def with_size(self, values: Sequence[Any]) -> tuple[Any, float]:
        """Return the loss, and the sum of the absolute values of its terms, to which rounding errors are relative."""
        try:
            outputs = self._outputs(values)
        except (ArithmeticError, ValueError, IndexError, TypeError, np.linalg.LinAlgError):
            return math.nan, math.nan
        if any(y.shape != u.shape for y, u in zip(outputs, self.upstream, strict=True)):
            return math.nan, math.nan
        terms = [np.asarray(u * y) for u, y in zip(self.upstream, outputs, strict=True)]
        return sum(term.sum() for term in terms), float(sum(np.abs(term).sum() for term in terms))

    def moved(self, values: Sequence[Any], direction: dict[int, NDArray[Any]]) -> Callable[[Any], Any]:
        """Return the loss as a function of a number, which moves arguments from these values in a direction."""

        def loss(step: Any) -> Any:
            return self(shifted(values, direction, step))

        return loss


def shifted(values: Sequence[Any], direction: dict[int, NDArray[Any]], step: Any) -> list[Any]:
    """Return values, some of which are moved by a step in a direction, given by their positions."""
    return [value + step * direction[n] if n in direction else value for n, value in enumerate(values)]


def complex_step(function: Callable[[Any], Any], scale: float) -> Slope | None:
    """Return the slope at 0 by the complex step, or None if the function does not let complex numbers through.

    f(ih) = f(0) + ih f'(0) + O(h^2), so Im f(ih) / h is the slope, with no difference of near numbers (Squire and
    Trapp, Using complex variables to estimate derivatives of real functions, 1998). It is only a slope if f is
    analytic, which the caller has to know (`Probe.lets_complex_through`).
    """
    step = IMAGINARY_STEP * scale
    with warnings.catch_warnings():
        warnings.simplefilter("error", ComplexWarning)
        try:
            result = function(complex(0, step))
        except (ArithmeticError, TypeError, ValueError, ComplexWarning):
            return None
    if not isinstance(result, complex | np.complexfloating) or not math.isfinite(abs(complex(result))):
        return None
    value = float(result.imag) / step
    return Slope(value, 16 * EPSILON * abs(value))


def differences(function: Callable[[float], float], scale: float, noise: float) -> Slope:
    """Return the slope at 0 by central differences, extrapolated to the step 0 by Ridders' method (1982).

    `noise` is how far a value of the function may be off.
    """
    return _nearest(lambda h: (function(h) - function(-h)) / (2 * h), 2, scale, noise)


def fourth_order(function: Callable[[float], Any], step: float = 1e-3) -> Any:
    """Return the slope at 0 by central differences of order 4. The function may return a number or an array.

    Central differences with h and h/2 are combined so that the h^2 terms of their errors cancel (Richardson's
    extrapolation). Of sin at numbers from -1 to 1, the error is then about 1e-13, nearly all of it rounding.

    >>> round(fourth_order(lambda s: (3 + s) ** 2), 9)
    6.0
    """
    whole, half = ((function(h) - function(-h)) / (2 * h) for h in (step, step / 2))
    return (4 * half - whole) / 3


def one_sided(function: Callable[[float], float], scale: float, noise: float) -> tuple[Slope, Slope]:
    """Return the slopes at 0 from the left and from the right, extrapolated to the step 0."""
    here = function(0.0)
    left = _nearest(lambda h: (here - function(-h)) / h, 1, scale, noise)
    right = _nearest(lambda h: (function(h) - here) / h, 1, scale, noise)
    return left, right


def _nearest(quotient: Callable[[float], float], power: int, scale: float, noise: float) -> Slope:
    """Return the limit of a difference quotient, from steps so small that no kink nearby is taken for a slope."""
    coarse, fine = (_extrapolated(quotient, power, scale * size, noise) for size in (1.0, 2.0**-12))
    if abs(coarse.value - fine.value) <= coarse.error + fine.error:
        return min(coarse, fine, key=lambda slope: slope.error)
    return fine


def _extrapolated(quotient: Callable[[float], float], power: int, scale: float, noise: float) -> Slope:
    """Return the limit of a difference quotient for the step 0, whose error is a series in step^power."""
    best, row = Slope(math.nan, math.inf), list[float]()
    steps = [scale * 4.0 ** -(level + 1) for level in range(LEVELS)]
    for step in steps:
        new = [quotient(step)]
        for order, before in enumerate(row, start=1):
            weight = 4.0 ** (order * power)
            new.append((weight * new[-1] - before) / (weight - 1))
        for order in range(1, len(new)):
            error = max(abs(new[order] - new[order - 1]), abs(new[order] - row[order - 1])) + noise / step
            if error < best.error:
                best = Slope(new[order], error)
        row = new
        if best.error <= ENOUGH * abs(best.value):
            break
    return best


def relative_noise(loss: Loss, values: Sequence[Any], direction: dict[int, NDArray[Any]], scale: float) -> float:
    """Return how far the loss is off from a smooth curve, relative to the size of its terms.

    It is far above the rounding error of float64 if the forward computes in float32. Points that are much nearer than
    the function changes are compared with a parabola through them; the smaller of two distances counts.
    """
    function, (_, size) = loss.moved(values, direction), loss.with_size(values)
    noises = []
    for distance in (3e-7, 1e-5):
        steps = distance * scale * np.linspace(-1, 1, 13) * (1 + 0.1 * np.cos(np.arange(13)))
        # Beside the point, because there may be a kink at the point itself.
        numbers = np.array([float(np.real(function(1e-3 * scale + step))) for step in steps])
        if np.all(np.isfinite(numbers)):
            curve = np.polynomial.Polynomial.fit(steps, numbers, 2)
            noises.append(float(np.max(np.abs(numbers - curve(steps)))))
    if not noises or not size or not math.isfinite(size):
        return EPSILON
    return max(EPSILON, min(noises) / size)
