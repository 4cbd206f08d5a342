"""Our gradients on floats against SymPy's derivatives, evaluated to 40 digits."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.witnesses.rules import (
    HARD_LOSS_RULES,
    I,
    N,
    O,
    chained,
    cross_entropy_rule,
    first_linear_rule,
    gradients,
    hard_cross_entropy_rule,
    hard_mean_loss_rule,
    linear_rule,
    mean_loss_rule,
    relu_rule,
    sigmoid_rule,
    symbols,
)
from tinygrad_mnist.arrays.layers import Layer
from tinygrad_mnist.passes import cross_entropy, first_linear, linear, mean_loss, relu, sigmoid, square

Draw = Callable[..., Any]
Close = Callable[[Any, Any, float], None]

# Rows, inputs, hidden units and outputs. 1/n is rounded here.
TWO_LAYERS = 3, 2, 4, 1
POINTS = 5
TOLERANCE = 1e-14


def hard(numbers: Any) -> Any:
    """Return random targets 0 and 1."""
    return np.where(numbers > 0, 1, 0)


def soft(numbers: Any) -> Any:
    """Return random targets between 0 and 1."""
    return sigmoid.forward(numbers)


def test_square_agrees_with_sympy(draw: Draw, close: Close) -> None:
    x, dy = symbols("x", 3, 2), symbols("dy", 3, 2)
    exact = gradients(np.sum(dy * x**2), [x], [dy])
    for _ in range(POINTS):
        numbers, upstream = draw(3, 2), draw(3, 2)
        close(square.backward(upstream, numbers), exact(numbers, upstream)[0], TOLERANCE)


def test_linear_agrees_with_sympy(draw: Draw, close: Close) -> None:
    x, w, b, dz = symbols("x", N, I), symbols("w", I, O), symbols("b", O), symbols("dz", N, O)
    exact = gradients(np.sum(dz * linear_rule(x, w, b)), [x, w, b], [dz])
    for _ in range(POINTS):
        inputs, weights, bias, upstream = draw(N, I), draw(I, O), draw(O), draw(N, O)
        expected = exact(inputs, weights, bias, upstream)
        for ours, derived in zip(linear.backward(upstream, inputs, weights), expected, strict=True):
            close(ours, derived, TOLERANCE)


def test_first_linear_agrees_with_sympy(draw: Draw, close: Close) -> None:
    x, w, b, dz = symbols("x", N, I), symbols("w", I, O), symbols("b", O), symbols("dz", N, O)
    exact = gradients(np.sum(dz * first_linear_rule(x, w, b)), [w, b], [x, dz])
    for _ in range(POINTS):
        images, upstream = 255 * draw(N, I), draw(N, O)
        expected = exact(draw(I, O), draw(O), images, upstream)
        for ours, derived in zip(first_linear.backward(upstream, images), expected, strict=True):
            close(ours, derived, TOLERANCE)


def test_relu_agrees_with_sympy(draw: Draw, close: Close) -> None:
    z, dh = symbols("z", 3, 2), symbols("dh", 3, 2)
    exact = gradients(np.sum(dh * relu_rule(z)), [z], [dh])
    for _ in range(POINTS):
        numbers, upstream = draw(3, 2), draw(3, 2)
        close(relu.backward(upstream, numbers), exact(numbers, upstream)[0], TOLERANCE)


def test_sigmoid_agrees_with_sympy(draw: Draw, close: Close) -> None:
    z, dp = symbols("z", 3, 2), symbols("dp", 3, 2)
    exact = gradients(np.sum(dp * sigmoid_rule(z)), [z], [dp])
    for _ in range(POINTS):
        logits, upstream = 3 * draw(3, 2), draw(3, 2)
        ours = sigmoid.backward(upstream, sigmoid.forward(logits))
        close(ours, exact(logits, upstream)[0], TOLERANCE)


@pytest.mark.parametrize(("rule", "targets"), [(hard_mean_loss_rule, hard), (mean_loss_rule, soft)])
def test_mean_loss_agrees_with_sympy_even_if_1_over_n_is_rounded(
    rule: Callable[..., Any], targets: Callable[[Any], Any], draw: Draw, close: Close
) -> None:
    p, t = symbols("p", 3, 1), symbols("t", 3, 1)
    exact = gradients(rule(p, t), [p], [t])
    for _ in range(POINTS):
        predictions, chosen = draw(3, 1), targets(draw(3, 1))
        close(mean_loss.backward(predictions, chosen), exact(predictions, chosen)[0], TOLERANCE)


@pytest.mark.parametrize(("rule", "targets"), [(hard_cross_entropy_rule, hard), (cross_entropy_rule, soft)])
def test_cross_entropy_agrees_with_sympy_even_if_1_over_n_is_rounded(
    rule: Callable[..., Any], targets: Callable[[Any], Any], draw: Draw, close: Close
) -> None:
    z, t = symbols("z", 3, 1), symbols("t", 3, 1)
    exact = gradients(rule(sigmoid_rule(z), t), [z], [t])
    for _ in range(POINTS):
        logits, chosen = 3 * draw(3, 1), targets(draw(3, 1))
        close(cross_entropy.backward(logits, chosen), exact(logits, chosen)[0], TOLERANCE)


@pytest.mark.parametrize("loss", ["mean", "cross-entropy"])
def test_a_network_without_hidden_layers_agrees_with_sympy(loss: str, draw: Draw, close: Close) -> None:
    x, w, b, t = symbols("x", N, I), symbols("w", I, O), symbols("b", O), symbols("t", N, O)
    exact = gradients(HARD_LOSS_RULES[loss](sigmoid_rule(first_linear_rule(x, w, b)), t), [w, b], [x, t])
    for _ in range(POINTS):
        images, targets, layer = 255 * draw(N, I), hard(draw(N, O)), Layer(draw(I, O), draw(O))
        for ours, derived in zip(chained(loss, images, targets, (layer,)), exact(*layer, images, targets), strict=True):
            close(ours, derived, TOLERANCE)


@pytest.mark.parametrize("loss", ["mean", "cross-entropy"])
def test_a_network_with_a_hidden_layer_agrees_with_sympy(loss: str, draw: Draw, close: Close) -> None:
    rows, inputs, hidden, outputs = TWO_LAYERS
    x, t = symbols("x", rows, inputs), symbols("t", rows, outputs)
    w, b = symbols("w", inputs, hidden), symbols("b", hidden)
    v, c = symbols("v", hidden, outputs), symbols("c", outputs)
    p = sigmoid_rule(linear_rule(relu_rule(first_linear_rule(x, w, b)), v, c))
    exact = gradients(HARD_LOSS_RULES[loss](p, t), [w, b, v, c], [x, t])
    for _ in range(POINTS):
        images, targets = 255 * draw(*x.shape), hard(draw(*t.shape))
        first, last = Layer(draw(*w.shape), draw(*b.shape)), Layer(draw(*v.shape), draw(*c.shape))
        assert np.abs(first_linear.forward(images, *first)).min() > 1e-6, "there is no slope to compare at a kink"
        ours = chained(loss, images, targets, (first, last))
        for gradient, derived in zip(ours, exact(*first, *last, images, targets), strict=True):
            close(gradient, derived, TOLERANCE)
