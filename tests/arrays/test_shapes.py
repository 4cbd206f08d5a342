"""Shape checks: they accept shapes that fit, and name the arrays whose shapes do not."""

import re
from typing import Any

import numpy as np
import pytest

from tinygrad_mnist.arrays.shapes import require_entries, require_fit, require_same_shape


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        (np.zeros((64, 1)), np.zeros(64), "a has shape (64, 1) and b has shape (64,)"),
        (np.zeros(3), 1.0, "a has shape (3,) and b has shape ()"),
    ],
)
def test_arrays_of_the_same_shape_are_accepted_and_of_different_shapes_both_named(a: Any, b: Any, message: str) -> None:
    require_same_shape(a=a, b=np.ones_like(a))
    with pytest.raises(ValueError, match=re.escape(message)):
        require_same_shape(a=a, b=b)


def test_arrays_fit_if_each_letter_has_one_size() -> None:
    require_fit(x=(np.zeros((4, 3)), "NI"), w=(np.zeros((3, 2)), "IO"), b=(np.zeros(2), "O"))


@pytest.mark.parametrize(
    ("x", "w"), [((4, 3), (2, 5)), ((4,), (4, 3)), ((4, 3, 1), (3, 2)), ((4, 3), (3,)), ((), (3, 2))]
)
def test_arrays_that_do_not_fit_are_all_named_with_their_axes(x: tuple[int, ...], w: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=re.escape(f"x {x} as (N, I); w {w} as (I, O)")):
        require_fit(x=(np.zeros(x), "NI"), w=(np.zeros(w), "IO"))


def test_an_array_has_entries_unless_one_of_its_axes_has_size_0() -> None:
    require_entries(p=np.zeros(()), q=np.zeros((1, 2)))
    for shape in ((0,), (0, 1), (2, 0)):
        with pytest.raises(ValueError, match=re.escape(f"p has shape {shape}")):
            require_entries(p=np.zeros(shape))
