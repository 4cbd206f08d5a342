"""Derivatives without any derivation: what a function does when one number is nudged.

Everything here is a function of one number. A gradient is looked at along lines: L(x + s v) for a fixed direction v
is a function of s, and its slope at s = 0 is what the gradient claims for v.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Line: TypeAlias = Callable[[Any], Any]
"""A function of one number."""

STEP = 1e-3
"""How far a number is nudged: the fourth-order formula then errs by about 1e-13, half of it by rounding."""

TINY = 2.0**-100
"""The imaginary nudge. Its square vanishes beside 1, and a power of 2 is divided by without rounding."""

ORDER_STEP = 1e-2
"""Long enough for the error of a central difference to stand clear of rounding."""


def differences(line: Line, at: float = 0.0, order: int = 4, step: float = STEP) -> float:
    """Return the slope of a real function by central differences.

    Order 2 is (f(x + h) - f(x - h)) / 2h, and errs by about h^2. Order 4 takes that with h and with h/2 and combines
    them so that the error in h^2 cancels (Richardson's extrapolation); what is left is of the order of h^4.
    h is `step`, times |x| where that exceeds 1.

    >>> round(differences(lambda x: x * x, at=3.0), 9)
    6.0
    """
    # Half a second to import, and commands that do not measure slopes share the command line.
    from scipy.differentiate import derivative

    function = np.vectorize(line, otypes=[float])
    found = derivative(function, at, order=order, initial_step=step * max(1.0, abs(at)), maxiter=1)
    return float(found.df)


def complex_step(line: Line, at: float = 0.0) -> float:
    """Return the slope of a real function by a step in the imaginary direction, exact but for rounding.

    f(x + ih) = f(x) + ih f'(x) - h^2 f''(x) / 2 - ..., so the imaginary part over h is the slope, and nothing is
    subtracted from anything: h may be so small that h^2 vanishes (Squire and Trapp, Using complex variables to
    estimate derivatives of real functions, SIAM Review, 1998). The function must be written in terms that carry
    complex numbers through.

    >>> complex_step(lambda x: x * x, at=3.0)
    6.0
    """
    return float(np.imag(line(at + 1j * TINY))) / TINY


def slope_jump(line: Line, step: float = STEP) -> float:
    """Return by how much the slope of a real function jumps near 0, within `step`; of a smooth one, nearly nothing.

    b(h) = (f(h) - 2 f(0) + f(-h)) / h is the slope to the right less the slope to the left. Of a smooth function it
    halves with h, so b(h) - 2 b(h/2) vanishes as h^3. At a kink it stays as it is.

    >>> slope_jump(abs)
    2.0
    >>> slope_jump(np.exp) < 1e-9
    True
    """
    value = line(0.0)

    def bend(h: float) -> float:
        return float(line(h) - 2 * value + line(-h)) / h

    # A kink to one side could cancel in one of the two, and not in both.
    return max(abs(bend(h) - 2 * bend(h / 2)) for h in (step, step / 2))


def observed_order(lines: Sequence[Line]) -> float | None:
    """Return the power of the step with which the error of central differences falls, None where there is no error.

    Halving the step divides the error by 4 where the third derivative is not 0, which is order 2. A square has no
    third derivative: ((x + h)^2 - (x - h)^2) / 2h is 2x for every h, there is no error to fall, and so no order.

    >>> round(observed_order([lambda s: (1 + s)**3]), 3)
    2.0
    >>> observed_order([lambda s: (1 + s)**2]) is None
    True
    """
    exact = [complex_step(line) for line in lines]
    largest = max(map(abs, exact), default=0.0)
    # The long step may reach a kink that a short one does not.
    smooth = [
        (line, slope)
        for line, slope in zip(lines, exact, strict=True)
        if slope_jump(line, ORDER_STEP) <= 1e-6 * largest
    ]

    def error(step: float) -> float:
        return math.hypot(*(differences(line, order=2, step=step) - slope for line, slope in smooth))

    whole, half = error(ORDER_STEP), error(ORDER_STEP / 2)
    return math.log2(whole / half) if half > 1e-10 * largest else None


def lines_through(function: Callable[[Any], Any], x: NDArray[Any], directions: Sequence[NDArray[Any]]) -> list[Line]:
    """Return the functions L(x + s v) of s, one for each direction v."""

    def line(v: NDArray[Any]) -> Line:
        return lambda s: function(x + s * v)

    return [line(v) for v in directions]


def each_entry(x: NDArray[Any]) -> list[NDArray[Any]]:
    """Return the directions that move one entry of x each, in the order of x.ravel()."""
    return list(np.eye(x.size, dtype=x.dtype).reshape(x.size, *x.shape))


def gradient(function: Callable[[Any], Any], x: NDArray[Any], step: float = STEP) -> NDArray[np.float64]:
    """Return the derivative of a scalar function by every entry of x, by fourth-order differences, in float64.

    >>> gradient(lambda x: np.sum(x * x), np.array([3.0, 4.0, 10.0])).round(9)
    array([ 6.,  8., 20.])
    """
    # Nudged in a coarser type than this, a number would move by something else than the nudge.
    x = np.asarray(x, dtype=np.float64)
    slopes = [differences(line, step=step) for line in lines_through(function, x, each_entry(x))]
    return np.array(slopes).reshape(x.shape)
