"""The planted bugs: each is one line of our own functions, and the checker rejects each of them by itself."""

import inspect
import tomllib
from pathlib import Path

import numpy as np
import pytest

from tinygrad_mnist.arrays.backend import choose_backend
from tinygrad_mnist.optimizers import OPTIMIZERS
from tinygrad_mnist.passes import relu
from tinygrad_mnist.proof.case import Case
from tinygrad_mnist.proof.cases import all_cases
from tinygrad_mnist.proof.planted import PLANTED_BUGS, PlantedBug, planted
from tinygrad_mnist.proof.training_cases import TrainingCase, training_cases

LINES = tomllib.loads(Path(__file__).with_name("planted_lines.toml").read_text("utf-8"))
BUGS = [
    *PLANTED_BUGS.values(),
    *(PlantedBug(function, *lines, sentence) for function, bugs in LINES.items() for sentence, lines in bugs.items()),
]
CASES = [case for case in all_cases().values() if isinstance(case, Case)]
STEPS = [case for case in CASES if case.name.startswith(tuple(OPTIMIZERS))]
TRAINING = list(training_cases())
BACKEND = choose_backend("numpy")
IDS = [f"{bug.function}: {bug.description}" for bug in BUGS]


def slope_at(z: float) -> float:
    return float(relu.backward(np.array([1.0]), np.array([z]))[0])


def test_a_planted_bug_is_there_for_everybody_and_gone_afterwards() -> None:
    imported_earlier = relu.backward
    with planted(PLANTED_BUGS["relu-threshold"]):
        assert slope_at(-0.01) == 1
        assert relu.backward is imported_earlier
        assert "z > -0.05" in inspect.getsource(relu.backward)
    assert slope_at(-0.01) == 0
    assert "z > -0.05" not in inspect.getsource(relu.backward)


def test_a_planted_bug_is_gone_after_an_error_too() -> None:
    with pytest.raises(KeyError), planted(PLANTED_BUGS["relu-threshold"]):
        raise KeyError
    assert slope_at(-0.01) == 0


def test_what_a_planted_bug_remembers_is_forgotten_with_it() -> None:
    with planted(PLANTED_BUGS["remembered-mask"]):
        assert [slope_at(z) for z in (1.0, -1.0)] == [1, 1]
    with planted(PLANTED_BUGS["remembered-mask"]):
        assert [slope_at(z) for z in (-1.0, 1.0)] == [0, 0]


@pytest.mark.parametrize("before", ["z >= 0", "z"])
def test_a_line_that_is_not_there_exactly_once_cannot_be_replaced(before: str) -> None:
    bug = PlantedBug("passes.relu.backward", before, "z < 0", "Never planted.")
    with pytest.raises(ValueError, match="not once"), planted(bug):
        pass


@pytest.mark.parametrize("bug", BUGS, ids=IDS)
def test_the_checker_rejects_every_planted_bug(bug: PlantedBug) -> None:
    with planted(bug):
        assert any(case.report(BACKEND).verdict != "right" for case in reached_by(bug))


def reached_by(bug: PlantedBug) -> list[Case | TrainingCase]:
    """Return the cases that a bug can show in: those of its page, or for training, those that train."""
    own = [case for case in CASES if case.options["source"].__module__.endswith(bug.module)]
    return own if bug.module.startswith(("passes", "networks", "losses")) else [*TRAINING, *own, *STEPS]


def test_planted_bugs_are_described_in_a_sentence() -> None:
    assert [bug for bug in BUGS if not (bug.description.endswith(".") and bug.description[0].isupper())] == []


def test_there_are_enough_of_them() -> None:
    assert len(set(IDS)) == len(IDS) >= 150
    assert sum(bug.module.startswith("passes") for bug in BUGS) >= 80
