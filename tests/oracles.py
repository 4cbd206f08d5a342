"""Oracles: they measure a derivative by moving a number a little, and know nothing of how it was derived.

A gradient is measured along lines: with a fixed direction v, L(x + s v) is a function of s, and its slope at s = 0 is
the sum of the gradient's entries times those of v.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

STEP = 1e-3
"""How far differences move a number. At order 4, sin then has an error of about 1e-13 for numbers from -1 to 1.

About 2 % of that is truncation, h^4/480 times the fifth derivative. The rest is rounding, about 2^-53 / h. In our
gradient cases, too, nearly all of the error is rounding.
"""


def differences(line: Callable[[Any], Any], at: float = 0.0, order: int = 4, step: float = STEP) -> float:
    """Return the slope of a real function by central differences.

    Order 2 is (f(x + h) - f(x - h)) / 2h, with an error proportional to h^2. Order 4 combines the results for h and h/2
    so that the h^2 terms cancel (Richardson's extrapolation), with an error proportional to h^4. h is `step`, or
    `step` |x| if |x| exceeds 1.

    >>> round(differences(lambda x: x * x, at=3.0), 9)
    6.0
    """
    # This import takes half a second, and most tests never call this function.
    from scipy.differentiate import derivative

    function = np.vectorize(line, otypes=[float])
    result = derivative(function, at, order=order, initial_step=step * max(1.0, abs(at)), maxiter=1)
    return float(result.df)


def gradient(function: Callable[[Any], Any], x: NDArray[Any], step: float = STEP) -> NDArray[np.float64]:
    """Return the derivative of a scalar function with respect to every entry of x, by fourth-order differences.

    >>> gradient(lambda x: np.sum(x * x), np.array([3.0, 4.0, 10.0])).round(9)
    array([ 6.,  8., 20.])
    """
    # In a coarser dtype than float64, the step would be rounded.
    x = np.asarray(x, dtype=np.float64)
    entries = np.eye(x.size).reshape(x.size, *x.shape)
    slopes = [differences(lambda s, entry=entry: function(x + s * entry), step=step) for entry in entries]
    return np.array(slopes).reshape(x.shape)
