"""The backend: NumPy on the CPU, or CuPy on a GPU. The array decides where the code runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any, TypeAlias

import array_api_compat
import numpy as np
from array_api_compat import device, is_cupy_array, is_numpy_array

from tinygrad_mnist.arrays import gpu
from tinygrad_mnist.errors import BackendError

Array: TypeAlias = Any
"""An array of NumPy, CuPy or any other library that follows the array API standard."""

NUMPY: ModuleType = array_api_compat.array_namespace(np.empty(0))
"""NumPy's functions, under the names that the standard gives them."""


@dataclass(frozen=True)
class Backend:
    """An array library and the device that it computes on."""

    name: str
    xp: ModuleType
    device: Any
    description: str

    def to_device(self, array: Array) -> Array:
        """Return a host array as an array on this backend's device."""
        return self.xp.asarray(array, device=self.device)


WORTH_A_GPU = 10_000_000
"""The smallest work of a training step, in examples times parameters, for which `auto` uses a GPU.

This is an estimate, not measured on a GPU. A step launches 31 kernels or more, which takes a GPU more than 0.1 ms even
if the step is small, and importing CuPy takes a second. A CPU needs about a millisecond for a step of this size.
"""

ROOM = 2**30
"""The bytes of a GPU's memory that must be free for `auto` to use it. All of MNIST takes a tenth."""


def choose_backend(name: str = "auto") -> Backend:
    """Return the backend called `numpy` or `cupy`. With `auto`, return CuPy if it works here, and NumPy otherwise.

    Raises BackendError if `cupy` is requested but cannot be used, and ValueError for any other name.
    """
    if name not in ("auto", "numpy", "cupy"):
        raise ValueError(f"there is no backend {name!r}: choose auto, numpy or cupy")
    if name != "numpy":
        try:
            array, functions, description = gpu.first_array()
            if name == "auto":
                gpu.require_free_memory(ROOM)
        except BackendError:
            if name == "cupy":
                raise
        else:
            return Backend("cupy", functions, array.device, description)
    return Backend("numpy", NUMPY, "cpu", "NumPy on the CPU")


def worthwhile(name: str, work: int) -> str:
    """Return the name of a backend, but `numpy` for `auto` if the work of a step is too small for a GPU.

    The work is the number of examples in a step times the number of parameters. CuPy is not imported to decide this.
    """
    return "numpy" if name == "auto" and work < WORTH_A_GPU else name


def array_namespace(x: Array) -> Any:
    """Return the functions of an array's own library, under the names of the array API standard."""
    # A training step on a small batch takes 100 microseconds and calls this ten times, so NumPy needs a fast path.
    return NUMPY if type(x) is np.ndarray else array_api_compat.array_namespace(x)


@contextmanager
def device_faults() -> Iterator[None]:
    """Turn a fault of the GPU, and a lack of memory on it or on the host, into a BackendError."""
    try:
        yield
    except Exception as error:
        if gpu.is_fault(error):
            raise gpu.explained(error) from error
        if isinstance(error, MemoryError):
            shown = f" ({error})" if str(error) else ""
            raise BackendError(f"this machine has too little memory{shown}: use small batches and networks") from error
        raise


def asarray_like(array: Any, like: Array) -> Array:
    """Return a host array as an array of the same library and on the same device as `like`."""
    return array_namespace(like).asarray(array, device=device(like))


def to_host(array: Array) -> np.ndarray[Any, Any]:
    """Return an array from any device as a NumPy array in the host's memory."""
    if is_numpy_array(array):
        return np.asarray(array)
    if is_cupy_array(array):
        return np.asarray(array.get())
    return np.from_dlpack(array, device="cpu")
