"""devices and bench: what a machine has, what it lacks, and how fast it is."""

import sys
from collections.abc import Callable
from importlib import import_module
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from click.testing import Result

from tinygrad_mnist import backend
from tinygrad_mnist.errors import BackendError

Run = Callable[..., Result]
Events = Callable[..., list[dict[str, Any]]]
Refused = Callable[..., str]


class CUDARuntimeError(RuntimeError):
    """Stands for CuPy's exception of this name."""


class CompileException(Exception):  # noqa: N818 - it is CuPy's name
    """Stands for CuPy's exception of this name, which is no RuntimeError."""


class OutOfMemoryError(MemoryError):
    """Stands for CuPy's exception of this name."""


def cupy_without_a_device(driver: int) -> ModuleType:
    """Return what `import cupy` gives on a machine where nothing can be allocated; CuPy 14.2 was looked at."""

    def zeros(_: int) -> Any:
        raise CUDARuntimeError("cudaErrorInsufficientDriver" if driver == 0 else "cudaErrorNoDevice")

    cupy = ModuleType("cupy")
    runtime = SimpleNamespace(CUDARuntimeError=CUDARuntimeError, driverGetVersion=lambda: driver)
    compiler = SimpleNamespace(CompileException=CompileException)
    cupy.__dict__.update(zeros=zeros, cuda=SimpleNamespace(runtime=runtime, compiler=compiler))
    return cupy


@pytest.mark.parametrize(("driver", "lack"), [(0, "no NVIDIA driver"), (12040, "no GPU answers")])
def test_it_is_said_whether_the_driver_or_the_device_is_missing(
    driver: int, lack: str, refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cupy", cupy_without_a_device(driver))
    sentence = refused(1, "train", "--data", "strokes", "--backend", "cupy")
    assert lack in sentence
    assert "--backend numpy" in sentence
    assert backend.choose("auto").name == "numpy"


@pytest.mark.parametrize("what", ["libnvrtc.so.12", "libcublas.so.12", "vector_types.h"])
def test_a_gpu_without_the_libraries_of_cuda_is_said_to_lack_them(
    what: str, refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CuPy looks for each when it is needed first: a sum has to be compiled, and a product has a library of its own."""

    class Probe:
        device = SimpleNamespace(id=0)

        def __matmul__(self, _: "Probe") -> "Probe":
            if "cublas" in what:
                raise ImportError(f"{what}: cannot open shared object file")
            return self

        def __add__(self, _: "Probe") -> "Probe":
            if what.endswith(".h"):
                raise CompileException(f"\ncannot open source file {what}\n1 error detected")
            raise RuntimeError(f"CuPy failed to load {what}")

    cupy = cupy_without_a_device(12040)
    cupy.__dict__["zeros"] = lambda _: Probe()
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    assert what in refused(1, "train", "--data", "strokes", "--backend", "cupy")
    assert backend.choose("auto").name == "numpy"


def test_a_missing_package_is_said_to_be_missing(refused: Refused, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cupy", None)
    assert "requirements-gpu.txt" in refused(1, "train", "--data", "strokes", "--backend", "cupy")


def test_a_gpu_without_enough_memory_ends_in_what_to_lower() -> None:
    with pytest.raises(BackendError, match=r"too little memory .*12 GB.* lower --batch"), backend.enough_memory():
        raise OutOfMemoryError("12 GB asked for")


def test_a_lack_of_memory_that_nobody_describes_has_no_empty_brackets() -> None:
    with pytest.raises(BackendError, match=r"^the machine has too little memory: "), backend.enough_memory():
        raise MemoryError


def test_other_exceptions_are_not_taken_for_it() -> None:
    with pytest.raises(ZeroDivisionError), backend.enough_memory():
        raise ZeroDivisionError


def test_devices_are_named_and_what_is_taken(run: Run, events: Events) -> None:
    output = run("devices").stdout
    assert "NumPy on the CPU" in output
    assert "takes " in output
    result = events("devices")[-1]
    assert result["backends"]["numpy"]["usable"] is True
    assert result["auto"] in result["backends"]


def test_speeds_are_numbers_above_nothing(events: Events, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    # The command has the name of its module, and hides it.
    monkeypatch.setattr(import_module("tinygrad_mnist.commands.bench"), "SECONDS", 0.01)
    speeds = events("bench")[-1]["digits_per_second"]["numpy"]
    assert set(speeds) == {"784-1", "784-300-1"}
    assert all(speed > 0 for speed in speeds.values())
    assert "digits a second" in run("bench").stdout


@pytest.fixture
def elsewhere() -> backend.Backend:
    """A device on which a stray call of NumPy raises, as it does on a GPU."""
    strict = pytest.importorskip("array_api_strict")
    return backend.Backend("strict", strict, strict.Device("device1"), "another device")


WHOLE = [("train", "--seed", 1, "--epochs", 2, "--hidden", 5, "--digits", "1,4-6", "--augment"), ("baseline",)]


@pytest.mark.parametrize("words", WHOLE)
def test_whole_commands_run_on_another_device(
    words: tuple[object, ...], elsewhere: backend.Backend, events: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = events(*words, "--data", "strokes")[-1]
    monkeypatch.setattr(backend, "choose", lambda _: elsewhere)
    there = events(*words, "--data", "strokes")[-1]
    assert there["backend"] == "strict"
    names = ("test_accuracy", "loss") if "loss" in here else ("l1", "squared")
    for name in names:
        a, b = (side[name]["accuracy"] if isinstance(side[name], dict) else side[name] for side in (here, there))
        assert a == pytest.approx(b, rel=1e-4)


def test_a_network_trained_on_another_device_is_evaluated_there(
    elsewhere: backend.Backend, events: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backend, "choose", lambda _: elsewhere)
    trained = events("train", "--data", "strokes", "--epochs", 2, "--save", "model.npz")[-1]
    measured = events("evaluate", "model.npz", "--data", "strokes")[-1]
    assert measured["accuracy"] == trained["test_accuracy"]
    assert np.sum(measured["confusion"]) == 60
