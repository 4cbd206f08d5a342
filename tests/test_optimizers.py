"""Optimizers: the update rules as they are written, and how a schedule changes the learning rate."""

import math

import numpy as np
import pytest

from tinygrad_mnist.arrays.layers import Layer
from tinygrad_mnist.optimizers import OPTIMIZERS, SCHEDULES, Optimizer, Velocity, cosine, momentum, sgd


def layers(*pairs: tuple[float, float]) -> tuple[Layer, ...]:
    return tuple(Layer(np.array([[w]]), np.array([b])) for w, b in pairs)


def numbers(parameters: tuple[Layer, ...]) -> list[float]:
    return [float(array.ravel()[0]) for layer in parameters for array in layer]


def test_a_step_of_sgd_subtracts_the_gradient_times_the_learning_rate() -> None:
    stepped, velocity = sgd(layers((1, 2), (3, 4)), None, layers((10, -20), (0, 5)), 0.1)
    assert numbers(stepped) == pytest.approx([0, 4, 3, 3.5])
    assert velocity is None


def test_the_first_step_with_momentum_is_one_of_sgd() -> None:
    arguments = layers((1, 2)), None, layers((10, -20)), 0.1
    assert numbers(momentum(*arguments)[0]) == numbers(sgd(*arguments)[0])


def test_with_a_constant_gradient_momentum_becomes_ten_times_as_fast() -> None:
    parameters, velocity = layers((0, 0)), None
    for _ in range(300):
        before = parameters
        parameters, velocity = momentum(parameters, velocity, layers((1, 1)), 0.1)
    assert numbers(before)[0] - numbers(parameters)[0] == pytest.approx(1)


@pytest.mark.parametrize("optimizer", OPTIMIZERS.values())
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dtypes_are_kept_and_arguments_are_not_written_to(optimizer: Optimizer, dtype: str) -> None:
    w = np.ones((2, 1), dtype)
    w.flags.writeable = False
    layer = Layer(w, w[:, 0])
    velocity: Velocity = None
    for _ in range(3):
        stepped, velocity = optimizer((layer,), velocity, (layer,), 0.1)
    assert {array.dtype for array in stepped[0]} == {np.dtype(dtype)}


def test_the_cosine_schedule_falls_from_1_to_almost_0_and_the_constant_one_stays_at_1() -> None:
    shares = [cosine(epoch, 100) for epoch in range(1, 101)]
    assert shares[0] == 1
    assert shares[50] == pytest.approx(0.5)
    assert 0 < shares[-1] < 0.001
    assert shares == sorted(shares, reverse=True)
    assert shares[25] == pytest.approx((1 + math.cos(math.pi / 4)) / 2)
    assert {SCHEDULES["constant"](epoch, 10) for epoch in range(1, 11)} == {1.0}


def test_momentum_has_the_rate_outside_the_velocity() -> None:
    """If the rate changes, v = 0.9 v + dw; w -= r v differs from v = 0.9 v - r dw; w += v."""
    parameters, velocity = layers((0, 0)), None
    for gradient, rate in ((1.0, 0.1), (0.0, 0.01)):
        parameters, velocity = momentum(parameters, velocity, layers((gradient, gradient)), rate)
    assert numbers(parameters)[0] == pytest.approx(-0.1 * 1 - 0.01 * 0.9)


def test_every_layer_keeps_a_velocity_of_its_own() -> None:
    gradients = [layers((1, 2), (-3, 5), (7, 0)), layers((0, -1), (4, 4), (0, 0)), layers((2, 0), (0, 1), (-1, 3))]
    parameters, kept = layers((1, 1), (2, 2), (3, 3)), None
    w, velocity = np.array([1.0, 1, 2, 2, 3, 3]), np.zeros(6)
    for gradient in gradients:
        parameters, kept = momentum(parameters, kept, gradient, 0.1)
        velocity = 0.9 * velocity + numbers(gradient)
        w = w - 0.1 * velocity
        assert numbers(parameters) == pytest.approx(w.tolist())
        assert kept is not None
        assert numbers(kept) == pytest.approx(velocity.tolist())


@pytest.mark.parametrize("optimizer", OPTIMIZERS.values())
def test_the_step_does_not_depend_on_the_other_layers(optimizer: Optimizer) -> None:
    first, second = (layers((1, 2), (3, 4)), layers((5, -6), (7, 8))), (layers((-1, 0.5)), layers((2, 9)))
    together: tuple[tuple[Layer, ...], Velocity] = first[0] + second[0], None
    apart: list[tuple[tuple[Layer, ...], Velocity]] = [(first[0], None), (second[0], None)]
    for _ in range(3):
        together = optimizer(*together, first[1] + second[1], 0.1)
        apart = [
            optimizer(*state, gradients, 0.1) for state, gradients in zip(apart, (first[1], second[1]), strict=True)
        ]
    assert numbers(together[0]) == numbers(apart[0][0] + apart[1][0])


@pytest.mark.parametrize(
    ("epochs", "rates"),
    [(1, [1.0]), (2, [1.0, 0.5]), (3, [1.0, 0.75, 0.25]), (4, [1.0, (2 + 2**0.5) / 4, 0.5, (2 - 2**0.5) / 4])],
)
def test_the_cosine_ends_with_the_last_epoch(epochs: int, rates: list[float]) -> None:
    assert [cosine(epoch, epochs) for epoch in range(1, epochs + 1)] == pytest.approx(rates)
    assert cosine(epochs + 1, epochs) == pytest.approx(0), "another epoch would not move"
