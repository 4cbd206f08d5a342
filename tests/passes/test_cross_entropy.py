"""Cross-entropy: right at any logit, and a better teacher than the mean loss."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tinygrad_mnist import oracles
from tinygrad_mnist.passes import cross_entropy, mean_loss, sigmoid

Draw = Callable[..., Any]
Close = Callable[[Any, Any, float], None]

EDGES = {"float32": 80.0, "float64": 700.0}


def targets(rows: int, outputs: int) -> Any:
    return np.random.default_rng(3).integers(0, 2, (rows, outputs))


def test_it_is_the_mean_of_the_logarithms_where_those_can_be_taken(draw: Draw, close: Close) -> None:
    z, t = draw(7, 3), targets(7, 3)
    p = sigmoid.forward(z)
    close(cross_entropy.forward(z, t), -np.mean(t * np.log(p) + (1 - t) * np.log(1 - p)), 1e-14)


def test_scikit_learn_says_the_same(draw: Draw) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    z, t = draw(50, 1), targets(50, 1)
    expected = metrics.log_loss(t[:, 0], sigmoid.forward(z)[:, 0])
    assert cross_entropy.forward(z, t) == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("outputs", [1, 3])
def test_dz_is_what_finite_differences_say(outputs: int, draw: Draw, close: Close) -> None:
    z, t = 3 * draw(6, outputs), targets(6, outputs)
    expected = oracles.gradient(lambda z: cross_entropy.forward(z, t), z)
    close(cross_entropy.backward(z, t), expected, 1e-9)


@pytest.mark.parametrize("dtype", EDGES)
def test_the_farthest_logits_are_exact_and_silent(dtype: str) -> None:
    edge = EDGES[dtype]
    for z, t, surprise in ((edge, 0, edge), (-edge, 1, edge), (0.0, 1, np.log(2))):
        one = np.full((1, 1), z, dtype)
        loss, dz = (f(one, np.full((1, 1), t)) for f in (cross_entropy.forward, cross_entropy.backward))
        assert loss == pytest.approx(surprise, rel=float(np.finfo(dtype).eps))
        assert dz[0, 0] == pytest.approx((sigmoid.forward(one) - t)[0, 0])


@pytest.mark.parametrize("dtype", EDGES)
def test_no_logit_is_too_large_for_it(dtype: str) -> None:
    largest = np.finfo(dtype).max
    for s in (largest, np.inf):
        for z, t, surprise in ((s, 0, s), (-s, 1, s), (s, 1, 0), (-s, 0, 0)):
            assert cross_entropy.forward(np.full((1, 1), z, dtype), np.full((1, 1), t)) == surprise


@pytest.mark.parametrize(("dtype", "edge"), EDGES.items())
def test_in_the_tail_the_loss_keeps_all_its_digits(dtype: str, edge: float) -> None:
    mpmath = pytest.importorskip("mpmath")
    for z in np.linspace(1, edge, 40).astype(dtype):
        loss = cross_entropy.forward(np.full((1, 1), z), np.ones((1, 1)))
        with mpmath.workdps(400):
            exact = mpmath.log1p(mpmath.exp(-mpmath.mpf(float(z))))
            assert abs(mpmath.mpf(float(loss)) / exact - 1) < 4 * np.finfo(dtype).eps


def test_a_sure_mistake_is_pushed_with_all_force_and_by_the_mean_loss_hardly() -> None:
    z, t = np.array([[30.0]]), np.array([[0]])
    p = sigmoid.forward(z)
    assert cross_entropy.backward(z, t) == pytest.approx(1)
    assert sigmoid.backward(mean_loss.backward(p, t), p) < 1e-12


@pytest.mark.parametrize("dtype", EDGES)
@pytest.mark.parametrize("kind", ["bool", "uint8", "int64", "float32"])
def test_dz_is_shaped_and_typed_as_z_whatever_the_type_of_the_targets(dtype: str, kind: str, draw: Draw) -> None:
    z, t = draw(6, 2, dtype=dtype), targets(6, 2)
    dz = cross_entropy.backward(z, t.astype(kind))
    assert dz.shape == z.shape
    assert dz.dtype == cross_entropy.forward(z, t.astype(kind)).dtype == dtype
    np.testing.assert_array_equal(dz, cross_entropy.backward(z, t))


@pytest.mark.parametrize("function", [cross_entropy.forward, cross_entropy.backward])
def test_targets_of_another_shape_are_refused_by_name(function: Callable[..., Any], draw: Draw) -> None:
    with pytest.raises(ValueError, match=r"\(64, 1\).*\(64,\)"):
        function(draw(64, 1), np.zeros(64))


@pytest.mark.parametrize("function", [cross_entropy.forward, cross_entropy.backward])
def test_there_is_no_mean_of_nothing(function: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match=r"\(0, 1\)"):
        function(np.zeros((0, 1)), np.zeros((0, 1)))


def test_it_runs_on_another_device(draw: Draw, on_device1: Draw, close: Close) -> None:
    z, t = draw(5, 3), targets(5, 3)
    close(cross_entropy.forward(on_device1(z), on_device1(t)), cross_entropy.forward(z, t), 1e-15)
    close(cross_entropy.backward(on_device1(z), on_device1(t)), cross_entropy.backward(z, t), 1e-15)
