"""All checks of one subject, in order: relations, the given point, other sizes, lines, special points."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.check import relations
from tinygrad_mnist.check.checker_options import Options, upstream_like
from tinygrad_mnist.check.kinks import at_joint_ties, at_special_points
from tinygrad_mnist.check.layouts import integers, layouts, lower_precision
from tinygrad_mnist.check.lines import along_lines
from tinygrad_mnist.check.measuring import Loss
from tinygrad_mnist.check.naming import name_of
from tinygrad_mnist.check.others import others, softened
from tinygrad_mnist.check.points import at_entries, in_directions
from tinygrad_mnist.check.purity import purity
from tinygrad_mnist.check.report import INCONCLUSIVE, WRONG, ArgumentReport, Finding, Report
from tinygrad_mnist.check.sizes import resized
from tinygrad_mnist.check.subject import Subject
from tinygrad_mnist.check.values import ENTRYWISE, Probe, noise_of
from tinygrad_mnist.errors import UsageError

POSSIBLE = (ArithmeticError, ValueError, IndexError, TypeError)
"""What a function raises if it does not take some arguments."""


class Checker:
    """All checks of one subject."""

    def __init__(self, subject: Subject, options: Options) -> None:
        self.subject, self.options, self.rng = subject, options, np.random.default_rng(options.seed)
        self.narrow: set[str] = set()
        if not subject.in_place:
            self.narrow = {subject.values[n].dtype.name for n in subject.wrt} - {"float64"}
            subject.values = [v.astype(np.float64) if n in subject.wrt else v for n, v in enumerate(subject.values)]
        self.values = subject.values
        self.outputs = self._called(subject.forward, lambda: subject.outputs(self.values))
        self.upstream = upstream_like(options.upstream, self.outputs, subject.name, self.rng)
        if any(output.dtype.kind == "c" for output in self.outputs):
            raise UsageError(f"{subject.name} returns complex numbers, and a gradient here is one of real numbers")
        for n in subject.wrt:
            if not np.all(np.isfinite(self.values[n])):
                raise UsageError(f"{subject.names[n]} of {subject.name} is not finite")
        self.report = Report(subject.name, [ArgumentReport(subject.names[n]) for n in subject.wrt])

    def run(self) -> Report:
        """Return the report. The first two groups of checks say all that is wrong, the later ones stop at a fault."""
        groups = (self._contracts, self._given_point, self._relations, self._sizes, self._others, self._lines)
        for number, group in enumerate((*groups, self._points)):
            for finding in group():
                self._record(finding)
                if number > 1 and finding.verdict == WRONG:
                    break
            if self.report.verdict == WRONG or self.report.findings:
                break
        return self.report

    def _contracts(self) -> Iterator[Finding]:
        """Check that calls change nothing, and that gradients have the shapes and types of their arguments."""
        subject = self.subject
        self._called(subject.backward, lambda: subject.gradients(self._dout(), self.values))
        yield from purity(subject, self.upstream, self.values)
        if not self.report.findings:
            dout = self._dout()
            self.gradients = subject.gradients(dout, self.values)
            yield from relations.contract(subject, self.gradients, self.outputs)
            yield from relations.memory(subject, dout, self.values, self.gradients)

    def _given_point(self) -> Iterator[Finding]:
        """Measure entry by entry."""
        loss = Loss(self.subject.outputs, self.upstream)
        loss.relative_noise = noise_of(loss, self.values, self.subject.wrt, self.rng)
        self.probe = Probe(loss, self.values, self.rng, self.options.scale, self.options.rtol or ENTRYWISE)
        for number, (argument, gradient) in enumerate(zip(self.subject.wrt, self.gradients, strict=True)):
            if gradient.size:
                found = at_entries(self.probe, self.subject, gradient, argument, self.options.sample)
                found.findings = self.report.arguments[number].findings + found.findings
                self.report.arguments[number] = found
            else:
                name = self.report.arguments[number].name
                yield Finding(f"{name} has no entries, so nothing can be measured", name, INCONCLUSIVE)

    def _relations(self) -> Iterator[Finding]:
        """Check what must not matter: the layout and the type of arrays, and the size of the upstream gradient."""
        subject, gradients = self.subject, self.gradients
        yield from relations.upstream_is_linear(subject, self.upstream, self.values, gradients)
        if subject.in_place:
            return
        if "layouts" not in self.options.skip:
            yield from layouts(subject, self.upstream, gradients)
            yield from integers(subject, self.upstream, gradients)
        wanted = (self.narrow | set(self.options.dtypes or ())) - {"float64"}
        for dtype in sorted(wanted | ({"float32"} if self.options.dtypes is None else set())):
            yield from lower_precision(subject, self.upstream, dtype, dtype in wanted)

    def _sizes(self) -> Iterator[Finding]:
        """Check arrays of other sizes."""
        if "sizes" not in self.options.skip and not self.subject.in_place:
            failed, others_work = list[Finding](), False
            for where, values, rows in resized(self.subject, self.rng):
                try:
                    yield from in_directions(self.subject, values, self.probe, where)
                    others_work |= rows is None or rows > 1
                except POSSIBLE as error:  # it may have sizes of its own
                    # Without rows, a reshape may fail for want of a length, but nothing is divided by 0.
                    if rows == 1 or (rows == 0 and isinstance(error, ArithmeticError)):
                        what = f"{name_of(self.subject.backward)} raises {type(error).__name__}: {error}"
                        failed.append(Finding(f"{where}, {what}"))
            yield from failed if others_work else []

    def _others(self) -> Iterator[Finding]:
        """Check arguments of one sign, and other values of the arguments that are not differentiated."""
        if "points" not in self.options.skip:
            for where, values in others(self.subject, self.rng):
                with suppress(*POSSIBLE):
                    yield from in_directions(self.subject, values, self.probe, where)

    def _lines(self) -> Iterator[Finding]:
        """Check integrals along lines."""
        if "lines" not in self.options.skip:
            yield from along_lines(self.subject, self.probe, self.options.scale, self.options.rtol)

    def _points(self) -> Iterator[Finding]:
        """Check special points, and the given point once more, after all those calls."""
        if "points" not in self.options.skip:
            yield from at_joint_ties(self.subject, self.probe)
            yield from at_special_points(self.subject, self.probe)
            for where, values in softened(self.subject, self.rng):
                with suppress(*POSSIBLE):
                    found = in_directions(self.subject, values, self.probe, where)
                    yield from (replace(finding, verdict=INCONCLUSIVE) for finding in found)
        yield from in_directions(self.subject, self.values, self.probe, "in another call")

    def _record(self, finding: Finding) -> None:
        """Add a finding to the report, to that on its argument if it names one."""
        by_name = {one.name: one.findings for one in self.report.arguments}
        by_name.get(finding.argument or "", self.report.findings).append(finding)

    def _dout(self) -> list[NDArray[Any]]:
        return [u.copy() for u in self.upstream]

    def _called(self, function: Any, call: Callable[[], Any]) -> Any:
        """Return the result of a call with the given arguments. Raises UsageError if it raises an error."""
        try:
            return call()
        except (UsageError, AssertionError):
            raise
        except Exception as error:
            wrong = f"{name_of(function)} raises {type(error).__name__} for these arguments: {error}"
            raise UsageError(wrong) from error
