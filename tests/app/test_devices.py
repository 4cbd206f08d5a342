"""devices: which backends a machine has, and what is missing."""

import pytest

from tests.fixtures import Events, Refused, Run
from tests.standin_cupy import OutOfMemoryError
from tests.standin_import import installed
from tinygrad_mnist.app import options
from tinygrad_mnist.arrays.backend import Backend, device_faults
from tinygrad_mnist.errors import BackendError


def test_the_error_for_a_missing_package_says_how_to_install_it(run: Run, refused: Refused) -> None:
    with installed(ModuleNotFoundError("No module named 'cupy'")):
        error = refused(1, "train", "--data", "strokes", "--backend", "cupy")
        shown = " ".join(run("devices").stdout.split())
    for text in (error, shown):
        assert "CuPy is not installed" in text
        assert "'pip install -r requirements-gpu.txt'" in text
    assert error.endswith(": use --backend numpy.")
    assert "--backend" not in shown
    assert "uses numpy" in shown


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (OutOfMemoryError("12 GB asked for"), "^the GPU has too little memory .12 GB asked for; .* small batches"),
        (MemoryError("12 GB asked for"), "^this machine has too little memory .12 GB asked for.: use small"),
        (MemoryError(), "^this machine has too little memory: use small batches and networks.$"),
    ],
)
def test_a_lack_of_memory_says_whose_memory_it_is(error: Exception, sentence: str) -> None:
    with pytest.raises(BackendError, match=sentence), device_faults():
        raise error


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
def test_commands_run_on_a_device_where_a_stray_call_of_numpy_raises(
    words: tuple[object, ...], events: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    strict = pytest.importorskip("array_api_strict")
    here = events(*words, "--data", "strokes")[-1]
    there = Backend("strict", strict, strict.Device("device1"), "another device")
    monkeypatch.setattr(options, "choose_backend", lambda _: there)
    there = events(*words, "--data", "strokes")[-1]
    assert there["backend"] == "strict"
    for name in {"test_accuracy", "loss"} & here.keys():
        assert there[name] == pytest.approx(here[name], rel=1e-4)
    for name in {"l1", "squared"} & here.keys():
        assert there[name]["accuracy"] == pytest.approx(here[name]["accuracy"], rel=1e-4)
