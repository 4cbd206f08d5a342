"""Interrupted by Ctrl-C or killed, and resumed: the training ends in the same way as an uninterrupted one."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result

from tinygrad_mnist.arrays.layers import Layer
from tinygrad_mnist.datasets import stroke_cache
from tinygrad_mnist.runs import checkpoint
from tinygrad_mnist.runs.checkpoint import Checkpoint
from tinygrad_mnist.runs.run import Watch
from tinygrad_mnist.train import TrainingState

Run = Callable[..., Result]
Events = Callable[..., list[dict[str, Any]]]
Refused = Callable[..., str]

ROOT = Path(__file__).parents[2]

LINEAR = ("--epochs", 30, "--patience", 6)
BEST = ("--preset", "best", "--hidden", 12, "--epochs", 6, "--digits", "1,4")
RESULTS = {"best_epoch", "loss", "valid_accuracy", "test_accuracy", "wrong", "stopped", "epochs", "digits", "seed"}


@pytest.fixture
def interrupted(run: Run, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Return a function that trains until an epoch has been shown, and then presses Ctrl-C."""
    original = Watch.__call__

    def invoke(number: int, *words: object) -> Result:
        def press_ctrl_c(self: Watch, state: TrainingState) -> None:
            original(self, state)
            if state.epoch == number:
                raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(Watch, "__call__", press_ctrl_c)
            return run(*words)

    return invoke


def content(name: str) -> tuple[list[bytes], str]:
    """Return the arrays of a checkpoint and the description of its training, bit for bit."""
    loaded = checkpoint.load(Path(name))
    assert loaded.training is not None
    layers = (*loaded.parameters, *(loaded.training.state.velocity or ()))
    return [array.tobytes() for layer in layers for array in layer], loaded.training.as_text()


@pytest.mark.parametrize("words", [LINEAR, BEST])
@pytest.mark.parametrize("number", [1, 2, 5])
def test_a_resumed_training_ends_bit_for_bit_like_an_uninterrupted_one(
    words: tuple[object, ...], number: int, interrupted: Callable[..., Result], events: Events
) -> None:
    words = ("train", "--data", "strokes", "--seed", 3, *words)
    uninterrupted = events(*words, "--save", "whole.npz")[-1]
    stopped = interrupted(number, *words, "--save", "part.npz")
    assert stopped.exit_code == 130
    resumed = events("train", "--data", "strokes", "--resume", "part.npz")[-1]
    assert {key: resumed[key] for key in RESULTS} == {key: uninterrupted[key] for key in RESULTS}
    assert content("part.npz") == content("whole.npz")


def test_ctrl_c_saves_and_reports_the_best_network_so_far(interrupted: Callable[..., Result], events: Events) -> None:
    words = ("train", "--data", "strokes", "--seed", 3, "--save", "model.npz")
    result = interrupted(2, *words)
    assert result.exit_code == 130
    assert "after epoch 2: interrupted" in result.stdout
    assert "saved     model.npz" in result.stdout
    assert "Traceback" not in result.output
    measured = events("evaluate", "model.npz", "--data", "strokes")[-1]
    assert f"test      {measured['accuracy']:.2%}"[:-1] in result.stdout


def test_the_json_result_says_that_training_was_interrupted(interrupted: Callable[..., Result]) -> None:
    result = interrupted(2, "train", "--data", "strokes", "--json")
    assert result.exit_code == 130
    assert '"event": "result"' in result.stdout.splitlines()[-1]
    assert '"stopped": "interrupted"' in result.stdout.splitlines()[-1]


def test_ctrl_c_before_the_first_epoch_has_ended_prints_one_word(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def press_ctrl_c(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tinygrad_mnist.train.evaluate", press_ctrl_c)
    result = run("train", "--data", "strokes", "--save", "model.npz", "-q")
    assert (result.exit_code, result.stdout) == (130, "")
    assert result.stderr.splitlines()[-1] == "Interrupted."
    assert not Path("model.npz").exists()


def test_a_resumed_training_is_saved_to_the_same_file_or_to_the_given_one(
    interrupted: Callable[..., Result], events: Events
) -> None:
    interrupted(1, "train", "--data", "strokes", "--seed", 3, "--save", "part.npz")
    before = Path("part.npz").read_bytes()
    resume = ("train", "--data", "strokes", "--resume", "part.npz")
    assert events(*resume, "--save", "other.npz")[-1]["saved"] == "other.npz"
    assert Path("part.npz").read_bytes() == before
    assert events(*resume)[-1]["saved"] == "part.npz"
    assert Path("part.npz").read_bytes() != before


def test_resuming_a_finished_training_repeats_its_result_or_adds_epochs(events: Events) -> None:
    words = ("train", "--data", "strokes", "--seed", 3, "--preset", "chapter")
    ended = events(*words, "--epochs", 3, "--save", "model.npz")[-1]
    again = events("train", "--data", "strokes", "--resume", "model.npz")[-1]
    assert {key: again[key] for key in RESULTS} == {key: ended[key] for key in RESULTS}
    longer = events("train", "--data", "strokes", "--resume", "model.npz", "--epochs", 5)[-1]
    at_once = events(*words, "--epochs", 5)[-1]
    assert {key: longer[key] for key in RESULTS} == {key: at_once[key] for key in RESULTS}


def test_a_finished_training_can_be_saved_to_a_different_file(events: Events) -> None:
    events("train", "--data", "strokes", "--seed", 3, "--epochs", 3, "--save", "model.npz")
    events("train", "--data", "strokes", "--resume", "model.npz", "--save", "copy.npz")
    assert content("copy.npz") == content("model.npz")


def test_an_impossible_number_of_epochs_is_refused(events: Events, refused: Refused) -> None:
    words = ("train", "--data", "strokes", "--epochs", 3, "--keep", "last")
    events(*words, "--save", "constant.npz")
    assert "already trained for 3 epochs" in refused(
        1, "train", "--data", "strokes", "--resume", "constant.npz", "--epochs", 2
    )
    events(*words, "--schedule", "cosine", "--save", "cosine.npz")
    assert "schedule" in refused(1, "train", "--data", "strokes", "--resume", "cosine.npz", "--epochs", 6)


def test_the_report_says_from_which_epoch_the_training_continues(interrupted: Callable[..., Result], run: Run) -> None:
    interrupted(2, "train", "--data", "strokes", "--seed", 3, "--save", "part.npz")
    result = run("train", "--data", "strokes", "--resume", "part.npz")
    assert "resumed   after epoch" in result.stdout
    assert max(len(line) for line in result.output.splitlines()) <= 60


@pytest.mark.parametrize(
    "words", [("--lr", 1), ("--digits", "4,9"), ("--seed", 1), ("--preset", "best"), ("--augment",)]
)
def test_an_option_that_would_change_the_training_is_bad_usage(refused: Refused, words: tuple[object, ...]) -> None:
    name = {"--lr": "--learning-rate"}.get(str(words[0]), str(words[0]))
    assert f"{name} cannot be changed" in refused(2, "train", "--resume", "model.npz", *words)


def test_digits_that_the_training_did_not_start_with_are_refused(
    events: Events, refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    events("train", "--data", "strokes", "--epochs", 1, "--save", "model.npz")
    monkeypatch.setattr(stroke_cache, "TRAINING", stroke_cache.TRAINING - 1)
    for file in Path("data/strokes").iterdir():
        file.unlink()
    assert "give the same --data" in refused(1, "train", "--data", "strokes", "--resume", "model.npz")


def test_a_network_without_its_training_is_refused(refused: Refused, run: Run) -> None:
    run("derivative", 3)  # changes to an empty folder
    layer = Layer(np.zeros((784, 1), np.float32), np.zeros(1, np.float32))
    checkpoint.save(Path("model.npz"), Checkpoint((layer,), (3, 7), 0))
    assert "holds a network but not its training" in refused(1, "train", "--data", "strokes", "--resume", "model.npz")


def test_a_missing_file_cannot_be_resumed(refused: Refused) -> None:
    assert "does not exist" in refused(1, "train", "--resume", "nothing.npz")


KILLED = """
import os, random, signal, sys, time
from pathlib import Path
import numpy as np
from tinygrad_mnist.runs import checkpoint
from tinygrad_mnist.runs.checkpoint import Checkpoint
from tinygrad_mnist.arrays.layers import Layer

path, moments = Path(sys.argv[1]), random.Random(0)

def save_forever(number, pipe):
    while True:
        layers = Layer(np.full((784, 100), number), np.zeros(100)), Layer(np.full((100, 1), number), np.zeros(1))
        checkpoint.save(path, Checkpoint(layers, (3, 7), int(number)))
        os.write(pipe, b"%d " % number)
        number += 1

reached = 0
for _ in range(100):
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        save_forever(float(reached + 1), writing)
    os.close(writing)
    first = os.read(reading, 100)
    time.sleep(moments.uniform(0, 0.02))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with os.fdopen(reading, "rb") as pipe:
        last = int((first + pipe.read()).split()[-1])
    found = checkpoint.load(path)
    reached = found.seed
    assert reached in (last, last + 1), (reached, last)
    assert all((layer.w == reached).all() for layer in found.parameters)
"""


def test_a_process_killed_while_saving_leaves_a_complete_file(tmp_path: Path) -> None:
    """SIGKILL at 100 random moments of saving leaves the old file or the new one, never a part of one.

    A process saves increasing numbers as weights in an endless loop, and reports each after it has saved it. After it
    was killed, the file must hold the last number that it reported, or the next one.
    """
    words = [sys.executable, "-c", KILLED, str(tmp_path / "model.npz")]
    subprocess.run(words, cwd=ROOT, check=True)
