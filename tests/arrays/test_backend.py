"""The backend: which one is chosen, and how arrays move between the host and a device."""

import numpy as np
import pytest

from tests.fixtures import ToDevice
from tests.standin_cupy import Meter
from tests.standin_import import installed
from tinygrad_mnist.arrays.backend import asarray_like, choose_backend, to_host, worthwhile


def test_numpy_is_chosen_by_its_name_and_by_auto_if_there_is_no_cupy() -> None:
    with installed(ModuleNotFoundError("No module named 'cupy'", name="cupy")):
        for name in ("numpy", "auto"):
            chosen = choose_backend(name)
            assert chosen.name == "numpy"
            assert isinstance(chosen.to_device(np.zeros(3)), np.ndarray)


def test_a_backend_with_an_unknown_name_is_refused() -> None:
    with pytest.raises(ValueError, match="'nonsense'"):
        choose_backend("nonsense")


def test_cupy_is_chosen_if_it_works_and_auto_chooses_it_too(cupy_standin: Meter) -> None:
    for name in ("cupy", "auto"):
        chosen = choose_backend(name)
        assert chosen.name == "cupy"
        assert chosen.description == "CuPy on a stand-in"
        assert chosen.to_device(np.zeros(3)).device == chosen.device


def test_only_auto_depends_on_the_work() -> None:
    works = {("auto", 9_999_999): "numpy", ("auto", 10_000_000): "auto", ("cupy", 0): "cupy", ("numpy", 10**9): "numpy"}
    assert {(name, work): worthwhile(name, work) for name, work in works} == works


def test_an_array_moves_from_a_device_to_the_host_and_back_and_one_of_the_host_stays(on_device1: ToDevice) -> None:
    numbers = np.arange(6.0).reshape(2, 3)
    there = on_device1(numbers)
    with pytest.raises(RuntimeError):
        np.asarray(there)  # as for an array on a GPU
    here = to_host(there)
    assert isinstance(here, np.ndarray)
    np.testing.assert_array_equal(here, numbers)
    assert asarray_like(numbers, like=there).device == there.device
    assert to_host(numbers) is numbers
