"""The backend: which one is chosen, and how arrays move between the host and a device."""

import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tinygrad_mnist.arrays.backend import asarray_like, choose_backend, to_host
from tinygrad_mnist.errors import BackendError

ToDevice = Callable[[Any], Any]


def test_numpy_is_chosen_by_its_name() -> None:
    chosen = choose_backend("numpy")
    assert chosen.name == "numpy"
    assert isinstance(chosen.to_device(np.zeros(3)), np.ndarray)


def test_a_backend_with_an_unknown_name_is_refused() -> None:
    with pytest.raises(ValueError, match="'nonsense'"):
        choose_backend("nonsense")


@pytest.mark.skipif(importlib.util.find_spec("cupy") is not None, reason="CuPy is installed here")
def test_choosing_cupy_without_cupy_ends_in_one_sentence(one_sentence: Callable[[object], None]) -> None:
    with pytest.raises(BackendError, match=r"requirements-gpu\.txt") as caught:
        choose_backend("cupy")
    one_sentence(caught.value)


@pytest.mark.skipif(importlib.util.find_spec("cupy") is not None, reason="CuPy is installed here")
def test_auto_chooses_numpy_if_there_is_no_cupy() -> None:
    assert choose_backend("auto").name == "numpy"


def test_an_array_moves_from_a_device_to_the_host_and_back(on_device1: ToDevice) -> None:
    numbers = np.arange(6.0).reshape(2, 3)
    there = on_device1(numbers)
    with pytest.raises(RuntimeError):
        np.asarray(there)  # as for an array on a GPU
    here = to_host(there)
    assert isinstance(here, np.ndarray)
    np.testing.assert_array_equal(here, numbers)
    assert asarray_like(numbers, like=there).device == there.device


def test_to_host_returns_an_array_of_the_host_itself() -> None:
    numbers = np.arange(3)
    assert to_host(numbers) is numbers
