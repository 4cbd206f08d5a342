"""The checker passes what is right, by a wide margin, and nothing that is wrong by a millionth."""

import inspect
import itertools
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tinygrad_mnist import backend, claims, gradcheck, planted
from tinygrad_mnist.backend import Backend
from tinygrad_mnist.gradcheck import Check, Claim
from tinygrad_mnist.passes import linear, sigmoid, square

NUMPY = backend.choose("numpy")
NAMES = list(claims.all_claims())


def failed(claim: Claim, place: Backend = NUMPY) -> list[Check]:
    return [found for found in gradcheck.check(claim, place) if not found.passed]


def oracles_of(checks: list[Check]) -> set[str]:
    return {found.oracle.partition(",")[0] for found in checks}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", [name for name in NAMES if name != "line 784"])
def test_every_claim_holds_whatever_the_numbers(name: str, seed: int) -> None:
    assert failed(claims.all_claims(seed)[name]) == []


def test_the_claim_about_mnists_own_size_holds() -> None:
    assert failed(claims.all_claims()["line 784"]) == []


@pytest.mark.parametrize("name", NAMES)
def test_the_oracles_are_as_sharp_as_promised(name: str) -> None:
    checks = [found for found in gradcheck.check(claims.all_claims()[name], NUMPY) if found.oracle in TOLERANCES]
    assert {found.oracle: found.tolerance for found in checks} == TOLERANCES
    assert {found.argument for found in checks} == set(claims.all_claims()[name].arguments)


TOLERANCES = {"differences": 1e-9, "complex step": 1e-12, "float32": 1e-5}


@pytest.mark.parametrize("name", planted.PLANTS)
def test_every_planted_bug_is_found_in_its_own_pass_and_nowhere_else(name: str) -> None:
    plant = planted.PLANTS[name]
    sound = claims.all_claims()
    spoiled = plant.into(sound)
    assert failed(spoiled[plant.claim]) != []
    assert {name for name in NAMES if spoiled[name] is not sound[name]} == {plant.claim}


@pytest.mark.parametrize("name", planted.PLANTS)
def test_every_planted_bug_says_what_is_wrong(name: str) -> None:
    assert planted.PLANTS[name].says.endswith(".")


@pytest.mark.parametrize(
    ("name", "argument", "oracles"),
    [
        ("half-per-mille", "w", {"differences", "complex step", "float32"}),
        ("one-entry", "w", {"differences", "complex step"}),
        ("no-bias", "b", {"differences", "complex step", "float32"}),
        ("missing-slope", "z", {"differences", "complex step", "float32"}),
        ("written-to", "upstream", {"unchanged"}),
        ("float64-leak", "b", {"type"}),
        ("column-against-row", "z", {"shape", "differences", "complex step", "float32"}),
    ],
)
def test_the_bug_is_found_where_it_is_and_by_what_can_see_it(name: str, argument: str, oracles: set[str]) -> None:
    plant = planted.PLANTS[name]
    found = failed(plant.into(claims.all_claims())[plant.claim])
    assert {check.argument for check in found} == {argument}
    assert oracles_of(found) >= oracles


Backward = Callable[..., Any]


def spoiled(wrong: Backward) -> Claim:
    """Return the claim about x^2 with this backward."""
    return replace(claims.all_claims()["square"], written=wrong)


def counter(backward: Backward) -> Backward:
    """Return a backward that adds the number of calls so far, times nearly nothing."""
    calls = itertools.count()
    return lambda dy, x: backward(dy, x) * (1 + next(calls) * 1e-15)


@pytest.mark.parametrize(
    ("wrong", "oracle"),
    [
        (counter(square.backward), "same twice"),
        (lambda dy, x: square.backward(dy, x) + 1e-14, "zero for zero"),
        (lambda dy, x: square.backward(np.abs(dy), x), "linearity"),
        (lambda dy, x: square.backward(dy * dy, x), "linearity"),
        (lambda dy, x: square.backward(dy, x) * np.nan, "complex step"),
        (lambda dy, x: square.backward(dy, x) + np.inf, "complex step"),
        (lambda dy, x: square.backward(dy, x)[0], "shape"),
        (lambda dy, x: square.backward(dy, x)[None], "shape"),
        (lambda dy, x: np.sum(square.backward(dy, x)), "shape"),
        (lambda dy, x: square.backward(dy, x).astype(complex), "type"),
        (lambda dy, x: square.backward(np.ones_like(dy), x), "complex step"),
        (lambda dy, x: square.backward(np.mean(dy) + 0 * dy, x), "complex step"),
        (lambda dy, x: square.backward(dy, x) * np.float32(1), None),
    ],
)
def test_what_else_can_go_wrong_is_found(wrong: Backward, oracle: str | None) -> None:
    found = oracles_of(failed(spoiled(wrong)))
    assert (oracle in found) if oracle else (found == set())


def test_an_argument_that_is_written_to_and_put_back_too_late_is_found() -> None:
    def wrong(dy: Any, x: Any) -> Any:
        dx = square.backward(dy, x)
        x += 1
        return dx

    assert [(check.argument, check.oracle) for check in failed(spoiled(wrong))] == [
        ("x", "unchanged, float64"),
        ("x", "unchanged, float32"),
    ]


def test_float32_code_that_is_right_in_float64_alone_is_found() -> None:
    def wrong(dy: Any, x: Any) -> Any:
        coarse = np.float16(1.001) if x.dtype == np.float32 else 1
        return square.backward(dy, x) * x.dtype.type(coarse)

    assert oracles_of(failed(spoiled(wrong))) == {"float32"}


def unused(forward: Backward, written: Backward, zero: frozenset[str] = frozenset()) -> Claim:
    """Return a claim about a function of x and y that may not depend on y at all."""
    rng = np.random.default_rng(0)
    return Claim(
        "unused",
        {"x": rng.standard_normal(4), "y": rng.standard_normal(4)},
        rng.standard_normal(4),
        forward,
        written,
        lambda backward, upstream, x, y: backward(upstream, x, y),
        zero,
    )


def test_a_gradient_of_zero_counts_as_forgotten_unless_it_is_declared() -> None:
    def backward(dz: Any, x: Any, y: Any) -> Any:
        return square.backward(dz, x), 0 * y

    undeclared = failed(unused(lambda x, _: square.forward(x), backward))
    assert {check.argument for check in undeclared} == {"y"}
    assert failed(unused(lambda x, _: square.forward(x), backward, zero=frozenset({"y"}))) == []


def test_a_gradient_declared_to_be_zero_must_be() -> None:
    claim = unused(lambda x, _: square.forward(x), lambda dz, x, y: (square.backward(dz, x), 1e-300 * y + 0 * dz))
    found = failed(replace(claim, zero=frozenset({"y"})))
    assert {check.argument for check in found} == {"y"}


def relu(z: Any) -> Any:
    return np.where(np.real(z) > 0, z, 0 * z)


def with_kinks(z: NDArray[Any], backward: Backward) -> Claim:
    upstream = np.random.default_rng(0).standard_normal(z.shape)
    return Claim("relu", {"z": z}, upstream, relu, backward, lambda backward, dh, z: (backward(dh, z),))


Z = np.array([-2.0, 0.0, 0.5, 0.0, 3.0, 2e-4, -3e-4])
"""Two points at the kink, and two so near to it that a nudge crosses it."""


@pytest.mark.parametrize("at_0", [0.0, 0.5, 1.0])
def test_points_at_a_kink_are_set_aside_and_counted(at_0: float) -> None:
    claim = with_kinks(Z, lambda dh, z: np.where(z == 0, dh * dh.dtype.type(at_0), np.where(z > 0, dh, 0 * dh)))
    checks = gradcheck.check(claim, NUMPY)
    assert {check.kinks for check in checks if check.oracle in TOLERANCES} == {4}
    assert [check for check in checks if not check.passed] == []


def test_beside_a_kink_a_wrong_derivative_is_still_found() -> None:
    assert failed(with_kinks(Z, lambda dh, z: dh * (z > 1))) != []


def test_nothing_but_kinks_proves_nothing() -> None:
    found = failed(with_kinks(np.zeros(3), lambda dh, z: dh * (z > 0)))
    assert oracles_of(found) >= set(TOLERANCES)


def test_a_smooth_function_has_no_kinks_however_steep() -> None:
    claim = claims.all_claims()["sigmoid"]
    steep = replace(claim, arguments={"z": np.linspace(-30, 30, 12).reshape(6, 2)})
    assert {check.kinks for check in gradcheck.check(steep, NUMPY)} == {0}


def test_one_wrong_entry_among_many_is_found_along_random_directions() -> None:
    rng = np.random.default_rng(1)
    size = max(gradcheck.EVERY_ENTRY.values()) + 1

    def wrong(dy: Any, x: Any) -> Any:
        dx = square.backward(dy, x)
        dx[7] += dx.dtype.type(1e-4) * np.max(np.abs(dx))
        return dx

    claim = Claim(
        "large",
        {"x": rng.standard_normal(size)},
        rng.standard_normal(size),
        square.forward,
        wrong,
        lambda backward, dy, x: (backward(dy, x),),
    )
    assert oracles_of(failed(claim)) >= {"differences", "complex step"}
    assert oracles_of(failed(replace(claim, written=square.backward))) == set()


def test_the_error_of_a_central_difference_falls_by_4_as_the_step_halves() -> None:
    for name, ordered in (
        ("sigmoid", {"z"}),
        ("line", {"w", "b"}),
        ("two hidden", {"w1", "b1", "w2", "b2", "w3", "b3"}),
        ("square", set()),
        ("linear", set()),
    ):
        checks = gradcheck.check(claims.all_claims()[name], NUMPY)
        observed = {check.argument: check.observed for check in checks if check.oracle == "order"}
        assert observed.keys() == ordered
        assert all(order == pytest.approx(2, abs=0.01) for order in observed.values())


@pytest.mark.parametrize(
    ("found", "expected"),
    [([1.0], [1.0, 2.0]), ([[1.0]], [1.0]), ([], []), ([0.0], [0.0]), ([math.nan], [1.0]), ([math.inf], [1.0])],
)
def test_what_cannot_be_compared_is_all_wrong(found: Any, expected: Any) -> None:
    assert gradcheck.relative_error(np.array(found), np.array(expected)) == 1


def test_the_line_that_computes_a_derivative_is_named() -> None:
    claim = claims.all_claims()["linear"]
    where, _, line = gradcheck.culprit(claim, "w").partition(": ")
    path, _, number = where.partition(":")
    assert path == "tinygrad_mnist/passes/linear.py"
    assert line == "dw = x.T @ dz"
    assert inspect.getsource(linear).splitlines()[int(number) - 1].strip() == line


@pytest.mark.parametrize("argument", ["x", "w", "b"])
def test_each_pass_names_each_of_its_derivatives(argument: str) -> None:
    assert f"d{argument} = " in gradcheck.culprit(claims.all_claims()["linear"], argument)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "line 784"])
def test_the_code_is_checked_where_it_runs(name: str) -> None:
    strict = pytest.importorskip("array_api_strict")
    device = Backend("strict", strict, strict.Device("device1"), "another device")
    assert failed(claims.all_claims()[name], device) == []


@pytest.mark.parametrize("name", planted.PLANTS)
def test_planted_bugs_are_found_where_the_code_runs(name: str) -> None:
    strict = pytest.importorskip("array_api_strict")
    device = Backend("strict", strict, strict.Device("device1"), "another device")
    plant = planted.PLANTS[name]
    assert failed(plant.into(claims.all_claims())[plant.claim], device) != []


def test_the_numbers_are_as_random_as_they_claim() -> None:
    claim = claims.all_claims()["line 784"]
    assert np.std(claim.arguments["w"]) == pytest.approx(1, abs=0.05)
    assert not np.array_equal(claim.arguments["w"], claims.all_claims(1)["line 784"].arguments["w"])
    for array in (*claim.arguments.values(), claim.upstream):
        assert np.array_equal(array, array.astype(np.float32))
    assert sigmoid.forward(claims.all_claims()["sigmoid"].arguments["z"]).min() < 1e-2
