"""The dense network at shapes, dtypes and scales that Hypothesis draws: no warnings, and gradients within bounds."""

import itertools
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.witnesses.drawing import (
    EPS,
    REACH,
    Floats,
    batches,
    drawn,
    dtypes,
    hypothesis,
    logits,
    no_warnings,
    normal,
    require_like,
    scales,
    seeds,
    st,
    targets,
    widths,
)
from tinygrad_mnist.arrays.layers import Gradients, Layer, Parameters
from tinygrad_mnist.losses import LOSSES
from tinygrad_mnist.networks import dense

example = hypothesis.example

STEEPEST = {"mean": 1 / 4, "cross-entropy": 1}
"""The largest derivative of one entry's loss with respect to its logit, which is p (1 - p) or p - t."""

losses = st.sampled_from(sorted(STEEPEST))


def images(seed: int, dtype: str, rows: int, inputs: int) -> Floats:
    """Return random images with a standard deviation of 255."""
    return normal(seed, dtype, rows, inputs, scale=255)


def layers(seed: int, dtype: str, *sizes: int, scale: float = 1) -> Parameters:
    """Return the parameters of a network with layers of these sizes, inputs first."""
    return tuple(
        Layer(
            normal(seed + 2 * k - 1, dtype, inputs, outputs, scale=scale),
            normal(seed + 2 * k, dtype, outputs, scale=scale),
        )
        for k, (inputs, outputs) in enumerate(itertools.pairwise(sizes), start=1)
    )


def stretched(parameters: Parameters, x: Floats, dtype: str) -> Parameters:
    """Return the parameters with the last layer scaled so that the largest logit of x is REACH."""
    *hidden, (w, b) = parameters
    z, _ = dense.forward(x, parameters)
    factor = np.asarray(REACH[dtype] / np.max(np.abs(z)), dtype)
    return (*hidden, Layer(factor * w, factor * b))


def chained(loss: str, x: Floats, t: NDArray[Any], parameters: Parameters) -> Gradients:
    """Return the gradients of a loss with respect to the parameters."""
    z, cache = dense.forward(x, parameters)
    return dense.backward(LOSSES[loss](z, t)[1], cache, parameters)


def arrays(parameters: Parameters) -> list[Floats]:
    return [array for layer in parameters for array in layer]


@drawn(losses, batches, widths, widths, st.integers(1, 3), dtypes, scales, seeds)
@example("mean", 1, 784, 100, 1, "float32", 1e3, 0)
@example("cross-entropy", 1, 784, 100, 3, "float64", 1e3, 0)
def test_a_network_with_a_hidden_layer_does_not_warn_and_is_bounded_for_the_largest_logits(
    loss: str, rows: int, inputs: int, hidden: int, outputs: int, dtype: str, scale: float, seed: int
) -> None:
    hypothesis.assume(rows)
    x, t = images(seed, dtype, rows, inputs), targets(seed, rows, outputs)
    parameters = stretched(layers(seed, dtype, inputs, hidden, outputs, scale=scale), x, dtype)
    with no_warnings():
        z, cache = dense.forward(x, parameters)
        value, dz = LOSSES[loss](z, t)
        gradients = dense.backward(dz, cache, parameters)
    require_like(value, np.zeros((), dtype))
    assert np.max(np.abs(z)) == pytest.approx(REACH[dtype], rel=1e-3)
    steepest = (1 + (rows + outputs + 8) * EPS[dtype]) * STEEPEST[loss] / outputs
    through = np.max(np.sum(np.abs(parameters[1].w), axis=1))  # how much a hidden unit can change all logits together
    bounds = (through * np.max(np.abs(x)) / 255, through, np.max(cache[1].x), 1)
    for gradient, parameter, bound in zip(*map(arrays, (gradients, parameters)), bounds, strict=True):
        require_like(gradient, parameter)
        assert np.all(np.abs(gradient) <= steepest * bound)


@drawn(losses, batches, widths, dtypes, seeds)
def test_raising_the_bias_lowers_the_loss_if_all_targets_are_1_and_raises_it_if_they_are_0(
    loss: str, rows: int, outputs: int, dtype: str, seed: int
) -> None:
    hypothesis.assume(rows)
    x = 255 * logits(seed, dtype, rows, 1)
    parameters = (Layer(np.ones((1, outputs), dtype), np.zeros(outputs, dtype)),)
    assert np.all(chained(loss, x, np.ones((rows, outputs)), parameters)[0].b <= 0)
    assert np.all(chained(loss, x, np.zeros((rows, outputs)), parameters)[0].b >= 0)


@drawn(losses, st.integers(2, 64), st.lists(widths, min_size=2, max_size=3), seeds)
def test_the_gradient_of_a_batch_is_the_mean_of_the_gradients_of_its_rows(
    loss: str, rows: int, sizes: list[int], seed: int
) -> None:
    x, t = images(seed, "float64", rows, sizes[0]), targets(seed, rows, sizes[-1])
    parameters = layers(seed, "float64", *sizes)
    of_rows = [arrays(chained(loss, x[n : n + 1], t[n : n + 1], parameters)) for n in range(rows)]
    for of_batch, each in zip(arrays(chained(loss, x, t, parameters)), zip(*of_rows, strict=True), strict=True):
        np.testing.assert_allclose(of_batch, np.mean(each, axis=0), rtol=0, atol=1e-14)
