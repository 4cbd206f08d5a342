"""The gradient cases: all pass, for different numbers and on a different device, with the promised tolerances."""

import numpy as np
import pytest

from tinygrad_mnist.arrays.backend import Backend, choose_backend
from tinygrad_mnist.passes import sigmoid
from tinygrad_mnist.proof import cases
from tinygrad_mnist.proof.gradcheck import Check, GradientCase, check

NUMPY = choose_backend("numpy")
NAMES = list(cases.all_cases())
TOLERANCES = {"differences": 1e-9, "complex step": 1e-12, "float32": 1e-5}


def failed(case: GradientCase, backend: Backend = NUMPY) -> list[Check]:
    return [result for result in check(case, backend) if not result.passed]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", [name for name in NAMES if name != "MNIST"])
def test_every_case_passes_for_different_numbers(name: str, seed: int) -> None:
    assert failed(cases.all_cases(seed)[name]) == []


def test_the_case_with_the_size_of_mnist_passes() -> None:
    assert failed(cases.all_cases()["MNIST"]) == []


@pytest.mark.parametrize("name", NAMES)
def test_every_argument_is_checked_with_the_promised_tolerances(name: str) -> None:
    checks = [result for result in check(cases.all_cases()[name], NUMPY) if result.oracle in TOLERANCES]
    assert {result.oracle: result.tolerance for result in checks} == TOLERANCES
    assert {result.argument for result in checks} == set(cases.all_cases()[name].arguments)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "MNIST"])
def test_every_case_passes_on_a_different_device(name: str) -> None:
    strict = pytest.importorskip("array_api_strict")
    device = Backend("strict", strict, strict.Device("device1"), "a different device")
    assert failed(cases.all_cases()[name], device) == []


def test_the_numbers_are_standard_normal_and_differ_between_seeds() -> None:
    case = cases.all_cases()["MNIST"]
    assert np.std(case.arguments["w"]) == pytest.approx(1, abs=0.05)
    assert not np.array_equal(case.arguments["w"], cases.all_cases(1)["MNIST"].arguments["w"])
    for array in (*case.arguments.values(), case.upstream):
        assert np.array_equal(array, array.astype(np.float32))
    assert sigmoid.forward(cases.all_cases()["sigmoid"].arguments["z"]).min() < 1e-2
