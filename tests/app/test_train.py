"""train: its report for people, its JSON for programs, and its errors."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures import Events, Refused, Run
from tinygrad_mnist.app import plots
from tinygrad_mnist.datasets import digits
from tinygrad_mnist.errors import CheckpointError, PlotError
from tinygrad_mnist.runs import checkpoint

ROOT = Path(__file__).parents[2]


def test_the_report_shows_the_settings_and_the_result(run: Run) -> None:
    result = run("train", "--data", "strokes", "--epochs", 3, "--seed", 1)
    for expected in (
        "digits drawn by this program",
        "3 or 7",
        "784-1, linear",
        "NumPy",
        "seed      1",
        "all epochs done",
    ):
        assert expected in result.stdout
    assert [line[:5] for line in result.stderr.splitlines()] == ["epoch", "    1", "    2", "    3"]


@pytest.mark.parametrize("words", [(), ("--digits", "0-9"), ("--optimizer", "momentum", "--augment")])
def test_the_report_fits_into_60_columns(words: tuple[object, ...], run: Run) -> None:
    output = run("train", "--data", "strokes", "--epochs", 3, "--save", "model.npz", *words).output
    assert max(len(line) for line in output.splitlines() if not line.startswith("The network is no better")) <= 60


@pytest.mark.parametrize("words", [("--digits", "0-2", "--loss", "mean"), ("--digits", "0-2"), ("--loss", "mean")])
def test_there_is_a_warning_about_the_mean_loss_only_for_more_than_two_digits(words: tuple[str, ...], run: Run) -> None:
    result = run("train", "--data", "strokes", "--epochs", 1, *words)
    assert ("try --loss cross-entropy" in result.stderr) == (len(words) == 4)


def test_quiet_prints_one_line(run: Run) -> None:
    result = run("train", "--data", "strokes", "--epochs", 3, "--quiet", "--seed", 4)
    assert len(result.output.splitlines()) == 1
    assert "test 9" in result.output
    assert "seed 4" in result.output


def test_the_json_events_are_a_start_the_epochs_and_a_result(events: Events) -> None:
    start, *epochs, result = events("train", "--data", "strokes", "--epochs", 3, "--patience", 3)
    assert start["event"] == "start"
    assert [epoch["epoch"] for epoch in epochs] == [1, 2, 3]
    assert result["digits"] == [3, 7]
    assert (result["data"], result["backend"], result["epochs"]) == ("strokes", "numpy", 3)
    assert result["valid_accuracy"] == max(epoch["valid_accuracy"] for epoch in epochs)
    assert result["loss"] in [epoch["loss"] for epoch in epochs]
    assert 0.8 < result["test_accuracy"] <= 1
    assert result["seconds"] > 0


def test_auto_reports_on_standard_error_why_it_draws_digits(run: Run) -> None:
    result = run("train", "--epochs", 1, "--quiet")
    assert "digits drawn by this program instead of MNIST" in result.stderr
    assert "cannot be downloaded" in result.stderr
    assert "instead" not in result.stdout


def test_the_seed_in_the_result_repeats_the_run(events: Events) -> None:
    words = ("train", "--data", "strokes", "--epochs", 2)
    first = events(*words)[-1]
    again = events(*words, "--seed", first["seed"])[-1]
    assert {**first, "seconds": 0} == {**again, "seconds": 0}


def test_options_reach_the_training(events: Events) -> None:
    start = events(
        *("train", "--data", "strokes", "--digits", "9,4", "--lr", 0.5, "--batch", 7),
        *("--epochs", 2, "--patience", 1, "--seed", 3, "--dtype", "float64", "--backend", "numpy"),
    )[0]
    expected = {"digits": [9, 4], "learning_rate": 0.5, "batch": 7, "epochs": 2, "patience": 1, "seed": 3}
    assert start.items() >= {**expected, "dtype": "float64", "backend": "numpy"}.items()


@pytest.mark.parametrize(
    ("words", "layers"),
    [
        (("--hidden", "30"), [784, 30, 1]),
        (("--hidden", "30,20", "--digits", "1,4-6"), [784, 30, 20, 4]),
        (("--hidden", "0", "--preset", "chapter"), [784, 1]),
        (("--preset", "chapter"), [784, 30, 1]),
        (("--preset", "best", "--epochs", 1), [784, 16, 64, 128, 1]),
    ],
)
def test_hidden_sets_the_sizes_of_the_layers(events: Events, words: tuple[object, ...], layers: list[int]) -> None:
    start, *_, result = events("train", "--data", "strokes", "--epochs", 1, *words, "--save", "model.npz")
    assert start["layers"] == layers
    measured = events("evaluate", "model.npz", "--data", "strokes")[-1]
    assert measured["accuracy"] == result["test_accuracy"]
    assert len(measured["confusion"]) == len(result["digits"])


def test_training_stops_when_patience_runs_out(events: Events) -> None:
    result = events("train", "--data", "strokes", "--lr", 1e-9, "--patience", 2, "--seed", 0)[-1]
    assert (result["epochs"], result["best_epoch"], result["stopped"]) == (3, 3, "no improvement")


@pytest.mark.parametrize("path", ["nowhere/model.npz", "."])
def test_an_unwritable_path_is_refused_before_training(refused: Refused, path: str) -> None:
    refused(1, "train", "--data", "strokes", "--save", path)
    assert not Path("data").exists()


def test_a_file_that_is_not_a_checkpoint_is_not_replaced(refused: Refused, run: Run) -> None:
    run("derivative", 3)  # changes to an empty folder
    contents = {"photo.jpg": b"\xff\xd8\xff\xe0 a picture", "data.npz": b"PK\3\4 another archive"}
    for name, content in contents.items():
        Path(name).write_bytes(content)
        assert "is not replaced" in refused(1, "train", "--data", "strokes", "--save", name)
        assert Path(name).read_bytes() == content
    assert not Path("data").exists()


def test_an_empty_file_and_a_checkpoint_are_replaced_and_keep_their_mode(run: Run) -> None:
    run("derivative", 3)
    path = Path("model.npz")
    path.touch()
    path.chmod(0o600)
    for _ in range(2):
        assert run("train", "--data", "strokes", "--epochs", 1, "--save", path).exit_code == 0
        assert path.stat().st_mode & 0o777 == 0o600
    path.write_bytes(path.read_bytes()[:2000])  # damaged, but still a checkpoint
    assert run("train", "--data", "strokes", "--epochs", 1, "--save", path).exit_code == 0
    path.chmod(0o444)
    before = path.read_bytes()
    assert "is read-only" in run("train", "--data", "strokes", "--epochs", 1, "--save", path).stderr
    assert path.read_bytes() == before


@pytest.mark.parametrize("mode", [(), ("--quiet",), ("--json",)])
def test_a_plot_that_fails_does_not_hide_the_result(
    mode: tuple[str, ...], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("matplotlib")

    def fail(*_: object) -> None:
        raise PlotError("the disk is full")

    monkeypatch.setattr(plots, "training_curve", fail)
    result = run("train", "--data", "strokes", "--epochs", 1, "--plot", "plot.png", *mode)
    assert result.exit_code == 1
    assert "test" in result.stdout
    assert result.stderr.splitlines()[-1] == "Error: the disk is full."
    if mode == ("--json",):
        last = json.loads(result.stdout.splitlines()[-1])
        assert (last["event"], last["plot"]) == ("result", None)


@pytest.mark.parametrize(("failures", "code"), [(2, 0), (100, 1)])
def test_a_save_that_fails_is_tried_again_and_does_not_hide_the_result(
    failures: int, code: int, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, epochs = checkpoint.save, list[int]()

    def fail_at_first(saved: checkpoint.Checkpoint) -> None:
        epochs.append(saved.state.epoch)
        if len(epochs) <= failures:
            raise CheckpointError(f"{saved.name} cannot be written: No space left on device.")
        original(saved)

    monkeypatch.setattr(checkpoint, "save", fail_at_first)
    # The steps are so small that every epoch is as good as the first, and is kept.
    words = ("--lr", 1e-30, "--epochs", 4, "--seed", 1, "--save", "model.npz", "--json")
    result = run("train", "--data", "strokes", *words)
    assert result.exit_code == code
    assert result.stderr.count("Warning: model.npz cannot be written") == 1
    last = json.loads(result.stdout.splitlines()[-1])
    assert (last["event"], last["saved"]) == ("result", None if code else "model.npz")
    assert len(epochs) == (5 if code else 4), "after every epoch, and once more at the end if it failed"
    assert Path("model.npz").exists() == (code == 0)
    if code:
        assert result.stderr.splitlines()[-1] == "Error: model.npz cannot be written: No space left on device."


def test_a_learning_rate_that_is_too_high_is_an_error_with_advice(run: Run) -> None:
    result = run("train", "--data", "strokes", "--lr", 1e40, "--seed", 0)
    assert result.exit_code == 1
    assert "the loss became nan" in result.stderr
    assert "lower --learning-rate" in result.stderr
    assert "Warning" not in result.output


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *[("--digits", value) for value in ("3", "3,3", "7-3", "3-", "3,x", "3,10", "", "-1,3", "\uff13,7")],
        *[("--learning-rate", value) for value in ("0", "-1", "nan", "fast")],
        *[(option, value) for option in ("--batch", "--epochs", "--patience") for value in ("0", "1.5", "")],
        *[("--seed", value) for value in ("-1", "x", str(2**63))],
        *[("--hidden", value) for value in ("-1", "3,", "x", "100001", "9" * 5000)],
        *[("--hold-out", value) for value in ("0", "1", "nan")],
        *[(option, "x") for option in ("--loss", "--optimizer", "--schedule", "--preset")],
        ("--dtype", "float16"),
        ("--backend", "torch"),
        ("--plot", "picture.jpg"),
    ],
)
def test_an_invalid_value_is_bad_usage(refused: Refused, option: str, value: str) -> None:
    sentence = refused(2, "train", "--data", "strokes", option, value)
    assert option in sentence or option[2:].replace("-", "_") in sentence
    assert len(sentence) < 200


def test_a_missing_folder_is_bad_data(refused: Refused) -> None:
    assert "nowhere is not a folder" in refused(1, "train", "--data", "nowhere")


def test_the_accuracy_on_3_and_7_of_mnist_is_at_least_98_percent(events: Events, shared_mnist: Path) -> None:
    result = events("train", "--data", shared_mnist, "--seed", 1)[-1]
    assert result["data"] == "mnist"
    assert result["test_accuracy"] >= 0.98


def test_a_data_set_larger_than_memory_is_never_copied(
    events: Events, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every method that copies the images is disabled for choosing digits, for holding some out and for training."""
    words = ("train", "--data", small, "--seed", 1, "--epochs", 2)
    expected = events(*words)[-1]
    monkeypatch.setattr(digits, "COPY_LIMIT", 1)
    monkeypatch.delattr(digits.Digits, "images")
    assert events(*words)[-1]["loss"] == expected["loss"]


def test_a_network_larger_than_memory_is_reported_in_one_sentence(
    refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_large(*_: object) -> None:
        raise MemoryError("Unable to allocate 74.5 GiB")

    monkeypatch.setattr("tinygrad_mnist.train.initial_state", too_large)
    result = refused(1, "train", "--data", "strokes", "--quiet")
    assert "this machine has too little memory (Unable to allocate 74.5 GiB): use small" in result


def test_a_plot_never_overwrites_the_network(refused: Refused, run: Run) -> None:
    pytest.importorskip("matplotlib")
    run("train", "--data", "strokes", "--epochs", 1, "--save", "model.png")
    before = Path("model.png").read_bytes()
    for words in (("train", "--save"), ("evaluate",), ("show", "weights"), ("show", "wrong")):
        assert "would overwrite" in refused(2, *words, "model.png", "--plot", "./model.png")
    assert Path("model.png").read_bytes() == before


def test_a_file_name_that_is_not_valid_text_is_accepted(small: Path, tmp_path: Path) -> None:
    name = os.fsdecode(b"m\xff.npz")
    words = [sys.executable, ROOT / "cli.py", "train", "--data", small, "--epochs", "1", "--save", name]
    strict = os.environ | {"PYTHONIOENCODING": "utf-8:strict"}
    done = subprocess.run(words, cwd=tmp_path, env=strict, capture_output=True, text=True)
    assert (done.returncode, "Traceback" in done.stderr) == (0, False)
    assert (tmp_path / name).exists()
