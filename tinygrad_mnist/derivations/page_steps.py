"""What was found about each page, in a line: the steps of its derivation that are right, and its gradients."""

from collections.abc import Mapping, Sequence
from typing import Any

from tinygrad_mnist.check.report import RIGHT, Report
from tinygrad_mnist.derivations import derivations


def of_pages(cases: Mapping[str, Any], reports: Mapping[str, Report]) -> list[dict[str, Any]]:
    """Return a dictionary for each page, given the reports on all cases, as JSON represents it."""
    found: dict[str, dict[str, str]] = {}
    for name, case in cases.items():
        page = getattr(getattr(case, "forward", None), "__module__", "").rpartition(".passes.")[2]
        for one in reports[name].arguments:
            gradients = found.setdefault(page, {})
            if gradients.get(f"d{one.name}", RIGHT) == RIGHT:
                gradients[f"d{one.name}"] = one.verdict
    return [_of_page(page, found.get(page, {})) for page in derivations.page_names()]


def _of_page(page: str, gradients: Mapping[str, str]) -> dict[str, Any]:
    right, number, failed = derivations.steps(page)
    wrong = [f"line {step.line}: {step.text}{f' ({step.reason})' if step.reason else ''}" for step in failed]
    name = "the chain rule" if page == "__init__" else page
    return {"page": name, "right": right, "steps": number, "wrong": wrong, "gradients": dict(gradients)}


def text(pages: Sequence[Mapping[str, Any]]) -> str:
    """Return a line for each page, like "linear: 32 of 32 steps, dx dw db right", its wrong steps, and a sum."""
    lines = []
    for page in pages:
        by_verdict: dict[str, list[str]] = {}
        for name, verdict in page["gradients"].items():
            by_verdict.setdefault(verdict, []).append(name)
        verdicts = [f"{' '.join(names)} {verdict}" for verdict, names in by_verdict.items()]
        lines.append(", ".join([f"{page['page']}: {page['right']} of {page['steps']} steps", *verdicts]))
        lines += [f"  WRONG: {step}" for step in page["wrong"]]
    right, steps = (sum(page[key] for page in pages) for key in ("right", "steps"))
    return "\n".join([*lines, f"{len(pages)} derivations: {right} of {steps} steps right"])
