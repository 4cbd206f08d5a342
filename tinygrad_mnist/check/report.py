"""What a check found: a verdict, the reason, and for each argument the worst entry and what it looks like."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

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
