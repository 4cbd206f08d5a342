"""Random arrays for the tests in this folder, with shapes, dtypes and scales that Hypothesis draws."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

hypothesis = pytest.importorskip("hypothesis")
st = hypothesis.strategies

Floats = NDArray[np.floating[Any]]

EPS = {dtype: float(np.finfo(dtype).eps) for dtype in ("float32", "float64")}
REACH = {"float32": 80, "float64": 700}
"""The largest z for which e^z and e^-z are normal numbers of the dtype."""

EXAMPLES = 20
"""How often Hypothesis draws the arguments of a test."""

dtypes = st.sampled_from(["float32", "float64"])
seeds = st.integers(0, 2**32 - 1)
scales = st.floats(-3, 3).map(lambda power: 10.0**power)
batches = st.sampled_from([0, 1, 2, 5, 64, 257])
widths = st.sampled_from([1, 2, 3, 10, 100])


def drawn(*strategies: Any) -> Callable[[Any], Any]:
    """Let Hypothesis draw the arguments of a test, in most of which whole arrays are tested."""
    return lambda test: hypothesis.settings(max_examples=EXAMPLES)(hypothesis.given(*strategies)(test))


@contextmanager
def no_warnings() -> Iterator[None]:
    """Raise an error for overflow, division by 0 and invalid operations. Underflow to 0 is what saturation means."""
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        yield


def normal(seed: int, dtype: str, *shape: int, scale: float = 1) -> Floats:
    """Return random normal numbers."""
    return (scale * np.random.default_rng(seed).standard_normal(shape)).astype(dtype)


def integers(seed: int, dtype: str, *shapes: tuple[int, ...], largest: int) -> list[Floats]:
    """Return arrays of random integers, stored as floats."""
    rng = np.random.default_rng(seed)
    return [rng.integers(-largest, largest, shape, endpoint=True).astype(dtype) for shape in shapes]


def logits(seed: int, dtype: str, *shape: int) -> Floats:
    """Return random logits from -REACH to REACH, most of which saturate the sigmoid."""
    return np.random.default_rng(seed).uniform(-REACH[dtype], REACH[dtype], shape).astype(dtype)


def targets(seed: int, *shape: int) -> NDArray[np.int64]:
    """Return random targets 0 and 1."""
    return np.random.default_rng((seed, 1)).integers(0, 2, shape)


def fractions(array: Floats) -> NDArray[Any]:
    """Return the same numbers as exact fractions."""
    return np.vectorize(lambda x: Fraction(float(x)), otypes=[object])(array)


def require_like(result: Floats, argument: Floats) -> None:
    """Check that a result has the shape and dtype of an argument, and that all its numbers are finite."""
    assert result.shape == argument.shape
    assert result.dtype == argument.dtype
    assert np.all(np.isfinite(result))
