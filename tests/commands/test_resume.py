"""Ctrl-C, the plug pulled, and going on: a training that was interrupted ends as one that was not."""

import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result

from tinygrad_mnist import checkpoint
from tinygrad_mnist.checkpoint import Checkpoint
from tinygrad_mnist.network import Layer
from tinygrad_mnist.train import Epoch

Run = Callable[..., Result]
Events = Callable[..., list[dict[str, Any]]]
Refused = Callable[..., str]

ROOT = Path(__file__).parents[2]

LINE = ("--epochs", 30, "--patience", 6)
STRONG = ("--preset", "best", "--hidden", 12, "--epochs", 6, "--digits", "1,4")
LEARNED = {"best_epoch", "loss", "valid_accuracy", "test_accuracy", "wrong", "stopped", "epochs", "digits", "seed"}


@pytest.fixture
def interrupted(run: Run, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Train until an epoch has been shown, and press Ctrl-C then."""
    resume = import_module("tinygrad_mnist.commands.resume")
    original = resume.Watch.__call__

    def invoke(number: int, *words: object) -> Result:
        def pressing(self: Any, epoch: Epoch) -> None:
            original(self, epoch)
            if epoch.number == number:
                raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(resume.Watch, "__call__", pressing)
            return run(*words)

    return invoke


def same(one: Checkpoint, other: Checkpoint) -> bool:
    """Return whether two networks, and where their trainings stand, are the same, bit for bit."""
    assert one.progress is not None
    assert other.progress is not None
    layers = [
        [array.tobytes() for layer in (*kept.parameters, *(kept.progress.epoch.velocity or ())) for array in layer]
        for kept in (one, other)
        if kept.progress is not None
    ]
    return layers[0] == layers[1] and one.progress.as_text() == other.progress.as_text()


@pytest.mark.parametrize("words", [LINE, STRONG])
@pytest.mark.parametrize("number", [1, 2, 5])
def test_an_interrupted_and_resumed_run_ends_bit_for_bit_as_one_that_was_not(
    words: tuple[object, ...], number: int, interrupted: Callable[..., Result], events: Events
) -> None:
    words = ("train", "--data", "strokes", "--seed", 3, *words)
    whole = events(*words, "--save", "whole.npz")[-1]
    stopped = interrupted(number, *words, "--save", "part.npz")
    assert stopped.exit_code == 130
    resumed = events("train", "--data", "strokes", "--resume", "part.npz")[-1]
    assert {key: resumed[key] for key in LEARNED} == {key: whole[key] for key in LEARNED}
    assert same(checkpoint.load(Path("part.npz")), checkpoint.load(Path("whole.npz")))


def test_ctrl_c_ends_tidily_with_the_best_so_far(interrupted: Callable[..., Result], events: Events) -> None:
    words = ("train", "--data", "strokes", "--seed", 3, "--save", "model.npz")
    result = interrupted(2, *words)
    assert result.exit_code == 130
    assert "after epoch 2: interrupted" in result.stdout
    assert "saved     model.npz" in result.stdout
    assert "Traceback" not in result.output
    measured = events("evaluate", "model.npz", "--data", "strokes")[-1]
    assert f"test      {measured['accuracy']:.2%}"[:-1] in result.stdout


def test_a_program_reads_that_it_was_interrupted(interrupted: Callable[..., Result]) -> None:
    result = interrupted(2, "train", "--data", "strokes", "--json")
    assert result.exit_code == 130
    assert '"event": "result"' in result.stdout.splitlines()[-1]
    assert '"stopped": "interrupted"' in result.stdout.splitlines()[-1]


def test_ctrl_c_before_there_is_anything_is_one_word(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def pressed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tinygrad_mnist.train.measure", pressed)
    result = run("train", "--data", "strokes", "--save", "model.npz", "-q")
    assert (result.exit_code, result.stdout) == (130, "")
    assert result.stderr.splitlines()[-1] == "Interrupted."
    assert not Path("model.npz").exists()


def test_resuming_saves_to_the_same_file_or_to_another_one(interrupted: Callable[..., Result], events: Events) -> None:
    interrupted(1, "train", "--data", "strokes", "--seed", 3, "--save", "part.npz")
    before = Path("part.npz").read_bytes()
    resume = ("train", "--data", "strokes", "--resume", "part.npz")
    assert events(*resume, "--save", "other.npz")[-1]["saved"] == "other.npz"
    assert Path("part.npz").read_bytes() == before
    assert events(*resume)[-1]["saved"] == "part.npz"
    assert Path("part.npz").read_bytes() != before


def test_a_finished_training_has_the_same_end_again_and_more_epochs_go_on(events: Events) -> None:
    words = ("train", "--data", "strokes", "--seed", 3, "--preset", "chapter")
    ended = events(*words, "--epochs", 3, "--save", "model.npz")[-1]
    again = events("train", "--data", "strokes", "--resume", "model.npz")[-1]
    assert {key: again[key] for key in LEARNED} == {key: ended[key] for key in LEARNED}
    longer = events("train", "--data", "strokes", "--resume", "model.npz", "--epochs", 5)[-1]
    at_once = events(*words, "--epochs", 5)[-1]
    assert {key: longer[key] for key in LEARNED} == {key: at_once[key] for key in LEARNED}


def test_a_finished_training_is_kept_in_another_file_too(events: Events) -> None:
    events("train", "--data", "strokes", "--seed", 3, "--epochs", 3, "--save", "model.npz")
    events("train", "--data", "strokes", "--resume", "model.npz", "--save", "copy.npz")
    assert same(checkpoint.load(Path("copy.npz")), checkpoint.load(Path("model.npz")))


def test_epochs_that_the_file_cannot_go_on_to_are_refused(events: Events, refused: Refused) -> None:
    words = ("train", "--data", "strokes", "--epochs", 3, "--keep", "last")
    events(*words, "--save", "constant.npz")
    assert "done 3 epochs" in refused(1, "train", "--data", "strokes", "--resume", "constant.npz", "--epochs", 2)
    events(*words, "--schedule", "cosine", "--save", "cosine.npz")
    assert "schedule" in refused(1, "train", "--data", "strokes", "--resume", "cosine.npz", "--epochs", 6)


def test_a_person_is_told_where_it_goes_on(interrupted: Callable[..., Result], run: Run) -> None:
    interrupted(2, "train", "--data", "strokes", "--seed", 3, "--save", "part.npz")
    result = run("train", "--data", "strokes", "--resume", "part.npz")
    assert "resumed   after epoch" in result.stdout
    assert max(len(line) for line in result.output.splitlines()) <= 60


@pytest.mark.parametrize(
    "words", [("--lr", 1), ("--digits", "4,9"), ("--seed", 1), ("--preset", "best"), ("--augment",)]
)
def test_what_would_make_another_training_of_it_is_bad_usage(refused: Refused, words: tuple[object, ...]) -> None:
    name = {"--lr": "--learning-rate"}.get(str(words[0]), str(words[0]))
    assert f"{name} cannot be changed" in refused(2, "train", "--resume", "model.npz", *words)


def test_other_digits_than_it_was_begun_on_are_refused(events: Events, refused: Refused, tmp_path: Path) -> None:
    events("train", "--data", "strokes", "--epochs", 1, "--save", "model.npz")
    strokes = import_module("tinygrad_mnist.datasets.stroke_cache")
    strokes.TRAINING -= 1
    for file in Path("data/strokes").iterdir():
        file.unlink()
    assert "name the same --data" in refused(1, "train", "--data", "strokes", "--resume", "model.npz")


def test_a_network_without_its_training_is_refused(refused: Refused, run: Run) -> None:
    run("derivative", 3)  # goes to an empty folder
    layer = Layer(np.zeros((784, 1), np.float32), np.zeros(1, np.float32))
    checkpoint.save(Path("model.npz"), Checkpoint((layer,), (3, 7), 0))
    assert "without its training" in refused(1, "train", "--data", "strokes", "--resume", "model.npz")


def test_what_is_missing_cannot_be_resumed(refused: Refused) -> None:
    assert "does not exist" in refused(1, "train", "--resume", "nothing.npz")


KILLED = """
import os, random, signal, sys, time
from pathlib import Path
import numpy as np
from tinygrad_mnist import checkpoint
from tinygrad_mnist.checkpoint import Checkpoint
from tinygrad_mnist.network import Layer

path, moments = Path(sys.argv[1]), random.Random(0)

def save_without_end(number, said):
    while True:
        layers = Layer(np.full((784, 100), number), np.zeros(100)), Layer(np.full((100, 1), number), np.zeros(1))
        checkpoint.save(path, Checkpoint(layers, (3, 7), int(number)))
        os.write(said, b"%d " % number)
        number += 1

reached = 0
for _ in range(100):
    reading, said = os.pipe()
    child = os.fork()
    if child == 0:
        save_without_end(float(reached + 1), said)
    os.close(said)
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


def test_killed_a_hundred_times_while_saving_the_file_is_whole(tmp_path: Path) -> None:
    """SIGKILL at 100 random moments of saving: the file was the old one or the new one every time, and never a part.

    A process saves numbers as weights, one more each time, without end, and says each when it has been saved. What is
    found after it was killed is the last number that was said, or the one that it was about to say.
    """
    words = [sys.executable, "-c", KILLED, str(tmp_path / "model.npz")]
    subprocess.run(words, cwd=ROOT, check=True)
