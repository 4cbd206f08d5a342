"""The planted bugs: the checker finds each of them, in its own pass and in no other."""

import pytest

from tinygrad_mnist.arrays.backend import Backend, choose_backend
from tinygrad_mnist.proof import cases, planted
from tinygrad_mnist.proof.gradcheck import Check, GradientCase, check

NUMPY = choose_backend("numpy")
VALUES = {"differences", "complex step", "float32"}


def failed(case: GradientCase, backend: Backend = NUMPY) -> list[Check]:
    return [result for result in check(case, backend) if not result.passed]


@pytest.mark.parametrize("name", planted.PLANTED_BUGS)
def test_every_planted_bug_is_found_in_its_own_pass_and_in_no_other(name: str) -> None:
    bug = planted.PLANTED_BUGS[name]
    sound = cases.all_cases()
    spoiled = bug.planted_in(sound)
    assert failed(spoiled[bug.case]) != []
    assert {name for name in sound if spoiled[name] is not sound[name]} == {bug.case}


@pytest.mark.parametrize("name", planted.PLANTED_BUGS)
def test_every_planted_bug_is_described_in_a_sentence(name: str) -> None:
    assert planted.PLANTED_BUGS[name].description.endswith(".")


@pytest.mark.parametrize(
    ("name", "argument", "oracles"),
    [
        ("slightly-off", "w", VALUES),
        ("one-entry", "w", {"differences", "complex step"}),
        ("no-bias", "b", VALUES),
        ("missing-slope", "z", VALUES),
        ("overwritten", "upstream", {"unchanged"}),
        ("float64-leak", "b", {"type"}),
        ("column-times-row", "z", {"shape", *VALUES}),
        ("unscaled", "w", VALUES),
        ("scaled-bias", "b", VALUES),
        ("rounded-targets", "z", VALUES),
    ],
)
def test_a_bug_is_reported_for_its_argument_by_every_check_that_can_see_it(
    name: str, argument: str, oracles: set[str]
) -> None:
    bug = planted.PLANTED_BUGS[name]
    checks = failed(bug.planted_in(cases.all_cases())[bug.case])
    assert {result.argument for result in checks} == {argument}
    assert {result.oracle.partition(",")[0] for result in checks} >= oracles


@pytest.mark.parametrize("name", planted.PLANTED_BUGS)
def test_every_planted_bug_is_found_on_a_different_device(name: str) -> None:
    strict = pytest.importorskip("array_api_strict")
    device = Backend("strict", strict, strict.Device("device1"), "a different device")
    bug = planted.PLANTED_BUGS[name]
    assert failed(bug.planted_in(cases.all_cases())[bug.case], device) != []
