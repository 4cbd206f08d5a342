"""tensor() and stack(): what becomes an array, and errors that name the first item that cannot."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from tinygrad_mnist.chapter.tensor import stack, tensor

ToDevice = Callable[[Any], Any]


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        (7, "int64"),
        (((1, 2), [3, 4]), "int64"),
        ([[[1.0], [2.0]]], "float64"),
        ([True, False], "bool"),
        ([1j, 2.0 + 0j], "complex128"),
        ([np.float32(1), np.float32(2)], "float32"),
        ([np.arange(3), np.arange(3)], "int64"),
        ([[], []], "float64"),
    ],
)
def test_numbers_of_one_kind_become_an_array_of_their_type(data: Any, dtype: str) -> None:
    array = tensor(data)
    assert array.dtype == dtype
    np.testing.assert_array_equal(array, np.array(data))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([[1, 2], [3]], "the rows differ in shape"),
        ([[1, 2], 3], "the rows differ in shape"),
        ([np.zeros(2), np.zeros(3)], "the rows differ in shape"),
        ([1, 2.0], "item 1 has type float, but the first item has type integer"),
        ([[1.0, 2.0], [3.0, 1j]], "item 1/1 has type complex, but the first item has type float"),
        ([1, True], "item 1 has type bool, but the first item has type integer"),
        ([np.arange(2), np.zeros(2)], "item 1 has type float, but the first item has type integer"),
        ([1, b"2"], "item 1 is b'2'"),
        ("12", "the data is '12'"),
        ([[1, None]], "item 0/1 is None"),
        ([{1: 2}], "item 0 is {1: 2}"),
        ([Decimal(1)], "item 0 is Decimal('1')"),
        (np.array([1, None]), "the data is array([1, None], dtype=object)"),
        (np.array(["2000-01-01"], "M8[D]"), "the data is array(['2000-01-01']"),
        ([1, 2**63], "an integer does not fit into 64 bits"),
        ([10**400], "an integer does not fit into 64 bits"),
    ],
)
def test_data_that_is_not_an_array_is_refused_by_its_first_wrong_item(data: Any, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        tensor(data)


def test_the_tensor_of_an_array_is_a_copy_on_its_device(on_device1: ToDevice) -> None:
    source = on_device1(np.arange(3))
    copy = tensor(source)
    source[0] = 7
    assert copy.device == source.device
    assert int(copy[0]) == 0


def test_matrices_of_the_same_shape_and_type_stack_to_rank_3_on_their_device(on_device1: ToDevice) -> None:
    images = [np.full((2, 3), number, np.uint8) for number in range(4)]
    np.testing.assert_array_equal(stack(images), np.array(images), strict=True)
    assert stack([on_device1(image) for image in images]).device == on_device1(images[0]).device


@pytest.mark.parametrize(
    ("images", "message"),
    [
        ([], "no images"),
        ([[1, 2]], "image 0 has shape (2,): an image must have two axes"),
        ([[[1]], [[1, 2]]], "image 1 has shape (1, 2) and type int64, but image 0 has shape (1, 1)"),
        ([[[1]], [[1.0]]], "image 1 has shape (1, 1) and type float64, but image 0 has shape (1, 1) and type int64"),
    ],
)
def test_images_that_do_not_stack_are_refused_by_their_number(images: Any, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        stack(images)
