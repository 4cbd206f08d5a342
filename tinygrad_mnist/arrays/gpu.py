"""CuPy on a GPU: whether it works on this machine, and if it does not, what is wrong and what to do about it.

CuPy can fail when it is imported, when it first needs the driver, the compiler or cuBLAS, or much later, if the GPU's
memory is full. `explained` turns each of these failures into one sentence. It recognizes them by their text, because
the classes of CuPy's exceptions can be named only if CuPy can be imported.
"""

import os
import re
import sys
import textwrap
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

from array_api_compat import array_namespace

from tinygrad_mnist.errors import BackendError

INSTALL = "install it with 'pip install -r requirements-gpu.txt'"
INSTALL_PARTS = "install all parts with 'pip install -r requirements-gpu.txt'"
REINSTALL = "run 'pip install --force-reinstall -r requirements-gpu.txt'"
RIGHT_PACKAGE = "install the CuPy package that requirements-gpu.txt names for this machine"
FREE_MEMORY = "end a program that 'nvidia-smi' lists"

FAULTS = {"CUDARuntimeError", "CUDADriverError", "CUBLASError", "NVRTCError", "CompileException", "OutOfMemoryError"}
"""The names of the exceptions that CuPy raises for a fault of the GPU or of CUDA."""

NO_MEMORY = re.compile("OutOfMemoryError|cudaErrorMemoryAllocation|CUBLAS_STATUS_ALLOC_FAILED")
"""What the text of a failure contains if the GPU has too little memory."""

MAX_DETAIL = 56
"""The number of characters of CuPy's own message that an error shows."""


class Symptom(NamedTuple):
    """What a failure's text contains, as a regular expression, what it means, and what to do."""

    sign: str
    wrong: str
    remedy: str


MISSING = (
    Symptom("(cannot|could not) open source|CUDA headers", "CUDA's header files are missing", INSTALL_PARTS),
    Symptom(r"cublas(Lt)?\S*\.(so|dll)", "cuBLAS, CUDA's library for matrix products, is missing", INSTALL_PARTS),
    Symptom(r"nvrtc\S*\.(so|dll)", "NVRTC, CUDA's compiler, is missing", INSTALL_PARTS),
    Symptom(r"cudart\S*\.(so|dll)", "the CUDA runtime is missing", INSTALL_PARTS),
)
"""The parts of CUDA that CuPy needs, besides the driver."""

SYMPTOMS = (
    Symptom("No module named 'cupy'$|import of cupy halted", "CuPy cannot be imported", INSTALL),
    Symptom("NumPy 1|numpy.core|module 'numpy'", "this CuPy was made for a different NumPy", REINSTALL),
    Symptom(
        "cudaErrorNoDevice|cudaErrorInvalidDevice",
        "CuPy and the NVIDIA driver are installed, but no GPU responds",
        "check that 'nvidia-smi' lists one and that CUDA_VISIBLE_DEVICES does not hide it",
    ),
    Symptom(
        "DevicesUnavailable",
        "the GPU is busy, or another program has it for itself",
        "wait for the program that 'nvidia-smi' lists, or share the GPU with 'nvidia-smi -c DEFAULT'",
    ),
    Symptom(NO_MEMORY.pattern, "the GPU's memory is full", FREE_MEMORY),
    Symptom("CUBLAS_STATUS_NOT_INITIALIZED", "cuBLAS cannot start, as if the GPU's memory were full", FREE_MEMORY),
    Symptom("UnsupportedPtx", "the NVIDIA driver is older than CUDA's compiler", "update the driver"),
    Symptom(
        "NoKernelImage|gpu-architecture|ARCH_MISMATCH|NVRTC_ERROR_INVALID_OPTION",
        "the GPU is too new for this CuPy, or too old",
        RIGHT_PACKAGE,
    ),
    Symptom("SystemDriverMismatch", "the parts of the NVIDIA driver differ in version", "restart the machine"),
    Symptom("SystemNotReady", "the GPU is not ready", "start the service nvidia-fabricmanager"),
    Symptom(
        "LaunchFailure|LaunchTimeout|IllegalAddress|IllegalInstruction|ECCUncorrectable|EXECUTION_FAILED",
        "the GPU failed while it computed",
        "try again, and restart the machine if that fails too",
    ),
    Symptom("CUBLAS_STATUS", "cuBLAS failed on the GPU", "try again"),
)
"""Other failures that are known. The first whose sign is found counts."""


def first_array() -> tuple[Any, Any, str]:
    """Return a CuPy array on the current GPU, CuPy's functions, and a description such as "CuPy on NVIDIA A100".

    Raises BackendError, which says what is wrong and what to do, if CuPy cannot be imported or cannot compute.
    """
    try:
        import cupy

        # CuPy can be imported even if it cannot compute. The first array needs a driver and a GPU with free memory, the
        # sum needs the compiler, and the product cuBLAS, unless the matrices have only one entry. A GPU reports errors
        # late, so only a number that is read back shows that all of them worked.
        array = cupy.zeros((2, 2)) + 1
        if (number := float((array @ array)[0, 0])) != 2:
            raise ArithmeticError(f"1 * 1 + 1 * 1 = {number}")  # noqa: TRY301 - explained like the others
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


def lacks_memory(error: Exception) -> bool:
    """Return whether an exception says that the GPU has too little memory."""
    return is_fault(error) and NO_MEMORY.search(_text(error)) is not None


def explained(error: Exception) -> BackendError:
    """Return an error that says in one sentence what an exception of CuPy means, and what to do."""
    wrong, remedy = _cause(error)
    if _is_left_over(error):
        # Otherwise array-api-compat would look for CuPy's arrays in the empty package that Python has just imported.
        del sys.modules["cupy"]
    return BackendError(f"{wrong} ({detail(error)}): {remedy}", "no GPU")


def detail(error: Exception) -> str:
    """Return the telling part of an exception's text: CUDA's name of the error or of a file, or the first line."""
    if isinstance(error, OSError) and error.strerror:
        file = f": {error.filename}" if error.filename else ""
        return textwrap.shorten(f"{error.strerror}{file}", MAX_DETAIL, placeholder="...")
    _, _, original = str(error).rpartition("Original error:")
    lines = (line.strip(" =-") for line in original.splitlines())  # CuPy frames its long messages
    line = next(filter(None, lines), type(error).__name__)
    if name := re.search(
        r"^cudaError\w+|^CUBLAS_\w+|^NVRTC_\w+|\blib\w+\.so[.\d]*|\w+\.dll|[\w/]+\.(h|hpp|cuh)\b", line
    ):
        return name[0]
    return textwrap.shorten(re.split(r"\. | \(|\.$", line)[0], MAX_DETAIL, placeholder="...")


def _cause(error: Exception) -> tuple[str, str]:
    """Return what is wrong, given an exception of CuPy, and a remedy."""
    text = _text(error)
    if re.search(r"cudaErrorInsufficientDriver|libcuda\.so|nvcuda\.dll", text):
        return _driver()
    if known := _first(SYMPTOMS, text):
        return known.wrong, known.remedy
    if len(packages := _packages()) > 1:
        uninstall = f"run 'pip uninstall {' '.join(packages)}' and 'pip install -r requirements-gpu.txt'"
        return f"{' and '.join(packages)} break each other", uninstall
    if _is_left_over(error):
        return "CuPy's folder is there but empty, as an earlier package left it", REINSTALL
    if isinstance(error, OSError) and error.strerror:
        return "CuPy cannot write its files", "set CUPY_CACHE_DIR to a folder that can be written"
    if missing := _first(MISSING, text):
        folder = os.environ.get("CUDA_PATH")
        if folder and not Path(folder, "include").is_dir():
            return "CUDA_PATH names a folder without CUDA", "set it to the right folder, or unset it"
        return missing.wrong, missing.remedy
    if isinstance(error, ArithmeticError):
        return "the GPU computes wrong numbers", "restart the machine"
    return ("CUDA failed on the GPU", "try again") if is_fault(error) else ("CuPy cannot be used", REINSTALL)


def _driver() -> tuple[str, str]:
    """Return what is wrong with the NVIDIA driver, which is missing or too old, and a remedy."""
    version = 0
    with suppress(Exception):  # the error that is being explained matters more than a second one
        version = sys.modules["cupy"].cuda.runtime.driverGetVersion()
    if version == 0:
        return "CuPy is installed, but there is no NVIDIA driver", "install one so that 'nvidia-smi' works"
    cuda = f"{version // 1000}.{version % 1000 // 10}"
    return f"the NVIDIA driver is for CUDA {cuda}, which is too old for this CuPy", f"update it, or {RIGHT_PACKAGE}"


def _packages() -> list[str]:
    """Return the names of the installed packages that contain CuPy. There may be only one."""
    names = (distribution.name or "" for distribution in metadata.distributions())
    return sorted({name for name in names if re.fullmatch("cupy(-cuda.*|-rocm.*)?", name)})


def _is_left_over(error: Exception) -> bool:
    """Return whether an exception comes from a folder that has CuPy's name and no program in it."""
    package = sys.modules.get("cupy")
    return isinstance(error, AttributeError) and package is not None and getattr(package, "__file__", None) is None


def _first(symptoms: tuple[Symptom, ...], text: str) -> Symptom | None:
    return next((symptom for symptom in symptoms if re.search(symptom.sign, text)), None)


def _text(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
