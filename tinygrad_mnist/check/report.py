"""What a check found: a verdict, the reason, and for each argument the worst entry and what it looks like."""

import inspect
import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from string import digits
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.check.tolerances import ALIKE

Verdict = Literal["right", "wrong", "inconclusive"]
RIGHT: Verdict = "right"
WRONG: Verdict = "wrong"
INCONCLUSIVE: Verdict = "inconclusive"


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or that cannot be decided."""

    sentence: str
    argument: str | None = None  # the argument whose gradient it is about, or None for all of them
    verdict: Verdict = WRONG
    index: tuple[int, ...] | None = None  # of the entry that shows it
    yours: float = math.nan
    measured: float = math.nan

    def __str__(self) -> str:
        """Return the sentence, with the entry that shows it."""
        if self.index is None and math.isnan(self.measured):
            return self.sentence
        place = "" if self.index is None else f"at {list(self.index)} "
        return f"{self.sentence} ({place}yours {self.yours:.6g}, measured {self.measured:.6g})"


def verdict_of(findings: Iterable[Any]) -> Verdict:
    """Return wrong if a finding or a report is, then inconclusive if one is, and right otherwise."""
    found = {one.verdict for one in findings}
    return WRONG if WRONG in found else INCONCLUSIVE if INCONCLUSIVE in found else RIGHT


@dataclass
class ArgumentReport:
    """What was found about the gradient with respect to one argument."""

    name: str
    entries: int = 0  # entries that were measured one by one
    undecided: int = 0  # those of them that could not be measured well enough
    error: float = 0.0  # the largest difference, relative to the largest measured entry
    oracle: str = ""  # "complex step" or "differences"
    findings: list[Finding] = field(default_factory=list)
    source: str = ""  # the line that computes it, as file:number: code

    @property
    def verdict(self) -> Verdict:
        """Wrong if anything is wrong, and inconclusive if something could not be decided."""
        return verdict_of(self.findings)

    @property
    def reason(self) -> str:
        """The first finding, as a sentence; empty if there is none."""
        return next((str(finding) for finding in self.findings if finding.verdict == self.verdict), "")

    def as_json(self) -> dict[str, Any]:
        """Return the report as JSON represents it, which has no infinite numbers."""
        facts = {name: getattr(self, name) for name in ("name", "verdict", "reason", "entries", "undecided")}
        error = self.error if math.isfinite(self.error) else None
        return {**facts, "error": error, "oracle": self.oracle, "source": self.source}


@dataclass
class Report:
    """The result of `verify`. It prints itself."""

    name: str
    arguments: list[ArgumentReport] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)  # about no argument in particular

    @property
    def verdict(self) -> Verdict:
        """One of right, wrong and inconclusive."""
        return verdict_of([*self.findings, *self.arguments])

    @property
    def reason(self) -> str:
        """Why, in a sentence."""
        if self.verdict == RIGHT:
            return f"every gradient of {self.name} is the derivative that was measured"
        reasons = [(one.verdict, str(one)) for one in self.findings]
        reasons += [(one.verdict, f"d{one.name}: {one.reason}") for one in self.arguments]
        return next(reason for verdict, reason in reasons if verdict == self.verdict)

    def add(self, finding: Finding) -> None:
        """Add a finding, to the report on its argument if it names one."""
        by_name = {one.name: one.findings for one in self.arguments}
        by_name.get(finding.argument or "", self.findings).append(finding)

    def __str__(self) -> str:
        """Return the report as text: the verdict, a line for each gradient, and for wrong ones what they look like."""
        lines = [f"{self.name}: {self.verdict}"]
        lines += [f"  {finding}" for finding in self.findings]
        for one in self.arguments:
            measured = f"{one.entries} entries, largest error {one.error:.0e}" if one.entries else "not measured"
            lines.append(f"  d{one.name:<10} {one.verdict:<13} {measured}{f' ({one.oracle})' if one.oracle else ''}")
            lines += [f"    {finding}" for finding in one.findings[:4]]
            if one.findings and one.source:
                lines.append(f"    {one.source}")
        return "\n".join(lines)

    __repr__ = __str__
    """A notebook, too, shows the report as text."""

    def as_json(self) -> dict[str, Any]:
        """Return the report as JSON represents it."""
        arguments = [one.as_json() for one in self.arguments]
        return {"name": self.name, "verdict": self.verdict, "reason": self.reason, "arguments": arguments}


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
