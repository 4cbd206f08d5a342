"""The gradient checker accepts what is right, and rejects everything that is wrong by a millionth or more."""

import inspect
import itertools
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tinygrad_mnist.arrays.backend import choose_backend
from tinygrad_mnist.passes import linear, square
from tinygrad_mnist.proof import cases, gradcheck
from tinygrad_mnist.proof.gradcheck import Check, GradientCase

NUMPY = choose_backend("numpy")
ORACLES = {"differences", "complex step", "float32"}

Backward = Callable[..., Any]


def failed(case: GradientCase) -> list[Check]:
    return [result for result in gradcheck.check(case, NUMPY) if not result.passed]


def oracles_of(checks: list[Check]) -> set[str]:
    return {result.oracle.partition(",")[0] for result in checks}


def square_with(backward: Backward) -> GradientCase:
    """Return the case of x^2 with this backward."""
    return replace(cases.all_cases()["square"], backward=backward)


def counter(backward: Backward) -> Backward:
    """Return a backward whose result grows by a relative 1e-15 with every call."""
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
def test_each_kind_of_mistake_fails_the_check_that_is_made_for_it(wrong: Backward, oracle: str | None) -> None:
    oracles = oracles_of(failed(square_with(wrong)))
    assert (oracle in oracles) if oracle else (oracles == set())


def test_a_backward_that_overwrites_an_argument_fails() -> None:
    def wrong(dy: Any, x: Any) -> Any:
        dx = square.backward(dy, x)
        x += 1
        return dx

    assert [(result.argument, result.oracle) for result in failed(square_with(wrong))] == [
        ("x", "unchanged, float64"),
        ("x", "unchanged, float32"),
    ]


def test_a_backward_that_is_right_only_in_float64_fails() -> None:
    def wrong(dy: Any, x: Any) -> Any:
        coarse = np.float16(1.001) if x.dtype == np.float32 else 1
        return square.backward(dy, x) * x.dtype.type(coarse)

    assert oracles_of(failed(square_with(wrong))) == {"float32"}


def case_of_two(forward: Backward, backward: Backward, zero: frozenset[str] = frozenset()) -> GradientCase:
    """Return the case of a function of x and y that may not depend on y at all."""
    rng = np.random.default_rng(0)
    return GradientCase(
        "unused",
        {"x": rng.standard_normal(4), "y": rng.standard_normal(4)},
        rng.standard_normal(4),
        forward,
        backward,
        lambda backward, upstream, x, y: backward(upstream, x, y),
        zero,
    )


def test_a_gradient_of_zero_fails_unless_the_case_declares_it() -> None:
    def backward(dz: Any, x: Any, y: Any) -> Any:
        return square.backward(dz, x), 0 * y

    undeclared = failed(case_of_two(lambda x, _: square.forward(x), backward))
    assert {result.argument for result in undeclared} == {"y"}
    assert failed(case_of_two(lambda x, _: square.forward(x), backward, zero=frozenset({"y"}))) == []


def test_a_gradient_that_is_declared_to_be_zero_must_be_zero() -> None:
    case = case_of_two(lambda x, _: square.forward(x), lambda dz, x, y: (square.backward(dz, x), 1e-300 * y + 0 * dz))
    checks = failed(replace(case, zero=frozenset({"y"})))
    assert {result.argument for result in checks} == {"y"}


def relu(z: Any) -> Any:
    return np.where(np.real(z) > 0, z, 0 * z)


def relu_case(z: NDArray[Any], backward: Backward) -> GradientCase:
    upstream = np.random.default_rng(0).standard_normal(z.shape)
    return GradientCase("relu", {"z": z}, upstream, relu, backward, lambda backward, dh, z: (backward(dh, z),))


Z = np.array([-2.0, 0.0, 0.5, 0.0, 3.0, 2e-4, -3e-4])
"""Two points at the kink, and two so close to it that a step crosses it."""


@pytest.mark.parametrize("at_0", [0.0, 0.5, 1.0])
def test_points_at_a_kink_are_skipped_and_counted(at_0: float) -> None:
    case = relu_case(Z, lambda dh, z: np.where(z == 0, dh * dh.dtype.type(at_0), np.where(z > 0, dh, 0 * dh)))
    checks = gradcheck.check(case, NUMPY)
    assert {result.kinks for result in checks if result.oracle in ORACLES} == {4}
    assert [result for result in checks if not result.passed] == []


def test_a_wrong_derivative_at_other_points_than_the_kink_fails() -> None:
    assert failed(relu_case(Z, lambda dh, z: dh * (z > 1))) != []


def test_a_case_in_which_all_points_are_kinks_fails() -> None:
    checks = failed(relu_case(np.zeros(3), lambda dh, z: dh * (z > 0)))
    assert oracles_of(checks) >= ORACLES


def test_a_smooth_function_has_no_kinks_even_if_it_is_steep() -> None:
    case = cases.all_cases()["sigmoid"]
    steep = replace(case, arguments={"z": np.linspace(-30, 30, 12).reshape(6, 2)})
    assert {result.kinks for result in gradcheck.check(steep, NUMPY)} == {0}


def test_one_wrong_entry_of_a_large_array_fails_along_random_directions() -> None:
    rng = np.random.default_rng(1)
    size = max(gradcheck.MAX_ENTRIES.values()) + 1

    def wrong(dy: Any, x: Any) -> Any:
        dx = square.backward(dy, x)
        dx[7] += dx.dtype.type(1e-4) * np.max(np.abs(dx))
        return dx

    case = GradientCase(
        "large",
        {"x": rng.standard_normal(size)},
        rng.standard_normal(size),
        square.forward,
        wrong,
        lambda backward, dy, x: (backward(dy, x),),
    )
    assert oracles_of(failed(case)) >= {"differences", "complex step"}
    assert oracles_of(failed(replace(case, backward=square.backward))) == set()


def test_halving_the_step_divides_the_error_of_central_differences_by_4() -> None:
    for name, with_order in (
        ("sigmoid", {"z"}),
        ("one layer", {"w", "b"}),
        ("two hidden", {"w1", "b1", "w2", "b2", "w3", "b3"}),
        ("square", set()),
        ("linear", set()),
    ):
        checks = gradcheck.check(cases.all_cases()[name], NUMPY)
        observed = {result.argument: result.observed for result in checks if result.oracle == "order"}
        assert observed.keys() == with_order
        assert all(order == pytest.approx(2, abs=0.01) for order in observed.values())


@pytest.mark.parametrize(
    ("actual", "expected"),
    [([1.0], [1.0, 2.0]), ([[1.0]], [1.0]), ([], []), ([0.0], [0.0]), ([math.nan], [1.0]), ([math.inf], [1.0])],
)
def test_the_error_is_1_if_arrays_cannot_be_compared(actual: Any, expected: Any) -> None:
    assert gradcheck.relative_error(np.array(actual), np.array(expected)) == 1


def test_the_line_that_computes_a_derivative_is_shown_with_its_file_and_number() -> None:
    where, _, line = gradcheck.source_line(cases.all_cases()["linear"], "w").partition(": ")
    path, _, number = where.partition(":")
    assert path == "tinygrad_mnist/passes/linear.py"
    assert line == "dw = x.T @ dz"
    assert inspect.getsource(linear).splitlines()[int(number) - 1].strip() == line


@pytest.mark.parametrize("argument", ["x", "w", "b"])
def test_the_line_of_each_derivative_is_found(argument: str) -> None:
    assert f"d{argument} = " in gradcheck.source_line(cases.all_cases()["linear"], argument)
