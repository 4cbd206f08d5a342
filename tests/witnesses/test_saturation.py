"""Sigmoid, relu, square and the losses against exact arithmetic, from the middle to logits that saturate them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.witnesses.drawing import (
    EPS,
    EXAMPLES,
    REACH,
    batches,
    drawn,
    dtypes,
    hypothesis,
    logits,
    no_warnings,
    normal,
    require_like,
    seeds,
    st,
    targets,
    widths,
)
from tinygrad_mnist.arrays.layers import Layer
from tinygrad_mnist.losses import LOSSES
from tinygrad_mnist.networks import dense
from tinygrad_mnist.passes import cross_entropy, mean_loss, relu, sigmoid

mpmath = pytest.importorskip("mpmath")
given, example = hypothesis.given, hypothesis.example
few = hypothesis.settings(max_examples=EXAMPLES)

ROUNDED_TO_1 = {"float32": 17, "float64": 37}
"""The smallest integer z for which 1 + e^-z is rounded to 1."""

shapes = st.lists(st.sampled_from([0, 1, 3, 50]), max_size=3).map(tuple)


def floats(dtype: str, smallest: float, largest: float) -> Any:
    """Draw one number of this dtype."""
    return st.floats(smallest, largest, width=np.dtype(dtype).itemsize * 8)


@drawn(shapes, dtypes, seeds)
def test_relu_of_z_and_relu_of_minus_z_divide_z_and_its_gradient_between_them(
    shape: tuple[int, ...], dtype: str, seed: int
) -> None:
    z, dh = logits(seed, dtype, *shape), normal(seed + 1, dtype, *shape, scale=1e3)
    with no_warnings():
        positive, negative = relu.forward(z), relu.forward(-z)
        dz_positive, dz_negative = relu.backward(dh, z), relu.backward(dh, -z)
    for result in (positive, negative, dz_positive, dz_negative):
        require_like(result, z)
    np.testing.assert_array_equal(positive - negative, z)
    np.testing.assert_array_equal(dz_positive + dz_negative, dh)
    assert not np.any(dz_positive[positive == 0])
    assert not np.any(dz_negative[negative == 0])


@drawn(shapes, dtypes, seeds)
def test_sigmoid_does_not_warn_and_stays_between_0_and_1_for_saturated_logits(
    shape: tuple[int, ...], dtype: str, seed: int
) -> None:
    z, dp = logits(seed, dtype, *shape), normal(seed + 1, dtype, *shape, scale=1e3)
    with no_warnings():
        p = sigmoid.forward(z)
        dz = sigmoid.backward(dp, p)
    for result in (p, dz):
        require_like(result, z)
    assert np.all((p >= 0) & (p <= 1))
    assert np.all(np.abs(dz) <= np.abs(dp) / 4 * (1 + 2 * EPS[dtype]))


@pytest.mark.parametrize("dtype", EPS)
def test_p_is_accurate_to_four_ulp_from_one_tail_to_the_other(dtype: str) -> None:
    z = np.concat([np.linspace(-REACH[dtype], REACH[dtype], 2001), np.linspace(-1, 1, 501)]).astype(dtype)
    with mpmath.workdps(50):
        for number, p in zip(map(float, z), map(float, sigmoid.forward(z)), strict=True):
            assert abs(p * (1 + mpmath.exp(-mpmath.mpf(number))) - 1) <= 4 * EPS[dtype]


@pytest.mark.parametrize("dtype", EPS)
def test_the_error_of_a_subnormal_p_is_at_most_the_smallest_number(dtype: str) -> None:
    smallest = float(np.finfo(dtype).smallest_subnormal)
    z = np.linspace(-1.5 * REACH[dtype], -REACH[dtype], 501).astype(dtype)
    with mpmath.workdps(50):
        for number, p in zip(map(float, z), map(float, sigmoid.forward(z)), strict=True):
            assert abs(p - exact_p(number)) <= max(smallest, 4 * EPS[dtype] * p)


def exact_p(z: float) -> Any:
    """Return 1 / (1 + e^-z) with the precision of mpmath's context."""
    return 1 / (1 + mpmath.exp(-mpmath.mpf(z)))


def exact_slope(z: float) -> Any:
    """Return e^-z / (1 + e^-z)^2 with the precision of mpmath's context."""
    e = mpmath.exp(-abs(mpmath.mpf(z)))  # the slope is the same at z and at -z
    return e / (1 + e) ** 2


def slope(z: float, dtype: str) -> float:
    """Return the slope of the sigmoid according to its backward."""
    with no_warnings():
        return float(sigmoid.backward(np.ones(1, dtype), sigmoid.forward(np.array([z], dtype)))[0])


@pytest.mark.parametrize("dtype", EPS)
def test_the_slope_keeps_its_relative_accuracy_for_negative_z(dtype: str) -> None:
    @few
    @given(floats(dtype, -REACH[dtype], 0))
    def check(z: float) -> None:
        with mpmath.workdps(50):
            assert abs(slope(z, dtype) / exact_slope(z) - 1) <= 8 * EPS[dtype]

    check()


@pytest.mark.parametrize("dtype", EPS)
def test_the_slope_is_accurate_to_one_ulp_of_1_for_positive_z(dtype: str) -> None:
    @few
    @given(floats(dtype, 0, REACH[dtype]))
    def check(z: float) -> None:
        with mpmath.workdps(50):
            assert abs(slope(z, dtype) - exact_slope(z)) <= EPS[dtype]

    check()


@pytest.mark.parametrize("dtype", EPS)
def test_the_slope_is_0_once_p_is_rounded_to_1_but_not_on_the_negative_side(dtype: str) -> None:
    end = ROUNDED_TO_1[dtype]
    assert slope(end - 1, dtype) > 0
    for z in range(end, REACH[dtype] + 1):
        assert slope(z, dtype) == 0
        assert slope(-z, dtype) > 0


@pytest.mark.parametrize("dtype", EPS)
@pytest.mark.parametrize(("loss", "exact"), [("mean", exact_slope), ("cross-entropy", exact_p)])
def test_the_chain_keeps_the_relative_accuracy_of_a_negative_logit(
    loss: str, exact: Callable[[float], Any], dtype: str
) -> None:
    x, w, t = np.zeros((1, 1), dtype), np.ones((1, 1), dtype), np.zeros((1, 1))
    for number in np.linspace(-REACH[dtype], 0, 50).astype(dtype):
        parameters = (Layer(w, np.array([number])),)  # the bias is the logit, without any rounding
        z, cache = dense.forward(x, parameters)
        ((_, db),) = dense.backward(LOSSES[loss](z, t)[1], cache, parameters)
        with mpmath.workdps(50):
            assert abs(float(db[0]) / exact(float(number)) - 1) <= 8 * EPS[dtype]


@drawn(batches, widths, dtypes, seeds)
def test_the_mean_losses_of_opposite_targets_are_between_0_and_1_and_add_up_to_1(
    rows: int, outputs: int, dtype: str, seed: int
) -> None:
    hypothesis.assume(rows)
    p, t = sigmoid.forward(logits(seed, dtype, rows, outputs)), targets(seed, rows, outputs)
    loss, rest = mean_loss.forward(p, t), mean_loss.forward(p, 1 - t)
    assert 0 <= loss <= 1
    assert loss + rest == pytest.approx(1, rel=0, abs=16 * EPS[dtype])
    np.testing.assert_array_equal(mean_loss.backward(p, 1 - t), -mean_loss.backward(p, t))


@pytest.mark.parametrize("dtype", EPS)
def test_cross_entropy_is_accurate_to_four_ulp_for_hard_and_soft_targets(dtype: str) -> None:
    @few
    @given(floats(dtype, -REACH[dtype], REACH[dtype]), st.sampled_from([0.0, 1.0]) | floats(dtype, 0, 1))
    def check(z: float, t: float) -> None:
        with no_warnings():
            loss = float(cross_entropy.forward(np.full((1, 1), z, dtype), np.full((1, 1), t, dtype)))
        with mpmath.workdps(50):
            if_1, if_0 = (mpmath.log1p(mpmath.exp(mpmath.mpf(s))) for s in (-z, z))
            assert abs(loss / (t * if_1 + (1 - mpmath.mpf(t)) * if_0) - 1) <= 4 * EPS[dtype]

    check()


@drawn(batches, st.integers(1, 3), dtypes, seeds)
@example(1, 1, "float32", 0)
@example(1, 3, "float64", 0)
def test_cross_entropy_does_not_warn_and_its_gradient_is_bounded_for_saturated_logits(
    rows: int, outputs: int, dtype: str, seed: int
) -> None:
    hypothesis.assume(rows)
    z, t = logits(seed, dtype, rows, outputs), targets(seed, rows, outputs)
    with no_warnings():
        loss, dz = cross_entropy.forward(z, t), cross_entropy.backward(z, t)
    require_like(loss, np.zeros((), dtype))
    require_like(dz, z)
    assert 0 <= loss <= REACH[dtype]
    assert np.all(np.where(t == 1, -dz, dz) >= 0)
    assert np.all(np.abs(dz) * z.size <= 1 + EPS[dtype])


@drawn(batches, widths, dtypes, seeds)
def test_opposite_targets_and_opposite_logits_have_the_same_cross_entropy(
    rows: int, outputs: int, dtype: str, seed: int
) -> None:
    hypothesis.assume(rows)
    z, t = logits(seed, dtype, rows, outputs), targets(seed, rows, outputs)
    loss, dz = cross_entropy.forward(z, t), cross_entropy.backward(z, t)
    assert loss == cross_entropy.forward(-z, 1 - t)
    np.testing.assert_allclose(dz, -cross_entropy.backward(-z, 1 - t), rtol=0, atol=4 * EPS[dtype] / z.size)
    # log (1 + e^s) - log (1 + e^-s) = s.
    difference = loss - cross_entropy.forward(z, 1 - t)
    assert difference == pytest.approx(np.mean(np.where(t == 1, -z, z)), rel=0, abs=16 * EPS[dtype] * REACH[dtype])
