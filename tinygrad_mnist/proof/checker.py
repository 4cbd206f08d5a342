"""All checks of one subject, in order: relations, the given point, other sizes, lines, special points."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.errors import UsageError
from tinygrad_mnist.proof import relations
from tinygrad_mnist.proof.lines import along_lines
from tinygrad_mnist.proof.measuring import Loss
from tinygrad_mnist.proof.naming import name_of
from tinygrad_mnist.proof.points import at_entries, at_joint_ties, at_special_points, in_directions, upstream_for
from tinygrad_mnist.proof.report import WRONG, ArgumentReport, Finding, Report
from tinygrad_mnist.proof.sizes import resized
from tinygrad_mnist.proof.subject import Subject
from tinygrad_mnist.proof.values import ENTRYWISE, Probe, noise_of

DTYPES = ("float64", "float32", "float16")
"""The types that can be checked."""

CHECKS = ("layouts", "sizes", "lines", "points")
"""The groups of checks that can be skipped."""

SAMPLE = 200
"""The number of entries of each argument that are measured one by one."""


@dataclass(frozen=True)
class Options:
    """How to check a subject."""

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
        self.upstream = self._upstream(options.upstream)
        self.report = Report(subject.name, [ArgumentReport(subject.names[n]) for n in subject.wrt])

    def run(self) -> Report:
        """Return the report. After a group of checks that finds something wrong, the later ones are left out."""
        for group in (self._contracts, self._given_point, self._layouts, self._sizes, self._lines, self._points):
            group()
            if self.report.verdict == WRONG or self.report.findings:
                break
        return self.report

    def _contracts(self) -> None:
        """Check that calls change nothing, and that gradients have the shapes and types of their arguments."""
        subject = self.subject
        self._called(subject.backward, lambda: subject.gradients(self._dout(), self.values))
        self._add(relations.purity(subject, self.upstream, self.values))
        if not self.report.findings:
            dout = self._dout()
            gradients = subject.gradients(dout, self.values)
            self._add(relations.contract(subject, gradients, self.outputs))
            self._add(relations.memory(subject, dout, self.values, gradients))
            for sign in (1, -1):  # a backward may return its argument if nothing is to be cut off
                self._add(self._guarded(self._memory(self._with_sign(sign))))

    def _layouts(self) -> None:
        """Check what must not matter: the layout and the type of arrays, and the size of the upstream gradient."""
        subject, gradients = self.subject, self.subject.gradients(self._dout(), self.values)
        self._add(relations.upstream_is_linear(subject, self.upstream, self.values, gradients))
        if subject.in_place:
            return
        if "layouts" not in self.options.skip:
            self._add(relations.layouts(subject, self.upstream, gradients))
            self._add(relations.integers(subject, self.upstream, gradients))
        wanted = (self.narrow | set(self.options.dtypes or ())) - {"float64"}
        for dtype in sorted(wanted | ({"float32"} if self.options.dtypes is None else set())):
            self._add(relations.lower_precision(subject, self.upstream, dtype, dtype in wanted))

    def _sizes(self) -> None:
        """Check arrays of other sizes."""
        if "sizes" in self.options.skip or self.subject.in_place:
            return
        for where, values in resized(self.subject, self.rng):
            self._add(self._guarded(in_directions(self.subject, values, self.rng, where)))

    def _lines(self) -> None:
        """Check integrals along lines."""
        if "lines" not in self.options.skip:
            options = self.options
            self._add(along_lines(self.subject, self.upstream, options.scale, options.rtol, self.rng))

    def _points(self) -> None:
        """Check special points, and the given point once more, after all those calls."""
        if "points" not in self.options.skip:
            self._add(at_joint_ties(self.subject, self.values, self.rng))
            self._add(at_special_points(self.subject, self.values, self.rng))
            for sign, where in ((1, "if no entry is negative"), (-1, "if no entry is positive")):
                self._add(self._guarded(in_directions(self.subject, self._with_sign(sign), self.rng, where)))
        self._add(in_directions(self.subject, self.values, self.rng, "in another call"))

    def _given_point(self) -> None:
        """Measure entry by entry."""
        gradients = self.subject.gradients(self._dout(), self.values)
        loss = Loss(self.subject.outputs, self.upstream)
        loss.relative_noise = noise_of(loss, self.values, self.subject.wrt, self.rng)
        probe = Probe(loss, self.values, self.rng, self.options.scale, self.options.rtol or ENTRYWISE)
        for number, (argument, gradient) in enumerate(zip(self.subject.wrt, gradients, strict=True)):
            if gradient.size:
                found = at_entries(probe, self.subject, gradient, argument, self.options.sample)
                found.findings = self.report.arguments[number].findings + found.findings
                self.report.arguments[number] = found

    def _with_sign(self, sign: int) -> list[Any]:
        """Return the arguments with entries of one sign."""
        return [sign * abs(value) if n in self.subject.wrt else value for n, value in enumerate(self.values)]

    def _memory(self, values: list[Any]) -> Iterable[Finding]:
        dout = self._dout()
        yield from relations.memory(self.subject, dout, values, self.subject.gradients(dout, values))

    def _guarded(self, findings: Iterable[Finding]) -> Iterable[Finding]:
        """Yield findings, as long as backward takes arguments of these sizes: it may have sizes of its own."""
        with suppress(ArithmeticError, ValueError, IndexError, TypeError):
            yield from findings

    def _add(self, findings: Iterable[Finding]) -> None:
        by_name = {one.name: one for one in self.report.arguments}
        for finding in findings:
            (by_name[finding.argument].findings if finding.argument in by_name else self.report.findings).append(
                finding
            )

    def _dout(self) -> list[NDArray[Any]]:
        return [u.copy() for u in self.upstream]

    def _upstream(self, given: Any) -> list[NDArray[Any]]:
        if given is None:
            return [upstream_for(output, self.rng) for output in self.outputs]
        listed = given if isinstance(given, tuple | list) else [given]
        arrays = [np.asarray(u) for u in listed]
        if [a.shape for a in arrays] != [o.shape for o in self.outputs]:
            shapes = ", ".join(str(o.shape) for o in self.outputs)
            raise UsageError(f"upstream must have the shape of the output of {self.subject.name}: {shapes}")
        return [a.astype(o.dtype) for a, o in zip(arrays, self.outputs, strict=True)]

    def _called(self, function: Any, call: Callable[[], Any]) -> Any:
        """Return the result of a call with the given arguments. Raises UsageError if it raises an error."""
        try:
            return call()
        except (UsageError, AssertionError):
            raise
        except Exception as error:
            wrong = f"{name_of(function)} raises {type(error).__name__} for these arguments: {error}"
            raise UsageError(wrong) from error
