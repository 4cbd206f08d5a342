"""Interrupted by Ctrl-C or killed, and resumed: the training ends in the same way as an uninterrupted one."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from tests.fixtures import Events, Refused, Run
from tinygrad_mnist.datasets import strokes
from tinygrad_mnist.runs.run import Run as Training
from tinygrad_mnist.train import TrainingState

LINEAR = ("--epochs", 30, "--patience", 6)
BEST = ("--preset", "best", "--hidden", 12, "--epochs", 6, "--digits", "1,4")
RESULTS = {"best_epoch", "loss", "valid_accuracy", "test_accuracy", "wrong", "stopped", "epochs", "digits", "seed"}


@pytest.fixture
def interrupted(run: Run, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Return a function that trains until an epoch has been shown, and then presses Ctrl-C."""
    original = Training.after_epoch

    def invoke(number: int, *words: object) -> Result:
        def press_ctrl_c(self: Training, state: TrainingState) -> None:
            original(self, state)
            if state.epoch == number:
                raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(Training, "after_epoch", press_ctrl_c)
            return run(*words)

    return invoke


@pytest.mark.parametrize(("words", "number"), [(LINEAR, 5), (BEST, 1), (BEST, 4)])
def test_a_resumed_training_ends_bit_for_bit_like_an_uninterrupted_one(
    words: tuple[object, ...], number: int, interrupted: Callable[..., Result], events: Events
) -> None:
    words = ("train", "--data", "strokes", "--seed", 3, *words)
    uninterrupted = events(*words, "--save", "whole.npz")[-1]
    stopped = interrupted(number, *words, "--save", "part.npz")
    assert stopped.exit_code == 130
    resumed = events("train", "--data", "strokes", "--resume", "part.npz")[-1]
    assert {key: resumed[key] for key in RESULTS} == {key: uninterrupted[key] for key in RESULTS}
    assert Path("part.npz").read_bytes() == Path("whole.npz").read_bytes()


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
    monkeypatch.setattr(strokes, "TRAINING", strokes.TRAINING - 1)
    for file in Path("data/strokes").iterdir():
        file.unlink()
    assert "give the same --data" in refused(1, "train", "--data", "strokes", "--resume", "model.npz")


@pytest.mark.parametrize(("words", "option"), [(("--save", "-"), "--save"), (("--resume", "-"), "--resume")])
def test_a_dash_is_not_a_file(words: tuple[str, ...], option: str, refused: Refused) -> None:
    assert option in refused(2, "train", "--data", "strokes", *words)
    assert list(Path().iterdir()) == []


def test_after_ctrl_c_the_program_says_how_to_continue(interrupted: Callable[..., Result]) -> None:
    words = ("train", "--data", "strokes", "--seed", 3)
    result = interrupted(2, *words, "--save", "my model.npz", "--json")
    assert result.stderr.splitlines()[-1].endswith("train --data strokes --resume 'my model.npz'")
    assert "Continue" not in result.stdout
    result = interrupted(2, *words, "--quiet")
    assert result.stderr.splitlines()[-1] == "This run is lost, because --save was not given."
