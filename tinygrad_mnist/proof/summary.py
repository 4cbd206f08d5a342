"""The summary of many reports: a row for each gradient, a line for each derivation, and what is wrong where."""

import textwrap
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from tinygrad_mnist.check.report import INCONCLUSIVE, RIGHT, WRONG, Report

WIDTH = 60
"""The columns of a narrow terminal."""

MARKS = {RIGHT: "ok", WRONG: "WRONG", INCONCLUSIVE: "UNDECIDED"}
"""How a row shows its verdict."""


def table(reports: Mapping[str, Report]) -> str:
    """Return a table with a row for each gradient: its largest error, how it was measured, and the verdict."""
    lines = [f"{'':<25}{'error':>7}  measured by"]
    for name, report in reports.items():
        for one in report.arguments:
            error = f"{one.error:.0e}" if one.entries else "-"
            lines.append(f"{name:<19} {'d' + one.name:<5}{error:>7}  {one.oracle or '-':<13} {MARKS[one.verdict]}")
        if report.findings or not report.arguments:
            lines.append(f"{name:<48}{MARKS[report.verdict]}")
    return "\n".join(lines)


def derivations_table(pages: Sequence[Mapping[str, Any]]) -> str:
    """Return a line for each page, like "linear: 32 of 32 steps", its wrong steps, and a sum."""
    lines = []
    for page in pages:
        lines.append(f"{page['page']}: {page['right']} of {page['steps']} steps")
        lines += [f"  WRONG: {step}" for step in page["wrong"]]
    right, steps = (sum(page[key] for page in pages) for key in ("right", "steps"))
    return "\n".join([*lines, f"{len(pages)} derivations: {right} of {steps} steps right"])


def faults(reports: Mapping[str, Report], chained: Collection[str]) -> str:
    """Return what is not right, as text, with the lines that compute it; empty if all is right.

    `chained` names those that consist of others. They are explained only if nothing that they consist of is wrong.
    """
    failed = {name: report for name, report in reports.items() if report.verdict != RIGHT}
    first = {name: report for name, report in failed.items() if name not in chained} or failed
    blocks = ["\n".join(_fault(name, report)) for name, report in first.items()]
    results = [name for name in failed if name not in first]
    if results:
        blocks.append(_wrapped(f"Wrong as a result: {', '.join(results)}.", ""))
    return "\n\n".join(blocks)


def _fault(name: str, report: Report) -> Iterator[str]:
    for finding in report.findings:
        yield f"{MARKS[finding.verdict]}: {name}"
        yield _wrapped(str(finding))
    for one in report.arguments:
        if one.verdict != RIGHT:
            yield f"{MARKS[one.verdict]}: {name}, d{one.name}"
            yield _wrapped(one.reason)
            if one.source:
                place, _, code = one.source.partition(": ")
                yield f"  {place}\n    {code}"


def _wrapped(text: str, indent: str = "  ") -> str:
    return textwrap.fill(text, WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)
