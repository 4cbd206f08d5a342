"""Steps: the update rules as they are written, and how long a schedule lets them be."""

import math

import numpy as np
import pytest

from tinygrad_mnist.network import Layer, Rate
from tinygrad_mnist.steps import SCHEDULES, STEPS, Step, Velocity, cosine, momentum, plain


def layers(*pairs: tuple[float, float]) -> tuple[Layer, ...]:
    return tuple(Layer(np.array([[w]]), np.array([b])) for w, b in pairs)


def numbers(parameters: tuple[Layer, ...]) -> list[float]:
    return [float(array.ravel()[0]) for layer in parameters for array in layer]


def test_a_plain_step_goes_against_the_gradient_of_each_layer_by_its_own_rates() -> None:
    rates = Rate(0.1, 0.1), Rate(0.5, 0.2)
    stepped, velocity = plain(layers((1, 2), (3, 4)), None, layers((10, -20), (0, 5)), rates)
    assert numbers(stepped) == pytest.approx([0, 4, 3, 3])
    assert velocity is None


def test_the_first_step_with_momentum_is_a_plain_one() -> None:
    arguments = layers((1, 2)), None, layers((10, -20)), (Rate(0.1, 0.2),)
    assert numbers(momentum(*arguments)[0]) == numbers(plain(*arguments)[0])


def test_momentum_keeps_nine_tenths_of_its_velocity() -> None:
    parameters, kept, rates = layers((0, 0)), None, (Rate(0.1, 0.05),)
    velocity = 0.0
    place = 0.0
    for gradient in (1.0, -2.0, 0.5, 0.0):
        parameters, kept = momentum(parameters, kept, layers((gradient, 2 * gradient)), rates)
        velocity = 0.9 * velocity + gradient
        place -= 0.1 * velocity
        assert numbers(parameters) == pytest.approx([place, place])


def test_under_a_steady_gradient_momentum_becomes_ten_times_as_fast() -> None:
    parameters, velocity = layers((0, 0)), None
    for _ in range(300):
        before = parameters
        parameters, velocity = momentum(parameters, velocity, layers((1, 1)), (Rate(0.1, 0.1),))
    assert numbers(before)[0] - numbers(parameters)[0] == pytest.approx(1)


@pytest.mark.parametrize("rule", STEPS.values())
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_types_stay_and_what_was_given_is_not_written_to(rule: Step, dtype: str) -> None:
    w = np.ones((2, 1), dtype)
    w.flags.writeable = False
    layer = Layer(w, w[:, 0])
    velocity: Velocity = None
    for _ in range(3):
        stepped, velocity = rule((layer,), velocity, (layer,), (Rate(0.1, 0.1),))
    assert {array.dtype for array in stepped[0]} == {np.dtype(dtype)}


def test_a_cosine_falls_from_all_to_nearly_nothing_by_half_a_wave() -> None:
    shares = [cosine(epoch, 100) for epoch in range(1, 101)]
    assert shares[0] == 1
    assert shares[50] == pytest.approx(0.5)
    assert 0 < shares[-1] < 0.001
    assert shares == sorted(shares, reverse=True)
    assert shares[25] == pytest.approx((1 + math.cos(math.pi / 4)) / 2)


def test_a_constant_rate_stays() -> None:
    assert {SCHEDULES["constant"](epoch, 10) for epoch in range(1, 11)} == {1.0}
