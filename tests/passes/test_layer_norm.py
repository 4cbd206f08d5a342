"""Layer norm: rows of mean 0 and variance 1, and gradients through the mean and the variance."""

import re
from typing import Any

import numpy as np
import pytest

from tests import oracles
from tests.fixtures import Close, Draw
from tinygrad_mnist.passes import layer_norm

SIZES = [(5, 4), (1, 3), (4, 2), (3, 1), (2, 50)]

each_size = pytest.mark.parametrize(("rows", "inputs"), SIZES)


@each_size
def test_every_row_gets_the_mean_beta_and_the_deviation_gamma(rows: int, inputs: int, draw: Draw, close: Close) -> None:
    x = 10 * draw(rows, inputs) + 100
    y = layer_norm.forward(x, np.full(inputs, 3.0), np.full(inputs, 7.0))
    var = np.var(x, axis=1)
    close(np.mean(y, axis=1), np.full(rows, 7.0), 1e-13)
    np.testing.assert_allclose(np.var(y, axis=1), 9 * var / (var + layer_norm.EPSILON), rtol=1e-12)


@each_size
def test_dx_dgamma_and_dbeta_agree_with_finite_differences(rows: int, inputs: int, draw: Draw) -> None:
    x, gamma, beta, dy = draw(rows, inputs), draw(inputs), draw(inputs), draw(rows, inputs)
    arguments = (x, gamma, beta)
    for number, gradient in enumerate(layer_norm.backward(dy, x, gamma)):

        def loss(moved: Any, number: int = number) -> Any:
            return np.sum(dy * layer_norm.forward(*arguments[:number], moved, *arguments[number + 1 :]))

        expected = oracles.gradient(loss, arguments[number])
        np.testing.assert_allclose(gradient, expected, rtol=1e-9, atol=1e-10)


def test_a_shift_of_a_row_changes_nothing_and_neither_does_it_backward(draw: Draw, close: Close) -> None:
    x, gamma, dy = draw(5, 4), draw(4), draw(5, 4)
    shift = np.arange(5.0)[:, np.newaxis]
    close(layer_norm.forward(x + shift, gamma, gamma), layer_norm.forward(x, gamma, gamma), 1e-14)
    dx, _, _ = layer_norm.backward(dy, x, gamma)
    np.testing.assert_allclose(np.sum(dx, axis=1), 0, atol=1e-14)


def test_a_stretch_of_a_row_changes_only_what_epsilon_does(draw: Draw) -> None:
    x, gamma, dy = 1e4 * draw(5, 4), draw(4), draw(5, 4)
    np.testing.assert_allclose(
        layer_norm.forward(2 * x, gamma, gamma), layer_norm.forward(x, gamma, gamma), rtol=0, atol=1e-11
    )
    dx, _, _ = layer_norm.backward(dy, x, gamma)
    assert np.max(np.abs(np.sum(dx * x, axis=1))) < 1e-11 * np.max(np.abs(dx)) * np.max(np.abs(x))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_row_of_equal_numbers_becomes_beta(dtype: str) -> None:
    x, gamma, beta = np.full((2, 3), 5, dtype), np.ones(3, dtype), np.array([1, 2, 3], dtype)
    np.testing.assert_array_equal(layer_norm.forward(x, gamma, beta), [beta, beta])
    for gradient in layer_norm.backward(np.ones((2, 3), dtype), x, gamma):
        assert np.isfinite(gradient).all()


def test_a_far_away_mean_costs_no_accuracy(draw: Draw, close: Close) -> None:
    x = np.round(1000 * draw(4, 8))
    one, zero = np.ones(8), np.zeros(8)
    close(layer_norm.forward(x + 2.0**40, one, zero), layer_norm.forward(x, one, zero), 1e-12)


def test_no_row_depends_on_another_one(draw: Draw, close: Close) -> None:
    x, gamma, beta, dy = draw(5, 4), draw(4), draw(4), draw(5, 4)
    parts = [layer_norm.backward(dy[n : n + 1], x[n : n + 1], gamma) for n in range(5)]
    dx, dgamma, dbeta = layer_norm.backward(dy, x, gamma)
    close(
        np.concat([layer_norm.forward(row, gamma, beta) for row in x[:, None]]), layer_norm.forward(x, gamma, beta), 0
    )
    close(np.concat([part[0] for part in parts]), dx, 1e-15)
    close(sum(part[1] for part in parts), dgamma, 1e-15)
    close(sum(part[2] for part in parts), dbeta, 1e-15)


@pytest.mark.parametrize(("x", "gamma", "beta"), [((5, 4), (5,), (4,)), ((4,), (4,), (4,)), ((5, 4), (4,), (1,))])
def test_arguments_of_shapes_that_do_not_fit_are_refused_by_name(
    x: tuple[int, ...], gamma: tuple[int, ...], beta: tuple[int, ...], draw: Draw
) -> None:
    with pytest.raises(ValueError, match=re.escape(f"x {x} as (N, I); gamma {gamma} as (I); beta {beta} as (I)")):
        layer_norm.forward(draw(*x), draw(*gamma), draw(*beta))
    with pytest.raises(ValueError, match=re.escape(f"dy {beta} as (N, I); x {x} as (N, I); gamma {gamma} as (I)")):
        layer_norm.backward(draw(*beta), draw(*x), draw(*gamma))


def test_rows_without_entries_are_refused() -> None:
    none = np.zeros(0)
    with pytest.raises(ValueError, match=r"x has shape \(3, 0\): an empty row has no mean"):
        layer_norm.forward(np.zeros((3, 0)), none, none)
    with pytest.raises(ValueError, match=r"x has shape \(3, 0\): an empty row has no mean"):
        layer_norm.backward(np.zeros((3, 0)), np.zeros((3, 0)), none)
