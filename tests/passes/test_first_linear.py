"""First linear: the linear pass for pixels from 0 to 255, with the gradients of weights for pixels from 0 to 1."""

import re

import numpy as np
import pytest

from tests import oracles
from tests.fixtures import Close, Draw
from tinygrad_mnist.passes import first_linear, linear

SIZES = [(1, 1, 1), (5, 3, 1), (1, 3, 2), (5, 1, 2), (7, 4, 3)]


@pytest.mark.parametrize(("rows", "inputs", "outputs"), SIZES)
def test_it_is_the_linear_pass_for_pixels_from_0_to_1(
    rows: int, inputs: int, outputs: int, draw: Draw, close: Close
) -> None:
    x, w, b, dz = 255 * draw(rows, inputs), draw(inputs, outputs), draw(outputs), draw(rows, outputs)
    close(first_linear.forward(x, w, b), linear.forward(x / 255, w, b), 1e-14)
    _, dw, db = linear.backward(dz, x / 255, w)
    for here, there in zip(first_linear.backward(dz, x), (dw, db), strict=True):
        close(here, there, 1e-14)


@pytest.mark.parametrize(("rows", "inputs", "outputs"), SIZES)
def test_dw_and_db_agree_with_finite_differences(
    rows: int, inputs: int, outputs: int, draw: Draw, close: Close
) -> None:
    x, w, b, dz = 255 * draw(rows, inputs), draw(inputs, outputs), draw(outputs), draw(rows, outputs)
    dw, db = first_linear.backward(dz, x)
    close(dw, oracles.gradient(lambda w: np.sum(dz * first_linear.forward(x, w, b)), w), 1e-9)
    close(db, oracles.gradient(lambda b: np.sum(dz * first_linear.forward(x, w, b)), b), 1e-9)


@pytest.mark.parametrize(("x", "w", "b"), [((64, 3), (4, 1), (1,)), ((64, 3), (3, 1), (64,)), ((3,), (3, 1), (1,))])
def test_arguments_of_shapes_that_do_not_fit_are_refused_by_name(
    x: tuple[int, ...], w: tuple[int, ...], b: tuple[int, ...], draw: Draw
) -> None:
    with pytest.raises(ValueError, match=re.escape(f"x {x} as (N, I); w {w} as (I, O); b {b} as (O)")):
        first_linear.forward(draw(*x), draw(*w), draw(*b))


@pytest.mark.parametrize(("dz", "x"), [((64,), (64, 3)), ((64, 1), (64,)), ((2, 1), (3, 4)), ((64, 1, 1), (64, 3))])
def test_derivatives_of_shapes_that_do_not_fit_are_refused_by_name(
    dz: tuple[int, ...], x: tuple[int, ...], draw: Draw
) -> None:
    with pytest.raises(ValueError, match=re.escape(f"dz {dz} as (N, O); x {x} as (N, I)")):
        first_linear.backward(draw(*dz), draw(*x))
