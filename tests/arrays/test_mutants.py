"""Bugs that only a GPU would show, planted in the source of the backend: the checks that it passes find them."""

import types
from collections.abc import Callable
from pathlib import Path

import array_api_compat
import numpy as np
import pytest

from tests.standin_cupy import CUBLASError, Meter
from tinygrad_mnist.arrays import backend, gpu
from tinygrad_mnist.errors import BackendError

Check = Callable[[types.ModuleType, Meter], None]


def arrays_come_back(module: types.ModuleType, _: Meter) -> None:
    """Check that an array on the GPU becomes one of NumPy."""
    numbers = module.to_host(module.choose_backend("cupy").to_device(np.arange(3)))
    assert type(numbers) is np.ndarray
    assert numbers.tolist() == [0, 1, 2]


def arrays_go_to_the_gpu(module: types.ModuleType, meter: Meter) -> None:
    """Check that the backend puts arrays on the GPU, with CuPy's functions and not with NumPy's."""
    chosen = module.choose_backend("cupy")
    before = meter.upload
    assert array_api_compat.is_cupy_array(chosen.to_device(np.arange(3)))
    assert meter.upload == before + 1
    assert chosen.xp is module.array_namespace(chosen.to_device(np.arange(3)))
    assert array_api_compat.is_cupy_array(chosen.xp.zeros(3))


def a_broken_gpu_is_found(module: types.ModuleType, meter: Meter) -> None:
    """Check that a failure of cuBLAS or of the compiler, or one that is reported late, is found before training."""
    for event, after in (("launch", 0), ("launch", 1), ("cublas", 0), ("download", 0)):
        meter.__init__()  # type: ignore[misc]
        meter.fail(event, CUBLASError("CUBLAS_STATUS_INTERNAL_ERROR"), after)
        with pytest.raises(BackendError):
            module.first_array()
    meter.__init__()  # type: ignore[misc]
    *_, description = module.first_array()
    assert description.startswith("CuPy on ")
    assert meter.cublas == meter.download == 1


MUTANTS: list[tuple[types.ModuleType, Check, str, str]] = [
    (backend, arrays_come_back, "np.asarray(array.get())", "np.asarray(array)"),
    (backend, arrays_come_back, "if is_cupy_array(array):", "if False:"),
    (backend, arrays_go_to_the_gpu, 'Backend("cupy", functions,', 'Backend("cupy", NUMPY,'),
    (gpu, a_broken_gpu_is_found, "array @ array", "array + 1"),
    (gpu, a_broken_gpu_is_found, "cupy.zeros((2, 2)) + 1", "cupy.zeros((1, 1)) + 2**0.5"),
    (gpu, a_broken_gpu_is_found, "(number := float((array @ array)[0, 0])) != 2", "(number := array @ array) is None"),
    (gpu, a_broken_gpu_is_found, "cupy.zeros((2, 2)) + 1", "cupy.empty((2, 2))"),
    (gpu, a_broken_gpu_is_found, "raise explained(error) from error", "return None, None, ''"),
]
"""A module, the check that must fail, and a change of the module's source."""


def changed(module: types.ModuleType, old: str, new: str) -> types.ModuleType:
    """Return the module with a change in its source."""
    source = Path(module.__file__ or "").read_text("utf-8")
    assert old in source, f"{old} is no longer in {module.__name__}"
    mutant = types.ModuleType(module.__name__)
    exec(compile(source.replace(old, new), module.__name__, "exec"), vars(mutant))  # noqa: S102 - our own source
    return mutant


@pytest.mark.parametrize(("module", "check", "old", "new"), MUTANTS, ids=range(len(MUTANTS)))
def test_the_check_accepts_the_backend_and_kills_the_mutant(
    module: types.ModuleType, check: Check, old: str, new: str, cupy_standin: Meter
) -> None:
    check(module, cupy_standin)
    with pytest.raises((AssertionError, pytest.fail.Exception, BackendError, TypeError, AttributeError, ValueError)):
        check(changed(module, old, new), cupy_standin)
