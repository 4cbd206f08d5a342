"""Where arrays live: NumPy on the CPU, CuPy on a GPU. And what an array is: `tensor` and `stack`.

Nothing here is global. A function that needs more than operators asks `array_namespace(x)` whose
functions belong to the array that it was given, and so runs wherever that array lives.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any, TypeAlias

import array_api_compat
import numpy as np
from array_api_compat import device, is_cupy_array, is_numpy_array

from tinygrad_mnist import cuda, nested
from tinygrad_mnist.errors import BackendError

__all__ = [
    "Array",
    "Backend",
    "array_namespace",
    "beside",
    "choose",
    "enough_memory",
    "require_entries",
    "require_fit",
    "require_same_shape",
    "stack",
    "tensor",
    "to_host",
]

Array: TypeAlias = Any
"""An array of NumPy, CuPy or any other library that follows the array API standard."""

NUMPY: ModuleType = array_api_compat.array_namespace(np.empty(0))
"""NumPy's functions, by their names in the standard."""


@dataclass(frozen=True)
class Backend:
    """A place for arrays: the library that makes them, and the device that holds them."""

    name: str
    xp: ModuleType
    device: Any
    description: str

    def place(self, array: Array) -> Array:
        """Return a host array as an array of this backend. This is the one move to the device."""
        return self.xp.asarray(array, device=self.device)


def choose(name: str = "auto") -> Backend:
    """Return the backend called `numpy` or `cupy`; `auto` takes CuPy where it works, else NumPy.

    Raises BackendError where `cupy` was asked for and cannot be used, and ValueError for other names.
    """
    if name not in ("auto", "numpy", "cupy"):
        raise ValueError(f"there is no backend {name!r}: it is auto, numpy or cupy")
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
    """Return the functions that belong to an array: those of its library, by their names in the array API standard."""
    # A small batch is done in a hundred microseconds, and asks ten times: NumPy's answer is known beforehand.
    return NUMPY if type(x) is np.ndarray else array_api_compat.array_namespace(x)


@contextmanager
def enough_memory() -> Iterator[None]:
    """Turn a lack of memory, a GPU's or the machine's, into a BackendError that says what to lower."""
    try:
        yield
    except MemoryError as error:
        # CuPy's own exception is one too; its class can be named only where CuPy can be imported.
        on_gpu = type(error).__name__ == "OutOfMemoryError"
        where, instead = ("GPU", "use --backend numpy") if on_gpu else ("machine", "close other programs")
        said = f" ({error})" if str(error) else ""
        raise BackendError(
            f"the {where} has too little memory{said}: train with a lower --batch or --hidden, or {instead}."
        ) from error


def beside(array: Any, like: Array) -> Array:
    """Return a host array as an array of the same library and on the same device as `like`."""
    return array_namespace(like).asarray(array, device=device(like))


def to_host(array: Array) -> np.ndarray[Any, Any]:
    """Return the array as a NumPy array in the host's memory."""
    if is_numpy_array(array):
        return np.asarray(array)
    if is_cupy_array(array):
        return np.asarray(array.get())
    return np.from_dlpack(array, device="cpu")


def require_same_shape(**arrays: Array) -> None:
    """Raise ValueError, naming both, unless the two arrays (or numbers) have one shape.

    (64, 1) against (64,) would broadcast to (64, 64), and a network would train on it, silently wrong.
    """
    (name, array), (other, other_array) = arrays.items()
    shape, other_shape = _shape(array), _shape(other_array)
    if shape != other_shape:
        raise ValueError(f"{name} has shape {shape} and {other} has shape {other_shape}: they must be the same")


def require_fit(**arrays: tuple[Array, str]) -> None:
    """Raise ValueError, naming all, unless each letter stands for one size: x=(x, "NI"), w=(w, "IO")."""
    sizes: dict[str, int] = {}
    for array, axes in arrays.values():
        shape = array.shape
        if len(shape) != len(axes):
            raise _misfit(arrays)
        # By number, which takes half as long as a strict zip: every batch is checked several times.
        for number, axis in enumerate(axes):
            if sizes.setdefault(axis, shape[number]) != shape[number]:
                raise _misfit(arrays)


def require_entries(**arrays: Array) -> None:
    """Raise ValueError, naming it, where an array is empty."""
    for name, array in arrays.items():
        if 0 in array.shape:
            raise ValueError(f"{name} has shape {tuple(array.shape)}: there is no mean of nothing")


def tensor(data: Any, dtype: Any = None) -> Array:
    """Return a new array made of numbers, nested sequences of numbers, or an array.

    An array has one numeric type and a regular shape. Without `dtype` all the numbers must be of one
    kind: all bool, all whole, all floating or all complex. With `dtype`, whole, floating and complex
    numbers may be mixed, since it says which type is meant. Plain Python data becomes a NumPy array.

    Raises ValueError that names the first item or row that breaks the rule: jagged rows, mixed kinds, anything that
    is not a number, an object array; and where a number does not fit into the type.

    >>> tensor([[1, 2], [3, 4]])
    array([[1, 2],
           [3, 4]])
    >>> tensor([[1, 2], [3]])
    Traceback (most recent call last):
        ...
    ValueError: row 1 has shape (1,), but row 0 has shape (2,): an array is regular
    """
    if hasattr(data, "dtype") and hasattr(data, "shape"):
        nested.require_number(data)
        source = np.asarray(data) if isinstance(data, np.generic) else data
    else:
        nested.require_regular(data)
        source = _from_python(data, dtype)
    if dtype is None:
        return array_namespace(source).asarray(source, copy=True)
    return _cast(source, dtype)


def stack(images: Sequence[Any]) -> Array:
    """Return rank 3 (N, H, W) from N matrices (H, W) of one shape and one type.

    Raises ValueError that names the first image that is not a matrix of numbers, or differs from image 0.

    >>> stack([[[1, 2], [3, 4]], [[5, 6], [7, 8]]]).shape
    (2, 2, 2)
    """
    arrays = []
    for number, image in enumerate(images):
        try:
            arrays.append(tensor(image))
        except ValueError as error:
            raise ValueError(f"image {number} is no array: {error}") from error
    if not arrays:
        raise ValueError("there are no images to stack")
    first = arrays[0]
    for number, image in enumerate(arrays):
        if len(image.shape) != 2:
            raise ValueError(f"image {number} has shape {tuple(image.shape)}: a matrix has two axes")
        for what, here, there in (("shape", image.shape, first.shape), ("type", image.dtype, first.dtype)):
            if here != there:
                raise ValueError(f"image {number} has {what} {here}, but image 0 has {what} {there}")
    return array_namespace(first).stack(arrays)


def _misfit(arrays: dict[str, tuple[Array, str]]) -> ValueError:
    said = (f"{name} {tuple(array.shape)} as ({', '.join(axes)})" for name, (array, axes) in arrays.items())
    return ValueError(f"the shapes do not fit: {'; '.join(said)}")


def _shape(array: Array) -> tuple[int, ...]:
    shape: tuple[int, ...] = getattr(array, "shape", ())
    return shape


def _from_python(data: Any, dtype: Any) -> np.ndarray[Any, Any]:
    """Return regular nested numbers as an array wide enough for all of them, or for `dtype`."""
    kind = nested.require_one_kind(data, mixed_numbers=dtype is not None)
    array = np.array(data)
    if nested.kind_of(array.dtype) is None and dtype is not None:
        try:
            return np.array(data, dtype=dtype)
        except OverflowError as error:
            raise ValueError(f"a number does not fit into {dtype}: {error}") from error
    # Where 64 bits are too few for all the whole numbers, NumPy makes floats or objects of them.
    if dtype is None and kind == "whole" and nested.kind_of(array.dtype) != "whole":
        raise ValueError("a whole number does not fit into 64 bits: give a floating dtype for numbers this large")
    return array


def _cast(source: Array, dtype: Any) -> Array:
    """Return the array in another type; raise ValueError where a number does not fit into it."""
    kind, target = nested.kind_of(source.dtype), nested.kind_of(dtype)
    if target is None:
        raise ValueError(f"{dtype} is no type of numbers")
    xp = array_namespace(source)
    if kind == "complex" and target != "complex":
        raise ValueError(f"complex numbers do not fit into {dtype}")
    # What does not fit is found by looking at the result.
    with np.errstate(over="ignore", invalid="ignore"):
        array = xp.astype(source, dtype)
        if target in ("bool", "whole"):
            fits = (xp.astype(array, source.dtype) == source) & ((array < 0) == (source < 0))
        else:
            fits = xp.isfinite(array) == xp.isfinite(source)
    if not bool(xp.all(fits)):
        raise ValueError(f"a number does not fit into {dtype}")
    return array
