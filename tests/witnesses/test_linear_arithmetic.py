"""Linear and first linear against exact arithmetic, for shapes, dtypes and scales that Hypothesis draws.

Integers in floats, and Python's fractions, are exact: results that are compared with them must agree in every bit.
"""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.witnesses.drawing import (
    EPS,
    Floats,
    batches,
    drawn,
    dtypes,
    fractions,
    hypothesis,
    integers,
    no_warnings,
    normal,
    require_like,
    scales,
    seeds,
    st,
    widths,
)
from tinygrad_mnist.passes import first_linear, linear

example = hypothesis.example

EXACT = {"float32": 2**10, "float64": 2**24}
"""The largest integers for which a sum of eight products is still exact in the dtype."""

few = st.integers(1, 8)


def matrix(entry: Callable[[int, int], Any], rows: int, columns: int) -> NDArray[Any]:
    """Return the matrix with the entries that a rule gives."""
    return np.array([[entry(r, c) for c in range(columns)] for r in range(rows)], dtype=object).reshape(rows, columns)


def sums(dz: Floats, x: Floats, w: Floats) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return dx, dw and db by the sums over indices in linear.py, as exact fractions."""
    dz, x, w = map(fractions, (dz, x, w))
    (rows, inputs), outputs = x.shape, w.shape[1]
    dx = matrix(lambda n, i: sum(dz[n, k] * w[i, k] for k in range(outputs)), rows, inputs)
    dw = matrix(lambda i, o: sum(dz[m, o] * x[m, i] for m in range(rows)), inputs, outputs)
    db = np.array([sum(dz[m, o] for m in range(rows)) for o in range(outputs)], dtype=object)
    return dx, dw, db


@drawn(batches, widths, widths, dtypes, scales, seeds)
@example(4096, 784, 10, "float32", 1e3, 0)
@example(0, 784, 1, "float32", 1e-3, 0)
def test_linear_is_finite_and_like_its_arguments_at_every_size_and_scale(
    rows: int, inputs: int, outputs: int, dtype: str, scale: float, seed: int
) -> None:
    x, dz = normal(seed, dtype, rows, inputs), normal(seed + 1, dtype, rows, outputs)
    w, b = normal(seed + 2, dtype, inputs, outputs, scale=scale), normal(seed + 3, dtype, outputs, scale=scale)
    with no_warnings():
        z, gradients = linear.forward(x, w, b), linear.backward(dz, x, w)
    for result, argument in zip((z, *gradients), (dz, x, w, b), strict=True):
        require_like(result, argument)


@drawn(batches, widths, widths, dtypes, scales, seeds)
@example(4096, 784, 10, "float32", 1e3, 0)
@example(0, 784, 1, "float64", 1, 0)
def test_first_linear_has_the_gradients_of_linear_for_pixels_from_0_to_1_in_every_bit(
    rows: int, inputs: int, outputs: int, dtype: str, scale: float, seed: int
) -> None:
    x, dz = normal(seed, dtype, rows, inputs, scale=255), normal(seed + 1, dtype, rows, outputs, scale=scale)
    w = normal(seed + 2, dtype, inputs, outputs)
    _, dw, _ = linear.backward(first_linear.S * dz, x, w)
    _, _, db = linear.backward(dz, x, w)
    for result, expected in zip(first_linear.backward(dz, x), (dw, db), strict=True):
        require_like(result, expected)
        assert result.tobytes() == expected.tobytes()


@drawn(few, few, few, dtypes, scales, seeds)
def test_first_linear_rounds_at_most_once_per_term_and_twice_for_the_scale(
    rows: int, inputs: int, outputs: int, dtype: str, scale: float, seed: int
) -> None:
    x, dz = normal(seed, dtype, rows, inputs, scale=255), normal(seed + 1, dtype, rows, outputs)
    w, b = normal(seed + 2, dtype, inputs, outputs, scale=scale), normal(seed + 3, dtype, outputs)

    def exact(dz: Floats, x: Floats, w: Floats, b: Floats) -> tuple[NDArray[Any], ...]:
        _, dw, db = sums(dz, x, w)
        return fractions(x) @ fractions(w) / 255 + fractions(b), dw / 255, db

    results = first_linear.forward(x, w, b), *first_linear.backward(dz, x)
    sizes = exact(*map(np.abs, (dz, x, w, b)))
    for terms, result, expected, size in zip(
        (inputs + 3, rows + 2, rows), results, exact(dz, x, w, b), sizes, strict=True
    ):
        assert np.all(np.abs(fractions(result) - expected) <= Fraction(terms * EPS[dtype]) * size)


@drawn(few, few, few, dtypes, seeds)
@example(0, 3, 2, "float64", 0)
def test_linear_of_integers_is_the_triple_loop_in_every_bit(
    rows: int, inputs: int, outputs: int, dtype: str, seed: int
) -> None:
    shapes = (rows, inputs), (inputs, outputs), (rows, outputs)
    x, w, dz = integers(seed, dtype, *shapes, largest=EXACT[dtype])
    for result, exact in zip(linear.backward(dz, x, w), sums(dz, x, w), strict=True):
        np.testing.assert_array_equal(fractions(result), exact)


@drawn(few, few, few, dtypes, scales, seeds)
def test_linear_of_any_numbers_rounds_at_most_once_per_term(
    rows: int, inputs: int, outputs: int, dtype: str, scale: float, seed: int
) -> None:
    x, dz = normal(seed, dtype, rows, inputs), normal(seed + 1, dtype, rows, outputs)
    w = normal(seed + 2, dtype, inputs, outputs, scale=scale)
    sizes = sums(*map(np.abs, (dz, x, w)))
    for terms, result, exact, size in zip(
        (outputs, rows, rows), linear.backward(dz, x, w), sums(dz, x, w), sizes, strict=True
    ):
        assert np.all(np.abs(fractions(result) - exact) <= Fraction(terms * EPS[dtype]) * size)


@drawn(batches, widths, widths, dtypes, seeds)
@example(1000, 784, 10, "float64", 0)
def test_the_gradients_predict_the_change_of_z_weighted_by_dz_in_every_bit(
    rows: int, inputs: int, outputs: int, dtype: str, seed: int
) -> None:
    sizes = (rows, inputs), (inputs, outputs), (outputs,), (rows, outputs)
    x, w, b, dz = integers(seed, dtype, *sizes, largest=3)
    vx, vw, vb, _ = integers(seed + 1, dtype, *sizes, largest=3)
    dx, dw, db = linear.backward(dz, x, w)

    def weighted(a: Floats, b: Floats) -> float:
        return float(np.sum(a.astype("float64") * b))

    # z is linear in each single argument, so the prediction is exact for a change of any size.
    z = linear.forward(x, w, b)
    assert weighted(dz, linear.forward(x + vx, w, b) - z) == weighted(dx, vx)
    assert weighted(dz, linear.forward(x, w + vw, b) - z) == weighted(dw, vw)
    assert weighted(dz, linear.forward(x, w, b + vb) - z) == weighted(db, vb)
