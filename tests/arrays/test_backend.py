"""The backend: what an array is, what is refused by name, and where arrays live."""

import importlib.util
import re
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from tinygrad_mnist import backend
from tinygrad_mnist.errors import BackendError

Place = Callable[[Any], Any]


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        ([[1, 2], [3, 4]], "int64"),
        ([[1.0, 2.0]], "float64"),
        ([True, False], "bool"),
        ([1j, 2.0 + 0j], "complex128"),
        (((1, 2), [3, 4]), "int64"),
        ([np.float32(1), np.float32(2)], "float32"),
        ([np.arange(3), np.arange(3)], "int64"),
        (7, "int64"),
        ([[], []], "float64"),
    ],
)
def test_numbers_of_one_kind_become_an_array_of_that_type(data: Any, dtype: str) -> None:
    array = backend.tensor(data)
    assert array.dtype == dtype
    np.testing.assert_array_equal(array, np.array(data))


def test_nested_lists_of_any_regular_shape_come_back_as_they_were() -> None:
    hypothesis = pytest.importorskip("hypothesis")
    numpy_strategies = pytest.importorskip("hypothesis.extra.numpy")
    shapes = numpy_strategies.array_shapes(min_dims=0, max_dims=4, max_side=4)

    @hypothesis.given(numpy_strategies.arrays(hypothesis.strategies.sampled_from([np.int64, np.float64]), shapes))
    def check(expected: Any) -> None:
        array = backend.tensor(expected.tolist())
        assert array.dtype == expected.dtype
        np.testing.assert_array_equal(array, expected)

    check()


def test_any_one_row_of_another_length_is_refused_by_its_number() -> None:
    hypothesis = pytest.importorskip("hypothesis")
    whole = hypothesis.strategies.integers

    @hypothesis.given(whole(1, 8), whole(0, 4), whole(0, 4), hypothesis.strategies.data())
    def check(rows: int, length: int, other: int, data: Any) -> None:
        hypothesis.assume(length != other)
        odd = data.draw(whole(1, rows))
        ragged = [[0] * (other if row == odd else length) for row in range(rows + 1)]
        with pytest.raises(ValueError, match=rf"^row {odd} has shape \({other},\), but row 0"):
            backend.tensor(ragged)

    check()


@pytest.mark.parametrize(
    ("data", "named"),
    [
        ([[1, 2], [3]], "row 1 has shape (1,), but row 0 has shape (2,)"),
        ([[1, 2], 3], "row 1 has shape (), but row 0 has shape (2,)"),
        ([1, [2]], "row 1 has shape (1,), but row 0 has shape ()"),
        ([[[1], [2]], [[3], [4, 5]]], "row 1/1 has shape (2,), but row 1/0 has shape (1,)"),
        ([np.zeros(2), np.zeros(3)], "row 1 has shape (3,), but row 0 has shape (2,)"),
        ([1, 2.0], "item 1 is floating, but the first item is whole"),
        ([[1.0, 2.0], [3.0, 1j]], "item 1/1 is complex, but the first item is floating"),
        ([1, True], "item 1 is bool, but the first item is whole"),
        ([np.arange(2), np.zeros(2)], "item 1 is floating, but the first item is whole"),
        ([1, "2"], "item 1 is '2'"),
        ([1, b"2"], "item 1 is b'2'"),
        ("12", "the data is '12'"),
        ([[1, None]], "item 0/1 is None"),
        (None, "the data is None"),
        ([1, object], "item 1 is <class 'object'>"),
        ([{1: 2}], "item 0 is {1: 2}"),
        ([{1, 2}], "item 0 is {1, 2}"),
        ([Decimal(1)], "item 0 is Decimal('1')"),
        ([Fraction(1, 2)], "item 0 is Fraction(1, 2)"),
        (np.array([1, None]), "the data is object"),
        (np.array(["1"]), "the data is <U1"),
        (np.array(["2000-01-01"], "M8[D]"), "the data is datetime64[D]"),
        ([np.array([None])], "item 0 is object"),
        ([2**63, 2**64], "a whole number does not fit into 64 bits"),
        ([10**400], "a whole number does not fit into 64 bits"),
    ],
)
def test_what_is_no_array_is_refused_by_the_first_item_that_breaks_the_rule(data: Any, named: str) -> None:
    with pytest.raises(ValueError, match=re.escape(named)):
        backend.tensor(data)


@pytest.mark.parametrize(("number", "dtype"), [(300, "uint8"), (-1, "uint8"), (2**31, "int32"), (10**400, "float64")])
def test_a_number_too_large_for_the_type_is_refused(number: int, dtype: str) -> None:
    with pytest.raises(ValueError, match=f"a number does not fit into {dtype}"):
        backend.tensor([0, number], dtype=dtype)


def test_a_type_that_is_given_says_what_mixed_numbers_mean() -> None:
    array = backend.tensor([1, 2.5], dtype="float32")
    assert array.dtype == "float32"
    np.testing.assert_array_equal(array, [1, 2.5])


@pytest.mark.parametrize("data", [[True, 2.5], [2.5, True]])
def test_true_is_not_taken_for_1_whatever_the_type(data: Any) -> None:
    with pytest.raises(ValueError, match="item 1 is"):
        backend.tensor(data, dtype="float32")


def test_the_tensor_of_an_array_is_a_copy() -> None:
    source = np.arange(3)
    copy = backend.tensor(source)
    source[0] = 7
    np.testing.assert_array_equal(copy, [0, 1, 2])


def test_the_tensor_of_an_array_stays_where_it_is(on_device1: Place) -> None:
    source = on_device1(np.arange(3))
    assert backend.tensor(source).device == source.device


def test_matrices_of_one_shape_and_type_stack_to_rank_3() -> None:
    images = [np.full((2, 3), number, np.uint8) for number in range(4)]
    stacked = backend.stack(images)
    assert stacked.shape == (4, 2, 3)
    assert stacked.dtype == np.uint8
    np.testing.assert_array_equal(stacked, np.array(images))


def test_a_stack_stays_where_its_images_are(on_device1: Place) -> None:
    image = on_device1(np.zeros((2, 3)))
    assert backend.stack([image, image]).device == image.device


@pytest.mark.parametrize(
    ("images", "named"),
    [
        ([], "no images"),
        ([[1, 2]], "image 0 has shape (2,)"),
        ([[[1]], [[[1]]]], "image 1 has shape (1, 1, 1)"),
        ([[[1]], [[1, 2]]], "image 1 has shape (1, 2), but image 0 has shape (1, 1)"),
        ([[[1]], [[1.0]]], "image 1 has type float64, but image 0 has type int64"),
        ([[[1, 2], [3]]], "row 1 has shape (1,), but row 0 has shape (2,)"),
    ],
)
def test_what_cannot_be_stacked_is_refused_by_its_number(images: Any, named: str) -> None:
    with pytest.raises(ValueError, match=re.escape(named)):
        backend.stack(images)


def test_numpy_is_chosen_by_its_name() -> None:
    chosen = backend.choose("numpy")
    assert chosen.name == "numpy"
    assert isinstance(chosen.place(np.zeros(3)), np.ndarray)


def test_a_backend_of_another_name_is_refused() -> None:
    with pytest.raises(ValueError, match="'nonsense'"):
        backend.choose("nonsense")


@pytest.mark.skipif(importlib.util.find_spec("cupy") is not None, reason="CuPy is installed here")
def test_without_cupy_asking_for_it_ends_in_one_sentence(one_sentence: Callable[[object], None]) -> None:
    with pytest.raises(BackendError, match=r"requirements-gpu\.txt") as caught:
        backend.choose("cupy")
    one_sentence(caught.value)


@pytest.mark.skipif(importlib.util.find_spec("cupy") is not None, reason="CuPy is installed here")
def test_without_cupy_auto_takes_numpy() -> None:
    assert backend.choose("auto").name == "numpy"


def test_an_array_of_another_device_comes_to_the_host_and_back(on_device1: Place) -> None:
    numbers = np.arange(6.0).reshape(2, 3)
    there = on_device1(numbers)
    with pytest.raises(RuntimeError):
        np.asarray(there)  # so it is as far away as an array on a GPU
    here = backend.to_host(there)
    assert isinstance(here, np.ndarray)
    np.testing.assert_array_equal(here, numbers)
    assert backend.beside(numbers, like=there).device == there.device


def test_an_array_on_the_host_stays_there() -> None:
    numbers = np.arange(3)
    assert backend.to_host(numbers) is numbers
