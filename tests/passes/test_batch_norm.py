"""Batch norm: columns of mean 0 and variance 1, gradients through both, and running statistics for predictions."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests import oracles
from tests.fixtures import Close, Draw
from tinygrad_mnist.passes import batch_norm, layer_norm

SIZES = [(5, 4), (3, 1), (2, 4), (1, 3), (50, 2)]

each_size = pytest.mark.parametrize(("rows", "inputs"), SIZES)


@each_size
def test_every_column_gets_the_mean_beta_and_the_deviation_gamma(
    rows: int, inputs: int, draw: Draw, close: Close
) -> None:
    x = 10 * draw(rows, inputs) + 100
    y = batch_norm.forward(x, np.full(inputs, 3.0), np.full(inputs, 7.0))
    var = np.var(x, axis=0)
    close(np.mean(y, axis=0), np.full(inputs, 7.0), 1e-13)
    np.testing.assert_allclose(np.var(y, axis=0), 9 * var / (var + batch_norm.EPSILON), rtol=1e-12)


@each_size
def test_dx_dgamma_and_dbeta_agree_with_finite_differences(rows: int, inputs: int, draw: Draw) -> None:
    x, gamma, beta, dy = draw(rows, inputs), draw(inputs), draw(inputs), draw(rows, inputs)
    arguments = (x, gamma, beta)
    for number, gradient in enumerate(batch_norm.backward(dy, x, gamma)):

        def loss(moved: Any, number: int = number) -> Any:
            return np.sum(dy * batch_norm.forward(*arguments[:number], moved, *arguments[number + 1 :]))

        expected = oracles.gradient(loss, arguments[number])
        np.testing.assert_allclose(gradient, expected, rtol=1e-9, atol=1e-10)


def test_it_is_the_layer_norm_of_the_transposed_batch(draw: Draw, close: Close) -> None:
    x, dy = draw(5, 4), draw(5, 4)
    close(batch_norm.forward(x, np.ones(4), np.zeros(4)), layer_norm.forward(x.T, np.ones(5), np.zeros(5)).T, 1e-14)
    close(batch_norm.backward(dy, x, np.ones(4))[0], layer_norm.backward(dy.T, x.T, np.ones(5))[0].T, 1e-14)


def test_a_shift_of_a_column_changes_nothing_and_neither_does_it_backward(draw: Draw, close: Close) -> None:
    x, gamma, dy = draw(5, 4), draw(4), draw(5, 4)
    close(batch_norm.forward(x + np.arange(4.0), gamma, gamma), batch_norm.forward(x, gamma, gamma), 1e-14)
    dx, _, _ = batch_norm.backward(dy, x, gamma)
    np.testing.assert_allclose(np.sum(dx, axis=0), 0, atol=1e-14)


def test_a_batch_of_one_row_becomes_beta_and_gets_no_gradient(draw: Draw) -> None:
    x, gamma, beta, dy = draw(1, 4), draw(4), draw(4), draw(1, 4)
    np.testing.assert_array_equal(batch_norm.forward(x, gamma, beta), beta[np.newaxis])
    dx, dgamma, dbeta = batch_norm.backward(dy, x, gamma)
    np.testing.assert_array_equal((dx, dgamma[np.newaxis]), 0)
    np.testing.assert_array_equal(dbeta, dy[0])


def test_with_the_statistics_of_the_batch_a_prediction_is_the_forward(draw: Draw, close: Close) -> None:
    x, gamma, beta = draw(9, 4), draw(4), draw(4)
    y = batch_norm.predict(x, gamma, beta, np.mean(x, axis=0), np.var(x, axis=0))
    close(y, batch_norm.forward(x, gamma, beta), 1e-14)


def test_a_prediction_does_not_depend_on_what_else_is_predicted(draw: Draw) -> None:
    x, gamma, beta, mean, var = draw(9, 4), draw(4), draw(4), draw(4), draw(4) ** 2
    together = batch_norm.predict(x, gamma, beta, mean, var)
    alone = [batch_norm.predict(row, gamma, beta, mean, var) for row in x[:, np.newaxis]]
    np.testing.assert_array_equal(np.concat(alone), together)
    assert batch_norm.predict(x[:0], gamma, beta, mean, var).shape == (0, 4)


def test_one_step_mixes_the_old_statistics_with_the_unbiased_ones_of_the_batch(draw: Draw, close: Close) -> None:
    x, mean, var = draw(9, 4), draw(4), draw(4) ** 2
    new_mean, new_var = batch_norm.follow(mean, var, x, momentum=0.75)
    close(new_mean, 0.75 * mean + 0.25 * np.mean(x, axis=0), 1e-15)
    close(new_var, 0.75 * var + 0.25 * np.var(x, axis=0, ddof=1), 1e-15)


def test_the_statistics_come_close_to_those_of_all_batches(close: Close) -> None:
    rng = np.random.default_rng(0)
    mean, var = np.zeros(2), np.ones(2)
    for _ in range(2000):
        batch = rng.normal([5.0, -3.0], [0.5, 4.0], (3, 2))
        mean, var = batch_norm.follow(mean, var, batch, momentum=0.99)
    close(mean, np.array([5.0, -3.0]), 0.1)
    # Without the factor N / (N - 1), which is 3 / 2 here, the variance would be a third too small.
    np.testing.assert_allclose(var, [0.25, 16.0], rtol=0.15)


def test_statistics_keep_their_dtype_and_run_on_a_different_device(
    draw: Draw, on_device1: Callable[[Any], Any], close: Close
) -> None:
    x, mean, var = draw(9, 4, dtype="float32"), draw(4, dtype="float32"), draw(4, dtype="float32") ** 2
    here = (*batch_norm.follow(mean, var, x), batch_norm.predict(x, mean, mean, mean, var))
    x1, mean1, var1 = map(on_device1, (x, mean, var))
    there = (*batch_norm.follow(mean1, var1, x1), batch_norm.predict(x1, mean1, mean1, mean1, var1))
    for one, other in zip(here, there, strict=True):
        assert one.dtype == "float32"
        close(other, one, 1e-6)


@pytest.mark.parametrize(("x", "gamma", "beta"), [((5, 4), (5,), (4,)), ((4,), (4,), (4,)), ((5, 4), (4,), (1,))])
def test_arguments_of_shapes_that_do_not_fit_are_refused_by_name(
    x: tuple[int, ...], gamma: tuple[int, ...], beta: tuple[int, ...], draw: Draw
) -> None:
    named = f"x {x} as (N, I); gamma {gamma} as (I); beta {beta} as (I)"
    with pytest.raises(ValueError, match=re.escape(named)):
        batch_norm.forward(draw(*x), draw(*gamma), draw(*beta))
    with pytest.raises(ValueError, match=re.escape(f"dy {beta} as (N, I); x {x} as (N, I); gamma {gamma} as (I)")):
        batch_norm.backward(draw(*beta), draw(*x), draw(*gamma))
    with pytest.raises(ValueError, match=re.escape(f"{named}; mean (3,) as (I); var (3,) as (I)")):
        batch_norm.predict(draw(*x), draw(*gamma), draw(*beta), np.zeros(3), np.ones(3))
    with pytest.raises(ValueError, match=re.escape("mean (4,) as (I); var (4,) as (I); x (5, 3) as (N, I)")):
        batch_norm.follow(np.zeros(4), np.ones(4), draw(5, 3))


@pytest.mark.parametrize("rows", [0, 1])
def test_a_variance_of_fewer_than_two_rows_is_refused(rows: int) -> None:
    with pytest.raises(ValueError, match=rf"x has shape \({rows}, 4\): a variance needs two rows or more"):
        batch_norm.follow(np.zeros(4), np.ones(4), np.zeros((rows, 4)))
