"""All commands on the stand-in for CuPy, which behaves like a GPU: `--backend cupy`, `auto`, and faults of the GPU."""

import itertools
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from click.testing import Result
from PIL import Image

from tests.standin_cupy import CUBLASError, CUDARuntimeError, Meter, OutOfMemoryError
from tinygrad_mnist import train
from tinygrad_mnist.app import gradcheck_command, main
from tinygrad_mnist.arrays import gpu
from tinygrad_mnist.proof.cases import all_cases
from tinygrad_mnist.runs import checkpoint

Run = Callable[..., Result]
Events = Callable[..., list[dict[str, Any]]]
Refused = Callable[..., str]

STROKES = ("--data", "strokes")
TRAIN = ("train", *STROKES, "--seed", 1, "--epochs", 3)

COMMANDS: dict[str, tuple[object, ...]] = {
    "train": (*TRAIN, "--hidden", "5", "--digits", "1,4-6", "--augment"),
    "evaluate": ("evaluate", "model.npz", *STROKES),
    "predict": ("predict", "model.npz", "digit.png"),
    "baseline": ("baseline", *STROKES),
    "gradcheck": ("gradcheck",),
    "show wrong": ("show", "wrong", "model.npz", *STROKES),
}
"""An example of each command that has the option --backend."""

SECONDS = {"seconds", "saved"}
"""The parts of a result that differ between any two runs."""


def with_backend(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield the words that call each command with the option --backend."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if any("--backend" in option.opts for option in command.params):
            yield " ".join((*path, name))
        if isinstance(command, click.Group):
            yield from with_backend(command, (*path, name))


@pytest.fixture
def model(run: Run) -> Path:
    """Return a network in the current folder, which was trained with NumPy, with a picture beside it."""
    assert run(*TRAIN, "--backend", "numpy", "--save", "model.npz").exit_code == 0
    Image.fromarray(np.pad(np.full((60, 8), 255, np.uint8), 20)).save("digit.png")
    return Path("model.npz")


def assert_alike(there: Any, here: Any, path: str = "") -> None:
    """Assert that two results are equal, but for the last bits of floats."""
    if isinstance(here, dict):
        assert there.keys() == here.keys()
        for key in here.keys() - SECONDS - {"backend", "device"}:
            assert_alike(there[key], here[key], f"{path}.{key}")
    elif isinstance(here, list):
        assert len(there) == len(here)
        for position, pair in enumerate(zip(there, here, strict=True)):
            assert_alike(*pair, f"{path}[{position}]")
    elif isinstance(here, float):
        assert there == pytest.approx(here, rel=1e-4, abs=1e-6), path
    else:
        assert there == here, path


def test_there_is_an_example_of_every_command_with_a_backend() -> None:
    assert set(COMMANDS) == set(with_backend(main))


@pytest.mark.parametrize("name", sorted(COMMANDS.keys() - {"gradcheck"}))
def test_a_command_finds_the_same_on_the_gpu(name: str, model: Path, events: Events, cupy_standin: Meter) -> None:
    here = events(*COMMANDS[name], "--backend", "numpy")[-1]
    assert cupy_standin.counts == (0, 0, 0, 0)
    there = events(*COMMANDS[name], "--backend", "cupy")[-1]
    assert there["backend"] == "cupy"
    assert cupy_standin.upload > 0
    assert cupy_standin.download > 1
    assert_alike(there, here)


@pytest.fixture
def few_cases(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let gradcheck check two passes only. The tests in arrays/ check all of them on the stand-in."""
    monkeypatch.setattr(
        gradcheck_command, "all_cases", lambda seed: {name: all_cases(seed)[name] for name in ("linear", "mean loss")}
    )


def test_the_gradients_are_checked_on_the_gpu(events: Events, few_cases: None, cupy_standin: Meter) -> None:
    result = events(*COMMANDS["gradcheck"], "--backend", "cupy")[-1]
    assert result["passed"] is True
    assert result["backend"] == "cupy"
    assert cupy_standin.launch > 50


def test_rounded_products_explain_why_gradcheck_fails(
    run: Run, few_cases: None, cupy_standin: Meter, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("gradcheck", "--backend", "cupy", "--dtype", "float64", "--plant", "missing-mean")
    monkeypatch.delenv("CUPY_TF32", raising=False)
    assert "CUPY_TF32" not in run(*words).stderr
    monkeypatch.setenv("CUPY_TF32", "1")
    result = run(*words)
    assert result.exit_code == 1
    assert "CUPY_TF32=1 rounds the factors of float32 products" in result.stderr


def test_devices_finds_the_gpu(run: Run, events: Events, cupy_standin: Meter) -> None:
    result = events("devices")[-1]
    assert result["backends"]["cupy"] == {"usable": True, "description": "CuPy on a stand-in"}
    assert result["auto"] == "cupy"
    assert "uses cupy if the batch times the number of parameters is at least 10,000,000" in " ".join(
        run("devices").stdout.split()
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_auto_does_not_import_cupy_for_little_work(
    name: str, model: Path, few_cases: None, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gpu, "first_array", lambda: pytest.fail("CuPy was imported"))
    assert run(*COMMANDS[name]).exit_code == 0


@pytest.mark.parametrize(
    ("network", "backend"),
    [
        (("--hidden", "300", "--batch", "256", "--digits", "0-9"), "cupy"),  # 256 * 238,510
        (("--hidden", "300", "--batch", "32", "--digits", "0-9"), "numpy"),  # 32 * 238,510
        (("--batch", "12738"), "numpy"),  # 12,738 * 785 = 9,999,330
        (("--batch", "12739"), "cupy"),
        (("--hidden", "30"), "numpy"),
    ],
)
def test_auto_takes_the_gpu_if_the_batch_times_the_parameters_is_ten_million(
    network: tuple[str, ...], backend: str, events: Events, cupy_standin: Meter
) -> None:
    result = events("train", *STROKES, "--seed", 1, "--epochs", 1, *network)[-1]
    assert result["backend"] == backend


@pytest.fixture
def batch_counts(cupy_standin: Meter, monkeypatch: pytest.MonkeyPatch) -> list[list[tuple[int, ...]]]:
    """A list with, for each epoch of training, the counts at each batch and after the last."""
    epochs: list[list[tuple[int, ...]]] = []
    batches = train.batches

    def watched(*arguments: Any) -> Iterator[Any]:
        epochs.append([])
        for batch in batches(*arguments):
            epochs[-1].append(cupy_standin.counts)
            yield batch
        epochs[-1].append(cupy_standin.counts)

    monkeypatch.setattr(train, "batches", watched)
    return epochs


@pytest.mark.parametrize("words", [(), ("--hidden", "5", "--digits", "0-9", "--preset", "best")])
def test_an_epoch_uploads_twice_at_most_and_its_batches_transfer_nothing(
    words: tuple[str, ...], run: Run, batch_counts: list[list[tuple[int, ...]]]
) -> None:
    assert run(*TRAIN, *words, "--backend", "cupy").exit_code == 0
    assert len(batch_counts) == 3
    for counts in batch_counts:
        _, *transfers_and_synchronizations = zip(*counts, strict=True)
        assert all(len(set(one)) == 1 for one in transfers_and_synchronizations)
    for before, after in itertools.pairwise(batch_counts):
        assert after[0][1] - before[0][1] <= 2


FAULTS = {
    "the GPU failed while it computed (cudaErrorLaunchFailure)": CUDARuntimeError(
        "cudaErrorLaunchFailure: unspecified"
    ),
    "cuBLAS failed on the GPU (CUBLAS_STATUS_INTERNAL_ERROR)": CUBLASError("CUBLAS_STATUS_INTERNAL_ERROR"),
    "the GPU has too little memory (Out of memory allocating 9,000 bytes)": OutOfMemoryError(
        "Out of memory allocating 9,000 bytes (allocated so far: 1 bytes)."
    ),
    "NVRTC, CUDA's compiler, is missing (libnvrtc.so.12)": RuntimeError("CuPy failed to load libnvrtc.so.12: OSError"),
    "the GPU has too little memory (cudaErrorMemoryAllocation)": CUDARuntimeError("cudaErrorMemoryAllocation: out"),
    "the GPU has too little memory (CUBLAS_STATUS_ALLOC_FAILED)": CUBLASError("CUBLAS_STATUS_ALLOC_FAILED"),
}


@pytest.fixture
def fail_in(cupy_standin: Meter, monkeypatch: pytest.MonkeyPatch) -> Callable[[int, Exception], None]:
    """Return a function that lets the GPU fail with this exception in the middle of this epoch."""

    def arm(epoch: int, error: Exception) -> None:
        batches = train.batches

        def failing(*arguments: Any) -> Iterator[Any]:
            if arguments[-1] == epoch:
                cupy_standin.fail("launch", error, after=40)
            yield from batches(*arguments)

        monkeypatch.setattr(train, "batches", failing)

    return arm


@pytest.mark.parametrize("sentence", FAULTS)
def test_a_fault_in_training_says_what_is_saved_and_it_can_be_resumed(
    sentence: str, events: Events, run: Run, fail_in: Any
) -> None:
    uninterrupted = events(*TRAIN, "--keep", "last", "--backend", "numpy")[-1]
    fail_in(3, FAULTS[sentence])
    result = run(*TRAIN, "--quiet", "--keep", "last", "--backend", "cupy", "--save", "model.npz")
    told, error = result.stderr.splitlines()[-2:]
    assert result.exit_code == 1
    assert told.startswith("Continue after epoch 2 with: ")
    assert told.endswith("--resume model.npz")
    assert sentence in error
    assert checkpoint.load(Path("model.npz")).state.epoch == 2
    resumed = events("train", *STROKES, "--resume", "model.npz", "--backend", "numpy")[-1]
    assert resumed["loss"] == pytest.approx(uninterrupted["loss"], rel=1e-4)


def test_a_fault_in_training_without_a_file_says_that_the_run_is_lost(run: Run, fail_in: Any) -> None:
    fail_in(2, CUDARuntimeError("cudaErrorIllegalAddress: an illegal memory access was encountered"))
    result = run(*TRAIN, "--quiet", "--backend", "cupy")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-2] == "This run is lost, because --save was not given."
    assert "the GPU failed while it computed (cudaErrorIllegalAddress)" in result.stderr.splitlines()[-1]


def test_a_fault_in_the_first_epoch_says_that_nothing_is_saved(refused: Refused, fail_in: Any) -> None:
    fail_in(1, CUDARuntimeError("cudaErrorLaunchTimeout: the launch timed out and was terminated"))
    error = refused(1, *TRAIN, "--quiet", "--backend", "cupy", "--save", "model.npz")
    assert error.startswith("Error: the GPU")
    assert not Path("model.npz").exists()


@pytest.mark.parametrize("name", ["evaluate", "predict", "baseline", "show wrong"])
def test_a_fault_in_any_command_is_one_sentence(name: str, model: Path, refused: Refused, cupy_standin: Meter) -> None:
    cupy_standin.fail("upload", OutOfMemoryError("Out of memory allocating 47,040,000 bytes."))
    error = refused(1, *COMMANDS[name], "--backend", "cupy")
    assert re.search(
        r"too little memory \(Out of memory allocating 47,040,000 bytes\): .*: use --backend numpy\.$", error
    )
