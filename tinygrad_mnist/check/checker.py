"""All checks of one subject, in order: contracts, the given point, other arguments, lines, special points."""

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tinygrad_mnist.arrays.backend import to_host
from tinygrad_mnist.check import contracts, kinks, lines, other_arguments, slopes, tolerances
from tinygrad_mnist.check.comparison import Arrays
from tinygrad_mnist.check.measuring import REFUSALS
from tinygrad_mnist.check.naming import name_of
from tinygrad_mnist.check.point import Point, upstream_for
from tinygrad_mnist.check.report import INCONCLUSIVE, WRONG, ArgumentReport, Finding, Report
from tinygrad_mnist.check.subject import Subject
from tinygrad_mnist.errors import UsageError

DTYPES = ("float64", "float32", "float16")
"""The types that can be checked."""

CHECKS = ("layouts", "sizes", "lines", "points")
"""The groups of checks that can be skipped."""

SAMPLE = 100
"""The number of entries of each argument that are measured one by one."""


@dataclass(frozen=True)
class Options:
    """How to check a subject. Raises UsageError if an option has no such value."""

    upstream: Any = None
    sample: int = SAMPLE
    scale: float | None = None
    rtol: float | None = None
    dtypes: tuple[str, ...] | None = None
    skip: tuple[str, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        for name, known in (("dtypes", DTYPES), ("skip", CHECKS)):
            for value in getattr(self, name) or ():
                if value not in known:
                    raise UsageError(f"{name} has {value!r}, which is not one of {', '.join(known)}")
        if self.dtypes == ():
            raise UsageError(f"dtypes names no type: name some of {', '.join(DTYPES)}")
        for name, lowest in (("sample", 1), ("seed", 0)):
            number = getattr(self, name)
            if not isinstance(number, int | np.integer) or number < lowest:
                raise UsageError(f"{name} is {number!r:.40}, and must be a whole number from {lowest}")
        for name, limit, wanted in (("scale", math.inf, "greater than 0"), ("rtol", 1.0, "between 0 and 1")):
            number = getattr(self, name)
            if number is not None and not (isinstance(number, float | int) and 0 < number < limit):
                raise UsageError(f"{name} is {number!r:.40}, and must be {wanted}")


class Checker:
    """All checks of one subject."""

    def __init__(self, subject: Subject, options: Options) -> None:
        self.subject, self.options, rng = subject, options, np.random.default_rng(options.seed)
        self.narrow_types: set[str] = set()
        if not subject.in_place:
            self.narrow_types = {subject.values[n].dtype.name for n in subject.wrt} - {"float64"}
            subject.values = [v.astype(np.float64) if n in subject.wrt else v for n, v in enumerate(subject.values)]
        outputs = _called(subject.forward, lambda: subject.outputs(subject.values))
        upstream = _upstream(options.upstream, outputs, subject.name, rng)
        if any(output.dtype.kind == "c" for output in outputs):
            raise UsageError(f"{subject.name} returns complex numbers, and a gradient here is one of real numbers")
        for n, name in zip(subject.wrt, subject.differentiated, strict=True):
            if not np.all(np.isfinite(subject.values[n])):
                raise UsageError(f"{name} of {subject.name} is not finite")
        self.given = Point(subject, subject.values, upstream, rng)
        self.given.tolerance, self.given.scale_of_all = options.rtol or tolerances.ENTRY, options.scale
        self.report = Report(subject.name, [ArgumentReport(name) for name in subject.differentiated])

    def run(self) -> Report:
        """Return the report. The first two groups of checks say all that is wrong, the later ones stop at a fault."""
        groups = [self._contracts(), self._given_point(), self._what_must_not_matter(), self._other_sizes()]
        groups += [self._other_values(), self._lines(), self._special_points()]
        for number, group in enumerate(groups):
            for finding in group:
                self.report.add(finding)
                if number > 1 and finding.verdict == WRONG:
                    break
            if self.report.verdict == WRONG or self.report.findings:
                break
        return self.report

    def _contracts(self) -> Iterator[Finding]:
        """Check that calls change nothing, and that gradients have the shapes and types of their arguments."""
        _called(self.subject.backward, lambda: self.given.gradients_at(self.given.values))
        yield from contracts.changes_nothing(self.given)
        if not self.report.findings:
            yield from contracts.shapes_and_types(self.given)
            yield from contracts.memory(self.given)

    def _given_point(self) -> Iterator[Finding]:
        """Measure entry by entry."""
        self.given.measure_noise()
        for number, (argument, gradient) in enumerate(zip(self.subject.wrt, self.given.gradients, strict=True)):
            before = self.report.arguments[number]
            if gradient.size:
                found = slopes.at_entries(self.given, gradient, argument, self.options.sample)
                found.findings = before.findings + found.findings
                self.report.arguments[number] = found
            else:
                sentence = f"{before.name} has no entries, so nothing can be measured"
                yield Finding(sentence, before.name, INCONCLUSIVE)

    def _what_must_not_matter(self) -> Iterator[Finding]:
        """Check the size of the upstream gradient, and the layout and the type of arrays."""
        yield from contracts.linear_in_upstream(self.given)
        if self.subject.in_place:
            return
        if "layouts" not in self.options.skip:
            yield from contracts.layouts(self.given)
            yield from contracts.whole_numbers(self.given)
        wanted = (self.narrow_types | set(self.options.dtypes or ())) - {"float64"}
        for dtype in sorted(wanted | ({"float32"} if self.options.dtypes is None else set())):
            yield from contracts.narrow_types(self.given, dtype, dtype in wanted)

    def _other_sizes(self) -> Iterator[Finding]:
        """Check arrays of other sizes."""
        if "sizes" in self.options.skip or self.subject.in_place:
            return
        failed, others_work = list[Finding](), False
        for where, values, rows in other_arguments.of_other_sizes(self.subject, self.given.rng):
            try:
                yield from slopes.in_directions(self.given, values, where)
                others_work |= rows is None or rows > 1
            except REFUSALS as error:  # it may have sizes of its own
                # Without rows, a reshape may fail for want of a length, but nothing is divided by 0.
                if rows == 1 or (rows == 0 and isinstance(error, ArithmeticError)):
                    what = f"{name_of(self.subject.backward)} raises {type(error).__name__}: {error}"
                    failed.append(Finding(f"{where}, {what}"))
        yield from failed if others_work else []

    def _other_values(self) -> Iterator[Finding]:
        """Check arguments of one sign, nearly equal ones, and other constants."""
        if "points" not in self.options.skip:
            yield from self._at(other_arguments.with_other_values(self.subject, self.given.rng))

    def _lines(self) -> Iterator[Finding]:
        """Check integrals along lines."""
        if "lines" not in self.options.skip:
            yield from lines.along_lines(self.given, self.options.rtol or tolerances.LINE)

    def _special_points(self) -> Iterator[Finding]:
        """Check special points, and the given point once more, after all those calls."""
        if "points" not in self.options.skip:
            yield from kinks.at_joint_ties(self.given)
            yield from kinks.at_special_points(self.given)
            for finding in self._at(other_arguments.with_soft_targets(self.subject, self.given.rng)):
                yield replace(finding, verdict=INCONCLUSIVE)
        yield from slopes.in_directions(self.given, self.given.values, "in another call")

    def _at(self, described: Iterable[tuple[str, list[Any]]]) -> Iterator[Finding]:
        """Check other arguments, if the backward takes them."""
        for where, values in described:
            with suppress(*REFUSALS):
                yield from slopes.in_directions(self.given, values, where)


def _called(function: Any, call: Callable[[], Any]) -> Any:
    """Return the result of a call with the given arguments. Raises UsageError if it raises an error."""
    try:
        return call()
    except (UsageError, AssertionError):
        raise
    except Exception as error:
        raise UsageError(f"{name_of(function)} raises {type(error).__name__} for these arguments: {error}") from error


def _upstream(given: Any, outputs: Arrays, name: str, rng: np.random.Generator) -> Arrays:
    """Return upstream gradients for outputs: those given, or random ones. Raises UsageError if they do not fit.

    `name` is that of the forward. Given ones are not broadcast, and must not all be 0, since that proves nothing.
    """
    if given is None:
        return [upstream_for(output, rng) for output in outputs]
    listed = list(given) if isinstance(given, tuple) else [given]
    if len(listed) != len(outputs):
        raise UsageError(f"{name} returns {len(outputs)} outputs, and upstream is {len(listed)}: give one for each")
    arrays = [to_host(u) if hasattr(u, "dtype") else np.asarray(u) for u in listed]
    for array, output in zip(arrays, outputs, strict=True):
        if array.dtype.kind not in "fiub":
            raise UsageError(f"upstream of {name} holds {array.dtype}, and must hold real numbers")
        if array.shape != output.shape:
            must = f"must have that of the output, {output.shape}"
            raise UsageError(f"upstream of {name} has shape {array.shape}, and {must}")
        if not np.all(np.isfinite(array)):
            raise UsageError(f"upstream of {name} is not finite")
    if not any(np.any(array) for array in arrays) and any(array.size for array in arrays):
        raise UsageError(f"upstream of {name} is 0 everywhere, so every gradient is 0 and nothing can be checked")
    return [a.astype(o.dtype if o.dtype.kind == "f" else float) for a, o in zip(arrays, outputs, strict=True)]
