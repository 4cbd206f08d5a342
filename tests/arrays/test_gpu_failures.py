"""Everything that can be wrong with CuPy or a GPU: each failure has a true sentence of its own, and `auto` goes on.

The texts of the exceptions are those of CuPy 14.2.
"""

import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import pytest
from click.testing import CliRunner

from tests.standin_cupy import CompileException, CUBLASError, CUDARuntimeError, Meter, OutOfMemoryError
from tests.standin_import import installed
from tinygrad_mnist.app import main
from tinygrad_mnist.arrays import gpu
from tinygrad_mnist.arrays.backend import choose_backend
from tinygrad_mnist.errors import BackendError

FRAMED = """
================================================================
Failed to import CuPy.

If you installed CuPy via wheels (cupy-cudaXXX or cupy-rocm-X-X), make sure that the package matches with the version.

Original error:
  ImportError: {}
================================================================
"""
"""CuPy's frame around an error of its import."""

DUPLICATES = """
--------------------------------------------------------------------------------

  CuPy may not function correctly because multiple CuPy packages are installed
  in your environment:
"""
"""The start of CuPy's warning."""

NO_LIBRARY = "{0}: cannot open shared object file: No such file or directory"


@dataclass(frozen=True)
class Failure:
    """How CuPy fails, and what the sentence must say is wrong and advise to do."""

    wrong: str
    remedy: str
    imported: Exception | None = None  # raised by `import cupy`
    launched: Exception | None = None  # raised when a kernel is launched
    uploaded: Exception | None = None
    read: Exception | None = None  # raised when a number is read back
    driver: int = 12090  # the driver's version of CUDA; 0 if there is none
    packages: tuple[str, ...] = ("cupy-cuda12x",)
    variables: dict[str, str] = field(default_factory=dict)


def no(library: str) -> str:
    return NO_LIBRARY.format(library)


def runtime(name: str) -> Exception:
    return CUDARuntimeError(f"{name}: the words of CUDA, which are sometimes a long sentence about the driver")


MISSING_NVRTC = RuntimeError(f"CuPy failed to load libnvrtc.so.12: OSError: {no('libnvrtc.so.12')}")

FAILURES = {
    "not installed": Failure(
        "cannot be imported (No module named 'cupy')",
        "pip install -r requirements-gpu.txt",
        imported=ModuleNotFoundError("No module named 'cupy'"),
    ),
    "read-only home": Failure(
        "cannot write its files (Read-only file system: /home/me/.cupy)",
        "CUPY_CACHE_DIR",
        imported=OSError(30, "Read-only file system", "/home/me/.cupy"),
    ),
    "full disk": Failure(
        "cannot write its files (No space left on device)",
        "CUPY_CACHE_DIR",
        imported=OSError(28, "No space left on device"),
    ),
    "other NumPy": Failure(
        "made for a different NumPy",
        "--force-reinstall",
        imported=AttributeError("module 'numpy' has no attribute 'product'"),
    ),
    "broken package": Failure(
        "cannot be used (ImportError: _core.so: undefined symbol: x)",
        "--force-reinstall",
        imported=ImportError(FRAMED.format("_core.so: undefined symbol: x")),
    ),
    "two packages": Failure(
        "cupy-cuda11x and cupy-cuda12x break each other",
        "pip uninstall cupy-cuda11x cupy-cuda12x",
        imported=ImportError(FRAMED.format(no("libcublas.so.11"))),
        packages=("cupy-cuda12x", "cupy-cuda11x"),
    ),
    "two packages, warnings are errors": Failure(
        "cupy and cupy-cuda12x break each other",
        "pip uninstall cupy cupy-cuda12x",
        imported=UserWarning(DUPLICATES),
        packages=("cupy-cuda12x", "cupy"),
    ),
    "no driver": Failure(
        "no NVIDIA driver",
        "'nvidia-smi' works",
        uploaded=None,
        launched=runtime("cudaErrorInsufficientDriver"),
        driver=0,
    ),
    "no driver library": Failure(
        "no NVIDIA driver (libcuda.so.1)",
        "'nvidia-smi' works",
        launched=RuntimeError(f"CuPy failed to load libcuda.so.1: OSError: {no('libcuda.so.1')}"),
        driver=0,
    ),
    "old driver": Failure(
        "driver is for CUDA 11.4, which is too old",
        "update it",
        launched=runtime("cudaErrorInsufficientDriver"),
        driver=11040,
    ),
    "no GPU": Failure("no GPU responds", "CUDA_VISIBLE_DEVICES", launched=runtime("cudaErrorNoDevice")),
    "busy GPU": Failure("busy", "nvidia-smi -c DEFAULT", launched=runtime("cudaErrorDevicesUnavailable")),
    "full GPU": Failure(
        "memory is full (Out of memory allocating 512 bytes)",
        "end a program",
        launched=OutOfMemoryError("Out of memory allocating 512 bytes (allocated so far: 0 bytes)."),
    ),
    "full GPU, by CUDA": Failure(
        "memory is full (cudaErrorMemoryAllocation)", "end a program", launched=runtime("cudaErrorMemoryAllocation")
    ),
    "no memory for cuBLAS": Failure(
        "cuBLAS cannot start", "end a program", launched=CUBLASError("CUBLAS_STATUS_NOT_INITIALIZED")
    ),
    "unsupported PTX": Failure(
        "driver is older than CUDA's compiler", "update the driver", launched=runtime("cudaErrorUnsupportedPtxVersion")
    ),
    "too new a GPU": Failure(
        "too new for this CuPy", "install the CuPy package", launched=runtime("cudaErrorNoKernelImageForDevice")
    ),
    "too new a GPU, by the compiler": Failure(
        "too new for this CuPy, or too old (nvrtc: error: invalid value for --gpu-architecture)",
        "install the CuPy package",
        launched=CompileException("nvrtc: error: invalid value for --gpu-architecture (-arch)\n"),
    ),
    "missing headers": Failure(
        "header files are missing (vector_types.h)",
        "pip install -r requirements-gpu.txt",
        launched=CompileException(
            '\n/tmp/x.cu(1): catastrophic error: cannot open source file "vector_types.h"\n1 error\n'
        ),
    ),
    "missing cuBLAS": Failure(
        "cuBLAS, CUDA's library for matrix products, is missing (libcublas.so.12)",
        "pip install -r requirements-gpu.txt",
        launched=ImportError(no("libcublas.so.12")),
    ),
    "missing NVRTC": Failure(
        "NVRTC, CUDA's compiler, is missing", "pip install -r requirements-gpu.txt", launched=MISSING_NVRTC
    ),
    "missing runtime": Failure(
        "the CUDA runtime is missing",
        "pip install -r requirements-gpu.txt",
        imported=ImportError(FRAMED.format(no("libcudart.so.12"))),
    ),
    "wrong CUDA_PATH": Failure(
        "CUDA_PATH names a folder without CUDA",
        "unset it",
        launched=MISSING_NVRTC,
        variables={"CUDA_PATH": "/nonexistent/cuda"},
    ),
    "mixed driver": Failure(
        "parts of the NVIDIA driver differ", "restart", launched=runtime("cudaErrorSystemDriverMismatch")
    ),
    "late start": Failure("is not ready", "nvidia-fabricmanager", launched=runtime("cudaErrorSystemNotReady")),
    "launch failure": Failure("failed while it computed", "restart", read=runtime("cudaErrorLaunchFailure")),
    "cuBLAS failure": Failure("cuBLAS failed", "try again", read=CUBLASError("CUBLAS_STATUS_INTERNAL_ERROR")),
    "unknown fault": Failure("CUDA failed", "try again", read=runtime("cudaErrorUnknown")),
    "unknown exception": Failure("cannot be used (KeyError", "--force-reinstall", launched=KeyError()),
}


@contextmanager
def failing(failure: Failure, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let CuPy fail in this way."""
    with installed(failure.imported) as meter, monkeypatch.context() as patch:
        faults = {"launch": failure.launched, "upload": failure.uploaded, "download": failure.read}
        for event, error in faults.items():
            if error is not None:
                meter.fail(event, error)
        meter.driver = failure.driver
        names = [type("Distribution", (), {"name": name}) for name in (*failure.packages, "numpy")]
        patch.setattr(gpu.metadata, "distributions", lambda: names)
        patch.delenv("CUDA_PATH", raising=False)
        for name, value in failure.variables.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(params=FAILURES)
def failure(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Failure]:
    """Let CuPy fail in one way after the other."""
    chosen = FAILURES[request.param]
    with failing(chosen, monkeypatch):
        yield chosen


def test_the_sentence_says_what_is_wrong_and_what_to_do(
    failure: Failure, one_sentence: Callable[[object], None]
) -> None:
    with pytest.raises(BackendError) as caught:
        choose_backend("cupy")
    one_sentence(caught.value)
    assert failure.wrong in str(caught.value)
    assert failure.remedy in str(caught.value)
    assert str(caught.value).endswith("or use --backend numpy.")


def test_the_error_of_a_command_takes_three_lines_at_most(failure: Failure) -> None:
    result = CliRunner().invoke(main, ["train", "--backend", "cupy"])
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    *_, error = result.stderr.splitlines()
    assert error.startswith("Error: ")
    assert len(textwrap.wrap(error, 80)) <= 3
    assert len(error) <= 3 * 80
    assert failure.wrong in error


def test_auto_goes_on_with_numpy(failure: Failure) -> None:
    assert choose_backend("auto").name == "numpy"


def test_devices_says_why(failure: Failure) -> None:
    result = CliRunner().invoke(main, ["devices"])
    assert result.exit_code == 0
    assert failure.wrong in " ".join(result.stdout.split())
    assert "--backend" not in result.stdout
    assert "uses numpy" in result.stdout


def test_each_failure_has_a_sentence_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    sentences = []
    for chosen in FAILURES.values():
        with failing(chosen, monkeypatch), pytest.raises(BackendError) as caught:
            choose_backend("cupy")
        sentences.append(str(caught.value))
    assert len(set(sentences)) == len(FAILURES) >= 21


def test_an_empty_package_that_was_left_over_is_named_and_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """After `import cupy` of an empty folder, array-api-compat would fail for the arrays of every other library."""
    with installed(ImportError("unused")):
        monkeypatch.setitem(sys.modules, "cupy", ModuleType("cupy"))
        with pytest.raises(BackendError, match=r"folder is there but empty.*--force-reinstall"):
            choose_backend("cupy")
        assert "cupy" not in sys.modules


def test_auto_leaves_a_gpu_that_is_almost_full_to_others(cupy_standin: Meter) -> None:
    assert choose_backend("auto").name == "cupy"
    cupy_standin.free_memory = 2**20
    assert choose_backend("auto").name == "numpy"
    assert choose_backend("cupy").name == "cupy"


def test_auto_survives_a_gpu_that_cannot_tell_its_memory(cupy_standin: Meter, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown() -> Any:
        raise CUDARuntimeError("cudaErrorUnknown")

    monkeypatch.setattr(sys.modules["cupy"].cuda.runtime, "memGetInfo", unknown)
    assert choose_backend("auto").name == "numpy"


def test_a_device_tells_that_its_products_are_rounded(cupy_standin: Meter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUPY_TF32", raising=False)
    assert choose_backend("cupy").description == "CuPy on a stand-in"
    monkeypatch.setenv("CUPY_TF32", "1")
    assert choose_backend("cupy").description == "CuPy on a stand-in with CUPY_TF32=1"


def test_a_gpu_that_computes_wrong_numbers_is_refused(cupy_standin: Meter, monkeypatch: pytest.MonkeyPatch) -> None:
    ndarray = sys.modules["cupy"].ndarray
    monkeypatch.setattr(ndarray, "__matmul__", lambda self, _: self)
    with pytest.raises(BackendError, match="wrong numbers"):
        choose_backend("cupy")
    assert choose_backend("auto").name == "numpy"


def test_a_signal_is_not_taken_for_a_failure(cupy_standin: Meter) -> None:
    cupy_standin.fail("launch", KeyboardInterrupt())  # type: ignore[arg-type]
    with pytest.raises(KeyboardInterrupt):
        choose_backend("auto")
