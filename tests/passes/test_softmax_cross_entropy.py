"""Softmax cross-entropy: exact for any logits, with targets as classes and as probabilities."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests import oracles
from tests.fixtures import Close, Draw
from tinygrad_mnist.arrays.backend import to_host
from tinygrad_mnist.passes import cross_entropy, softmax_cross_entropy
from tinygrad_mnist.passes.softmax_cross_entropy import softmax

SIZES = [(1, 1), (1, 4), (6, 1), (7, 3), (5, 10)]

each_size = pytest.mark.parametrize(("rows", "outputs"), SIZES)
both = pytest.mark.parametrize("function", [softmax_cross_entropy.forward, softmax_cross_entropy.backward])


def classes(rows: int, outputs: int) -> NDArray[Any]:
    return np.random.default_rng(3).integers(0, outputs, rows)


def probabilities(rows: int, outputs: int) -> NDArray[Any]:
    return np.random.default_rng(3).dirichlet(np.ones(outputs), rows)


@each_size
def test_it_agrees_with_scipy(rows: int, outputs: int, draw: Draw, close: Close) -> None:
    special = pytest.importorskip("scipy.special")
    z, t, q = 5 * draw(rows, outputs), classes(rows, outputs), probabilities(rows, outputs)
    log_p = special.log_softmax(z, axis=1)
    close(softmax(z), special.softmax(z, axis=1), 1e-14)
    assert softmax_cross_entropy.forward(z, t) == pytest.approx(-np.mean(log_p[range(rows), t]), rel=1e-13)
    assert softmax_cross_entropy.forward(z, q) == pytest.approx(-np.mean(np.sum(q * log_p, axis=1)), rel=1e-13)


@each_size
def test_dz_agrees_with_finite_differences(rows: int, outputs: int, draw: Draw) -> None:
    z = 3 * draw(rows, outputs)
    for t in (classes(rows, outputs), probabilities(rows, outputs)):
        expected = oracles.gradient(lambda z, t=t: softmax_cross_entropy.forward(z, t), z)
        np.testing.assert_allclose(softmax_cross_entropy.backward(z, t), expected, rtol=1e-9, atol=1e-11)


@each_size
def test_classes_are_probabilities_of_0_and_1(rows: int, outputs: int, draw: Draw) -> None:
    z, t = draw(rows, outputs), classes(rows, outputs)
    one_hot = t[:, np.newaxis] == np.arange(outputs)
    for function in (softmax_cross_entropy.forward, softmax_cross_entropy.backward):
        for kind in ("bool", "uint8", "int64", "float32"):
            np.testing.assert_array_equal(function(z, one_hot.astype(kind)), function(z, t))
        for kind in ("uint8", "int8", "uint64"):
            np.testing.assert_array_equal(function(z, t.astype(kind)), function(z, t))


@pytest.mark.parametrize("kind", ["int8", "uint8", "uint64"])
def test_there_may_be_more_classes_than_a_dtype_can_count(kind: str, draw: Draw, on_device1: Draw) -> None:
    z, t = draw(3, 300), np.array([0, 127, 5])
    expected = softmax_cross_entropy.backward(z, t)
    np.testing.assert_array_equal(softmax_cross_entropy.backward(z, t.astype(kind)), expected)
    np.testing.assert_allclose(
        to_host(softmax_cross_entropy.backward(on_device1(z), on_device1(t.astype(kind)))), expected, rtol=1e-14
    )


def test_the_jacobian_of_the_softmax_is_that_of_the_page(draw: Draw, close: Close) -> None:
    z = draw(1, 4)
    (p,) = softmax(z)
    measured = [oracles.gradient(lambda z, k=k: softmax(z)[0, k], z)[0] for k in range(4)]
    close(np.array(measured), p[:, np.newaxis] * (np.eye(4) - p), 1e-9)


def test_probabilities_have_the_sum_1(draw: Draw) -> None:
    np.testing.assert_allclose(np.sum(softmax(100 * draw(50, 10)), axis=1), 1, rtol=1e-15)


def test_every_row_of_the_gradient_has_the_sum_0(draw: Draw) -> None:
    dz = softmax_cross_entropy.backward(3 * draw(20, 5), probabilities(20, 5))
    np.testing.assert_allclose(np.sum(dz, axis=1), 0, atol=1e-16)


def test_only_differences_of_logits_count(draw: Draw, close: Close) -> None:
    z, t = np.round(8 * draw(6, 4)), classes(6, 4)
    for shift in (-1e6, 1e6, 2.0**50):
        assert softmax_cross_entropy.forward(z + shift, t) == softmax_cross_entropy.forward(z, t)
        np.testing.assert_array_equal(
            softmax_cross_entropy.backward(z + shift, t), softmax_cross_entropy.backward(z, t)
        )


def test_with_two_classes_it_is_the_cross_entropy_of_the_difference(draw: Draw, close: Close) -> None:
    z, t = 4 * draw(9, 2), classes(9, 2)
    difference, column = z[:, 1:] - z[:, :1], t[:, np.newaxis]
    close(softmax_cross_entropy.forward(z, t), cross_entropy.forward(difference, column), 1e-14)
    close(softmax_cross_entropy.backward(z, t)[:, 1:], cross_entropy.backward(difference, column), 1e-14)


@pytest.mark.parametrize(("dtype", "reach"), [("float64", 600), ("float32", 70)])
def test_p_and_the_loss_keep_their_full_accuracy_in_the_tails(dtype: str, reach: int) -> None:
    hypothesis, mpmath = pytest.importorskip("hypothesis"), pytest.importorskip("mpmath")
    floats = hypothesis.strategies.floats(-reach / 2, reach / 2, width=np.dtype(dtype).itemsize * 8)
    eps = float(np.finfo(dtype).eps)

    @hypothesis.settings(max_examples=50)
    @hypothesis.given(hypothesis.strategies.lists(floats, min_size=3, max_size=3))
    def check(row: list[float]) -> None:
        z = np.array([row], dtype)
        with np.errstate(all="raise", under="ignore"):
            p = softmax(z)[0]
            losses = [softmax_cross_entropy.forward(z, np.array([k])) for k in range(3)]
        with mpmath.workdps(700):
            exponentials = [mpmath.exp(mpmath.mpf(float(logit))) for logit in z[0]]
            for k, exponential in enumerate(exponentials):
                exact = exponential / sum(exponentials)
                # The difference of two logits is rounded, and e^u multiplies its relative error by u.
                assert abs(mpmath.mpf(float(p[k])) / exact - 1) <= (8 + reach) * eps
                assert abs(mpmath.mpf(float(losses[k])) / -mpmath.log(exact) - 1) <= (8 + reach) * eps

    check()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_no_logit_is_too_large(dtype: str) -> None:
    for s in (1000.0, np.finfo(dtype).max, np.inf):
        z = np.array([[s, 0.0, -1.0]], dtype)
        for t, expected in enumerate(z[0, 0] - z[0] if s < np.inf else [0, np.inf, np.inf]):
            assert softmax_cross_entropy.forward(z, np.array([t])) == expected
            dz = softmax_cross_entropy.backward(z, np.array([t]))
            np.testing.assert_array_equal(dz, [np.eye(3)[0] - np.eye(3)[t]])
        np.testing.assert_array_equal(softmax(-z)[0, 0], 0)


def test_logits_that_are_all_infinite_are_undecided() -> None:
    for s in (-np.inf, np.inf):
        np.testing.assert_array_equal(softmax(np.full((1, 4), s)), 0.25)
        assert softmax_cross_entropy.forward(np.full((1, 4), s), np.array([1])) == pytest.approx(np.log(4))


def test_a_logit_that_is_not_a_number_is_not_hidden() -> None:
    z, t = np.array([[0.0, np.nan, 1.0], [1.0, 2.0, 3.0]]), np.array([0, 1])
    assert np.isnan(softmax_cross_entropy.forward(z, t))
    assert np.isnan(softmax_cross_entropy.backward(z, t)).tolist() == [[True] * 3, [False] * 3]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rounded_probabilities_have_a_loss_whose_gradient_is_exact(dtype: str, draw: Draw, close: Close) -> None:
    z, t = draw(5, 10), probabilities(5, 10).astype(dtype)
    direction = draw(5, 10)
    slope = softmax_cross_entropy.forward(z + 1e-30j * direction, t).imag / 1e-30
    close(np.sum(softmax_cross_entropy.backward(z, t) * direction), slope, 1e-14)


REFUSED = [
    (np.array([0, 3]), "t has classes from 0 to 3: z has classes from 0 to 2"),
    (np.array([2**64 - 1, 1], np.uint64), "t has classes from -1 to 1: z has classes from 0 to 2"),
    (np.array([-1, 1]), "t has classes from -1 to 1: z has classes from 0 to 2"),
    (np.array([0.0, 1.0]), "t has shape (2,) and dtype float64: classes must be integers"),
    (np.array([True, False]), "t has shape (2,) and dtype bool: classes must be integers"),
    (np.array([[0.5, 0.5, 0.1], [0, 0, 1]]), "t has a row that does not hold probabilities"),
    (np.array([[0.5, 0.4, 0.0], [0, 0, 1]]), "t has a row that does not hold probabilities"),
    (np.array([[1.5, -0.5, 0.0], [0, 0, 1]]), "t has a row that does not hold probabilities"),
    (np.array([[1, 1, 0], [0, 0, 1]]), "t has a row that does not hold probabilities"),
    (np.array([[0, 0, 0], [0, 0, 1]]), "t has a row that does not hold probabilities"),
    (np.array([[np.nan, 0, 1], [0, 0, 1]]), "t has a row that does not hold probabilities"),
    (np.zeros(3, int), "the shapes do not fit: z (2, 3) as (N, O); t (3,) as (N)"),
    (np.zeros((3, 2)), "the shapes do not fit: z (2, 3) as (N, O); t (3, 2) as (N, O)"),
    (np.zeros((2, 1), int), "the shapes do not fit: z (2, 3) as (N, O); t (2, 1) as (N, O)"),
    (np.zeros((2, 3, 1)), "the shapes do not fit: z (2, 3) as (N, O); t (2, 3, 1) as (N)"),
    (np.zeros(()), "the shapes do not fit: z (2, 3) as (N, O); t () as (N)"),
]


@both
@pytest.mark.parametrize(("t", "message"), REFUSED)
def test_targets_that_are_none_are_refused_in_a_sentence(
    function: Callable[..., Any], t: Any, message: str, draw: Draw
) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        function(draw(2, 3), t)


@both
def test_logits_without_entries_are_refused(function: Callable[..., Any]) -> None:
    for shape in ((0, 3), (2, 0)):
        with pytest.raises(ValueError, match="an empty array has no mean"):
            function(np.zeros(shape), np.zeros(shape[0], int))
    with pytest.raises(ValueError, match="the shapes do not fit"):
        function(np.zeros(3), np.zeros(3, int))


def test_classes_and_probabilities_run_on_a_different_device(draw: Draw, on_device1: Draw, close: Close) -> None:
    z = draw(5, 3)
    for t in (classes(5, 3), probabilities(5, 3), probabilities(5, 3).astype("float32")):
        for function in (softmax_cross_entropy.forward, softmax_cross_entropy.backward):
            close(function(on_device1(z), on_device1(t)), function(z, t), 1e-15)
    close(softmax(on_device1(z)), softmax(z), 1e-15)
