"""Everything that can be wrong with CuPy or a GPU: each failure has a true sentence of its own, and `auto` goes on.

The texts of the exceptions are those of CuPy 14.2.
"""

import sys
from collections.abc import Callable
from types import ModuleType

import pytest

from tests.standin_cupy import CompileException, CUBLASError, CUDARuntimeError, Meter, OutOfMemoryError
from tests.standin_import import installed
from tinygrad_mnist.app.command_line import REMEDIES
from tinygrad_mnist.arrays.backend import choose_backend
from tinygrad_mnist.errors import BackendError

FRAME = "\n=====\nFailed to import CuPy.\n\nIf you ...\n\nOriginal error:\n  ImportError: {}\n=====\n"
"""CuPy's frame around an error of its import."""

NO_FILE = "cannot open shared object file: No such file or directory"
NO_SOURCE = '\n/tmp/x.cu(1): catastrophic error: cannot open source file "vector_types.h"\n1 error\n'

NO_CUPY = "CuPy is not installed (No module named 'cupy'; 'pip install -r requirements-gpu.txt'"
NO_GPU = "no NVIDIA GPU with a driver for this CuPy responds ("
NO_MEMORY = "the GPU has too little memory ("
NO_PART = "a part of CUDA is missing ("
OTHER = "CuPy cannot compute on this machine ("

FAILURES = [
    (NO_CUPY, "import", ModuleNotFoundError("No module named 'cupy'")),
    (NO_GPU, "launch", CUDARuntimeError("cudaErrorInsufficientDriver: CUDA driver version is insufficient")),
    (NO_GPU, "launch", RuntimeError(f"CuPy failed to load libcuda.so.1: OSError: libcuda.so.1: {NO_FILE}")),
    (NO_GPU, "launch", CUDARuntimeError("cudaErrorNoDevice: no CUDA-capable device is detected")),
    (NO_GPU, "launch", CUDARuntimeError("cudaErrorDevicesUnavailable: CUDA-capable device(s) is/are busy")),
    (
        f"{NO_MEMORY}Out of memory allocating 512 bytes; ",
        "launch",
        OutOfMemoryError("Out of memory allocating 512 bytes (so far: 0)."),
    ),
    (NO_MEMORY, "launch", CUDARuntimeError("cudaErrorMemoryAllocation: out of memory")),
    (NO_MEMORY, "launch", CUBLASError("CUBLAS_STATUS_NOT_INITIALIZED")),
    (NO_PART, "launch", CompileException(NO_SOURCE)),
    (NO_PART, "launch", ImportError(f"libcublas.so.12: {NO_FILE}")),
    (NO_PART, "launch", RuntimeError(f"CuPy failed to load libnvrtc.so.12: OSError: libnvrtc.so.12: {NO_FILE}")),
    (NO_PART, "import", ImportError(FRAME.format(f"libcudart.so.12: {NO_FILE}"))),
    (f"{OTHER}ImportError: undefined symbol: x; ", "import", ImportError(FRAME.format("undefined symbol: x"))),
    (f"{OTHER}cudaErrorLaunchFailure: failed; ", "download", CUDARuntimeError("cudaErrorLaunchFailure: failed")),
    (OTHER, "import", OSError(30, "Read-only file system", "/home/me/.cupy")),
    (OTHER, "launch", CUDARuntimeError("cudaErrorNoKernelImageForDevice: no kernel image is available")),
    (f"{OTHER}KeyError; ", "launch", KeyError()),
]
"""The start of the sentence, the event that fails, and the exception that CuPy raises then."""


@pytest.mark.parametrize(("wrong", "event", "error"), FAILURES, ids=range(len(FAILURES)))
def test_a_failure_is_one_sentence_of_three_lines_at_most_and_auto_goes_on_with_numpy(
    wrong: str, event: str, error: Exception, one_sentence: Callable[[object], None]
) -> None:
    with installed(error if event == "import" else None) as meter:
        if event != "import":
            meter.fail(event, error)
        with pytest.raises(BackendError) as caught:
            choose_backend("cupy")
        assert choose_backend("auto").name == "numpy"
    one_sentence(caught.value)
    sentence = caught.value.sentence(REMEDIES)
    assert sentence.startswith(wrong)
    assert sentence.endswith("): use --backend numpy.")
    assert len(f"Error: {sentence}") <= 3 * 80


def test_an_empty_package_that_was_left_over_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    # After `import cupy` of an empty folder, array-api-compat would fail for the arrays of every other library.
    with installed(ImportError("unused")):
        monkeypatch.setitem(sys.modules, "cupy", ModuleType("cupy"))
        with pytest.raises(BackendError, match="has no attribute 'zeros'"):
            choose_backend("cupy")
        assert "cupy" not in sys.modules


def test_auto_leaves_a_gpu_that_is_almost_full_or_cannot_tell_its_memory(
    cupy_standin: Meter, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert choose_backend("auto").name == "cupy"
    cupy_standin.free_memory = 2**20
    assert [choose_backend(name).name for name in ("auto", "cupy")] == ["numpy", "cupy"]
    monkeypatch.delattr(sys.modules["cupy"].cuda.runtime, "memGetInfo")
    assert choose_backend("auto").name == "numpy"


def test_a_device_tells_that_its_products_are_rounded(cupy_standin: Meter, monkeypatch: pytest.MonkeyPatch) -> None:
    for value, description in (("0", "CuPy on a stand-in"), ("1", "CuPy on a stand-in with CUPY_TF32=1")):
        monkeypatch.setenv("CUPY_TF32", value)
        assert choose_backend("cupy").description == description


def test_a_gpu_that_computes_wrong_numbers_is_refused(cupy_standin: Meter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["cupy"].ndarray, "__matmul__", lambda self, _: self)
    with pytest.raises(BackendError, match=r"\(it computes wrong numbers: 1 \* 1 \+ 1 \* 1 = 1\.0; "):
        choose_backend("cupy")
    assert choose_backend("auto").name == "numpy"


def test_a_signal_is_not_taken_for_a_failure(cupy_standin: Meter) -> None:
    cupy_standin.fail("launch", KeyboardInterrupt())  # type: ignore[arg-type]
    with pytest.raises(KeyboardInterrupt):
        choose_backend("auto")
