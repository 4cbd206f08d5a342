"""The convolutional network: its gradients, its shapes, and training with it."""

from typing import Any

import numpy as np
import pytest
from scipy import signal

from tinygrad_mnist import train
from tinygrad_mnist.arrays.backend import choose_backend, to_host
from tinygrad_mnist.arrays.examples import Examples
from tinygrad_mnist.arrays.layers import Layer, Parameters, map_layers
from tinygrad_mnist.losses import LOSSES
from tinygrad_mnist.networks import convolutional, dense, network_with
from tinygrad_mnist.train import Settings

SIZES = (225, 2, 3, 4, 3)
"""Images of 15 by 15 pixels, which have 6 by 6 and then 1 by 1 patches."""


def network(dtype: str = "float64", sizes: tuple[int, ...] = SIZES) -> Parameters:
    """Return parameters whose biases are not 0."""
    rng = np.random.default_rng(3)
    drawn = convolutional.initialize(sizes, rng, dtype)
    return tuple(Layer(w, (0.1 * rng.standard_normal(b.shape)).astype(dtype)) for w, b in drawn)


def pixels(count: int, inputs: int = SIZES[0]) -> Any:
    return np.random.default_rng(1).integers(0, 256, (count, inputs), dtype=np.uint8)


def test_its_logits_are_those_of_correlations_with_every_second_place() -> None:
    parameters, x = network(), pixels(2).astype(float)
    (w1, b1), (w2, b2), (w3, b3), (w4, b4) = parameters
    for row, image in zip(convolutional.forward(x, parameters)[0], x.reshape(2, 15, 15) / 255, strict=True):
        maps = [signal.correlate2d(image, w.reshape(5, 5), "valid")[::2, ::2] for w in w1.T]
        h = np.maximum(np.stack(maps, axis=-1) + b1, 0)
        kernels = w2.reshape(5, 5, 2, 3)
        maps = [
            sum(signal.correlate2d(h[..., i], kernels[..., i, o], "valid")[::2, ::2] for i in range(2))
            for o in range(3)
        ]
        h = np.maximum(np.stack(maps, axis=-1) + b2, 0).reshape(-1)
        np.testing.assert_allclose(row, np.maximum(h @ w3 + b3, 0) @ w4 + b4, rtol=1e-12)


def test_every_gradient_is_the_slope_that_is_measured() -> None:
    parameters, x, t = network(), pixels(4).astype(float), np.eye(3)[[0, 2, 1, 1]]
    calculate_loss = LOSSES["softmax-cross-entropy"]
    z, cache = convolutional.forward(x, parameters)
    _, dz = calculate_loss(z, t)
    gradients = convolutional.backward(dz, cache, parameters)
    rng, h = np.random.default_rng(5), 1e-6

    def loss(step: float, directions: Parameters) -> float:
        moved = map_layers(lambda w, d: w + step * d, parameters, directions)
        return float(calculate_loss(convolutional.forward(x, moved)[0], t)[0])

    for number, layer in enumerate(parameters):
        for part in range(2):
            directions = map_layers(np.zeros_like, parameters)
            directions[number][part][...] = rng.standard_normal(layer[part].shape)
            measured = (loss(h, directions) - loss(-h, directions)) / (2 * h)
            assert (gradients[number][part] * directions[number][part]).sum() == pytest.approx(measured, rel=1e-6)


def test_bytes_and_floats_of_the_same_pixels_have_the_same_logits() -> None:
    parameters, images = network("float32"), pixels(5)
    z, _ = convolutional.forward(images.astype(np.float32), parameters)
    np.testing.assert_array_equal(convolutional.logits(images, np.arange(5), parameters), z)


def test_an_empty_set_of_images_has_no_logits() -> None:
    assert convolutional.logits(pixels(3), np.arange(0), network()).shape == (0, 3)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_gradients_have_the_shapes_and_the_type_of_the_parameters(dtype: str) -> None:
    parameters = network(dtype)
    z, cache = convolutional.forward(pixels(3).astype(dtype), parameters)
    gradients = convolutional.backward(np.ones_like(z), cache, parameters)
    for layer, gradient in zip(parameters, gradients, strict=True):
        assert [g.shape for g in gradient] == [p.shape for p in layer]
        assert {g.dtype for g in gradient} == {np.dtype(dtype)}


@pytest.mark.parametrize("inputs", [1, 100, 144, 170])
def test_images_that_are_not_square_or_too_small_are_refused(inputs: int) -> None:
    with pytest.raises(ValueError, match="at least 13 by 13 pixels"):
        convolutional.initialize((inputs, 2, 3, 2), np.random.default_rng(0), "float32")


def test_features_choose_the_network() -> None:
    assert network_with(()) is dense
    assert network_with((16, 64)) is convolutional


def test_it_computes_the_same_on_the_stand_in_for_a_gpu(cupy_standin: object) -> None:
    backend, parameters, images = choose_backend("cupy"), network("float32"), pixels(5)
    there = map_layers(backend.to_device, parameters)
    z = convolutional.logits(backend.to_device(images), backend.to_device(np.arange(5)), there)
    np.testing.assert_allclose(to_host(z), convolutional.logits(images, np.arange(5), parameters), rtol=1e-5)


def test_it_learns_which_quarter_is_bright() -> None:
    rng = np.random.default_rng(0)
    quarter = rng.integers(0, 4, 300)
    images = rng.integers(0, 100, (300, 15, 15), dtype=np.uint8)
    for image, number in zip(images, quarter, strict=True):
        image[number // 2 * 7 : number // 2 * 7 + 7, number % 2 * 7 : number % 2 * 7 + 7] += 100
    t = (quarter[:, None] == np.arange(4)).astype(np.uint8)
    examples = Examples(images.reshape(300, -1), np.arange(300), t)
    settings = Settings(
        features=(4, 8), loss="softmax-cross-entropy", optimizer="momentum", learning_rate=0.02, epochs=8, batch=20
    )
    assert train.train(examples, examples, settings).last.valid_accuracy > 0.95
