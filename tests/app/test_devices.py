"""devices: which backends a machine has, and what is missing."""

import sys
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from click.testing import Result

from tinygrad_mnist.app import options
from tinygrad_mnist.arrays.backend import Backend, choose_backend, device_faults
from tinygrad_mnist.errors import BackendError

Run = Callable[..., Result]
Events = Callable[..., list[dict[str, Any]]]
Refused = Callable[..., str]


class CUDARuntimeError(RuntimeError):
    """A stand-in for CuPy's exception of this name."""


class CompileException(Exception):  # noqa: N818 - CuPy's name
    """A stand-in for CuPy's exception of this name, which is not a RuntimeError."""


class OutOfMemoryError(MemoryError):
    """A stand-in for CuPy's exception of this name."""


def cupy_without_a_device(driver: int) -> ModuleType:
    """Return what `import cupy` returns on a machine where nothing can be allocated, as in CuPy 14.2."""

    def zeros(_: int) -> Any:
        raise CUDARuntimeError("cudaErrorInsufficientDriver" if driver == 0 else "cudaErrorNoDevice")

    cupy = ModuleType("cupy")
    runtime = SimpleNamespace(CUDARuntimeError=CUDARuntimeError, driverGetVersion=lambda: driver)
    compiler = SimpleNamespace(CompileException=CompileException)
    cupy.__dict__.update(zeros=zeros, cuda=SimpleNamespace(runtime=runtime, compiler=compiler))
    return cupy


@pytest.mark.parametrize(("driver", "missing"), [(0, "no NVIDIA driver"), (12040, "no GPU responds")])
def test_the_error_says_whether_the_driver_or_the_device_is_missing(
    driver: int, missing: str, refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cupy", cupy_without_a_device(driver))
    sentence = refused(1, "train", "--data", "strokes", "--backend", "cupy")
    assert missing in sentence
    assert "--backend numpy" in sentence
    assert choose_backend("auto").name == "numpy"


@pytest.mark.parametrize("missing", ["libnvrtc.so.12", "libcublas.so.12", "vector_types.h"])
def test_the_error_names_a_missing_cuda_library(
    missing: str, refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CuPy loads a library when it first needs it: a sum has to be compiled, and a product has a separate library."""

    class Probe:
        device = SimpleNamespace(id=0)

        def __matmul__(self, _: "Probe") -> "Probe":
            if "cublas" in missing:
                raise ImportError(f"{missing}: cannot open shared object file")
            return self

        def __add__(self, _: "Probe") -> "Probe":
            if missing.endswith(".h"):
                raise CompileException(f"\ncannot open source file {missing}\n1 error detected")
            raise RuntimeError(f"CuPy failed to load {missing}")

    cupy = cupy_without_a_device(12040)
    cupy.__dict__["zeros"] = lambda _: Probe()
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    assert missing in refused(1, "train", "--data", "strokes", "--backend", "cupy")
    assert choose_backend("auto").name == "numpy"


def test_the_error_for_a_missing_package_says_how_to_install_it(
    refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cupy", None)
    assert "requirements-gpu.txt" in refused(1, "train", "--data", "strokes", "--backend", "cupy")


def test_a_gpu_without_device_faults_is_an_error_that_says_what_to_reduce() -> None:
    with pytest.raises(BackendError, match=r"too little memory .*12 GB.* lower --batch"), device_faults():
        raise OutOfMemoryError("12 GB asked for")


def test_a_memory_error_without_details_has_no_empty_parentheses() -> None:
    with pytest.raises(BackendError, match=r"^the machine has too little memory: "), device_faults():
        raise MemoryError


def test_a_different_exception_is_not_a_memory_error() -> None:
    with pytest.raises(ZeroDivisionError), device_faults():
        raise ZeroDivisionError


def test_devices_shows_the_backends_and_the_automatic_choice(run: Run, events: Events) -> None:
    output = run("devices").stdout
    assert "NumPy on the CPU" in output
    assert "uses " in output
    result = events("devices")[-1]
    assert result["backends"]["numpy"]["usable"] is True
    assert result["auto"] in result["backends"]


@pytest.fixture
def other_device() -> Backend:
    """A device where a stray call of NumPy raises, as it does on a GPU."""
    strict = pytest.importorskip("array_api_strict")
    return Backend("strict", strict, strict.Device("device1"), "another device")


COMMANDS = [("train", "--seed", 1, "--epochs", 2, "--hidden", 5, "--digits", "1,4-6", "--augment"), ("baseline",)]


@pytest.mark.parametrize("words", COMMANDS)
def test_commands_run_on_a_different_device(
    words: tuple[object, ...], other_device: Backend, events: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = events(*words, "--data", "strokes")[-1]
    monkeypatch.setattr(options, "choose_backend", lambda _: other_device)
    there = events(*words, "--data", "strokes")[-1]
    assert there["backend"] == "strict"
    names = ("test_accuracy", "loss") if "loss" in here else ("l1", "squared")
    for name in names:
        a, b = (side[name]["accuracy"] if isinstance(side[name], dict) else side[name] for side in (here, there))
        assert a == pytest.approx(b, rel=1e-4)


def test_a_network_trained_on_a_different_device_is_evaluated_there(
    other_device: Backend, events: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(options, "choose_backend", lambda _: other_device)
    trained = events("train", "--data", "strokes", "--epochs", 2, "--save", "model.npz")[-1]
    measured = events("evaluate", "model.npz", "--data", "strokes")[-1]
    assert measured["accuracy"] == trained["test_accuracy"]
    assert np.sum(measured["confusion"]) == 60
