"""Steps: the update rules as they are written, and how long a schedule lets them be."""

import math

import numpy as np
import pytest

from tinygrad_mnist.network import Layer
from tinygrad_mnist.steps import SCHEDULES, Momentum, Plain, cosine


def layers(*pairs: tuple[float, float]) -> tuple[Layer, ...]:
    return tuple(Layer(np.array([[w]]), np.array([b])) for w, b in pairs)


def numbers(parameters: tuple[Layer, ...]) -> list[float]:
    return [float(array.ravel()[0]) for layer in parameters for array in layer]


def test_a_plain_step_goes_against_the_gradient_of_each_layer() -> None:
    stepped = Plain()(layers((1, 2), (3, 4)), layers((10, -20), (0, 5)), 0.1)
    assert numbers(stepped) == pytest.approx([0, 4, 3, 3.5])


def test_the_first_step_with_momentum_is_a_plain_one() -> None:
    arguments = layers((1, 2)), layers((10, -20)), 0.1
    assert numbers(Momentum()(*arguments)) == numbers(Plain()(*arguments))


def test_momentum_keeps_nine_tenths_of_its_velocity() -> None:
    step, parameters = Momentum(), layers((0, 0))
    velocity = 0.0
    place = 0.0
    for gradient in (1.0, -2.0, 0.5, 0.0):
        parameters = step(parameters, layers((gradient, 2 * gradient)), 0.1)
        velocity = 0.9 * velocity + gradient
        place -= 0.1 * velocity
        assert numbers(parameters) == pytest.approx([place, 2 * place])


def test_under_a_steady_gradient_momentum_becomes_ten_times_as_fast() -> None:
    step, parameters = Momentum(), layers((0, 0))
    for _ in range(300):
        before, parameters = parameters, step(parameters, layers((1, 1)), 0.1)
    assert numbers(before)[0] - numbers(parameters)[0] == pytest.approx(1)


@pytest.mark.parametrize("rule", [Plain, Momentum])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_types_stay_and_what_was_given_is_not_written_to(rule: type, dtype: str) -> None:
    w = np.ones((2, 1), dtype)
    w.flags.writeable = False
    layer = Layer(w, w[:, 0])
    step = rule()
    for _ in range(3):
        stepped = step((layer,), (layer,), 0.1)
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
