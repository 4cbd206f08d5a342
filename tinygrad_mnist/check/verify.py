"""verify: is a backward the derivative of its forward? Right, wrong or inconclusive, with the reason."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_mnist.check.checker import SAMPLE, Checker, Options
from tinygrad_mnist.check.diagnosis import source_line
from tinygrad_mnist.check.naming import kind, name_of
from tinygrad_mnist.check.report import INCONCLUSIVE, RIGHT, WRONG, Report
from tinygrad_mnist.check.subject import Subject, layer_subject
from tinygrad_mnist.errors import GradientError, UsageError


def verify(
    forward: Any,
    backward: Any = None,
    *arguments: Any,
    wrt: str | Sequence[str] | None = None,
    cache: bool = False,
    upstream: Any = None,
    sample: int = SAMPLE,
    scale: float | None = None,
    rtol: float | None = None,
    dtypes: Sequence[str] | None = None,
    allow_inconclusive: bool = False,
    report: bool = False,
    source: Callable[..., Any] | None = None,
    skip: Sequence[str] = (),
    seed: int = 0,
) -> Report:
    """Check that a backward is the derivative of its forward, and return a report. Raises GradientError if it is not.

    `forward(*arguments)` returns an array, or a tuple of several; with `cache=True`, an output and a cache.
    `backward(dout, *arguments)`, or `backward(dout, cache)`, returns a gradient for each argument that is an array of
    floats: an array, a tuple, or a dictionary by the arguments' names. With several outputs, `dout` is a tuple. Instead
    of the two functions, `forward` may be a layer: an object with forward, backward and, if it has parameters, params
    and grads. Arrays may be NumPy's or CuPy's.

    `wrt` names the arguments to differentiate with respect to, if not all. `upstream` is dout, random by default.
    `sample` is the number of entries that are measured one by one, `scale` the typical size of the arguments, `rtol`
    the relative error that is allowed, and `dtypes` the types to check ("float64", "float32", "float16").

    The verdict is "right", "wrong" or "inconclusive", with a reason. GradientError, an AssertionError, is also raised
    if it is inconclusive, unless `allow_inconclusive`; with `report=True` it is never raised. Raises UsageError if the
    functions cannot be called as described.

    >>> import numpy as np
    >>> def forward(x, w):
    ...     return x @ w
    >>> def backward(dout, x, w):
    ...     return dout @ w.T, x.T @ dout
    >>> x, w = np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]])
    >>> verify(forward, backward, x, w).verdict
    'right'
    >>> def doubled(dout, x, w):
    ...     return dout @ w.T, 2 * x.T @ dout
    >>> verify(forward, doubled, x, w, upstream=np.array([[1.0]]), report=True).reason
    'dw: yours is 2 times the measured gradient (at [1, 0] yours 4, measured 2)'
    """
    types = (dtypes,) if isinstance(dtypes, str) else None if dtypes is None else tuple(dtypes)
    options = Options(upstream, sample, scale, rtol, types, tuple(skip), seed)
    subject = _subject(forward, backward, arguments, wrt, cache)
    # A function may overflow or divide by 0 where a line leads it. The checks look at what it returns.
    with np.errstate(all="ignore"):
        found = Checker(subject, options).run()
    for one in found.arguments:
        one.source = source_line(source or subject.backward, one.name) if one.verdict != RIGHT else ""
    if not report and (found.verdict == WRONG or (found.verdict == INCONCLUSIVE and not allow_inconclusive)):
        raise GradientError(str(found))
    return found


def _subject(forward: Any, backward: Any, arguments: Sequence[Any], wrt: Any, cache: bool) -> Subject:
    """Return the subject, from two functions and their arguments, or from a layer and its input."""
    if hasattr(forward, "forward") and hasattr(forward, "backward") and not callable(backward):
        if isinstance(forward, type):
            raise UsageError(f"{forward.__name__} is a class: give verify an object of it")
        return layer_subject(forward, arguments if backward is None else [backward, *arguments])
    if not callable(forward):
        raise UsageError(f"verify takes a forward and a backward, or a layer, and was given {kind(forward)}")
    if not callable(backward):
        raise UsageError(f"after {name_of(forward)}, verify takes its backward, and was given {kind(backward)}")
    return Subject(forward, backward, arguments, wrt=wrt, cache=cache)
