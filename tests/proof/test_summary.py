"""What gradcheck prints about gradients and derivations."""

from tinygrad_mnist.check.report import ArgumentReport, Finding, Report, verdict_of
from tinygrad_mnist.proof import summary


def test_the_derivations_have_a_line_for_each_page_each_wrong_step_and_the_sum() -> None:
    pages = [
        {"page": "linear", "right": 1, "steps": 1, "wrong": []},
        {"page": "relu", "right": 1, "steps": 2, "wrong": ["line 7: h = z"]},
    ]
    assert summary.derivations_table(pages).splitlines() == [
        "linear: 1 of 1 steps",
        "relu: 1 of 2 steps",
        "  WRONG: line 7: h = z",
        "2 derivations: 2 of 3 steps right",
    ]


def test_what_consists_of_a_wrong_function_is_only_named() -> None:
    wrong = ArgumentReport("z", findings=[Finding("off")])
    reports = {"relu": Report("relu", [wrong]), "hidden": Report("hidden", [wrong]), "tanh": Report("tanh")}
    assert verdict_of(reports.values()) == "wrong"
    assert summary.faults(reports, {"hidden"}) == "WRONG: relu, dz\n  off\n\nWrong as a result: hidden."
    assert summary.faults({"hidden": reports["hidden"]}, {"hidden"}) == "WRONG: hidden, dz\n  off"
