"""CuPy on a GPU: whether it works on this machine, and if not, which of its four requirements is missing."""

from typing import Any

from tinygrad_mnist.errors import BackendError

INSTALL, USE_NUMPY = "install it with 'pip install -r requirements-gpu.txt'", "use --backend numpy"


def first_array() -> tuple[Any, str]:
    """Return a CuPy array on the current GPU, and a description such as "CuPy on NVIDIA A100".

    Raises BackendError, which names what is missing, if there is no CuPy, no driver, no GPU or no CUDA library.
    """
    try:
        import cupy
    except ImportError as error:
        raise BackendError(f"CuPy cannot be imported ({error})", INSTALL, USE_NUMPY) from error
    runtime = cupy.cuda.runtime
    try:
        # CuPy can be imported even if it cannot compute. Without a driver or a GPU, the first allocation fails. CUDA's
        # libraries are loaded when they are needed: the first sum or product fails without them.
        array = cupy.zeros((1, 1))
        array = array @ array + array
        graphics_card = runtime.getDeviceProperties(array.device.id)["name"].decode()
    except runtime.CUDARuntimeError as error:
        raise BackendError(*_missing(runtime.driverGetVersion(), error), USE_NUMPY) from error
    except (ImportError, OSError, RuntimeError, cupy.cuda.compiler.CompileException) as error:
        detail = next(filter(None, str(error).splitlines()), type(error).__name__)  # a compiler prints many lines
        wrong = f"CuPy finds a GPU, but a part of CUDA is missing ({detail})"
        raise BackendError(wrong, INSTALL, USE_NUMPY) from error
    return array, f"CuPy on {graphics_card}"


def _missing(driver: int, error: Exception) -> tuple[str, str]:
    """Return what CuPy lacks and a remedy, given the version of the NVIDIA driver, or 0 if there is none."""
    if driver == 0:
        return (
            f"CuPy is installed, but there is no NVIDIA driver ({error})",
            "install one so that 'nvidia-smi' works",
        )
    return (
        f"CuPy and the NVIDIA driver are installed, but no GPU responds ({error})",
        "check that 'nvidia-smi' lists one and that CUDA_VISIBLE_DEVICES does not hide it",
    )
