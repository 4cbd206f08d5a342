"""Everywhere: shapes, types and scales that Hypothesis draws, saturated logits, and exact arithmetic as the witness.

Whole numbers in floats and Python's fractions are exact, so what is compared with them is compared to the last bit.
"""

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tinygrad_mnist import network, oracles
from tinygrad_mnist.network import LOSSES, Gradients, Layer, Parameters
from tinygrad_mnist.passes import cross_entropy, linear, mean_loss, relu, sigmoid, square

hypothesis = pytest.importorskip("hypothesis")
mpmath = pytest.importorskip("mpmath")
given, example, st = hypothesis.given, hypothesis.example, hypothesis.strategies

Floats = NDArray[np.floating[Any]]

EPS = {dtype: float(np.finfo(dtype).eps) for dtype in ("float32", "float64")}
# As far out as e^z is still a normal number of the type, and from where 1 + e^-z is 1.
REACH = {"float32": 80, "float64": 700}
NO_DIGITS_LEFT = {"float32": 17, "float64": 37}
# The largest derivative of one entry's loss by its logit: p (1 - p), and p - t.
STEEPEST = {"mean": 1 / 4, "cross-entropy": 1}
# The largest whole numbers of which sums of eight products are still whole numbers of the type.
WHOLE = {"float32": 2**10, "float64": 2**24}

dtypes = st.sampled_from(["float32", "float64"])
seeds = st.integers(0, 2**32 - 1)
scales = st.floats(-3, 3).map(lambda power: 10.0**power)
batches = st.sampled_from([0, 1, 2, 5, 64, 257])
widths = st.sampled_from([1, 2, 3, 10, 100])
losses = st.sampled_from(sorted(LOSSES))
few = st.integers(1, 8)


@contextmanager
def silence() -> Iterator[None]:
    """Let no overflow, division by 0 or invalid operation pass; an underflow to 0 is what saturation means."""
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        yield


def drawn(*strategies: Any) -> Callable[[Any], Any]:
    """Let Hypothesis draw the arguments of a test fifty times: each draw is a whole array of cases."""
    return lambda test: hypothesis.settings(max_examples=50)(given(*strategies)(test))


def normal(seed: int, dtype: str, *shape: int, scale: float = 1) -> Floats:
    return (scale * np.random.default_rng(seed).standard_normal(shape)).astype(dtype)


def whole(seed: int, dtype: str, *shapes: tuple[int, ...], largest: int) -> list[Floats]:
    """Return arrays of whole numbers in floats."""
    rng = np.random.default_rng(seed)
    return [rng.integers(-largest, largest, shape, endpoint=True).astype(dtype) for shape in shapes]


def logits(seed: int, dtype: str, *shape: int) -> Floats:
    """Return logits from one end of the type's reach to the other, most of them saturated."""
    return np.random.default_rng(seed).uniform(-REACH[dtype], REACH[dtype], shape).astype(dtype)


def ones_and_zeros(seed: int, *shape: int) -> NDArray[np.int64]:
    return np.random.default_rng((seed, 1)).integers(0, 2, shape)


def layers(seed: int, dtype: str, *sizes: int, scale: float = 1) -> Parameters:
    """Return the parameters of a network with layers of these sizes, inputs first."""
    return tuple(
        Layer(
            normal(seed + 2 * k - 1, dtype, inputs, outputs, scale=scale),
            normal(seed + 2 * k, dtype, outputs, scale=scale),
        )
        for k, (inputs, outputs) in enumerate(itertools.pairwise(sizes), start=1)
    )


def copies(dtype: str, outputs: int) -> Parameters:
    """Return the parameters of a network whose logits are its one input."""
    return (Layer(np.ones((1, outputs), dtype), np.zeros(outputs, dtype)),)


def stretched(parameters: Parameters, x: Floats, dtype: str) -> Parameters:
    """Return the parameters with a last layer that takes the logits of x to the end of the type's reach."""
    *hidden, (w, b) = parameters
    factor = np.asarray(REACH[dtype] / np.max(np.abs(network.forward(x, parameters)[-1].z)), dtype)
    return (*hidden, Layer(factor * w, factor * b))


def chained(loss: str, x: Floats, t: NDArray[Any], parameters: Parameters) -> Gradients:
    """Return the gradients of a loss by the parameters, all the way forward and back."""
    passed = network.forward(x, parameters)
    return network.backward(LOSSES[loss](passed[-1].z, t)[1], passed, parameters)


def arrays(parameters: Parameters) -> list[Floats]:
    return [array for layer in parameters for array in layer]


def fractions(array: Floats) -> NDArray[Any]:
    return np.vectorize(lambda x: Fraction(float(x)), otypes=[object])(array)


def matrix(entry: Callable[[int, int], Any], rows: int, columns: int) -> NDArray[Any]:
    """Return the matrix whose entries a rule gives."""
    return np.array([[entry(r, c) for c in range(columns)] for r in range(rows)], dtype=object).reshape(rows, columns)


def loops(dz: Floats, x: Floats, w: Floats) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return dx, dw and db by the page's sums over indices, in exact fractions."""
    dz, x, w = map(fractions, (dz, x, w))
    (rows, inputs), outputs = x.shape, w.shape[1]
    dx = matrix(lambda n, i: sum(dz[n, k] * w[i, k] for k in range(outputs)), rows, inputs)
    dw = matrix(lambda i, o: sum(dz[m, o] * x[m, i] for m in range(rows)), inputs, outputs)
    db = np.array([sum(dz[m, o] for m in range(rows)) for o in range(outputs)], dtype=object)
    return dx, dw, db


def require_like(result: Floats, argument: Floats) -> None:
    """Check that a result has the shape and type of an argument, and only finite numbers."""
    assert result.shape == argument.shape
    assert result.dtype == argument.dtype
    assert np.all(np.isfinite(result))


@drawn(batches, widths, widths, dtypes, scales, seeds)
@example(4096, 784, 10, "float32", 1e3, 0)
@example(0, 784, 1, "float32", 1e-3, 0)
def test_linear_is_finite_and_like_its_arguments_at_every_size_and_scale(
    rows: int, inputs: int, outputs: int, dtype: str, scale: float, seed: int
) -> None:
    x, dz = normal(seed, dtype, rows, inputs), normal(seed + 1, dtype, rows, outputs)
    w, b = normal(seed + 2, dtype, inputs, outputs, scale=scale), normal(seed + 3, dtype, outputs, scale=scale)
    with silence():
        z, gradients = linear.forward(x, w, b), linear.backward(dz, x, w)
    for result, argument in zip((z, *gradients), (dz, x, w, b), strict=True):
        require_like(result, argument)


@drawn(batches, widths, widths, dtypes, scales, seeds)
@example(4096, 784, 10, "float32", 1e3, 0)
@example(0, 784, 1, "float64", 1, 0)
def test_what_linear_passes_to_its_parameters_alone_is_to_the_bit_what_it_passes_to_them_beside_x(
    rows: int, inputs: int, outputs: int, dtype: str, scale: float, seed: int
) -> None:
    x, dz = normal(seed, dtype, rows, inputs), normal(seed + 1, dtype, rows, outputs, scale=scale)
    _, *beside = linear.backward(dz, x, normal(seed + 2, dtype, inputs, outputs))
    for alone, expected in zip(linear.backward_to_parameters(dz, x), beside, strict=True):
        require_like(alone, expected)
        assert alone.tobytes() == expected.tobytes()


@drawn(few, few, few, dtypes, seeds)
@example(0, 3, 2, "float64", 0)
def test_linear_on_whole_numbers_is_the_triple_loop_to_the_last_bit(
    rows: int, inputs: int, outputs: int, dtype: str, seed: int
) -> None:
    shapes = (rows, inputs), (inputs, outputs), (rows, outputs)
    x, w, dz = whole(seed, dtype, *shapes, largest=WHOLE[dtype])
    for written, exact in zip(linear.backward(dz, x, w), loops(dz, x, w), strict=True):
        np.testing.assert_array_equal(fractions(written), exact)


@drawn(few, few, few, dtypes, scales, seeds)
def test_linear_on_any_numbers_rounds_no_more_than_once_per_term(
    rows: int, inputs: int, outputs: int, dtype: str, scale: float, seed: int
) -> None:
    x, dz = normal(seed, dtype, rows, inputs), normal(seed + 1, dtype, rows, outputs)
    w = normal(seed + 2, dtype, inputs, outputs, scale=scale)
    sizes = loops(*map(np.abs, (dz, x, w)))
    for terms, written, exact, size in zip(
        (outputs, rows, rows), linear.backward(dz, x, w), loops(dz, x, w), sizes, strict=True
    ):
        assert np.all(np.abs(fractions(written) - exact) <= Fraction(terms * EPS[dtype]) * size)


@drawn(batches, widths, widths, dtypes, seeds)
@example(1000, 784, 10, "float64", 0)
def test_the_change_of_z_weighted_by_dz_is_what_the_gradients_say_to_the_last_bit(
    rows: int, inputs: int, outputs: int, dtype: str, seed: int
) -> None:
    sizes = (rows, inputs), (inputs, outputs), (outputs,), (rows, outputs)
    x, w, b, dz = whole(seed, dtype, *sizes, largest=3)
    vx, vw, vb, _ = whole(seed + 1, dtype, *sizes, largest=3)
    dx, dw, db = linear.backward(dz, x, w)

    def weighted(a: Floats, b: Floats) -> float:
        return float(np.sum(a.astype("float64") * b))

    # z is linear in each argument alone, so the change is exact, however far the argument is moved.
    z = linear.forward(x, w, b)
    assert weighted(dz, linear.forward(x + vx, w, b) - z) == weighted(dx, vx)
    assert weighted(dz, linear.forward(x, w + vw, b) - z) == weighted(dw, vw)
    assert weighted(dz, linear.forward(x, w, b + vb) - z) == weighted(db, vb)


@drawn(batches, widths, widths, dtypes, seeds)
def test_a_batchs_gradients_are_the_sums_of_its_parts_and_those_of_no_rows_are_0(
    rows: int, inputs: int, outputs: int, dtype: str, seed: int
) -> None:
    x, w, dz = whole(seed, dtype, (rows, inputs), (inputs, outputs), (rows, outputs), largest=3)
    dx, dw, db = linear.backward(dz, x, w)
    cut = rows // 3  # 0 up to two rows: an empty part, which must add nothing
    first, rest = linear.backward(dz[:cut], x[:cut], w), linear.backward(dz[cut:], x[cut:], w)
    np.testing.assert_array_equal(dx, np.concat([first[0], rest[0]]))
    np.testing.assert_array_equal(dw, first[1] + rest[1])
    np.testing.assert_array_equal(db, first[2] + rest[2])


@drawn(batches, widths, widths, dtypes, st.integers(-20, 20), seeds)
def test_backward_is_linear_in_the_upstream_gradient_to_the_last_bit(
    rows: int, inputs: int, outputs: int, dtype: str, power: int, seed: int
) -> None:
    x, w, one, other = whole(
        seed, dtype, (rows, inputs), (inputs, outputs), (rows, outputs), (rows, outputs), largest=3
    )
    factor = np.asarray(2.0**power, dtype)  # scales without rounding
    for mixed, a, b in zip(
        linear.backward(factor * (one - other), x, w),
        linear.backward(one, x, w),
        linear.backward(other, x, w),
        strict=True,
    ):
        np.testing.assert_array_equal(mixed, factor * (a - b))
    p, dp = sigmoid.forward(normal(seed, dtype, rows, outputs)), normal(seed + 1, dtype, rows, outputs)
    np.testing.assert_array_equal(sigmoid.backward(factor * dp, p), factor * sigmoid.backward(dp, p))
    np.testing.assert_array_equal(square.backward(factor * dp, p), factor * square.backward(dp, p))
    np.testing.assert_array_equal(relu.backward(factor * dp, dp), factor * relu.backward(dp, dp))


@drawn(st.lists(st.sampled_from([0, 1, 3, 50]), max_size=3).map(tuple), dtypes, seeds)
def test_relus_of_z_and_minus_z_share_z_between_them_and_the_blame_for_it_to_the_bit(
    shape: tuple[int, ...], dtype: str, seed: int
) -> None:
    z, dh = logits(seed, dtype, *shape), normal(seed + 1, dtype, *shape, scale=1e3)
    with silence():
        positive, negative = relu.forward(z), relu.forward(-z)
        blamed, spared = relu.backward(dh, z), relu.backward(dh, -z)
    for result in (positive, negative, blamed, spared):
        require_like(result, z)
    np.testing.assert_array_equal(positive - negative, z)
    np.testing.assert_array_equal(blamed + spared, dh)
    assert not np.any(blamed[positive == 0])
    assert not np.any(spared[negative == 0])


@drawn(st.lists(st.sampled_from([0, 1, 3, 50]), max_size=3).map(tuple), dtypes, seeds)
def test_sigmoid_is_silent_and_between_0_and_1_on_saturated_logits_of_any_shape(
    shape: tuple[int, ...], dtype: str, seed: int
) -> None:
    z, dp = logits(seed, dtype, *shape), normal(seed + 1, dtype, *shape, scale=1e3)
    with silence():
        p = sigmoid.forward(z)
        dz = sigmoid.backward(dp, p)
    for result in (p, dz):
        require_like(result, z)
    assert np.all((p >= 0) & (p <= 1))
    assert np.all(np.abs(dz) <= np.abs(dp) / 4 * (1 + 2 * EPS[dtype]))


@pytest.mark.parametrize("dtype", EPS)
def test_p_is_right_to_four_ulp_from_tail_to_tail(dtype: str) -> None:
    z = np.concat([np.linspace(-REACH[dtype], REACH[dtype], 2001), np.linspace(-1, 1, 501)]).astype(dtype)
    with mpmath.workdps(50):
        for number, p in zip(map(float, z), map(float, sigmoid.forward(z)), strict=True):
            assert abs(p * (1 + mpmath.exp(-mpmath.mpf(number))) - 1) <= 4 * EPS[dtype]


@pytest.mark.parametrize("dtype", EPS)
def test_beyond_the_normal_numbers_p_is_off_by_no_more_than_the_smallest_number(dtype: str) -> None:
    smallest = float(np.finfo(dtype).smallest_subnormal)
    z = np.linspace(-1.5 * REACH[dtype], -REACH[dtype], 501).astype(dtype)
    with mpmath.workdps(50):
        for number, p in zip(map(float, z), map(float, sigmoid.forward(z)), strict=True):
            assert abs(p - 1 / (1 + mpmath.exp(-mpmath.mpf(number)))) <= max(smallest, 4 * EPS[dtype] * p)


def exact_slope(z: float) -> Any:
    """Return e^-z / (1 + e^-z)^2 to the digits of mpmath's context."""
    e = mpmath.exp(-abs(mpmath.mpf(z)))  # the slope at z and at -z is the same
    return e / (1 + e) ** 2


def slope(z: float, dtype: str) -> float:
    """Return what sigmoid's backward says."""
    with silence():
        return float(sigmoid.backward(np.ones(1, dtype), sigmoid.forward(np.array([z], dtype)))[0])


@pytest.mark.parametrize("dtype", EPS)
def test_the_slope_keeps_all_its_digits_where_z_is_negative(dtype: str) -> None:
    @given(st.floats(-REACH[dtype], 0, width=np.dtype(dtype).itemsize * 8))
    def check(z: float) -> None:
        with mpmath.workdps(50):
            assert abs(slope(z, dtype) / exact_slope(z) - 1) <= 8 * EPS[dtype]

    check()


@pytest.mark.parametrize("dtype", EPS)
def test_the_slope_is_right_to_one_ulp_of_1_where_z_is_positive(dtype: str) -> None:
    @given(st.floats(0, REACH[dtype], width=np.dtype(dtype).itemsize * 8))
    def check(z: float) -> None:
        with mpmath.workdps(50):
            assert abs(slope(z, dtype) - exact_slope(z)) <= EPS[dtype]

    check()


@pytest.mark.parametrize("dtype", EPS)
def test_the_slope_is_0_where_p_has_rounded_to_1_and_not_on_the_other_side(dtype: str) -> None:
    end = NO_DIGITS_LEFT[dtype]
    assert slope(end - 1, dtype) > 0
    for z in range(end, REACH[dtype] + 1):
        assert slope(z, dtype) == 0
        assert slope(-z, dtype) > 0


def exact_p(z: float) -> Any:
    """Return 1 / (1 + e^-z) to the digits of mpmath's context."""
    return 1 / (1 + mpmath.exp(-mpmath.mpf(z)))


@pytest.mark.parametrize("dtype", EPS)
@pytest.mark.parametrize(("loss", "exact"), [("mean", exact_slope), ("cross-entropy", exact_p)])
def test_the_chain_keeps_all_the_digits_of_a_negative_logit(
    loss: str, exact: Callable[[float], Any], dtype: str
) -> None:
    parameters, t = copies(dtype, outputs=1), np.zeros((1, 1))
    for z in np.linspace(-REACH[dtype], 0, 50).astype(dtype):
        ((_, db),) = chained(loss, np.full((1, 1), z), t, parameters)
        with mpmath.workdps(50):
            assert abs(float(db[0]) / exact(float(z)) - 1) <= 8 * EPS[dtype]


@drawn(batches, widths, dtypes, seeds)
def test_mean_loss_lies_between_0_and_1_and_the_opposite_targets_have_the_rest(
    rows: int, outputs: int, dtype: str, seed: int
) -> None:
    hypothesis.assume(rows)
    p, t = sigmoid.forward(logits(seed, dtype, rows, outputs)), ones_and_zeros(seed, rows, outputs)
    loss, rest = mean_loss.forward(p, t), mean_loss.forward(p, 1 - t)
    assert 0 <= loss <= 1
    assert loss + rest == pytest.approx(1, rel=0, abs=16 * EPS[dtype])
    np.testing.assert_array_equal(mean_loss.backward(p, 1 - t), -mean_loss.backward(p, t))


@pytest.mark.parametrize("t", [0, 1])
@pytest.mark.parametrize("dtype", EPS)
def test_cross_entropy_is_right_to_four_ulp_from_tail_to_tail(dtype: str, t: int) -> None:
    @given(st.floats(-REACH[dtype], REACH[dtype], width=np.dtype(dtype).itemsize * 8))
    def check(z: float) -> None:
        with silence():
            loss = float(cross_entropy.forward(np.full((1, 1), z, dtype), np.full((1, 1), t)))
        with mpmath.workdps(50):
            assert abs(loss / mpmath.log1p(mpmath.exp(mpmath.mpf(-z if t else z))) - 1) <= 4 * EPS[dtype]

    check()


@drawn(dtypes, st.floats(2, 1e30))
def test_beyond_every_exponential_cross_entropy_is_the_logit_of_being_wrong_or_0(dtype: str, times: float) -> None:
    z = np.full((1, 1), times * REACH[dtype], dtype)
    for logit, right in ((z, 1), (-z, 0)):
        for t, loss, slope_of_loss in ((right, 0, 0), (1 - right, z.item(), 2 * right - 1)):
            targets = np.full((1, 1), t)
            with silence():
                assert cross_entropy.forward(logit, targets) == loss
                assert cross_entropy.backward(logit, targets) == slope_of_loss


@drawn(batches, st.integers(1, 3), dtypes, seeds)
@example(1, 1, "float32", 0)
@example(1, 3, "float64", 0)
def test_cross_entropy_is_silent_and_its_gradient_bounded_on_saturated_logits(
    rows: int, outputs: int, dtype: str, seed: int
) -> None:
    hypothesis.assume(rows)
    z, t = logits(seed, dtype, rows, outputs), ones_and_zeros(seed, rows, outputs)
    with silence():
        loss, dz = cross_entropy.forward(z, t), cross_entropy.backward(z, t)
    require_like(loss, np.zeros((), dtype))
    require_like(dz, z)
    assert 0 <= loss <= REACH[dtype]
    assert np.all(np.where(t == 1, -dz, dz) >= 0)
    assert np.all(np.abs(dz) * z.size <= 1 + EPS[dtype])


@drawn(batches, widths, dtypes, seeds)
def test_the_opposite_targets_of_the_opposite_logits_are_the_same_surprise(
    rows: int, outputs: int, dtype: str, seed: int
) -> None:
    hypothesis.assume(rows)
    z, t = logits(seed, dtype, rows, outputs), ones_and_zeros(seed, rows, outputs)
    loss, dz = cross_entropy.forward(z, t), cross_entropy.backward(z, t)
    assert loss == cross_entropy.forward(-z, 1 - t)
    np.testing.assert_allclose(dz, -cross_entropy.backward(-z, 1 - t), rtol=0, atol=4 * EPS[dtype] / z.size)
    # log (1 + e^s) less log (1 + e^-s) is s.
    more = loss - cross_entropy.forward(z, 1 - t)
    assert more == pytest.approx(np.mean(np.where(t == 1, -z, z)), rel=0, abs=16 * EPS[dtype] * REACH[dtype])


@drawn(losses, batches, widths, widths, dtypes, scales, seeds)
@example("mean", 4096, 784, 10, "float32", 1e3, 0)
@example("cross-entropy", 4096, 784, 10, "float32", 1e3, 0)
def test_the_network_is_silent_and_its_gradients_bounded_however_saturated_it_is(
    loss: str, rows: int, inputs: int, outputs: int, dtype: str, scale: float, seed: int
) -> None:
    hypothesis.assume(rows)
    x, t = normal(seed, dtype, rows, inputs), ones_and_zeros(seed, rows, outputs)
    parameters = layers(seed, dtype, inputs, outputs, scale=scale)
    with silence():
        gradients = chained(loss, x, t, parameters)
    # The mean over N*O entries leaves a share of 1/O to each column.
    steepest = (1 + (rows + 4) * EPS[dtype]) * STEEPEST[loss] / outputs
    for gradient, parameter, bound in zip(*map(arrays, (gradients, parameters)), (np.max(np.abs(x)), 1), strict=True):
        require_like(gradient, parameter)
        assert np.all(np.abs(gradient) <= steepest * bound)


@drawn(losses, batches, widths, widths, st.integers(1, 3), dtypes, scales, seeds)
@example("mean", 1, 784, 100, 1, "float32", 1e3, 0)
@example("cross-entropy", 1, 784, 100, 3, "float64", 1e3, 0)
def test_with_a_hidden_layer_too_it_is_silent_and_bounded_where_logits_are_as_large_as_can_be(
    loss: str, rows: int, inputs: int, hidden: int, outputs: int, dtype: str, scale: float, seed: int
) -> None:
    hypothesis.assume(rows)
    x, t = normal(seed, dtype, rows, inputs), ones_and_zeros(seed, rows, outputs)
    parameters = stretched(layers(seed, dtype, inputs, hidden, outputs, scale=scale), x, dtype)
    with silence():
        passed = network.forward(x, parameters)
        value, dz = LOSSES[loss](passed[-1].z, t)
        gradients = network.backward(dz, passed, parameters)
    require_like(value, np.zeros((), dtype))
    assert np.max(np.abs(passed[-1].z)) == pytest.approx(REACH[dtype], rel=1e-3)
    steepest = (1 + (rows + outputs + 8) * EPS[dtype]) * STEEPEST[loss] / outputs
    through = np.max(np.sum(np.abs(parameters[1].w), axis=1))  # how strongly a hidden output moves all the logits
    bounds = (through * np.max(np.abs(x)), through, np.max(passed[1].x), 1)
    for gradient, parameter, bound in zip(*map(arrays, (gradients, parameters)), bounds, strict=True):
        require_like(gradient, parameter)
        assert np.all(np.abs(gradient) <= steepest * bound)


@drawn(losses, batches, widths, dtypes, seeds)
def test_a_higher_bias_brings_the_loss_down_where_all_targets_are_1_and_up_where_they_are_0(
    loss: str, rows: int, outputs: int, dtype: str, seed: int
) -> None:
    hypothesis.assume(rows)
    x = logits(seed, dtype, rows, 1)
    parameters = copies(dtype, outputs)
    assert np.all(chained(loss, x, np.ones((rows, outputs)), parameters)[0].b <= 0)
    assert np.all(chained(loss, x, np.zeros((rows, outputs)), parameters)[0].b >= 0)


@drawn(losses, st.integers(2, 64), st.lists(widths, min_size=2, max_size=3), seeds)
def test_the_networks_gradient_is_the_mean_of_its_rows_gradients(
    loss: str, rows: int, sizes: list[int], seed: int
) -> None:
    x, t = normal(seed, "float64", rows, sizes[0]), ones_and_zeros(seed, rows, sizes[-1])
    parameters = layers(seed, "float64", *sizes)
    each = [arrays(chained(loss, x[n : n + 1], t[n : n + 1], parameters)) for n in range(rows)]
    for together, alone in zip(arrays(chained(loss, x, t, parameters)), zip(*each, strict=True), strict=True):
        np.testing.assert_allclose(together, np.mean(alone, axis=0), rtol=0, atol=1e-14)


@drawn(losses, st.lists(widths, min_size=2, max_size=3), dtypes)
def test_no_rows_have_logits_but_no_loss_and_no_gradient(loss: str, sizes: list[int], dtype: str) -> None:
    x, t = np.empty((0, sizes[0]), dtype), np.empty((0, sizes[-1]))
    z = network.forward(x, layers(0, dtype, *sizes))[-1].z
    require_like(z, t.astype(dtype))
    with pytest.raises(ValueError, match="no mean of nothing"):
        LOSSES[loss](z, t)


@given(st.floats(-(2.0**1023), 2.0**1023, exclude_min=True, exclude_max=True))
def test_the_slope_of_a_square_is_exactly_2x_at_every_number(x: float) -> None:
    assert Fraction(float(square.backward(np.ones(1), np.array([x]))[0])) == 2 * Fraction(x)


@drawn(st.fractions(), st.fractions(), st.fractions().filter(bool))
def test_in_fractions_a_square_has_no_error_of_differences_at_any_step(x: Fraction, dy: Fraction, h: Fraction) -> None:
    # ((x + h)^2 - (x - h)^2) / 2h = 4xh / 2h = 2x: the definition of the slope, before any limit.
    measured = (square.forward(x + h) - square.forward(x - h)) / (2 * h)
    assert square.backward(dy, x) == dy * measured


@drawn(st.floats(-100, 100))
def test_differences_of_a_square_find_2x(x: float) -> None:
    for order in (2, 4):
        found = oracles.differences(square.forward, at=x, order=order)
        assert found == pytest.approx(square.backward(1.0, x), rel=1e-10, abs=1e-10)


@pytest.mark.parametrize("oracle", [lambda line: oracles.differences(line, order=2), oracles.differences])
def test_differences_find_the_books_slopes(oracle: Callable[[oracles.Line], float]) -> None:
    assert oracle(lambda s: square.forward(3 + s)) == pytest.approx(6, rel=1e-10)
    x = np.array([3.0, 4.0, 10.0])
    lines = oracles.lines_through(lambda x: np.sum(square.forward(x)), x, oracles.each_entry(x))
    assert [line(0.0) for line in lines] == [125, 125, 125]
    assert [oracle(line) for line in lines] == pytest.approx([6, 8, 20], rel=1e-9)


@pytest.mark.parametrize("x", [3.0, 4.0, 10.0, 1e-150, 2.0**500])
def test_a_complex_step_finds_2x_without_any_error(x: float) -> None:
    assert oracles.complex_step(square.forward, at=x) == square.backward(1.0, x)


def test_from_minus_100_to_100_every_oracle_finds_2x() -> None:
    for x in map(float, range(-100, 101)):
        dx = square.backward(1.0, x)
        assert dx == x + x
        assert oracles.complex_step(square.forward, at=x) == dx
        for order in (2, 4):
            assert oracles.differences(square.forward, at=x, order=order) == pytest.approx(dx, rel=1e-10, abs=1e-10)


@pytest.mark.parametrize("x", [-100.0, -3.0, -0.5, 0.0, 1e-3, 1.0, 10.0, 100.0])
def test_a_cube_has_order_2_and_a_square_none_because_its_third_derivative_is_0(x: float) -> None:
    # A central difference errs by h^2/6 times the third derivative, plus terms in h^4 that neither of them has.
    assert oracles.observed_order([lambda s: (x + s) * square.forward(x + s)]) == pytest.approx(2.0, abs=0.01)
    assert oracles.observed_order([lambda s: square.forward(x + s)]) is None
