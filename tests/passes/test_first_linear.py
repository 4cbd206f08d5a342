"""First linear: the linear pass for pixels from 0 to 255, with the gradients of weights for pixels from 0 to 1."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tinygrad_mnist.check import oracles
from tinygrad_mnist.passes import first_linear, linear

Draw = Callable[..., Any]
Close = Callable[[Any, Any, float], None]

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


@pytest.mark.parametrize("dtype", ["float32", "float64", "longdouble", "complex64", "complex128"])
def test_shapes_and_dtypes_are_those_of_the_arguments(dtype: str, draw: Draw) -> None:
    x, w, b, dz = (draw(*shape, dtype=dtype) for shape in ((5, 3), (3, 2), (2,), (5, 2)))
    z, (dw, db) = first_linear.forward(x, w, b), first_linear.backward(dz, x)
    for result, argument in ((z, dz), (dw, w), (db, b)):
        assert result.shape == argument.shape
        assert result.dtype == dtype


def test_no_argument_is_written_to(draw: Draw) -> None:
    x, w, b, dz = arguments = [draw(*shape).copy() for shape in ((5, 3), (3, 2), (2,), (5, 2))]
    before = [argument.copy() for argument in arguments]
    first_linear.forward(x, w, b)
    first_linear.backward(dz, x)
    for now, then in zip(arguments, before, strict=True):
        np.testing.assert_array_equal(now, then)


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


def test_it_runs_on_a_different_device(draw: Draw, on_device1: Draw, close: Close) -> None:
    x, w, b, dz = draw(5, 3), draw(3, 2), draw(2), draw(5, 2)
    x1, w1, b1, dz1 = map(on_device1, (x, w, b, dz))
    close(first_linear.forward(x1, w1, b1), first_linear.forward(x, w, b), 1e-15)
    for there, here in zip(first_linear.backward(dz1, x1), first_linear.backward(dz, x), strict=True):
        close(there, here, 1e-15)
