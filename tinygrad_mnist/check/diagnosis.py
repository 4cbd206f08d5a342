"""What a wrong gradient looks like, in words: a factor, a transpose, zeros, only some rows. And the line it is from."""

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from string import digits
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.check.tolerances import ALIKE


def described(yours: NDArray[Any], positions: NDArray[np.intp], measured: NDArray[Any], rows: int) -> str:
    """Return what is wrong with a gradient, given measured entries at positions in the flat array.

    `rows` is the length of the first axis of the output, which is N in most functions.
    """
    mine = yours.reshape(-1)[positions]
    size = np.max(np.abs(measured), initial=0)
    off = np.abs(mine - measured) > ALIKE * max(size, np.max(np.abs(mine), initial=0))
    if not np.any(mine) and np.any(measured):
        return "yours is 0 everywhere"
    if factor := _factor(mine, measured, rows):
        return f"yours is {factor} the measured gradient"
    is_square = yours.ndim == 2 and yours.shape[0] == yours.shape[1] and len(positions) == yours.size
    if is_square and np.allclose(yours, measured.reshape(yours.shape).T, rtol=ALIKE, atol=ALIKE * size):
        return "yours is the transpose of the measured gradient"
    if yours.ndim and np.any(off) and not np.all(off):
        indices = np.array(np.unravel_index(positions, yours.shape)).T
        for axis, what in zip(range(yours.ndim), ("row", "column", "place"), strict=False):
            where = {int(i) for i in indices[off, axis]}
            if where.isdisjoint({int(i) for i in indices[~off, axis]}):
                listed = ", ".join(map(str, sorted(where)[:5]))
                return f"only {what}{'s' if len(where) > 1 else ''} {listed} {'are' if len(where) > 1 else 'is'} wrong"
        return f"{int(off.sum())} of {len(off)} entries are wrong"
    return "yours differs from the measured gradient"


def _factor(mine: NDArray[Any], measured: NDArray[Any], rows: int) -> str:
    """Return the constant factor between two gradients in words, or an empty string if there is none."""
    enough = np.abs(measured) > ALIKE * np.max(np.abs(measured), initial=0)
    if not np.any(enough):
        return ""
    ratios = mine[enough] / measured[enough]
    ratio = float(np.median(ratios))
    if ratio == 0 or np.any(np.abs(ratios - ratio) > ALIKE * abs(ratio)) or abs(ratio - 1) < ALIKE:
        return ""
    known = {-1.0: "minus", 2.0: "2 times", 0.5: "half of"}
    if rows > 2:
        known |= {float(rows): f"N = {rows} times", 1.0 / rows: f"1/N = 1/{rows} of"}
    words = [said for value, said in known.items() if abs(ratio - value) < ALIKE * abs(value)]
    return words[0] if words else f"{ratio:.6g} times"


def source_line(function: Callable[..., Any], argument: str) -> str:
    """Return the line that computes the derivative with respect to an argument, as `file:number: code`.

    It is the last line that assigns to d and the argument's name, or the last return. Returns an empty string if there
    is no source.
    """
    function = inspect.unwrap(getattr(function, "func", function))
    try:
        lines, first = inspect.getsourcelines(function)
    except (OSError, TypeError):
        return ""
    # The arguments of a network have the numbers of its layers, and the names in its code do not.
    target = rf"[^=(#'\"]*\bd{re.escape(argument.rstrip(digits))}\b(?:\[.*\])?[^=(]*=(?!=)"
    assigned = [number for number, line in enumerate(lines) if re.match(target, line)]
    returned = [number for number, line in enumerate(lines) if re.match(r"\s+return\b", line)]
    number = (assigned or returned or [0])[-1]
    path, package = Path(inspect.getsourcefile(function) or "?"), Path(__file__).parents[1]
    shown = path.relative_to(package.parent) if path.is_relative_to(package) else path
    return f"{shown}:{first + number}: {lines[number].strip()}"
