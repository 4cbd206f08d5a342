"""All commands on the stand-in for CuPy, which behaves like a GPU: `--backend cupy`, `auto`, and faults of the GPU."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from PIL import Image

from tests.fixtures import Events, Refused, Run
from tests.standin_cupy import CUBLASError, CUDARuntimeError, Meter, OutOfMemoryError
from tinygrad_mnist import train
from tinygrad_mnist.app import gradcheck_command, main
from tinygrad_mnist.arrays import gpu
from tinygrad_mnist.proof.cases import all_cases

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

NOT_COMPARED = {"seconds", "saved", "backend", "device"}
"""The parts of a result that differ between the two runs."""


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
def model(run: Run) -> None:
    """Save a network in the current folder, which was trained with NumPy, with a picture beside it."""
    assert run(*TRAIN, "--backend", "numpy", "--save", "model.npz").exit_code == 0
    Image.fromarray(np.pad(np.full((60, 8), 255, np.uint8), 20)).save("digit.png")


def flat(value: Any, path: str = "") -> dict[str, Any]:
    """Return all numbers and words of a result, by where they are in it, but for those that are not compared."""
    if not isinstance(value, (dict, list)):
        return {path: value}
    items = value.items() if isinstance(value, dict) else enumerate(value)
    flattened = [flat(item, f"{path}/{name}") for name, item in items if name not in NOT_COMPARED]
    return {place: number for part in flattened for place, number in part.items()}


def close(value: Any) -> Any:
    return pytest.approx(value, rel=1e-4, abs=1e-6) if isinstance(value, float) else value


def test_there_is_an_example_of_every_command_with_a_backend() -> None:
    assert set(COMMANDS) == set(with_backend(main))


def test_commands_find_the_same_on_the_gpu(model: None, events: Events, cupy_standin: Meter) -> None:
    for name in COMMANDS.keys() - {"gradcheck"}:
        before = cupy_standin.counts
        here = events(*COMMANDS[name], "--backend", "numpy")[-1]
        assert cupy_standin.counts == before
        there = events(*COMMANDS[name], "--backend", "cupy")[-1]
        assert there["backend"] == "cupy"
        assert cupy_standin.upload > before[1]
        assert cupy_standin.download > before[2] + 1
        assert flat(there) == {place: close(value) for place, value in flat(here).items()}


@pytest.fixture
def one_case(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let gradcheck check one pass, and no derivations. The tests in passes/ check all of them on the stand-in."""
    monkeypatch.setattr(gradcheck_command, "all_cases", lambda seed: {"mean loss": all_cases(seed)["mean loss"]})
    monkeypatch.setattr(gradcheck_command.derivations, "page_names", list)


def test_the_gradients_are_checked_on_the_gpu_and_rounded_products_explain_why_they_fail(
    run: Run, events: Events, one_case: None, cupy_standin: Meter, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("gradcheck", "--backend", "cupy", "--dtype", "float64")
    result = events(*words)[-1]
    assert (result["passed"], result["backend"]) == (True, "cupy")
    assert cupy_standin.launch > 50
    for value in ("0", "1"):
        monkeypatch.setenv("CUPY_TF32", value)
        result = run(*words, "--plant", "missing-mean")
        assert result.exit_code == 1
        assert ("CUPY_TF32=1 rounds the factors of float32 products" in result.stderr) is (value == "1")


def test_devices_finds_the_gpu(events: Events, cupy_standin: Meter) -> None:
    result = events("devices")[-1]
    assert result["backends"]["cupy"] == {"usable": True, "description": "CuPy on a stand-in"}
    assert result["auto"] == "cupy"


def test_auto_does_not_import_cupy_for_little_work(
    model: None, one_case: None, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gpu, "first_array", lambda: pytest.fail("CuPy was imported"))
    assert {run(*words).exit_code for words in COMMANDS.values()} == {0}


def test_auto_takes_the_gpu_if_the_batch_times_the_parameters_is_ten_million(
    events: Events, cupy_standin: Meter
) -> None:
    # A linear model has 785 parameters, and one with 30 hidden units 23,581.
    for words, few, many in ((), 12738, 12739), (("--hidden", 30), 424, 425):
        for batch, backend in (few, "numpy"), (many, "cupy"):
            result = events("train", *STROKES, "--epochs", 1, *words, "--batch", batch)[-1]
            assert result["backend"] == backend


@pytest.mark.parametrize("words", [(), ("--hidden", "5", "--preset", "best")])
def test_an_epoch_uploads_twice_at_most_and_its_batches_transfer_nothing(
    words: tuple[str, ...], run: Run, cupy_standin: Meter, monkeypatch: pytest.MonkeyPatch
) -> None:
    epochs: list[list[tuple[int, ...]]] = []  # the counts at each batch and after the last
    batches = train.batches

    def watched(*arguments: Any) -> Iterator[Any]:
        epochs.append([])
        for batch in batches(*arguments):
            epochs[-1].append(cupy_standin.counts)
            yield batch
        epochs[-1].append(cupy_standin.counts)

    monkeypatch.setattr(train, "batches", watched)
    assert run(*TRAIN, *words, "--backend", "cupy").exit_code == 0
    assert len(epochs) == 3
    for counts in epochs:
        _, *transfers_and_synchronizations = zip(*counts, strict=True)
        assert all(len(set(one)) == 1 for one in transfers_and_synchronizations)
    for before, after in itertools.pairwise(epochs):
        assert after[0][1] - before[0][1] <= 2


def failing(monkeypatch: pytest.MonkeyPatch, meter: Meter, epoch: int, error: Exception) -> None:
    """Let the GPU fail with this exception in the middle of this epoch."""
    batches = train.batches

    def fail(*arguments: Any) -> Iterator[Any]:
        if arguments[-1] == epoch:
            meter.fail("launch", error, after=40)
        yield from batches(*arguments)

    monkeypatch.setattr(train, "batches", fail)


def test_a_fault_in_training_says_what_is_saved_and_it_can_be_resumed(
    events: Events, run: Run, cupy_standin: Meter, monkeypatch: pytest.MonkeyPatch
) -> None:
    uninterrupted = events(*TRAIN, "--keep", "last", "--backend", "numpy")[-1]
    failing(monkeypatch, cupy_standin, 3, CUBLASError("CUBLAS_STATUS_ALLOC_FAILED"))
    result = run(*TRAIN, "--quiet", "--keep", "last", "--backend", "cupy", "--save", "model.npz")
    told, error = result.stderr.splitlines()[-2:]
    assert result.exit_code == 1
    assert told.startswith("Continue after epoch 2 with: ")
    assert told.endswith("--resume model.npz")
    assert "the GPU has too little memory (CUBLAS_STATUS_ALLOC_FAILED; " in error
    resumed = events("train", *STROKES, "--resume", "model.npz", "--backend", "numpy")[-1]
    assert resumed["loss"] == pytest.approx(uninterrupted["loss"], rel=1e-4)


@pytest.mark.parametrize("epoch", [1, 2])
def test_a_fault_without_a_saved_state_says_so(
    epoch: int, run: Run, cupy_standin: Meter, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, cupy_standin, epoch, CUDARuntimeError("cudaErrorIllegalAddress: an illegal access"))
    result = run(*TRAIN, "--quiet", "--backend", "cupy", *(("--save", "model.npz") if epoch == 1 else ()))
    told, error = result.stderr.splitlines()[-2:]
    assert result.exit_code == 1
    assert told == ("Nothing is saved yet." if epoch == 1 else "This run is lost, because --save was not given.")
    assert "(cudaErrorIllegalAddress: an illegal access; " in error
    assert not Path("model.npz").exists()


def test_a_fault_in_any_command_is_one_sentence(model: None, refused: Refused, cupy_standin: Meter) -> None:
    cupy_standin.fail("upload", OutOfMemoryError("Out of memory allocating 47,040,000 bytes."))
    for name in ("evaluate", "predict", "baseline", "show wrong"):
        error = refused(1, *COMMANDS[name], "--backend", "cupy")
        assert "the GPU has too little memory (Out of memory allocating 47,040,000 bytes; " in error
        assert error.endswith(": use --backend numpy.")
