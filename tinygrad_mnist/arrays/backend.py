"""The backend: NumPy on the CPU, or CuPy on a GPU. The array decides where the code runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any, TypeAlias

import array_api_compat
import numpy as np
from array_api_compat import device, is_cupy_array, is_numpy_array

from tinygrad_mnist.arrays import cuda
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


def choose_backend(name: str = "auto") -> Backend:
    """Return the backend called `numpy` or `cupy`. With `auto`, return CuPy if it works here, and NumPy otherwise.

    Raises BackendError if `cupy` is requested but cannot be used, and ValueError for any other name.
    """
    if name not in ("auto", "numpy", "cupy"):
        raise ValueError(f"there is no backend {name!r}: choose auto, numpy or cupy")
    if name != "numpy":
        try:
            array, description = cuda.first_array()
        except BackendError:
            if name == "cupy":
                raise
        else:
            return Backend("cupy", array_namespace(array), array.device, description)
    return Backend("numpy", NUMPY, "cpu", "NumPy on the CPU")


def array_namespace(x: Array) -> Any:
    """Return the functions of an array's own library, under the names of the array API standard."""
    # A training step on a small batch takes 100 microseconds and calls this ten times, so NumPy needs a fast path.
    return NUMPY if type(x) is np.ndarray else array_api_compat.array_namespace(x)


@contextmanager
def enough_memory() -> Iterator[None]:
    """Turn a lack of memory, on the GPU or the host, into a BackendError that says what to reduce."""
    try:
        yield
    except MemoryError as error:
        # CuPy's own exception is a MemoryError too, but its class can be named only if CuPy can be imported.
        on_gpu = type(error).__name__ == "OutOfMemoryError"
        device_name, remedy = ("GPU", cuda.USE_NUMPY) if on_gpu else ("machine", "close other programs")
        detail = f" ({error})" if str(error) else ""
        wrong = f"the {device_name} has too little memory{detail}"
        raise BackendError(wrong, "train with a lower --batch or --hidden", remedy) from error


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
