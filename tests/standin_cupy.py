"""A strict stand-in for CuPy, for machines without a GPU. standin_import.py makes `import cupy` return it.

Its arrays are in the host's memory and NumPy computes with them, but they behave as on a GPU. They are not NumPy arrays
and do not turn into them without `get`, they cannot be mixed with NumPy arrays, casts from float to integer saturate,
and `take` wraps around. array-api-compat accepts them as CuPy's, unchanged.

A meter counts what costs time on a GPU. A kernel launch is every function or operator that computes or copies: a view,
a transpose and a cast to the same type launch nothing. Reading an entry waits for the GPU, and so does everything whose
shape depends on entries. The meter can also be told to raise an exception at a launch, an upload or a download.
"""

import operator
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

VIEWS = """atleast_1d broadcast_arrays broadcast_to diagonal empty empty_like expand_dims flip imag moveaxis ravel real
    reshape squeeze swapaxes transpose"""
"""The functions that launch nothing."""

KERNELS = """abs absolute add all any arange arccos arccosh arcsin arcsinh arctan arctan2 arctanh argmax argmin argsort
    array_equal bitwise_and bitwise_or bitwise_xor ceil clip concatenate conj conjugate copysign cos cosh count_nonzero
    cumprod cumsum diff divide dot einsum equal exp expm1 eye floor floor_divide full full_like greater greater_equal
    hypot invert isfinite isinf isnan left_shift less less_equal linspace log log10 log1p log2 logaddexp logical_and
    logical_not logical_or logical_xor matmul max maximum mean min minimum multiply negative nextafter not_equal ones
    ones_like outer pad positive power prod reciprocal remainder repeat right_shift rint roll round searchsorted sign
    signbit sin sinh sort sqrt square stack std subtract sum take_along_axis tan tanh tensordot tile tril triu trunc var
    vdot where zeros zeros_like"""
"""The functions that launch a kernel. A matrix product is one, too."""

WAITING = "argwhere flatnonzero nonzero unique"
"""The functions that launch a kernel and wait for it, because the shape of their result depends on entries."""

CONSTANTS = """bool_ broadcast_shapes can_cast complex128 complex64 complexfloating dtype e finfo float16 float32
    float64 floating generic iinfo inexact inf int16 int32 int64 int8 integer intp issubdtype nan newaxis number pi
    promote_types result_type signedinteger uint16 uint32 uint64 uint8 unsignedinteger"""
"""What CuPy takes from NumPy as it is."""

BINARY = "add sub mul truediv floordiv mod pow matmul and or xor lshift rshift"
OTHERS = "lt le gt ge eq ne neg pos abs invert"
"""The operators. The binary ones also exist with the operands exchanged, and in place."""


CUDARuntimeError, CUBLASError = (type(name, (RuntimeError,), {}) for name in ("CUDARuntimeError", "CUBLASError"))
CompileException = type("CompileException", (Exception,), {})
OutOfMemoryError = type("OutOfMemoryError", (MemoryError,), {})
"""Exceptions with the names and the parents of CuPy's."""


@dataclass
class Meter:
    """Counts events by kind, and raises the exceptions that it was told to raise."""

    launch: int = 0
    upload: int = 0  # from the host
    download: int = 0  # to the host
    synchronize: int = 0
    cublas: int = 0  # matrix products, but for those of a single entry, which CuPy computes itself
    free_memory: int = 2**34
    _faults: dict[str, tuple[int, Exception]] = field(default_factory=dict)

    def count(self, *events: str) -> None:
        """Count events of these kinds, or raise the exception that was set for one of them."""
        for event in events:
            limit, error = self._faults.get(event, (sys.maxsize, None))
            if error is not None and getattr(self, event) >= limit:
                raise error
            setattr(self, event, getattr(self, event) + 1)

    def fail(self, event: str, error: Exception, after: int = 0) -> None:
        """Raise the exception at every event of this kind, after as many more without it."""
        self._faults[event] = getattr(self, event) + after, error

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """Launches, uploads, downloads and synchronizations."""
        return self.launch, self.upload, self.download, self.synchronize


METER = Meter()
"""The meter of the one GPU."""


@dataclass
class Device:
    """CuPy's device. There is only one."""

    id: Any = 0

    def __enter__(self) -> "Device":
        return self

    def __exit__(self, *_: object) -> None: ...


class ndarray:  # noqa: N801 - CuPy's name
    """An array on the GPU."""

    __array_ufunc__ = None  # NumPy's functions and operators refuse it

    def __init__(self, numbers: Any) -> None:
        self._numbers = np.asarray(numbers)

    shape = property(lambda self: self._numbers.shape)
    dtype = property(lambda self: self._numbers.dtype)
    ndim = property(lambda self: self._numbers.ndim)
    size = property(lambda self: self._numbers.size)
    T = property(lambda self: ndarray(self._numbers.T))
    device = property(lambda _: Device())

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise TypeError("Implicit conversion to a NumPy array is not allowed. Please use `.get()` to construct one.")

    def get(self) -> Any:
        METER.count("download", "synchronize")
        return self._numbers.copy()

    def __iter__(self) -> Iterator["ndarray"]:
        return (self[position] for position in range(self.shape[0]))

    def __getitem__(self, index: Any) -> "ndarray":
        parts = index if isinstance(index, tuple) else (index,)
        for array in (part for part in parts if isinstance(part, ndarray)):
            METER.count("launch", *(("synchronize",) if array.dtype == bool else ()))
        return ndarray(self._numbers[host(index)])

    def __setitem__(self, index: Any, value: Any) -> None:
        METER.count("launch")
        self._numbers[host(index)] = host(value)

    def astype(self, dtype: Any, copy: bool = True) -> "ndarray":
        if not copy and self.dtype == dtype:
            return self
        METER.count("launch")
        return ndarray(saturated(self._numbers, np.dtype(dtype)))


def host(value: Any) -> Any:
    """Return what NumPy can compute with. Refuses NumPy's arrays, as CuPy does."""
    if isinstance(value, np.ndarray):
        raise TypeError(f"Unsupported type {type(value)}")
    if isinstance(value, (tuple, list)):
        return type(value)(map(host, value))
    return value._numbers if isinstance(value, ndarray) else value


def saturated(numbers: Any, dtype: np.dtype[Any]) -> Any:
    """Return numbers as a GPU casts them: the closest integer that the type can hold, and 0 for NaN."""
    with np.errstate(invalid="ignore", over="ignore"):
        if numbers.dtype.kind != "f" or dtype.kind not in "iu":
            return numbers.astype(dtype)
        low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
        cast = np.where(numbers >= float(high), high, np.where(numbers <= float(low), low, numbers.astype(dtype)))
        return np.where(np.isnan(numbers), 0, cast).astype(dtype)


def on_device(function: Callable[..., Any], *events: str) -> Callable[..., Any]:
    """Return a function of NumPy as one of CuPy, which counts these events."""

    def compute(*arguments: Any, **options: Any) -> Any:
        METER.count(*events)
        if "matmul" in function.__name__ and arguments[0].size > 1:
            METER.count("cublas")
        result = function(*host(arguments), **{name: host(value) for name, value in options.items()})
        return tuple(map(ndarray, result)) if isinstance(result, (tuple, list)) else ndarray(result)

    return compute


def array(numbers: Any, dtype: Any = None, copy: bool = True) -> ndarray:
    """Return a copy of an array of the GPU, or numbers of the host as a new array."""
    if isinstance(numbers, ndarray):
        return numbers.astype(numbers.dtype if dtype is None else dtype, copy)
    METER.count("upload")
    return ndarray(np.array(numbers, dtype))


def asarray(numbers: Any, dtype: Any = None) -> ndarray:
    """Return an array of the GPU itself, or numbers of the host as a new array."""
    return array(numbers, dtype, copy=False)


def take(numbers: ndarray, indices: ndarray, axis: int | None = None) -> ndarray:
    """Return the entries at these positions. Positions out of range wrap around, as on a GPU."""
    METER.count("launch")
    return ndarray(np.take(host(numbers), host(indices), axis=axis, mode="wrap"))


def _add_operators() -> None:
    """Give the arrays all operators. Those in place write to the array's own memory."""
    for name in BINARY.split():
        of_two = on_device(getattr(operator, f"__{name}__"), "launch")
        setattr(ndarray, f"__{name}__", of_two)
        setattr(ndarray, f"__r{name}__", lambda array, other, of_two=of_two: of_two(other, array))
        setattr(ndarray, f"__i{name}__", on_device(getattr(operator, f"__i{name}__"), "launch"))
    for name in OTHERS.split():
        setattr(ndarray, f"__{name}__", on_device(getattr(operator, name), "launch"))
    for convert in (bool, int, float, complex):
        setattr(ndarray, f"__{convert.__name__}__", lambda array, convert=convert: convert(array.get().item()))
    ndarray.__index__ = ndarray.__int__  # type: ignore[attr-defined]


def _modules() -> dict[str, ModuleType]:
    """Return the modules by the names that they are imported by."""
    names = ("cupy", "cupy.linalg", "cupy.fft", "cupy.cuda", "cupy.cuda.device")
    modules = {name: ModuleType(name) for name in names}
    cupy, linalg, _, cuda, of_device = modules.values()
    for names, events in ((VIEWS, ()), (KERNELS, ("launch",)), (WAITING, ("launch", "synchronize"))):
        vars(cupy).update({name: on_device(getattr(np, name), *events) for name in names.split()})
    vars(cupy).update({name: getattr(np, name) for name in CONSTANTS.split()}, __file__=__file__, __path__=[])
    vars(cupy).update(ndarray=ndarray, array=array, asarray=asarray, take=take, cuda=cuda)
    vars(cupy).update(linalg=linalg, fft=modules["cupy.fft"])
    vars(linalg)["lstsq"] = None  # array-api-compat imports it by its name
    vars(cuda).update(Device=Device, compiler=SimpleNamespace(CompileException=CompileException))
    vars(cuda)["runtime"] = SimpleNamespace(
        CUDARuntimeError=CUDARuntimeError,
        getDeviceProperties=lambda _: {"name": b"a stand-in"},
        memGetInfo=lambda: (METER.free_memory, 2**35),
    )
    vars(of_device)["Device"] = Device
    return modules


_add_operators()
MODULES = _modules()
