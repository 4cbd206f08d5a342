"""Cross-entropy: exact for any logit, and with a gradient that does not vanish as that of the mean loss does."""

from typing import Any

import numpy as np
import pytest

from tests import oracles
from tests.fixtures import Close, Draw
from tinygrad_mnist.passes import cross_entropy, mean_loss, sigmoid

EDGES = {"float32": 80.0, "float64": 700.0}


def targets(rows: int, outputs: int) -> Any:
    return np.random.default_rng(3).integers(0, 2, (rows, outputs))


def test_it_is_the_mean_of_the_logarithms(draw: Draw, close: Close) -> None:
    z, t = draw(7, 3), targets(7, 3)
    p = sigmoid.forward(z)
    close(cross_entropy.forward(z, t), -np.mean(t * np.log(p) + (1 - t) * np.log(1 - p)), 1e-14)


def test_it_agrees_with_scikit_learn(draw: Draw) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    z, t = draw(50, 1), targets(50, 1)
    expected = metrics.log_loss(t[:, 0], sigmoid.forward(z)[:, 0])
    assert cross_entropy.forward(z, t) == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("outputs", [1, 3])
def test_dz_agrees_with_finite_differences(outputs: int, draw: Draw, close: Close) -> None:
    z, t = 3 * draw(6, outputs), targets(6, outputs)
    expected = oracles.gradient(lambda z: cross_entropy.forward(z, t), z)
    close(cross_entropy.backward(z, t), expected, 1e-9)


@pytest.mark.parametrize("dtype", EDGES)
def test_the_largest_logits_are_exact_without_a_warning(dtype: str) -> None:
    edge = EDGES[dtype]
    for z, t, expected in ((edge, 0, edge), (-edge, 1, edge), (0.0, 1, np.log(2))):
        one = np.full((1, 1), z, dtype)
        loss, dz = (f(one, np.full((1, 1), t)) for f in (cross_entropy.forward, cross_entropy.backward))
        assert loss == pytest.approx(expected, rel=float(np.finfo(dtype).eps))
        assert dz[0, 0] == pytest.approx((sigmoid.forward(one) - t)[0, 0])


@pytest.mark.parametrize("dtype", EDGES)
def test_no_logit_is_too_large(dtype: str) -> None:
    largest = np.finfo(dtype).max
    for s in (largest, np.inf):
        for z, t, expected in ((s, 0, s), (-s, 1, s), (s, 1, 0), (-s, 0, 0)):
            assert cross_entropy.forward(np.full((1, 1), z, dtype), np.full((1, 1), t)) == expected


@pytest.mark.parametrize(("dtype", "edge"), EDGES.items())
def test_the_loss_keeps_its_full_accuracy_in_the_tail(dtype: str, edge: float) -> None:
    mpmath = pytest.importorskip("mpmath")
    for z in np.linspace(1, edge, 40).astype(dtype):
        loss = cross_entropy.forward(np.full((1, 1), z), np.ones((1, 1)))
        with mpmath.workdps(400):
            exact = mpmath.log1p(mpmath.exp(-mpmath.mpf(float(z))))
            assert abs(mpmath.mpf(float(loss)) / exact - 1) < 4 * np.finfo(dtype).eps


def test_a_certain_mistake_has_a_large_gradient_here_and_almost_none_with_the_mean_loss() -> None:
    z, t = np.array([[30.0]]), np.array([[0]])
    p = sigmoid.forward(z)
    assert cross_entropy.backward(z, t) == pytest.approx(1)
    assert sigmoid.backward(mean_loss.backward(p, t), p) < 1e-12


@pytest.mark.parametrize("t", [0.0, 0.1, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("z", [-700.0, -3.0, 0.0, 0.5, 700.0])
def test_a_target_between_0_and_1_weighs_both_logarithms(z: float, t: float) -> None:
    one, target = np.array([[z]]), np.array([[t]])
    expected = t * np.logaddexp(0, -z) + (1 - t) * np.logaddexp(0, z)
    assert cross_entropy.forward(one, target) == pytest.approx(expected, rel=1e-14)
    slope = oracles.gradient(lambda z: cross_entropy.forward(z, target), one)
    np.testing.assert_allclose(cross_entropy.backward(one, target), slope, rtol=1e-9, atol=1e-10)
