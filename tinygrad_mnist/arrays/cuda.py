"""CuPy on a GPU: whether it can be used here, and if not, which of the four things that it needs is missing."""

from typing import Any

from tinygrad_mnist.errors import BackendError


def first_array() -> tuple[Any, str]:
    """Return an array of CuPy's on the GPU that it uses, and what to call that: "CuPy on NVIDIA A100".

    Raises BackendError that says what is missing: package, driver, device, or the libraries of CUDA.
    """
    try:
        import cupy
    except ImportError as error:
        raise BackendError(
            f"CuPy cannot be imported ({error}): install it with "
            "'pip install -r requirements-gpu.txt', or use --backend numpy."
        ) from error
    runtime = cupy.cuda.runtime
    try:
        # Importing CuPy proves nothing: without a driver or a device the first allocation fails, and without the
        # libraries of CUDA, which it finds and loads when they are needed, the first sum or product.
        array = cupy.zeros((1, 1))
        array = array @ array + array
        graphics_card = runtime.getDeviceProperties(array.device.id)["name"].decode()
    except runtime.CUDARuntimeError as error:
        raise BackendError(_missing(runtime.driverGetVersion(), error)) from error
    except (ImportError, OSError, RuntimeError, cupy.cuda.compiler.CompileException) as error:
        what = next(filter(None, str(error).splitlines()), type(error).__name__)  # a compiler says many lines
        raise BackendError(
            f"CuPy finds a GPU, but not all that CUDA has ({what}): install it with "
            "'pip install -r requirements-gpu.txt', or use --backend numpy."
        ) from error
    return array, f"CuPy on {graphics_card}"


def _missing(driver: int, error: Exception) -> str:
    """Return a sentence that says what CuPy lacks, given the version of the NVIDIA driver, 0 where there is none."""
    if driver == 0:
        return (
            f"CuPy is installed, but there is no NVIDIA driver ({error}): install one until 'nvidia-smi' answers, "
            "or use --backend numpy."
        )
    return (
        f"CuPy and the NVIDIA driver are installed, but no GPU answers ({error}): look whether 'nvidia-smi' lists one "
        "and CUDA_VISIBLE_DEVICES hides none, or use --backend numpy."
    )
