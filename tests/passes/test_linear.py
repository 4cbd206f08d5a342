"""Linear: every one of its three gradients against finite differences, and shapes that do not fit."""

import re

import numpy as np
import pytest

from tests import oracles
from tests.fixtures import Close, Draw
from tinygrad_mnist.passes import linear

# (N, I, O): each of them 1, and all different, so that no transposed result could pass.
SIZES = [(1, 1, 1), (5, 3, 1), (1, 3, 2), (5, 1, 2), (7, 4, 3)]


def test_every_output_is_a_weighted_sum_and_a_bias() -> None:
    x, w, b = np.array([[1.0, 2.0]]), np.array([[3.0, 5.0], [4.0, 6.0]]), np.array([10.0, 20.0])
    np.testing.assert_array_equal(linear.forward(x, w, b), [[1 * 3 + 2 * 4 + 10, 1 * 5 + 2 * 6 + 20]])


@pytest.mark.parametrize(("rows", "inputs", "outputs"), SIZES)
def test_dx_dw_and_db_agree_with_finite_differences(
    rows: int, inputs: int, outputs: int, draw: Draw, close: Close
) -> None:
    x, w, b, dz = draw(rows, inputs), draw(inputs, outputs), draw(outputs), draw(rows, outputs)
    dx, dw, db = linear.backward(dz, x, w)
    close(dx, oracles.gradient(lambda x: np.sum(dz * linear.forward(x, w, b)), x), 1e-9)
    close(dw, oracles.gradient(lambda w: np.sum(dz * linear.forward(x, w, b)), w), 1e-9)
    close(db, oracles.gradient(lambda b: np.sum(dz * linear.forward(x, w, b)), b), 1e-9)


def test_a_complex_gradient_is_not_conjugated(draw: Draw, close: Close) -> None:
    x, w, b, dz = (draw(*shape, dtype="complex128") for shape in ((5, 3), (3, 2), (2,), (5, 2)))
    dx, dw, db = linear.backward(dz, x, w)
    moved = sum(np.sum(d * a) for d, a in ((dx, x), (dw, w), (db, b)))
    # L = sum(dz * z) is of degree 2 in (x, w) and 1 in b: Euler's rule for homogeneous functions.
    close(moved, np.sum(dz * (2 * linear.forward(x, w, 0 * b) + b)), 1e-14)


@pytest.mark.parametrize(
    ("x", "w", "b"),
    [
        ((64, 3), (4, 1), (1,)),
        ((64, 3), (3, 1), (64,)),  # would broadcast z to (64, 64)
        ((64, 3), (3, 2), (1,)),
        ((3,), (3, 1), (1,)),
        ((64, 3), (3,), (1,)),
        ((64, 3), (3, 1), ()),
    ],
)
def test_arguments_of_shapes_that_do_not_fit_are_refused_by_name(
    x: tuple[int, ...], w: tuple[int, ...], b: tuple[int, ...], draw: Draw
) -> None:
    with pytest.raises(ValueError, match=re.escape(f"x {x} as (N, I); w {w} as (I, O); b {b} as (O)")):
        linear.forward(draw(*x), draw(*w), draw(*b))


@pytest.mark.parametrize(
    ("dz", "x", "w"),
    [
        ((64,), (64, 3), (3, 1)),
        ((64, 2), (64, 3), (3, 1)),
        ((1, 1), (64, 3), (3, 1)),
        ((2, 1), (2, 5), (3, 1)),  # would give a dw of a different shape from w
        ((3,), (3, 4), (4, 3)),  # would give a db without axes
    ],
)
def test_derivatives_of_shapes_that_do_not_fit_are_refused_by_name(
    dz: tuple[int, ...], x: tuple[int, ...], w: tuple[int, ...], draw: Draw
) -> None:
    with pytest.raises(ValueError, match=re.escape(f"dz {dz} as (N, O); x {x} as (N, I); w {w} as (I, O)")):
        linear.backward(draw(*dz), draw(*x), draw(*w))
