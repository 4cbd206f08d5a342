"""What gradcheck says about each page: its steps, and its gradients."""

from types import SimpleNamespace

import pytest

from tinygrad_mnist.check.report import ArgumentReport, Finding, Report
from tinygrad_mnist.derivations import derivations, page_steps
from tinygrad_mnist.derivations.derivations import Step
from tinygrad_mnist.passes import linear, relu


def report(name: str, *wrong: str, right: tuple[str, ...] = ()) -> Report:
    """Return a report with wrong and right gradients."""
    findings = [ArgumentReport(one, findings=[Finding("off")]) for one in wrong]
    return Report(name, [*(ArgumentReport(one) for one in right), *findings])


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    """Return what is found about two pages. One has a wrong gradient, and the other a wrong step."""
    monkeypatch.setattr(derivations, "page_names", lambda: ["linear", "relu"])
    steps = {
        "linear": [Step("linear", 3, "x = x", 0.0)],
        "relu": [Step("relu", 7, "h = z", 1.0), Step("relu", 8, "h", 0)],
    }
    monkeypatch.setattr(derivations, "check", steps.get)
    cases = {"a": SimpleNamespace(forward=linear.forward), "b": SimpleNamespace(forward=linear.forward)}
    cases |= {"c": SimpleNamespace(forward=relu.forward), "training": SimpleNamespace()}
    reports = {"a": report("a", right=("x", "w")), "b": report("b", "w", right=("x",)), "c": report("c", right=("z",))}
    return page_steps.of_pages(cases, reports | {"training": report("training")})


def test_a_page_has_its_steps_and_the_worst_verdict_on_each_gradient(pages: list[dict[str, object]]) -> None:
    first, second = pages
    assert first == {
        "page": "linear",
        "right": 1,
        "steps": 1,
        "wrong": [],
        "gradients": {"dx": "right", "dw": "wrong"},
    }
    assert second["wrong"] == ["line 7: h = z"]


def test_the_text_has_a_line_for_each_page_each_wrong_step_and_the_sum(pages: list[dict[str, object]]) -> None:
    assert page_steps.text(pages).splitlines() == [
        "linear: 1 of 1 steps, dx right, dw wrong",
        "relu: 1 of 2 steps, dz right",
        "  WRONG: line 7: h = z",
        "2 derivations: 2 of 3 steps right",
    ]
