"""Our own cases: every gradient is right, on the host and on other devices, and training is a sequence of gradients."""

from pathlib import Path

import pytest

from tinygrad_mnist import passes
from tinygrad_mnist.arrays.backend import Backend, choose_backend
from tinygrad_mnist.proof import cases

CASES = cases.all_cases()


@pytest.mark.parametrize("name", CASES)
def test_every_gradient_is_right(name: str) -> None:
    report = CASES[name].report(choose_backend("numpy"))
    assert report.verdict == "right", str(report)


@pytest.mark.parametrize("name", ["linear", "softmax", "hidden"])
def test_gradients_are_right_for_different_numbers(name: str) -> None:
    report = cases.all_cases(seed=1)[name].report(choose_backend("numpy"), seed=1)
    assert report.verdict == "right", str(report)


@pytest.mark.parametrize("name", ["linear", "patches", "hidden"])
def test_gradients_are_right_on_the_stand_in_for_a_gpu(name: str, cupy_standin: object) -> None:
    report = CASES[name].report(choose_backend("cupy"))
    assert report.verdict == "right", str(report)


@pytest.mark.parametrize(
    "name", ["linear", *(pytest.param(name, marks=pytest.mark.exhaustive) for name in ("relu", "hidden"))]
)
def test_gradients_are_right_on_a_simulated_device(name: str) -> None:
    strict = pytest.importorskip("array_api_strict")
    report = CASES[name].report(Backend("strict", strict, strict.Device("device1"), "a different device"))
    assert report.verdict == "right", str(report)


def test_every_page_has_a_case() -> None:
    pages = {path.stem.replace("_", " ") for path in Path(passes.__path__[0]).glob("[a-z]*.py")}
    spelled = " ".join(CASES).replace("-", " ") + " softmax cross entropy"
    assert [page for page in sorted(pages) if page not in spelled] == []
