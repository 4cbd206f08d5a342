"""tensor() and stack(): what becomes an array, and errors that name the first item that cannot."""

import math
import re
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from tinygrad_mnist.arrays.backend import choose_backend, to_host
from tinygrad_mnist.chapter.tensor import stack, tensor

ToDevice = Callable[[Any], Any]


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
def test_numbers_of_one_kind_become_an_array_of_their_type(data: Any, dtype: str) -> None:
    array = tensor(data)
    assert array.dtype == dtype
    np.testing.assert_array_equal(array, np.array(data))


def test_nested_lists_of_any_regular_shape_become_the_same_array() -> None:
    hypothesis = pytest.importorskip("hypothesis")
    numpy_strategies = pytest.importorskip("hypothesis.extra.numpy")
    shapes = numpy_strategies.array_shapes(min_dims=0, max_dims=4, max_side=4)

    @hypothesis.given(numpy_strategies.arrays(hypothesis.strategies.sampled_from([np.int64, np.float64]), shapes))
    def check(expected: Any) -> None:
        array = tensor(expected.tolist())
        assert array.dtype == expected.dtype
        np.testing.assert_array_equal(array, expected)

    check()


def test_a_row_of_a_different_length_is_refused_by_its_number() -> None:
    hypothesis = pytest.importorskip("hypothesis")
    integers = hypothesis.strategies.integers

    @hypothesis.given(integers(1, 8), integers(0, 4), integers(0, 4), hypothesis.strategies.data())
    def check(rows: int, length: int, other: int, data: Any) -> None:
        hypothesis.assume(length != other)
        odd = data.draw(integers(1, rows))
        ragged = [[0] * (other if row == odd else length) for row in range(rows + 1)]
        with pytest.raises(ValueError, match=rf"^row {odd} has shape \({other},\), but row 0"):
            tensor(ragged)

    check()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([[1, 2], [3]], "row 1 has shape (1,), but row 0 has shape (2,)"),
        ([[1, 2], 3], "row 1 has shape (), but row 0 has shape (2,)"),
        ([1, [2]], "row 1 has shape (1,), but row 0 has shape ()"),
        ([[[1], [2]], [[3], [4, 5]]], "row 1/1 has shape (2,), but row 1/0 has shape (1,)"),
        ([np.zeros(2), np.zeros(3)], "row 1 has shape (3,), but row 0 has shape (2,)"),
        ([1, 2.0], "item 1 has type float, but the first item has type integer: give dtype"),
        ([[1.0, 2.0], [3.0, 1j]], "item 1/1 has type complex, but the first item has type float: give dtype"),
        ([1, True], "item 1 has type bool, but the first item has type integer: do not mix bools"),
        ([np.arange(2), np.zeros(2)], "item 1 has type float, but the first item has type integer"),
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
        (np.array([1, None]), "the data has type object"),
        (np.array(["1"]), "the data has type <U1"),
        (np.array(["2000-01-01"], "M8[D]"), "the data has type datetime64[D]"),
        ([np.array([None])], "item 0 has type object"),
        ([2**63, 2**64], "an integer does not fit into 64 bits"),
        ([10**400], "an integer does not fit into 64 bits"),
    ],
)
def test_data_that_is_not_an_array_is_refused_by_its_first_wrong_item(data: Any, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        tensor(data)


@pytest.mark.parametrize(("number", "dtype"), [(300, "uint8"), (-1, "uint8"), (2**31, "int32"), (10**400, "float64")])
def test_a_number_too_large_for_the_dtype_is_refused(number: int, dtype: str) -> None:
    with pytest.raises(ValueError, match=f"a number does not fit into {dtype}"):
        tensor([0, number], dtype=dtype)


INTEGERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]


@pytest.mark.parametrize("source", ["float16", "float32", "float64"])
@pytest.mark.parametrize("dtype", INTEGERS)
def test_the_floats_just_beyond_an_integer_type_are_refused_and_those_within_are_not(dtype: str, source: str) -> None:
    limits, largest = np.iinfo(dtype), float(np.finfo(source).max)
    low, above = float(limits.min), float(limits.max + 1)
    with np.errstate(over="ignore"):
        lower = np.nextafter(np.array(min(max(low, -largest), 0), source), np.array(-np.inf, source))
    within = np.array([max(low, -largest), 0, min(above / 2, largest)], source)
    np.testing.assert_array_equal(tensor(np.floor(within), dtype=dtype).astype(source), np.floor(within))
    for beyond in (above, float(lower), math.inf, math.nan):
        if abs(beyond) <= largest or not math.isfinite(beyond):
            with pytest.raises(ValueError, match=f"a number does not fit into {dtype}"):
                tensor(np.array([0, beyond], source), dtype=dtype)


def test_a_float_beyond_an_integer_type_is_refused_on_a_gpu_whose_casts_saturate(cupy_standin: object) -> None:
    array = choose_backend("cupy").to_device(np.array([2.0**63]))
    assert int(to_host(array.astype("int64"))[0]) == 2**63 - 1
    with pytest.raises(ValueError, match="a number does not fit into int64"):
        tensor(array, dtype="int64")
    assert to_host(tensor(array / 2, dtype="int64")).tolist() == [2**62]


def test_numbers_of_different_kinds_are_converted_to_a_given_dtype() -> None:
    array = tensor([1, 2.5], dtype="float32")
    assert array.dtype == "float32"
    np.testing.assert_array_equal(array, [1, 2.5])


@pytest.mark.parametrize("data", [[True, 2.5], [2.5, True]])
def test_bools_are_not_mixed_with_numbers_even_if_a_dtype_is_given(data: Any) -> None:
    with pytest.raises(ValueError, match="item 1 has type"):
        tensor(data, dtype="float32")


def test_the_tensor_of_an_array_is_a_copy() -> None:
    source = np.arange(3)
    copy = tensor(source)
    source[0] = 7
    np.testing.assert_array_equal(copy, [0, 1, 2])


def test_the_tensor_of_an_array_stays_on_its_device(on_device1: ToDevice) -> None:
    source = on_device1(np.arange(3))
    assert tensor(source).device == source.device


def test_matrices_of_the_same_shape_and_type_stack_to_rank_3() -> None:
    images = [np.full((2, 3), number, np.uint8) for number in range(4)]
    stacked = stack(images)
    assert stacked.shape == (4, 2, 3)
    assert stacked.dtype == np.uint8
    np.testing.assert_array_equal(stacked, np.array(images))


def test_a_stack_stays_on_the_device_of_its_images(on_device1: ToDevice) -> None:
    image = on_device1(np.zeros((2, 3)))
    assert stack([image, image]).device == image.device


@pytest.mark.parametrize(
    ("images", "message"),
    [
        ([], "no images"),
        ([[1, 2]], "image 0 has shape (2,)"),
        ([[[1]], [[[1]]]], "image 1 has shape (1, 1, 1)"),
        ([[[1]], [[1, 2]]], "image 1 has shape (1, 2), but image 0 has shape (1, 1)"),
        ([[[1]], [[1.0]]], "image 1 has type float64, but image 0 has type int64"),
        ([[[1, 2], [3]]], "row 1 has shape (1,), but row 0 has shape (2,)"),
    ],
)
def test_images_that_do_not_stack_are_refused_by_their_number(images: Any, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        stack(images)
