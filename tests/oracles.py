"""Oracles: they measure a derivative by moving a number a little, and know nothing of how it was derived.

Everything here works on functions of one number. A gradient is measured along lines: with a fixed direction v,
L(x + s v) is a function of s, and its slope at s = 0 is the sum of the gradient's entries times those of v.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Line: TypeAlias = Callable[[Any], Any]
"""A function of one number."""

STEP = 1e-3
"""How far differences move a number. At order 4, sin then has an error of about 1e-13 for numbers from -1 to 1.

About 2 % of that is truncation, h^4/480 times the fifth derivative. The rest is rounding, about 2^-53 / h. In our
gradient cases, too, nearly all of the error is rounding.
"""

TINY = 2.0**-100
"""The imaginary step. Its square is lost when it is added to 1, and dividing by a power of 2 does not round."""

ORDER_STEP = 1e-2
"""The step for measuring the order: so long that the error of a central difference is far larger than rounding."""


def differences(line: Line, at: float = 0.0, order: int = 4, step: float = STEP) -> float:
    """Return the slope of a real function by central differences.

    Order 2 is (f(x + h) - f(x - h)) / 2h, with an error proportional to h^2. Order 4 combines the results for h and h/2
    so that the h^2 terms cancel (Richardson's extrapolation), with an error proportional to h^4. h is `step`, or
    `step` |x| if |x| exceeds 1.

    >>> round(differences(lambda x: x * x, at=3.0), 9)
    6.0
    """
    # This import takes half a second, and most commands never call this function.
    from scipy.differentiate import derivative

    function = np.vectorize(line, otypes=[float])
    result = derivative(function, at, order=order, initial_step=step * max(1.0, abs(at)), maxiter=1)
    return float(result.df)


def complex_step(line: Line, at: float = 0.0) -> float:
    """Return the slope of a real function by a step in the imaginary direction. It is exact except for rounding.

    f(x + ih) = f(x) + ih f'(x) - h^2 f''(x) / 2 - ..., so the imaginary part divided by h is the slope. No two numbers
    are subtracted, so h can be small enough for h^2 to vanish (Squire and Trapp, Using complex variables to estimate
    derivatives of real functions, SIAM Review, 1998). The function must accept complex numbers and be analytic near x.

    >>> complex_step(lambda x: x * x, at=3.0)
    6.0
    """
    return float(np.imag(line(at + 1j * TINY))) / TINY


def slope_jump(line: Line, step: float = STEP) -> float:
    """Return how much the slope of a real function jumps within `step` of 0: almost 0 for a smooth function.

    b(h) = (f(h) - 2 f(0) + f(-h)) / h is the slope on the right minus the slope on the left. For a smooth function it
    halves with h, so b(h) - 2 b(h/2) decreases as h^3. At a kink b(h) does not depend on h, and the jump remains.

    >>> slope_jump(abs)
    2.0
    >>> slope_jump(np.exp) < 1e-9
    True
    """
    value = line(0.0)

    def bend(h: float) -> float:
        return float(line(h) - 2 * value + line(-h)) / h

    # A kink next to 0 may cancel for one of the two steps, but not for both.
    return max(abs(bend(h) - 2 * bend(h / 2)) for h in (step, step / 2))


def observed_order(lines: Sequence[Line]) -> float | None:
    """Return the power of the step that the error of central differences grows with, or None if there is no error.

    Halving the step divides the error by 4, which is order 2, if the third derivative is not 0. A square has no third
    derivative: ((x + h)^2 - (x - h)^2) / 2h is 2x for every h. It has no error, and therefore no order.

    >>> round(observed_order([lambda s: (1 + s)**3]), 3)
    2.0
    >>> observed_order([lambda s: (1 + s)**2]) is None
    True
    """
    exact = [complex_step(line) for line in lines]
    largest = max(map(abs, exact), default=0.0)
    # This step is longer than that of the other checks, and may reach a kink that they do not.
    smooth = [
        (line, slope)
        for line, slope in zip(lines, exact, strict=True)
        if slope_jump(line, ORDER_STEP) <= 1e-6 * largest
    ]

    def error(step: float) -> float:
        return math.hypot(*(differences(line, order=2, step=step) - slope for line, slope in smooth))

    error_of_step, error_of_half = error(ORDER_STEP), error(ORDER_STEP / 2)
    return math.log2(error_of_step / error_of_half) if error_of_half > 1e-10 * largest else None


def lines_through(function: Callable[[Any], Any], x: NDArray[Any], directions: Sequence[NDArray[Any]]) -> list[Line]:
    """Return the functions L(x + s v) of s, one for each direction v."""

    def line(v: NDArray[Any]) -> Line:
        return lambda s: function(x + s * v)

    return [line(v) for v in directions]


def each_entry(x: NDArray[Any]) -> list[NDArray[Any]]:
    """Return the directions that each move one entry of x, in the order of x.ravel()."""
    return list(np.eye(x.size, dtype=x.dtype).reshape(x.size, *x.shape))


def gradient(function: Callable[[Any], Any], x: NDArray[Any], step: float = STEP) -> NDArray[np.float64]:
    """Return the derivative of a scalar function with respect to every entry of x, by fourth-order differences.

    >>> gradient(lambda x: np.sum(x * x), np.array([3.0, 4.0, 10.0])).round(9)
    array([ 6.,  8., 20.])
    """
    # In a coarser dtype than float64, the step would be rounded.
    x = np.asarray(x, dtype=np.float64)
    slopes = [differences(line, step=step) for line in lines_through(function, x, each_entry(x))]
    return np.array(slopes).reshape(x.shape)
