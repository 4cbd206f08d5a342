"""The stand-in for CuPy is as strict as CuPy, array-api-compat takes it for CuPy, and it leaves nothing behind."""

import sys
from collections.abc import Callable
from typing import Any

import array_api_compat
import numpy as np
import pytest

from tests.standin_cupy import METER, Meter
from tests.standin_import import installed


@pytest.fixture
def cupy(cupy_standin: Meter) -> Any:
    return sys.modules["cupy"]


@pytest.fixture
def array(cupy: Any) -> Any:
    return cupy.asarray(np.arange(6.0).reshape(2, 3))


def test_array_api_compat_takes_it_for_cupy(array: Any) -> None:
    assert array_api_compat.is_cupy_array(array)
    xp = array_api_compat.array_namespace(array)
    assert xp.__name__ == "array_api_compat.cupy"
    assert array_api_compat.device(array) == xp.asarray(array, device=array.device).device


@pytest.mark.parametrize(
    "convert",
    [
        np.asarray,
        np.exp,
        lambda array: np.from_dlpack(array),
        lambda array: array + np.zeros((2, 3)),
        lambda array: array == np.zeros((2, 3)),
        lambda _: sys.modules["cupy"].exp(np.zeros(3)),
        lambda array: array.__setitem__(0, np.zeros(3)),
        lambda array: array[np.array([0])],
    ],
)
def test_it_is_no_numpy_array_and_cannot_be_mixed_with_one(convert: Callable[[Any], Any], array: Any) -> None:
    with pytest.raises((TypeError, AttributeError)):
        convert(array)


@pytest.mark.parametrize(
    ("use", "counts"),
    [
        (lambda array: array + 1, (1, 0, 0, 0)),
        (lambda array: array @ array.T, (1, 0, 0, 0)),
        (lambda array: array.T[0], (0, 0, 0, 0)),
        (lambda array: array.astype("float64", copy=False), (0, 0, 0, 0)),
        (lambda array: sys.modules["cupy"].take(array, array[0].astype(int), axis=1), (2, 0, 0, 0)),
        (lambda array: array[array > 2], (2, 0, 0, 1)),
        (lambda array: sys.modules["cupy"].nonzero(array), (1, 0, 0, 1)),
        (lambda _: sys.modules["cupy"].asarray(np.zeros(3)), (0, 1, 0, 0)),
        (lambda array: array.get(), (0, 0, 1, 1)),
        (lambda array: bool(array[0, 1]), (0, 0, 1, 1)),
    ],
)
def test_it_counts_launches_transfers_and_synchronizations(
    use: Callable[[Any], Any], counts: tuple[int, ...], array: Any
) -> None:
    before = METER.counts
    use(array)
    assert tuple(np.subtract(METER.counts, before)) == counts


def test_casts_saturate_and_positions_wrap_around_as_on_a_gpu(cupy: Any) -> None:
    numbers = cupy.asarray(np.array([2.0**63, -(2.0**70), 1.7, np.nan, np.inf]))
    assert numbers.astype("int64").get().tolist() == [2**63 - 1, -(2**63), 1, 0, 2**63 - 1]
    assert cupy.take(cupy.asarray(np.arange(3)), cupy.asarray(np.array([3, -1, 7]))).get().tolist() == [0, 2, 1]


def test_operators_in_place_write_to_the_memory_of_the_array(array: Any) -> None:
    view = array[0]
    array += 1
    assert view.get().tolist() == [1, 2, 3]


def test_it_fails_when_it_is_told_to(array: Any) -> None:
    METER.fail("launch", RuntimeError("out of order"), after=1)
    array + 1
    with pytest.raises(RuntimeError, match="out of order"):
        array + 1


def test_it_leaves_nothing_behind() -> None:
    before = {name for name in sys.modules if "cupy" in name}
    with installed() as meter:
        array_api_compat.array_namespace(sys.modules["cupy"].zeros(3))
        assert meter.launch == 1
    with installed(OSError("no disk")), pytest.raises(OSError, match="no disk"):
        import cupy  # noqa: F401 - it fails
    assert {name for name in sys.modules if "cupy" in name} == before
    assert hasattr(array_api_compat, "cupy") == ("array_api_compat.cupy" in before)
