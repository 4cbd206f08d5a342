"""verify: is a backward the derivative of its forward? Right, wrong or inconclusive, with the reason."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from numbers import Integral, Real
from typing import Any

import numpy as np

from tinygrad_mnist.arrays.backend import to_host
from tinygrad_mnist.check import contracts, lines, other_arguments, slopes, tolerances
from tinygrad_mnist.check.measuring import REFUSALS
from tinygrad_mnist.check.point import Arrays, Point, upstream_for
from tinygrad_mnist.check.report import INCONCLUSIVE, RIGHT, WRONG, ArgumentReport, Finding, Report, source_line
from tinygrad_mnist.check.subject import Subject, argument_names, kind, layer_subject, name_of
from tinygrad_mnist.errors import GradientError, UsageError

DTYPES = ("float64", "float32", "float16")
"""The types that can be checked."""

CHECKS = ("layouts", "sizes", "lines", "points")
"""The groups of checks that can be skipped."""


def verify(
    forward: Any,
    backward: Any = None,
    *arguments: Any,
    wrt: str | Sequence[str] | None = None,
    cache: bool = False,
    upstream: Any = None,
    sample: int = 100,
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
    types = [dtypes] if isinstance(dtypes, str) else dtypes
    _require("dtypes", types, types is None or bool(types and set(types) <= set(DTYPES)), f"some of {DTYPES}")
    _require("skip", skip, set(skip) <= set(CHECKS), f"some of {CHECKS}")
    _require("sample", sample, isinstance(sample, Integral) and sample >= 1, "a whole number from 1")
    _require("seed", seed, isinstance(seed, Integral) and seed >= 0, "a whole number from 0")
    _require("scale", scale, scale is None or (isinstance(scale, Real) and 0 < scale < math.inf), "greater than 0")
    _require("rtol", rtol, rtol is None or (isinstance(rtol, Real) and 0 < rtol < 1), "between 0 and 1")
    # A function may overflow or divide by 0 where a line leads it. The checks look at what it returns.
    with np.errstate(all="ignore"):
        checker = Checker(_subject(forward, backward, arguments, wrt, cache), upstream, np.random.default_rng(seed))
        checker.given.tolerance, checker.given.scale_of_all = rtol or tolerances.ENTRY, scale
        checker.run(sample, rtol or tolerances.LINE, types, skip)
    found = checker.report
    for one in found.arguments:
        one.source = source_line(source or checker.subject.backward, one.name) if one.verdict != RIGHT else ""
    if not report and (found.verdict == WRONG or (found.verdict == INCONCLUSIVE and not allow_inconclusive)):
        raise GradientError(str(found))
    return found


def _require(name: str, value: Any, is_usable: bool, wanted: str) -> None:
    """Raise UsageError if an option of `verify` has a value that it cannot have."""
    if not is_usable:
        raise UsageError(f"{name} is {value!r:.40}, and must be {wanted}")


def _subject(forward: Any, backward: Any, arguments: Sequence[Any], wrt: Any, cache: bool) -> Subject:
    """Return the subject, from two functions and their arguments, or from a layer and its input."""
    is_layer = hasattr(forward, "forward") and hasattr(forward, "backward") and not isinstance(forward, type)
    if is_layer and not callable(backward):
        return layer_subject(forward, arguments if backward is None else [backward, *arguments])
    if not callable(forward) or not callable(backward):
        given = f"{kind(forward)} and {kind(backward)}"
        raise UsageError(f"verify takes a forward and its backward, or a layer, and was given {given}")
    return Subject(forward, backward, arguments, argument_names(forward, len(arguments)), wrt, cache)


class Checker:
    """All checks of one subject."""

    def __init__(self, subject: Subject, upstream: Any, rng: np.random.Generator) -> None:
        self.subject = subject
        self.narrow: set[str] = set()
        if not subject.in_place:
            self.narrow = {subject.values[n].dtype.name for n in subject.wrt} - {"float64"}
            subject.values = [v.astype(np.float64) if n in subject.wrt else v for n, v in enumerate(subject.values)]
        outputs = _called(subject.forward, lambda: subject.outputs(subject.values))
        above = _upstream(upstream, outputs, subject.name, rng)
        if any(output.dtype.kind == "c" for output in outputs):
            raise UsageError(f"{subject.name} returns complex numbers, and a gradient here is one of real numbers")
        for n, name in zip(subject.wrt, subject.differentiated, strict=True):
            if not np.all(np.isfinite(subject.values[n])):
                raise UsageError(f"{name} of {subject.name} is not finite")
        self.given = Point(subject, subject.values, above, rng)
        self.report = Report(subject.name, [ArgumentReport(name) for name in subject.differentiated])

    def run(self, sample: int, rtol: float, dtypes: Sequence[str] | None, skip: Sequence[str]) -> None:
        """Fill the report. The first two groups of checks say all that is wrong, the later ones stop at a fault."""
        subject, given = self.subject, self.given
        groups = [("", self._contracts()), ("", self._entries(sample)), ("", contracts.linear_in_upstream(given))]
        if not subject.in_place:
            groups += [("layouts", contracts.layouts(given)), ("layouts", contracts.whole_numbers(given))]
            groups += [("", self._narrow_types(dtypes)), ("sizes", self._other_sizes())]
        groups.append(("points", self._at(other_arguments.with_other_values(subject, given.rng))))
        groups.append(("lines", lines.along_lines(given, rtol)))
        groups.append(("points", self._special_points()))
        # Once more, after all those calls.
        groups.append(("", slopes.in_directions(given, given.values, "in another call")))
        for number, (name, group) in enumerate(groups):
            for finding in group if name not in skip else ():
                self.report.add(finding)
                if number > 1 and finding.verdict == WRONG:
                    break
            if self.report.verdict == WRONG or self.report.findings:
                break

    def _contracts(self) -> Iterator[Finding]:
        """Check that calls change nothing, and that gradients have the shapes and types of their arguments."""
        _called(self.subject.backward, lambda: self.given.gradients_at(self.given.values))
        yield from contracts.changes_nothing(self.given)
        if not self.report.findings:
            yield from contracts.shapes_and_types(self.given)
            yield from contracts.memory(self.given)

    def _entries(self, sample: int) -> Iterator[Finding]:
        """Measure entry by entry."""
        self.given.measure_noise()
        for report, n, gradient in zip(self.report.arguments, self.subject.wrt, self.given.gradients, strict=True):
            if gradient.size:
                slopes.at_entries(self.given, gradient, n, sample, report)
            else:
                yield Finding(f"{report.name} has no entries, so nothing can be measured", report.name, INCONCLUSIVE)

    def _narrow_types(self, dtypes: Sequence[str] | None) -> Iterator[Finding]:
        """Check the types that the arguments had, and those that somebody wants."""
        wanted = (self.narrow | set(dtypes or ())) - {"float64"}
        for dtype in sorted(wanted | ({"float32"} if dtypes is None else set())):
            yield from contracts.narrow_types(self.given, dtype, dtype in wanted)

    def _other_sizes(self) -> Iterator[Finding]:
        """Check arrays of other sizes."""
        failed, others_work = list[Finding](), False
        for where, values, rows in other_arguments.of_other_sizes(self.subject, self.given.rng):
            try:
                yield from slopes.in_directions(self.given, values, where)
                others_work |= rows is None or rows > 1
            except REFUSALS as error:  # it may have sizes of its own
                # Without rows, a reshape may fail for want of a length, but nothing is divided by 0.
                if rows == 1 or (rows == 0 and isinstance(error, ArithmeticError)):
                    failed.append(Finding(f"{where}, backward raises {type(error).__name__}: {error}"))
        yield from failed if others_work else []

    def _special_points(self) -> Iterator[Finding]:
        """Check special numbers, ties and soft targets."""
        yield from slopes.at_joint_ties(self.given)
        yield from slopes.at_special_points(self.given)
        for finding in self._at(other_arguments.with_soft_targets(self.subject, self.given.rng)):
            yield replace(finding, verdict=INCONCLUSIVE)

    def _at(self, described: Iterable[tuple[str, list[Any]]]) -> Iterator[Finding]:
        """Check other arguments, if the backward takes them."""
        for where, values in described:
            with suppress(*REFUSALS):
                yield from slopes.in_directions(self.given, values, where)


def _called(function: Any, call: Callable[[], Any]) -> Any:
    """Return the result of a call with the given arguments. Raises UsageError if it raises an error."""
    try:
        return call()
    except UsageError:
        raise
    except Exception as error:
        raise UsageError(f"{name_of(function)} raises {type(error).__name__} for these arguments: {error}") from error


def _upstream(given: Any, outputs: Arrays, name: str, rng: np.random.Generator) -> Arrays:
    """Return upstream gradients for outputs: those given, or random ones. Raises UsageError if they do not fit.

    `name` is that of the forward. Given ones are not broadcast, and must not all be 0, since that proves nothing.
    """
    if given is None:
        return [upstream_for(output, rng) for output in outputs]
    listed = given if isinstance(given, tuple) else (given,)
    arrays = [to_host(u) if hasattr(u, "dtype") else np.asarray(u) for u in listed]
    are_finite = all(u.dtype.kind in "fiub" and np.all(np.isfinite(u)) for u in arrays)
    are_zero = not any(np.any(u) for u in arrays) and any(u.size for u in arrays)
    if not are_finite or are_zero or [u.shape for u in arrays] != [output.shape for output in outputs]:
        there = " and ".join(f"{u.dtype} of shape {u.shape}" for u in arrays)
        shapes = " and ".join(str(output.shape) for output in outputs)
        raise UsageError(f"upstream of {name} is {there}, and must be finite numbers, not all 0, of shape {shapes}")
    return [u.astype(y.dtype if y.dtype.kind == "f" else float) for u, y in zip(arrays, outputs, strict=True)]
