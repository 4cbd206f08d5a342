"""CuPy on a GPU: whether it works on this machine, and if it does not, what is wrong.

CuPy can fail when it is imported, when it first needs the driver, the compiler or cuBLAS, or much later, if the GPU's
memory is full. `explained` turns each of these failures into one sentence of five kinds. It recognizes them by their
text, because the classes of CuPy's exceptions can be named only if CuPy can be imported.
"""

import os
import re
import sys
import textwrap
from typing import Any, NamedTuple

from array_api_compat import array_namespace

from tinygrad_mnist.errors import BackendError

FAULTS = {"CUDARuntimeError", "CUDADriverError", "CUBLASError", "NVRTCError", "CompileException", "OutOfMemoryError"}
"""The names of the exceptions that CuPy raises for a fault of the GPU or of CUDA."""

MAX_DETAIL = 56
"""The number of characters of CuPy's own message that an error shows."""


class Failure(NamedTuple):
    """A kind of failure: what its text contains, as a regular expression, what is wrong, and what helps."""

    sign: str
    wrong: str
    help: str


FAILURES = (
    Failure(
        "No module named 'cupy'$|import of cupy halted",
        "CuPy is not installed",
        "'pip install -r requirements-gpu.txt' installs it",
    ),
    Failure(
        r"InsufficientDriver|NoDevice|InvalidDevice|DevicesUnavailable|libcuda\.so|nvcuda\.dll",
        "no NVIDIA GPU with a driver for this CuPy responds",
        "'nvidia-smi' shows the driver and every GPU",
    ),
    Failure(
        "OutOfMemoryError|cudaErrorMemoryAllocation|CUBLAS_STATUS_ALLOC_FAILED|CUBLAS_STATUS_NOT_INITIALIZED",
        "the GPU has too little memory",
        "'nvidia-smi' lists the programs that use it, and small batches need less",
    ),
    Failure(
        r"(cannot|could not) open source|CUDA headers|CuPy failed to load|lib(cu|nv)\w+\.so|(cu|nv)\w+\.dll",
        "a part of CUDA is missing",
        "'pip install -r requirements-gpu.txt' installs all parts",
    ),
    Failure(
        "",
        "CuPy cannot compute on this machine",
        "'pip install --force-reinstall -r requirements-gpu.txt' repairs a broken CuPy",
    ),
)
"""All kinds. The first whose sign is found counts, and the last is anything else, which only CuPy's text explains."""


def first_array() -> tuple[Any, Any, str]:
    """Return a CuPy array on the current GPU, CuPy's functions, and a description such as "CuPy on NVIDIA A100".

    Raises BackendError, which says what is wrong, if CuPy cannot be imported or cannot compute.
    """
    try:
        import cupy

        # CuPy can be imported even if it cannot compute. The first array needs a driver and a GPU with free memory, the
        # sum needs the compiler, and the product cuBLAS, unless the matrices have only one entry. A GPU reports errors
        # late, so only a number that is read back shows that all of them worked.
        array = cupy.zeros((2, 2)) + 1
        if (number := float((array @ array)[0, 0])) != 2:
            raise ArithmeticError(f"it computes wrong numbers: 1 * 1 + 1 * 1 = {number}")  # noqa: TRY301 - explained
        functions = array_namespace(array)
        graphics_card = cupy.cuda.runtime.getDeviceProperties(array.device.id)["name"].decode()
    except Exception as error:
        raise explained(error) from error
    return array, functions, f"CuPy on {graphics_card}{' with CUPY_TF32=1' if rounds_products() else ''}"


def rounds_products() -> bool:
    """Return whether CuPy rounds the factors of float32 products to TF32, with 10 bits after the binary point."""
    return os.environ.get("CUPY_TF32") == "1"


def require_free_memory(size: int) -> None:
    """Raise BackendError if fewer bytes than `size` are free on the current GPU, on which CuPy must work."""
    import cupy

    try:
        free, _ = cupy.cuda.runtime.memGetInfo()
    except Exception as error:
        raise explained(error) from error
    if free < size:
        raise BackendError(f"the GPU has only {free // 2**20:,} MB of free memory", "no GPU")


def is_fault(error: Exception) -> bool:
    """Return whether an exception says that the GPU or CUDA failed, or that a library of CUDA is missing."""
    return type(error).__name__ in FAULTS or "CuPy failed to load" in str(error)


def explained(error: Exception) -> BackendError:
    """Return an error that says in one sentence which kind of failure an exception of CuPy is."""
    if not hasattr(sys.modules.get("cupy"), "ndarray"):
        # An empty folder, left over from an earlier package, can be imported. If it stayed, array-api-compat would look
        # for CuPy's arrays in it.
        sys.modules.pop("cupy", None)
    text = f"{type(error).__name__}: {error}"
    failure = next(failure for failure in FAILURES if re.search(failure.sign, text))
    return BackendError(f"{failure.wrong} ({_first_line(error)}; {failure.help})", "no GPU")


def _first_line(error: Exception) -> str:
    """Return the start of the first line of an exception's text that says something, or else the exception's name."""
    _, _, original = str(error).rpartition("Original error:")
    lines = (line.strip(" =-") for line in original.splitlines())  # CuPy frames its long messages
    line = next(filter(None, lines), type(error).__name__)
    return textwrap.shorten(re.split(r"\. | \(|\.$", line)[0], MAX_DETAIL, placeholder="...")
