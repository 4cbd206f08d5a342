"""What `verify` cannot check is refused in a sentence of its own, which names the function or the option."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tinygrad_mnist import verify
from tinygrad_mnist.errors import GradientError, UsageError

X, W = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 7.0]]), np.array([[1.0, -1.0], [2.0, 0.5]])
Backward = Callable[..., Any]


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


def three_gradients(dz: Any, x: Any, w: Any) -> Any:
    return dz @ w.T, x.T @ dz, dz


def no_gradient(dz: Any, x: Any, w: Any) -> None:
    pass


def half_a_gradient(dz: Any, x: Any, w: Any) -> Any:
    return dz @ w.T, None


def nested_lists(dz: Any, x: Any, w: Any) -> Any:
    return [(dz @ w.T).tolist(), (x.T @ dz).tolist()]


def dictionary(dz: Any, x: Any, w: Any) -> Any:
    return {"dx": dz @ w.T}


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


GRADIENTS: dict[str, Backward] = {
    "one_gradient returned an array of float64, and must return gradients for x, w": one_gradient,
    "three_gradients returned a tuple of 3, and must return gradients for x, w": three_gradients,
    "no_gradient returned None, and must return gradients for x, w": no_gradient,
    "half_a_gradient returned None for w, which is not an array of numbers": half_a_gradient,
    "nested_lists returned a list for x, which is not an array of numbers": nested_lists,
    "dictionary returned a dictionary without a gradient for w": dictionary,
    "partial of one_gradient returned an array of float64, and must": functools.partial(one_gradient),
}


@pytest.mark.parametrize("sentence", GRADIENTS)
def test_what_a_backward_returns_is_an_array_for_each_argument(sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        verify(product, GRADIENTS[sentence], X, W)


@pytest.mark.parametrize(
    ("returned", "sentence"),
    [
        (lambda dy, x: (2 * dy * x).tolist(), "returned a list of 3, and must return gradients for x"),
        (lambda dy, x: (2 * dy * x, dy), "returned a tuple of 2, and must return gradients for x"),
        (lambda dy, x: (), "returned a tuple of 0, and must return gradients for x"),  # noqa: ARG005
        (lambda dy, x: "dx", "returned 'dx' for x, which is not"),  # noqa: ARG005
        (lambda dy, x: (entry for entry in dy * x), "returned a generator for x, which is not"),
        (lambda dy, x: (2 * dy * x).astype(object), "returned an array of object for x, which is not"),
        (lambda dy: dy, r"raises TypeError for these arguments: .* takes 1 positional argument but 2 were given"),
        (lambda dy, x: dy @ x, "raises ValueError for these arguments: matmul"),
    ],
)
def test_a_lambda_is_named_by_its_line(returned: Backward, sentence: str) -> None:
    with pytest.raises(UsageError, match=rf"^the lambda at test_misuse.py:\d+ {sentence}"):
        verify(square, returned, X)


@pytest.mark.parametrize(
    ("forward", "arguments", "options", "sentence"),
    [
        (lambda x: None, (X,), {}, r"test_misuse.py:\d+ returned None, which is not an array of numbers"),  # noqa: ARG005
        (lambda x: (x * x, {"x": x}), (X,), {}, r"test_misuse.py:\d+ returned an output and a dict: pass cache=True"),
        (lambda x: (), (X,), {}, r"test_misuse.py:\d+ returned no output"),  # noqa: ARG005
        (lambda x: 1j * x, (X,), {}, r"test_misuse.py:\d+ returns complex numbers"),
        (square, (X,), {"cache": True}, "square must return an output and a cache, because cache=True"),
        (divided, (X,), {}, "divided raises ZeroDivisionError for these arguments"),
        (product, (X,), {}, "product raises TypeError for these arguments: .*missing 1 required"),
        (product, (X, X), {}, "product raises ValueError for these arguments"),
        (square, (), {}, "square was given no array of floats to differentiate with respect to"),
        (square, (3.0,), {}, "square was given no array of floats to differentiate with respect to; x is 3.0"),
        (square, (np.arange(3),), {}, "square was given no array of floats .*; x is an array of int64"),
        (square, (np.array([1.0, np.nan]),), {}, "x of square is not finite"),
        (product, (X, np.array([[1, 2], [3, 4]])), {"wrt": "w"}, "w of product is not an array of floats"),
        (product, (X, W), {"wrt": "y"}, "product has no argument 'y': wrt takes x, w"),
        (product, (X, W), {"wrt": 1}, "product has no argument 1: wrt takes x, w"),
        (product, (X, W), {"wrt": ()}, "wrt names no argument of product"),
        (pair, (X, W), {"upstream": np.ones((3, 2))}, "pair returns 2 outputs, and upstream is 1: give one for each"),
        (square, (X,), {"upstream": np.ones((1, 2))}, r"upstream of square has shape \(1, 2\), and must have that of"),
        (square, (X,), {"upstream": 1.0}, r"upstream of square has shape \(\), and must have that of the output, \(3"),
        (square, (X,), {"upstream": "ones"}, "upstream of square holds <U4, and must hold real numbers"),
        (square, (X,), {"upstream": np.zeros((3, 2))}, "upstream of square is 0 everywhere"),
        (square, (X,), {"upstream": np.full((3, 2), np.inf)}, "upstream of square is not finite"),
        (square, (X,), {"dtypes": ("float128",)}, "dtypes has 'float128', which is not one of float64, float32"),
        (square, (X,), {"dtypes": ()}, "dtypes names no type"),
        (square, (X,), {"skip": ("everything",)}, "skip has 'everything', which is not one of layouts, sizes"),
        (square, (X,), {"sample": 0}, "sample is 0, and must be a whole number from 1"),
        (square, (X,), {"scale": 0}, "scale is 0, and must be greater than 0"),
        (square, (X,), {"rtol": 2}, "rtol is 2, and must be between 0 and 1"),
        (square, (X,), {"seed": "today"}, "seed is 'today', and must be a whole number from 0"),
    ],
)
def test_a_forward_and_its_arguments_are_refused_in_a_sentence(
    forward: Any, arguments: tuple[Any, ...], options: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(UsageError, match=sentence):
        verify(forward, square_backward, *arguments, **options)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            (X, product_backward, X),
            "verify takes a forward and a backward, or a layer, and was given an array",
        ),
        ((product, X, W), "after product, verify takes its backward, and was given an array of float64"),
        ((product,), "after product, verify takes its backward, and was given None"),
        ((Square, X), "Square is a class: give verify an object of it"),
        ((Scale(), X), "Scale.grads has no gradient for 'gain' after backward"),
        ((Square(),), "forward was given no array of floats"),
    ],
)
def test_what_is_neither_functions_nor_a_layer_is_refused(given: tuple[Any, ...], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        verify(*given)


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
