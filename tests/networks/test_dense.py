"""The network: its chained gradients against finite differences, and its predictions in parts."""

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from tinygrad_mnist import network, oracles
from tinygrad_mnist.network import LOSSES, Layer, Parameters
from tinygrad_mnist.passes import linear, relu

Draw = Callable[..., Any]
Close = Callable[[Any, Any, float], None]

SIZES = [(4, 1), (4, 3), (4, 5, 2), (4, 6, 5, 3, 1)]


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
    passed = network.forward(x, parameters)
    measured, dz = LOSSES[loss](passed[-1].z, t)
    return measured, network.backward(dz, passed, parameters)


def arrays(parameters: Parameters) -> list[Any]:
    return [array for layer in parameters for array in layer]


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("sizes", SIZES)
def test_the_chained_gradients_are_what_finite_differences_say(
    sizes: tuple[int, ...], loss: str, draw: Draw, close: Close
) -> None:
    x, t, parameters = draw(6, sizes[0]), random_targets(6, sizes[-1]), random_parameters(draw, sizes)
    _, gradients = loss_and_gradients(loss, x, t, parameters)
    for k, layer in enumerate(parameters):
        for name, gradient in zip(layer._fields, gradients[k], strict=True):

            def moved(array: Any, k: int = k, name: str = name) -> Any:
                others = (*parameters[:k], parameters[k]._replace(**{name: array}), *parameters[k + 1 :])
                return loss_and_gradients(loss, x, t, others)[0]

            close(gradient, oracles.gradient(moved, getattr(layer, name)), 1e-9)


def test_the_books_four_threes_have_its_loss_and_bias_gradient() -> None:
    logits = np.array([[-11.1002], [5.9263], [9.9627], [-8.1484]])
    parameters = (Layer(np.ones((1, 1)), np.zeros(1)),)  # so the logits are x itself
    loss, ((_, db),) = loss_and_gradients("mean", logits, np.ones((4, 1)), parameters)
    assert loss == pytest.approx(0.500601, rel=0, abs=5e-7)
    assert db == pytest.approx([-0.00075135], rel=0, abs=5e-9)


def test_the_books_three_numbers_as_logits_have_its_loss_and_gradients() -> None:
    z, t = np.array([[0.9], [0.4], [0.2]]), np.array([[1], [0], [1]])
    loss, dz = LOSSES["mean"](z, t)
    assert loss == pytest.approx(0.445968, rel=0, abs=5e-7)
    assert dz.ravel() == pytest.approx([-0.068500, 0.080087, -0.082506], rel=0, abs=5e-7)


@pytest.mark.parametrize("loss", LOSSES)
def test_there_is_no_loss_of_nothing(loss: str) -> None:
    with pytest.raises(ValueError, match=r"z has shape \(0, 1\): there is no mean of nothing"):
        LOSSES[loss](np.zeros((0, 1)), np.zeros((0, 1)))


def test_what_passes_is_the_chain_of_the_passes(draw: Draw) -> None:
    x, parameters = draw(5, 4), random_parameters(draw, (4, 3, 2))
    (w1, b1), (w2, b2) = parameters
    first, second = network.forward(x, parameters)
    np.testing.assert_array_equal(first.x, x)
    np.testing.assert_array_equal(first.z, linear.forward(x, w1, b1))
    np.testing.assert_array_equal(second.x, relu.forward(first.z))
    np.testing.assert_array_equal(second.z, linear.forward(second.x, w2, b2))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("sizes", SIZES)
def test_gradients_are_shaped_and_typed_as_their_parameters(sizes: tuple[int, ...], dtype: str, draw: Draw) -> None:
    parameters = random_parameters(draw, sizes, dtype)
    _, gradients = loss_and_gradients("mean", draw(6, 4, dtype=dtype), random_targets(6, sizes[-1]), parameters)
    for gradient, parameter in zip(arrays(gradients), arrays(parameters), strict=True):
        assert gradient.shape == parameter.shape
        assert gradient.dtype == dtype


@pytest.mark.parametrize("loss", LOSSES)
def test_targets_of_another_shape_are_refused_by_name(loss: str, draw: Draw) -> None:
    parameters = random_parameters(draw, (3, 1))
    with pytest.raises(ValueError, match=r"\(64, 1\).*\(64,\)"):
        loss_and_gradients(loss, draw(64, 3), np.zeros(64), parameters)


@pytest.mark.parametrize("rows", [0, 1, network.ROWS_AT_ONCE, 2 * network.ROWS_AT_ONCE + 5])
def test_predictions_in_parts_are_the_forward_pass(rows: int, draw: Draw) -> None:
    images, parameters = random_images(rows, 6), random_parameters(draw, (6, 5, 2))
    at_once = network.forward(images / 255, parameters)[-1].z
    in_parts = network.predict(images, np.arange(rows), parameters)
    assert in_parts.shape == (rows, 2)
    assert in_parts.dtype == at_once.dtype
    np.testing.assert_allclose(in_parts, at_once, rtol=1e-12, atol=1e-13)


def test_any_rows_can_be_predicted_in_any_order(draw: Draw) -> None:
    images, parameters = random_images(50, 6), random_parameters(draw, (6, 2))
    every = network.predict(images, np.arange(50), parameters)
    for rows in (np.array([7, 3, 3, 49, 0]), np.arange(60) % 50):
        np.testing.assert_allclose(network.predict(images, rows, parameters), every[rows], rtol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_step_for_bytes_is_the_step_for_pixels(dtype: str, draw: Draw, close: Close) -> None:
    images, t = random_images(20, 6).astype(dtype), random_targets(20, 1)
    parameters = random_parameters(draw, (6, 4, 1), dtype)
    loss, gradients = loss_and_gradients("mean", images / np.asarray(255, dtype), t, parameters)
    of_bytes = network.for_bytes(parameters)
    loss_of_bytes, gradients_of_bytes = loss_and_gradients("mean", images, t, of_bytes)
    tolerance = 1e-6 if dtype == "float32" else 1e-14
    close(loss_of_bytes, loss, tolerance)
    rate = 3.0
    moved = [x - rate * dx for x, dx in zip(arrays(parameters), arrays(gradients), strict=True)]
    rates = [rate for layer in network.rates_for_bytes(rate, len(parameters)) for rate in layer]
    stepped = [v - r * dv for v, dv, r in zip(arrays(of_bytes), arrays(gradients_of_bytes), rates, strict=True)]
    layers = tuple(Layer(*stepped[k : k + 2]) for k in range(0, len(stepped), 2))
    for there, here in zip(arrays(network.for_pixels(layers)), moved, strict=True):
        assert there.dtype == dtype
        close(there, here, 10 * tolerance)


@pytest.mark.parametrize("sizes", SIZES)
def test_without_the_weights_of_paper_logits_and_gradients_are_the_same(
    sizes: tuple[int, ...], draw: Draw, close: Close
) -> None:
    inked = np.array([True, False, False, True])
    x, t, parameters = draw(6, 4) * inked, random_targets(6, sizes[-1]), random_parameters(draw, sizes)
    fewer = network.of_ink(parameters, inked)
    assert fewer[0].w.shape == (2, sizes[1])
    close(network.forward(x[:, inked], fewer)[-1].z, network.forward(x, parameters)[-1].z, 1e-15)
    _, whole = loss_and_gradients("mean", x, t, parameters)
    _, gradients = loss_and_gradients("mean", x[:, inked], t, fewer)
    assert not whole[0].w[~inked].any(), "paper teaches nothing"
    for gradient, expected in zip(arrays(gradients), arrays(network.of_ink(whole, inked)), strict=True):
        close(gradient, expected, 1e-14)


def test_where_no_pixel_is_left_out_the_layers_are_not_even_copied(draw: Draw) -> None:
    parameters = random_parameters(draw, (4, 3, 1))
    assert network.of_ink(parameters, None) is parameters
    assert network.with_paper(parameters, draw(4, 3), None) is parameters


@pytest.mark.parametrize("inked", [None, np.array([True, False, False, True]), np.zeros(4, bool), np.ones(4, bool)])
def test_the_weights_of_paper_are_put_back_where_they_were(inked: Any, draw: Draw) -> None:
    parameters, paper = random_parameters(draw, (4, 3, 1)), draw(4, 3)
    whole = network.with_paper(network.of_ink(parameters, inked), parameters[0].w, inked)
    for array, expected in zip(arrays(whole), arrays(parameters), strict=True):
        np.testing.assert_array_equal(array, expected)
    other = network.with_paper(network.of_ink(parameters, inked), paper, inked)[0].w
    expected = parameters[0].w if inked is None else np.where(inked[:, np.newaxis], parameters[0].w, paper)
    np.testing.assert_array_equal(other, expected)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_first_weights_have_the_variance_that_what_follows_asks_for(dtype: str) -> None:
    hidden, last = network.initialise((784, 300, 10), np.random.default_rng(5), dtype)
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
    layers = network.initialise(sizes, np.random.default_rng(0), "float64")
    assert [np.var(w) * len(w) for w, _ in layers] == pytest.approx(variances, rel=0.05)


def test_first_weights_come_from_the_generator() -> None:
    first, again, other = (network.initialise((784, 1), np.random.default_rng(seed), "float64") for seed in (5, 5, 6))
    np.testing.assert_array_equal(first[0].w, again[0].w)
    assert (first[0].w != other[0].w).any()


@pytest.mark.parametrize(
    ("digits", "expected"),
    [
        ((3, 7), [[1], [0]]),
        ((7, 3), [[0], [1]]),
        ((3, 7, 5), [[1, 0, 0], [0, 1, 0]]),
        ((5, 7, 3), [[0, 0, 1], [0, 1, 0]]),
    ],
)
def test_the_target_is_1_where_the_digit_stands_whatever_their_order(
    digits: tuple[int, ...], expected: list[list[int]]
) -> None:
    np.testing.assert_array_equal(network.targets(np.array([3, 7]), digits), expected)


@pytest.mark.parametrize("digits", [(3, 7), (7, 3), (4, 9, 1), tuple(range(10))])
def test_targets_as_logits_decide_for_the_labels_they_were_made_of(digits: tuple[int, ...]) -> None:
    labels = np.array([*digits, *reversed(digits)])
    z = network.targets(labels, digits) - 0.5
    np.testing.assert_array_equal(network.decide(z, digits), labels)


def test_it_runs_on_another_device(draw: Draw, on_device1: Draw, close: Close) -> None:
    images, labels, parameters = random_images(9, 6), np.arange(9) % 3, random_parameters(draw, (6, 5, 3))
    elsewhere = tuple(Layer(*map(on_device1, layer)) for layer in parameters)

    def everything(images: Any, labels: Any, parameters: Parameters, x: Any) -> list[Any]:
        z, t = network.predict(images, labels, parameters), network.targets(labels, (0, 1, 2))
        _, gradients = loss_and_gradients("cross-entropy", x, t, parameters)
        return [z, network.decide(z, (0, 1, 2)), *arrays(gradients)]

    there = everything(on_device1(images), on_device1(labels), elsewhere, on_device1(images / 255))
    for result1, result in zip(there, everything(images, labels, parameters, images / 255), strict=True):
        assert result1.device == on_device1(images).device
        close(result1, result, 1e-13)


def test_a_probability_of_what_is_said_is_that_of_the_digit_and_not_of_the_first() -> None:
    p = network.certainty(np.log([[3.0], [1 / 3], [1.0]]))
    np.testing.assert_allclose(p, [0.75, 0.75, 0.5], rtol=1e-15)


def test_of_several_outputs_the_largest_one_says_how_sure_it_is() -> None:
    np.testing.assert_allclose(network.certainty(np.log([[1.0, 3.0, 0.5], [0.1, 0.1, 0.25]])), [0.75, 0.2], rtol=1e-15)


@pytest.mark.parametrize("layers", [1, 2, 3, 5])
def test_there_is_a_rate_for_each_layer_and_only_the_first_one_is_for_bytes(layers: int) -> None:
    first, *others = network.rates_for_bytes(0.5, layers)
    assert first == network.Rate(0.5 / 255**2, 0.5)
    assert others == [network.Rate(0.5, 0.5)] * (layers - 1)


def test_logits_too_large_for_their_type_are_infinite_and_no_warning() -> None:
    images, rows, huge = np.full((1, 2), 255, np.uint8), np.arange(1), np.float32(3e38)
    line = (Layer(np.full((2, 1), huge), np.zeros(1, np.float32)),)
    assert network.predict(images, rows, line)[0, 0] == np.inf
    against = Layer(np.array([[1], [-1]], np.float32), np.zeros(1, np.float32))
    hidden = (Layer(np.full((2, 2), huge), np.zeros(2, np.float32)), against)
    assert np.isnan(network.predict(images, rows, hidden)[0, 0])
