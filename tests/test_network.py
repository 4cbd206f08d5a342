"""The network: its chained gradient against finite differences, and its predictions in parts."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tinygrad_mnist import network, oracles
from tinygrad_mnist.network import Parameters
from tinygrad_mnist.passes import mean_loss

Draw = Callable[..., Any]
Close = Callable[[Any, Any, float], None]


def random_images(rows: int, inputs: int) -> Any:
    """Return random images (N, I) of bytes."""
    return np.random.default_rng(1).integers(0, 256, (rows, inputs), dtype=np.uint8)


@pytest.mark.parametrize("outputs", [1, 3])
def test_the_chained_gradients_are_what_finite_differences_say(outputs: int, draw: Draw, close: Close) -> None:
    x, w, b = draw(6, 4), draw(4, outputs), draw(outputs)
    t = np.arange(6 * outputs).reshape(6, outputs) % 2

    def loss(w: Any, b: Any) -> Any:
        return mean_loss.forward(network.forward(x, Parameters(w, b)), t)

    parameters = Parameters(w, b)
    dw, db = network.backward(network.forward(x, parameters), t, x, parameters)
    close(dw, oracles.gradient(lambda w: loss(w, b), w), 1e-9)
    close(db, oracles.gradient(lambda b: loss(w, b), b), 1e-9)


def test_the_books_four_threes_have_its_loss_and_bias_gradient() -> None:
    logits = np.array([[-11.1002], [5.9263], [9.9627], [-8.1484]])
    parameters = Parameters(np.ones((1, 1)), np.zeros(1))  # so the logits are x itself
    t = np.ones((4, 1))
    p = network.forward(logits, parameters)
    _, db = network.backward(p, t, logits, parameters)
    assert mean_loss.forward(p, t) == pytest.approx(0.500601, rel=0, abs=5e-7)
    assert db == pytest.approx([-0.00075135], rel=0, abs=5e-9)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gradients_are_shaped_and_typed_as_their_parameters(dtype: str, draw: Draw) -> None:
    x, t = draw(6, 4, dtype=dtype), np.zeros((6, 2))
    parameters = Parameters(draw(4, 2, dtype=dtype), draw(2, dtype=dtype))
    gradients = network.backward(network.forward(x, parameters), t, x, parameters)
    for gradient, parameter in zip(gradients, parameters, strict=True):
        assert gradient.shape == parameter.shape
        assert gradient.dtype == dtype


def test_float32_gradients_agree_with_float64(draw: Draw, close: Close) -> None:
    x, t, parameters = draw(64, 784), np.arange(64).reshape(64, 1) % 2, Parameters(draw(784, 1) / 28, draw(1))
    x32, parameters32 = x.astype("float32"), Parameters(*(array.astype("float32") for array in parameters))
    narrow = network.backward(network.forward(x32, parameters32), t, x32, parameters32)
    exact = network.backward(network.forward(x, parameters), t, x, parameters)
    for gradient32, gradient in zip(narrow, exact, strict=True):
        close(gradient32, gradient, 1e-5)


def test_targets_of_another_shape_are_refused_by_name(draw: Draw) -> None:
    parameters = Parameters(draw(3, 1), draw(1))
    x = draw(64, 3)
    with pytest.raises(ValueError, match=r"\(64, 1\).*\(64,\)"):
        network.backward(network.forward(x, parameters), np.zeros(64), x, parameters)


@pytest.mark.parametrize("rows", [0, 1, network.ROWS_AT_ONCE, 2 * network.ROWS_AT_ONCE + 5])
def test_predictions_in_parts_are_the_forward_pass(rows: int, draw: Draw) -> None:
    images, parameters = random_images(rows, 6), Parameters(draw(6, 2), draw(2))
    at_once = network.forward(network.scale(images, like=parameters.w), parameters)
    in_parts = network.predict(images, parameters)
    assert in_parts.shape == (rows, 2)
    assert in_parts.dtype == at_once.dtype
    np.testing.assert_allclose(in_parts, at_once, rtol=1e-14)


def test_an_images_prediction_does_not_depend_on_its_neighbours(draw: Draw) -> None:
    images, parameters = random_images(network.ROWS_AT_ONCE + 100, 6), Parameters(draw(6, 2), draw(2))
    shifted = network.predict(images[37:], parameters)
    np.testing.assert_allclose(shifted, network.predict(images, parameters)[37:], rtol=1e-14)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_bytes_become_numbers_from_0_to_1(dtype: str) -> None:
    x = network.scale(np.array([[0, 51, 255]], np.uint8), like=np.zeros(1, dtype))
    assert x.dtype == dtype
    np.testing.assert_array_equal(x, np.array([[0, 0.2, 1]], dtype))


@pytest.mark.parametrize(("digits", "expected"), [((3, 7), [[1], [0]]), ((7, 3), [[0], [1]])])
def test_the_target_is_1_for_the_first_digit_whichever_is_the_greater(
    digits: tuple[int, int], expected: list[list[int]]
) -> None:
    np.testing.assert_array_equal(network.targets(np.array([3, 7]), digits), expected)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_first_weights_have_variance_one_over_inputs_and_come_from_the_seed(dtype: str) -> None:
    w, b = network.initialise(784, 10, np.random.default_rng(5), dtype)
    assert w.shape == (784, 10)
    assert w.dtype == b.dtype == dtype
    assert np.var(w) * 784 == pytest.approx(1, abs=0.05)
    np.testing.assert_array_equal(b, np.zeros(10))
    again, _ = network.initialise(784, 10, np.random.default_rng(5), dtype)
    np.testing.assert_array_equal(w, again)


def test_it_runs_on_another_device(draw: Draw, on_device1: Draw, close: Close) -> None:
    images, t, parameters = random_images(9, 6), np.arange(9).reshape(9, 1) % 2, Parameters(draw(6, 1), draw(1))
    images1, t1, parameters1 = on_device1(images), on_device1(t), Parameters(*map(on_device1, parameters))

    def predictions_and_gradients(images: Any, t: Any, parameters: Parameters) -> list[Any]:
        x = network.scale(images, like=parameters.w)
        p = network.forward(x, parameters)
        return [p, *network.backward(p, t, x, parameters), network.predict(images, parameters)]

    there, here = predictions_and_gradients(images1, t1, parameters1), predictions_and_gradients(images, t, parameters)
    for result1, result in zip(there, here, strict=True):
        assert result1.device == images1.device
        close(result1, result, 1e-14)
