"""The dense network: its chained gradients against finite differences, and its logits in chunks."""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from tests import oracles
from tests.fixtures import Close, Draw
from tinygrad_mnist.arrays.layers import Layer, Parameters
from tinygrad_mnist.losses import LOSSES
from tinygrad_mnist.networks import dense
from tinygrad_mnist.passes import linear, relu

SIZES = [(4, 1), (4, 3), (4, 5, 2), (4, 6, 5, 3, 1)]

OF_SIGMOID = [name for name in LOSSES if not name.startswith("softmax")]
"""The losses whose targets need not have the sum 1 in a row."""


def random_images(rows: int, inputs: int) -> Any:
    """Return random images (N, I) of bytes."""
    return np.random.default_rng(1).integers(0, 256, (rows, inputs), dtype=np.uint8)


def random_parameters(draw: Draw, sizes: Sequence[int], dtype: str = "float64") -> Parameters:
    return tuple(
        Layer(draw(inputs, outputs, dtype=dtype), draw(outputs, dtype=dtype))
        for inputs, outputs in itertools.pairwise(sizes)
    )


def random_targets(rows: int, outputs: int) -> Any:
    return np.random.default_rng(2).integers(0, 2, (rows, outputs))


def loss_and_gradients(loss: str, x: Any, t: Any, parameters: Parameters) -> tuple[Any, Parameters]:
    z, cache = dense.forward(x, parameters)
    value, dz = LOSSES[loss](z, t)
    return value, dense.backward(dz, cache, parameters)


def arrays(parameters: Parameters) -> list[Any]:
    return [array for layer in parameters for array in layer]


@pytest.mark.parametrize("loss", OF_SIGMOID)
@pytest.mark.parametrize("sizes", SIZES)
def test_the_chained_gradients_agree_with_finite_differences(
    sizes: tuple[int, ...], loss: str, draw: Draw, close: Close
) -> None:
    x, t, parameters = 255 * draw(6, sizes[0]), random_targets(6, sizes[-1]), random_parameters(draw, sizes)
    _, gradients = loss_and_gradients(loss, x, t, parameters)
    for k, layer in enumerate(parameters):
        for name, gradient in zip(layer._fields, gradients[k], strict=True):

            def moved(array: Any, k: int = k, name: str = name) -> Any:
                changed = (*parameters[:k], parameters[k]._replace(**{name: array}), *parameters[k + 1 :])
                return loss_and_gradients(loss, x, t, changed)[0]

            close(gradient, oracles.gradient(moved, getattr(layer, name)), 1e-9)


def test_the_logits_are_those_of_the_passes_one_after_the_other(draw: Draw, close: Close) -> None:
    x, parameters = 255 * draw(5, 4), random_parameters(draw, (4, 3, 2))
    (w1, b1), (w2, b2) = parameters
    z, (first, last) = dense.forward(x, parameters)
    np.testing.assert_array_equal(first.x, x)
    close(first.z, linear.forward(x / 255, w1, b1), 1e-14)
    np.testing.assert_array_equal(last.x, relu.forward(first.z))
    np.testing.assert_array_equal(last.z, linear.forward(last.x, w2, b2))
    np.testing.assert_array_equal(z, last.z)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("sizes", SIZES)
def test_gradients_have_the_shape_and_dtype_of_their_parameters(sizes: tuple[int, ...], dtype: str, draw: Draw) -> None:
    parameters = random_parameters(draw, sizes, dtype)
    _, gradients = loss_and_gradients("mean", draw(6, 4, dtype=dtype), random_targets(6, sizes[-1]), parameters)
    for gradient, parameter in zip(arrays(gradients), arrays(parameters), strict=True):
        assert gradient.shape == parameter.shape
        assert gradient.dtype == dtype


@pytest.mark.parametrize("rows", [0, 1, dense.CHUNK, 2 * dense.CHUNK + 5])
def test_logits_in_chunks_are_those_of_the_forward_pass(rows: int, draw: Draw) -> None:
    images, parameters = random_images(rows, 6), random_parameters(draw, (6, 5, 2))
    at_once, _ = dense.forward(images.astype(np.float64), parameters)
    in_chunks = dense.logits(images, np.arange(rows), parameters)
    assert in_chunks.shape == (rows, 2)
    assert in_chunks.dtype == at_once.dtype
    np.testing.assert_allclose(in_chunks, at_once, rtol=1e-12, atol=1e-13)


def test_any_rows_can_be_given_in_any_order(draw: Draw) -> None:
    images, parameters = random_images(50, 6), random_parameters(draw, (6, 2))
    every = dense.logits(images, np.arange(50), parameters)
    for rows in (np.array([7, 3, 3, 49, 0]), np.arange(60) % 50):
        np.testing.assert_allclose(dense.logits(images, rows, parameters), every[rows], rtol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_initial_weights_have_the_variance_that_the_next_pass_calls_for(dtype: str) -> None:
    hidden, last = dense.initialize((784, 300, 10), np.random.default_rng(5), dtype)
    assert [layer.w.shape for layer in (hidden, last)] == [(784, 300), (300, 10)]
    assert {array.dtype for array in arrays((hidden, last))} == {np.dtype(dtype)}
    assert np.var(hidden.w) * 784 == pytest.approx(2, rel=0.02)
    assert np.var(last.w) * 300 == pytest.approx(1, rel=0.05)
    assert not hidden.b.any()
    assert not last.b.any()


@pytest.mark.parametrize(
    ("sizes", "variances"), [((784, 50), [1]), ((784, 300, 50), [2, 1]), ((400, 300, 200, 50), [2, 2, 1])]
)
def test_only_the_layer_before_the_loss_has_half_the_variance(sizes: tuple[int, ...], variances: list[float]) -> None:
    layers = dense.initialize(sizes, np.random.default_rng(0), "float64")
    assert [np.var(w) * len(w) for w, _ in layers] == pytest.approx(variances, rel=0.05)


def test_initial_weights_keep_the_mean_square_through_relus(close: Close) -> None:
    rng = np.random.default_rng(0)
    parameters = dense.initialize((400, 400, 400, 400), rng, "float64")
    _, cache = dense.forward(255 * rng.standard_normal((2000, 400)), parameters)
    # Each hidden z has twice the mean square of its input, and the relu halves it.
    assert [np.mean(layer.z**2) for layer in cache] == pytest.approx([2, 2, 1], rel=0.1)


def test_initial_weights_come_from_the_generator() -> None:
    first, again, different = (dense.initialize((784, 1), np.random.default_rng(seed), "float64") for seed in (5, 5, 6))
    np.testing.assert_array_equal(first[0].w, again[0].w)
    assert (first[0].w != different[0].w).any()


def test_logits_too_large_for_their_type_are_infinite_without_a_warning() -> None:
    images, rows, huge = np.full((1, 2), 255, np.uint8), np.arange(1), np.float32(3e38)
    one_layer = (Layer(np.full((2, 1), huge), np.zeros(1, np.float32)),)
    assert dense.logits(images, rows, one_layer)[0, 0] == np.inf
    last = Layer(np.array([[1], [-1]], np.float32), np.zeros(1, np.float32))
    hidden = (Layer(np.full((2, 2), huge), np.zeros(2, np.float32)), last)
    assert np.isnan(dense.logits(images, rows, hidden)[0, 0])
