"""Where arrays live: NumPy on the CPU, CuPy on a GPU. And what an array is: `tensor` and `stack`.

Nothing here is global. A function that needs more than operators asks `array_namespace(x)` whose
functions belong to the array that it was given, and so runs wherever that array lives.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, TypeAlias

import numpy as np
from array_api_compat import array_namespace, device, is_cupy_array, is_numpy_array

from tinygrad_mnist.errors import BackendError

__all__ = [
    "Array",
    "Backend",
    "array_namespace",
    "beside",
    "choose",
    "require_entries",
    "require_same_shape",
    "stack",
    "tensor",
    "to_host",
]

Array: TypeAlias = Any
"""An array of NumPy, CuPy or any other library that follows the array API standard."""


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
            return _cupy()
        except BackendError:
            if name == "cupy":
                raise
    return Backend("numpy", array_namespace(np.empty(0)), "cpu", "NumPy on the CPU")


def _cupy() -> Backend:
    """Return the CuPy backend, or raise BackendError that says what is missing for it."""
    try:
        import cupy
    except ImportError as error:
        raise BackendError(
            f"CuPy cannot be imported ({error}): install it with "
            "'pip install -r requirements-gpu.txt', or use --backend numpy."
        ) from error
    try:
        # Importing CuPy proves nothing: without a driver the first allocation fails.
        probe = cupy.zeros(1)
        graphics_card = cupy.cuda.runtime.getDeviceProperties(probe.device.id)["name"].decode()
    except cupy.cuda.runtime.CUDARuntimeError as error:
        raise BackendError(
            f"CuPy is installed, but no GPU answers ({error}): install the NVIDIA driver and look "
            "whether 'nvidia-smi' lists a device, or use --backend numpy."
        ) from error
    return Backend("cupy", array_namespace(probe), probe.device, f"CuPy on {graphics_card}")


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
    (name, shape), (other, other_shape) = ((key, tuple(getattr(a, "shape", ()))) for key, a in arrays.items())
    if shape != other_shape:
        raise ValueError(f"{name} has shape {shape} and {other} has shape {other_shape}: they must be the same")


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

    Raises ValueError that names the first item or row that breaks the rule: jagged rows, mixed kinds,
    anything that is not a number, an object array, a number too large for the type.

    >>> tensor([[1, 2], [3, 4]])
    array([[1, 2],
           [3, 4]])
    >>> tensor([[1, 2], [3]])
    Traceback (most recent call last):
        ...
    ValueError: row 1 has shape (1,), but row 0 has shape (2,): an array is regular
    """
    if hasattr(data, "dtype") and hasattr(data, "shape"):
        _kind(data, ())
        xp = array_namespace(np.asarray(data) if isinstance(data, np.generic) else data)
        return xp.asarray(data, dtype=dtype, copy=True)
    _regular_shape(data, ())
    _require_one_kind(data, mixed_numbers=dtype is not None)
    try:
        array = np.array(data, dtype=dtype)
    except OverflowError as error:
        raise ValueError(f"a number does not fit into the array's type: {error}") from error
    if array.dtype.hasobject:
        raise ValueError("a whole number does not fit into 64 bits: give a floating dtype for numbers this large")
    return array


def stack(images: Sequence[Any]) -> Array:
    """Return rank 3 (N, H, W) from N matrices (H, W) of one shape and one type.

    Raises ValueError that names the first image that is not a matrix, or differs from image 0.

    >>> stack([[[1, 2], [3, 4]], [[5, 6], [7, 8]]]).shape
    (2, 2, 2)
    """
    arrays = [image if hasattr(image, "dtype") else tensor(image) for image in images]
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


def _is_nested(data: Any) -> bool:
    return isinstance(data, Sequence) and not isinstance(data, (str, bytes))


def _name(where: tuple[int, ...], what: str) -> str:
    return f"{what} {'/'.join(map(str, where))}" if where else "the data"


def _regular_shape(data: Any, where: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape of nested data; raise ValueError that names the first row of another shape."""
    if not _is_nested(data):
        return tuple(np.shape(data)) if hasattr(data, "shape") else ()
    shapes = [_regular_shape(item, (*where, i)) for i, item in enumerate(data)]
    for i, shape in enumerate(shapes):
        if shape != shapes[0]:
            raise ValueError(
                f"{_name((*where, i), 'row')} has shape {shape}, but {_name((*where, 0), 'row')} "
                f"has shape {shapes[0]}: an array is regular"
            )
    return (len(data), *(shapes[0] if shapes else ()))


def _leaves(data: Any, where: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], Any]]:
    """Yield the position and value of everything in nested data that is not itself nested."""
    if _is_nested(data):
        for i, item in enumerate(data):
            yield from _leaves(item, (*where, i))
    else:
        yield where, data


def _kind(value: Any, where: tuple[int, ...]) -> str:
    """Return what kind of number this is; raise ValueError that names it where it is none."""
    kinds = {"b": "bool", "i": "whole", "u": "whole", "f": "floating", "c": "complex"}
    if hasattr(value, "dtype"):
        code = getattr(value.dtype, "kind", None) or np.dtype(str(value.dtype).rpartition(".")[2]).kind
    else:
        code = {bool: "b", int: "i", float: "f", complex: "c"}.get(type(value), "O")
    if code not in kinds:
        shown = value.dtype if hasattr(value, "dtype") else f"{value!r:.40}"
        raise ValueError(f"{_name(where, 'item')} is {shown}: an array holds numbers only")
    return kinds[code]


def _require_one_kind(data: Any, mixed_numbers: bool) -> None:
    """Raise ValueError that names the first item of another kind than item 0's."""
    first = None
    for where, value in _leaves(data, ()):
        kind = _kind(value, where)
        first = first or kind
        if kind != first and not (mixed_numbers and "bool" not in (kind, first)):
            raise ValueError(
                f"{_name(where, 'item')} is {kind}, but the first item is {first}: an array has one "
                "type (give dtype to say which)"
            )
