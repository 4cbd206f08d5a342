"""The idea of the checker on one screen. Read this file first: the others in this room refine it.

A backward is right if it returns the derivative of the loss with respect to every entry of every argument. A network
computes some loss L from the output y of forward, and passes dout = dL/dy to backward. Which loss it is does not matter
to backward, so we choose the simplest one whose derivative with respect to y is dout, and draw dout at random:

    L(x, w, ...) = sum of dout * forward(x, w, ...)

It is random because a backward that ignores dout, or sums it over a wrong axis, is right if dout is all ones. Then we
move one entry by a small step h to both sides and look at how L changes:

    (L(x + h) - L(x - h)) / 2h = dL/dx + c h^2 + ...

With h/2, the error is a quarter of that with h. So in four times the slope for h/2 minus the slope for h, the c h^2
cancel, and a third of it is the derivative to about ten digits. (A smaller h alone does not help: the rounding errors
of L are divided by it.) This number was measured, without any derivation. If backward returns a different one, it is
wrong.

What this does not see, and the rest of the room does: kinks, where there are two slopes; entries that are exactly 0 or
huge; faults elsewhere than at this one point; a backward that changes its arguments; types and layouts of arrays.
"""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

STEP = 1e-3
"""The step, relative to an entry, or to 1 if the entry is smaller."""

TOLERANCE = 1e-6
"""How far an entry may be off, relative to the largest in its array: more than the measurement, less than a mistake."""


def first_fault(forward: Callable[..., Any], backward: Callable[..., Any], *arguments: Any, seed: int = 0) -> str:
    """Return the first entry of a gradient that is wrong, in words, or an empty string if all are right.

    `forward(*arguments)` returns an array, and `backward(dout, *arguments)` a gradient for each argument that is an
    array of float64: an array, or a tuple of them.

    >>> first_fault(np.square, lambda dy, x: 2 * dy * x, np.array([1.0, 3.0]))
    ''
    >>> first_fault(lambda x: x**3, lambda dy, x: 3 * dy * x, np.array([1.0, 3.0]))
    'dx[1] is -8.14, and was measured as -24.4'
    """
    rng = np.random.default_rng(seed)
    shape = np.shape(forward(*arguments))
    dout = rng.uniform(0.5, 2, shape) * rng.choice([-1.0, 1.0], shape)
    gradients = backward(dout.copy(), *arguments)
    names = list(inspect.signature(forward).parameters)
    differentiated = [n for n, x in enumerate(arguments) if isinstance(x, np.ndarray) and x.dtype == np.float64]
    listed = gradients if isinstance(gradients, tuple) else (gradients,)
    for n, yours in zip(differentiated, listed, strict=True):
        if np.shape(yours) != arguments[n].shape:
            return f"d{names[n]} has shape {np.shape(yours)}, and {names[n]} has {arguments[n].shape}"
        measured = _measured(forward, arguments, n, dout)
        off = ~(np.abs(yours - measured) <= TOLERANCE * np.max(np.abs(measured), initial=0))  # also if it is NaN
        if np.any(off):
            index = tuple(map(int, np.argwhere(off)[0]))
            place = f"d{names[n]}{list(index)}"
            return f"{place} is {yours[index]:.3g}, and was measured as {measured[index]:.3g}"
    return ""


def _measured(forward: Callable[..., Any], arguments: tuple[Any, ...], n: int, dout: Any) -> Any:
    """Return the derivative of the loss with respect to each entry of argument n."""
    derivative = np.zeros(arguments[n].shape)

    def loss(index: tuple[int, ...], number: float) -> Any:
        moved = arguments[n].copy()
        moved[index] = number
        return np.sum(dout * forward(*arguments[:n], moved, *arguments[n + 1 :]))

    for index in np.ndindex(derivative.shape):
        x = arguments[n][index]
        h = STEP * max(1.0, abs(x))
        whole, half = ((loss(index, x + s) - loss(index, x - s)) / (2 * s) for s in (h, h / 2))
        derivative[index] = (4 * half - whole) / 3
    return derivative
