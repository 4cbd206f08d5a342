"""Fixtures that several test files use."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from tests.standin_cupy import Meter
from tests.standin_import import installed
from tinygrad_mnist.arrays.backend import to_host
from tinygrad_mnist.datasets import idx

with contextlib.suppress(ImportError):  # hypothesis is in requirements-dev.txt only
    from hypothesis import settings

    settings.register_profile("repeatable", derandomize=True, deadline=None)
    settings.load_profile("repeatable")


@pytest.fixture(scope="session", autouse=True)
def no_cache_of_the_user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let this process, and those that it starts, keep data sets in a folder of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
            patch.setenv(name, str(tmp_path_factory.getbasetemp() / "cache"))
        yield


@pytest.fixture(scope="session", autouse=True)
def one_blas_thread() -> Iterator[None]:
    """Let each worker, and the processes that it starts, multiply matrices with one thread: there are many workers."""
    with pytest.MonkeyPatch.context() as patch, threadpool_limits(limits=1, user_api="blas"):
        for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
            patch.setenv(name, "1")
        yield


@pytest.fixture(scope="session")
def shared_mnist() -> Path:
    """Return the folder of the real MNIST files."""
    folder = Path(__file__).parents[2] / "shared" / "mnist"
    if not folder.is_dir():
        pytest.skip(f"real MNIST is not in {folder}")
    return folder


@pytest.fixture(scope="session")
def real_digits(shared_mnist: Path) -> dict[str, tuple[NDArray[Any], NDArray[Any]]]:
    """Return images (N, 784) of bytes and labels (N,), under `train` and `t10k`."""
    return {
        part: (
            idx.read(shared_mnist / f"{part}-images-idx3-ubyte.gz").reshape(-1, 784),
            idx.read(shared_mnist / f"{part}-labels-idx1-ubyte.gz"),
        )
        for part in ("train", "t10k")
    }


@pytest.fixture
def close() -> Callable[[Any, Any, float], None]:
    """Return a check that two arrays are alike, to a tolerance relative to the largest expected entry."""

    def check(actual: Any, expected: Any, tolerance: float) -> None:
        actual, expected = (a if np.isscalar(a) else to_host(a) for a in (actual, expected))
        assert np.shape(actual) == np.shape(expected)
        error, scale = np.max(np.abs(actual - expected)), np.max(np.abs(expected))
        assert error <= tolerance * scale, f"off by {error} where the largest entry is {scale}"

    return check


@pytest.fixture
def draw() -> Callable[..., NDArray[Any]]:
    """Return a source of standard normal arrays that cannot be written to, the same ones in every run."""
    rng = np.random.default_rng(0)

    def array(*shape: int, dtype: Any = np.float64) -> NDArray[Any]:
        numbers = rng.standard_normal(shape)
        if np.dtype(dtype).kind == "c":
            numbers = numbers + 1j * rng.standard_normal(shape)
        numbers = numbers.astype(dtype)
        numbers.flags.writeable = False
        return numbers

    return array


@pytest.fixture
def on_device1() -> Callable[[NDArray[Any]], Any]:
    """Return a function that copies host arrays to a pretended device, where `np.` calls raise as on a GPU."""
    strict = pytest.importorskip("array_api_strict")

    def to_device1(array: NDArray[Any]) -> Any:
        return strict.asarray(array.copy(), device=strict.Device("device1"))

    return to_device1


@pytest.fixture
def cupy_standin() -> Iterator[Meter]:
    """Let `import cupy` return a strict stand-in, on which `--backend cupy` works, and return its meter."""
    with installed() as meter:
        yield meter


@pytest.fixture
def one_sentence() -> Callable[[object], None]:
    """Return a check that an error's text is one sentence on one line."""

    def check(error: object) -> None:
        text = str(error)
        assert text.endswith(".")
        assert "\n" not in text
        assert ". " not in text

    return check
