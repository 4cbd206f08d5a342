"""The planted bugs: each is one line of our own functions, and the checker rejects each of them by itself."""

import inspect

import numpy as np
import pytest

from tinygrad_mnist.arrays.backend import choose_backend
from tinygrad_mnist.passes import relu
from tinygrad_mnist.proof.cases import Case, all_cases
from tinygrad_mnist.proof.planted import PlantedBug, all_bugs, named_bugs, planted
from tinygrad_mnist.proof.reference_training import TrainingCase

BUGS = all_bugs()
CASES = all_cases().values()
SAMPLE = {bug.function: bug for bug in reversed(BUGS)}.values()
"""The first bug of each function."""


def slope_at(z: float) -> float:
    return float(relu.backward(np.array([1.0]), np.array([z]))[0])


def test_a_planted_bug_is_there_for_everybody_and_gone_afterwards() -> None:
    imported_earlier = relu.backward
    with planted(named_bugs()["relu-threshold"]):
        assert slope_at(-0.01) == 1
        assert relu.backward is imported_earlier
        assert "z > -0.05" in inspect.getsource(relu.backward)
    assert slope_at(-0.01) == 0
    assert "z > -0.05" not in inspect.getsource(relu.backward)


def test_a_planted_bug_is_gone_after_an_error_too() -> None:
    with pytest.raises(KeyError), planted(named_bugs()["relu-threshold"]):
        raise KeyError
    assert slope_at(-0.01) == 0


def test_what_a_planted_bug_remembers_is_forgotten_with_it() -> None:
    with planted(named_bugs()["remembered-mask"]):
        assert [slope_at(z) for z in (1.0, -1.0)] == [1, 1]
    with planted(named_bugs()["remembered-mask"]):
        assert [slope_at(z) for z in (-1.0, 1.0)] == [0, 0]


@pytest.mark.parametrize("before", ["z >= 0", "z"])
def test_a_line_that_is_not_there_exactly_once_cannot_be_replaced(before: str) -> None:
    bug = PlantedBug("passes.relu.backward", "Never planted.", before, "z < 0")
    with pytest.raises(ValueError, match="not once"), planted(bug):
        pass


def all_or_a_sample() -> list[object]:
    """Return every bug as a parameter of a test, of which the default run takes the first of each function."""
    marks = ((bug, () if bug in SAMPLE else pytest.mark.exhaustive) for bug in BUGS)
    return [pytest.param(bug, marks=mark, id=f"{bug.function}: {bug.description}") for bug, mark in marks]


@pytest.mark.parametrize("bug", all_or_a_sample())
def test_the_checker_rejects_every_planted_bug(bug: PlantedBug) -> None:
    backend = choose_backend("numpy")
    with planted(bug):
        assert any(case.report(backend).verdict != "right" for case in reached_by(bug))


def reached_by(bug: PlantedBug) -> list[Case | TrainingCase]:
    """Return the cases that a bug can show in: those of its page, network or loss, or those that train."""
    if not bug.module.startswith(("passes", "networks", "losses")):
        return [case for case in CASES if isinstance(case, TrainingCase)]
    ours = [case for case in CASES if isinstance(case, Case)]
    return [case for case in ours if case.options["source"].__module__ == f"tinygrad_mnist.{bug.module}"]


def test_planted_bugs_are_described_in_a_sentence_and_have_different_names() -> None:
    assert [bug for bug in BUGS if not (bug.description.endswith(".") and bug.description[0].isupper())] == []
    assert len(named_bugs()) == sum(bool(bug.name) for bug in BUGS)


def test_there_are_enough_of_them() -> None:
    assert len({(bug.function, bug.description) for bug in BUGS}) == len(BUGS) >= 229
    assert sum(bug.module.startswith("passes") for bug in BUGS) >= 80
