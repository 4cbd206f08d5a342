"""What `verify` cannot check is refused in a sentence, which names the function or the option."""

import functools
from typing import Any

import numpy as np
import pytest

from tinygrad_mnist import verify
from tinygrad_mnist.errors import GradientError, UsageError

X, W = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 7.0]]), np.array([[1.0, -1.0], [2.0, 0.5]])


def product(x: Any, w: Any) -> Any:
    return x @ w


def product_backward(dz: Any, x: Any, w: Any) -> Any:
    return dz @ w.T, x.T @ dz


def square(x: Any) -> Any:
    return x * x


def square_backward(dy: Any, x: Any) -> Any:
    return 2 * dy * x


def pair(x: Any, w: Any) -> Any:
    return x @ w, 2 * x


def one_gradient(dz: Any, x: Any, w: Any) -> Any:
    return dz @ w.T


def divided(x: Any) -> Any:
    return x / (x.size // (len(x) - len(x)))


class Square:
    """A layer."""

    def forward(self, x: Any) -> Any:
        self.x = x
        return x * x

    def backward(self, dy: Any) -> Any:
        return 2 * dy * self.x


class Scale(Square):
    """A layer with a parameter and without its gradient."""

    def __init__(self) -> None:
        self.params = {"gain": np.ones(2)}


@pytest.mark.parametrize(
    ("backward", "returned"),
    [
        (one_gradient, "^one_gradient returned an array of float64,"),
        (functools.partial(one_gradient), "^partial of one_gradient returned an array of float64,"),
        (
            lambda *_: (X, W, X),
            r"^the lambda at test_misuse.py:\d+ returned an array of float64 and an array of float64 and",
        ),
        (lambda *_: None, "returned None,"),
        (lambda *_: (), "returned 0 values,"),
        (lambda *_: (X, None), "returned an array of float64 and None,"),
        (lambda *_: [X.tolist(), W.tolist()], "returned a list and a list,"),
        (lambda *_: {"dx": X}, "returned an array of float64 and None,"),
        (lambda *_: ("dx", "dw"), "returned 'dx' and 'dw',"),
        (lambda *_: (entry for entry in (X, W)), "returned a generator,"),
        (lambda *_: X.astype(object), "returned an array of object,"),
    ],
)
def test_what_a_backward_returns_is_an_array_for_each_argument(backward: Any, returned: str) -> None:
    with pytest.raises(UsageError, match=f"{returned} .*must return an array of numbers for each of x, w"):
        verify(product, backward, X, W)


@pytest.mark.parametrize(
    ("called", "options", "sentence"),
    [
        (
            (lambda _: None, square_backward, X),
            {},
            r"test_misuse.py:\d+ returned None, and must return arrays of numbers",
        ),
        (
            (lambda x: (x, {"x": x}), square_backward, X),
            {},
            "array of float64 and a dict, .* or with cache=True an output",
        ),
        ((lambda _: (), square_backward, X), {}, "returned 0 values, and must return arrays"),
        ((lambda x: 1j * x, square_backward, X), {}, "returns complex numbers"),
        ((square, square_backward, X), {"cache": True}, "must return an output and a cache, because cache=True"),
        ((divided, square_backward, X), {}, "divided raises ZeroDivisionError for these arguments"),
        ((product, product_backward, X), {}, "product raises TypeError for these arguments: .*missing 1 required"),
        ((product, product_backward, X, X), {}, "product raises ValueError for these arguments"),
        ((square, lambda dy: dy, X), {}, "raises TypeError for these arguments: .* takes 1 positional argument but 2"),
        ((square, lambda dy, x: dy @ x, X), {}, "raises ValueError for these arguments: matmul"),
        ((square, square_backward), {}, "square was given no array of floats to differentiate with respect to"),
        ((square, square_backward, 3.0), {}, "no array of floats to differentiate with respect to; x is 3.0"),
        ((square, square_backward, np.arange(3)), {}, "no array of floats .*; x is an array of int64"),
        ((square, square_backward, np.array([1.0, np.nan])), {}, "x of square is not finite"),
        (
            (product, product_backward, X, np.array([[1, 2], [3, 4]])),
            {"wrt": "w"},
            "wrt='w' names; .* w is an array of int",
        ),
        ((product, product_backward, X, W), {"wrt": 1}, "product was given no array of floats that wrt=1 names; x is"),
        ((product, product_backward, X, W), {"wrt": ()}, r"product was given no array of floats that wrt=\(\) names"),
        (
            (X, product_backward, X),
            {},
            "takes a forward and its backward, or a layer, and was given an array of float64 and",
        ),
        ((product,), {}, "and was given a function and None"),
        ((Square, X), {}, "and was given a type and an array of float64"),
        ((Scale(), X), {}, "Scale' object has no attribute 'grads'"),
        ((Square(),), {}, "forward was given no array of floats"),
    ],
)
def test_functions_and_arguments_are_refused_in_a_sentence(called: Any, options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        verify(*called, **options)


@pytest.mark.parametrize(
    ("forward", "upstream", "there", "wanted"),
    [
        (pair, np.ones((3, 2)), r"float64 of shape \(3, 2\)", r"of shape \(3, 2\) and \(3, 2\)"),
        (product, np.ones((1, 2)), r"float64 of shape \(1, 2\)", r"of shape \(3, 2\)"),
        (product, 1.0, r"float64 of shape \(\)", r"of shape \(3, 2\)"),
        (product, "ones", r"<U4 of shape \(\)", "finite numbers"),
        (product, np.zeros((3, 2)), r"float64 of shape \(3, 2\)", "not all 0"),
        (product, np.full((3, 2), np.inf), r"float64 of shape \(3, 2\)", "finite numbers"),
    ],
)
def test_an_upstream_gradient_that_does_not_fit_is_refused(
    forward: Any, upstream: Any, there: str, wanted: str
) -> None:
    with pytest.raises(UsageError, match=f"^upstream of {forward.__name__} is {there}, and must be .*{wanted}"):
        verify(forward, product_backward, X, W, upstream=upstream)


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("dtypes", ("float128",), "some of .*'float64'"),
        ("dtypes", (), "some of .*'float64'"),
        ("skip", ("everything",), "some of .*'layouts'"),
        ("sample", 0, "a whole number from 1"),
        ("scale", 0, "greater than 0"),
        ("rtol", 2, "between 0 and 1"),
        ("seed", "today", "a whole number from 0"),
    ],
)
def test_an_option_with_a_value_that_it_cannot_have_is_refused(name: str, value: Any, wanted: str) -> None:
    with pytest.raises(UsageError, match=f"^{name} is .*, and must be {wanted}"):
        verify(square, square_backward, X, **{name: value})


def test_a_gradient_of_a_different_shape_is_wrong_and_says_both_shapes() -> None:
    with pytest.raises(GradientError, match=r"dw has shape \(2, 3\), and w has \(2, 2\)"):
        verify(product, lambda dz, x, w: (dz @ w.T, x.T), X, W)


def test_a_backward_that_takes_a_tuple_for_an_array_is_told_so() -> None:
    with pytest.raises(GradientError, match="dout is a tuple, since there are 2 outputs"):
        verify(pair, product_backward, X, W)


def test_arrays_without_entries_prove_nothing() -> None:
    found = verify(square, square_backward, np.zeros((0, 2)), report=True)
    assert (found.verdict, found.reason) == ("inconclusive", "dx: x has no entries, so nothing can be measured")


def test_lists_are_arrays_and_the_name_of_a_single_type_is_enough() -> None:
    assert verify(square, square_backward, [1.0, 2.0], dtypes="float32").verdict == "right"
