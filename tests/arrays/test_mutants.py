"""Bugs that only a GPU would show, planted in the source of the backend: the checks that it passes find them."""

import types
from collections.abc import Callable
from pathlib import Path

import array_api_compat
import numpy as np
import pytest

from tests.standin_cupy import CUBLASError, Meter
from tinygrad_mnist.arrays import backend
from tinygrad_mnist.arrays import gpu as cuda
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


CHECKS: dict[str, tuple[types.ModuleType, Check]] = {
    "to_host": (backend, arrays_come_back),
    "choose_backend": (backend, arrays_go_to_the_gpu),
    "first_array": (cuda, a_broken_gpu_is_found),
}

MUTANTS = {
    "to_host without get": ("to_host", "np.asarray(array.get())", "np.asarray(array)"),
    "to_host that takes CuPy's arrays for NumPy's": ("to_host", "if is_cupy_array(array):", "if False:"),
    "NumPy's functions for CuPy": ("choose_backend", 'Backend("cupy", functions,', 'Backend("cupy", NUMPY,'),
    "a probe that multiplies nothing": ("first_array", "array @ array", "array + 1"),
    "a probe of one entry": ("first_array", "cupy.zeros((2, 2)) + 1", "cupy.zeros((1, 1)) + 2**0.5"),
    "a probe that reads nothing back": (
        "first_array",
        "(number := float((array @ array)[0, 0])) != 2",
        "(number := array @ array) is None",
    ),
    "a probe of nothing": ("first_array", "cupy.zeros((2, 2)) + 1", "cupy.empty((2, 2))"),
    "a probe whose errors are lost": ("first_array", "raise explained(error) from error", "return None, None, ''"),
}


def mutant(module: types.ModuleType, old: str, new: str) -> types.ModuleType:
    """Return the module with a change in its source."""
    source = Path(module.__file__ or "").read_text("utf-8")
    assert source.count(old) >= 1, f"{old} is no longer in {module.__name__}"
    changed = types.ModuleType(module.__name__)
    exec(compile(source.replace(old, new), module.__name__, "exec"), vars(changed))  # noqa: S102 - our own source
    return changed


@pytest.mark.parametrize("name", CHECKS)
def test_the_backend_passes_each_check(name: str, cupy_standin: Meter) -> None:
    module, check = CHECKS[name]
    check(module, cupy_standin)
    check(mutant(module, "import", "import"), cupy_standin)


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_killed(name: str, cupy_standin: Meter) -> None:
    checked, old, new = MUTANTS[name]
    module, check = CHECKS[checked]
    changed = mutant(module, old, new)
    with pytest.raises(
        (AssertionError, TypeError, AttributeError, pytest.fail.Exception, BackendError, RuntimeError, ValueError)
    ):
        check(changed, cupy_standin)
