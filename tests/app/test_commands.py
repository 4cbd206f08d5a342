"""evaluate, baseline and derivative, and the rules for all commands."""

import runpy
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from tests.fixtures import Events, Refused, Run
from tinygrad_mnist import __version__
from tinygrad_mnist.app import COMMANDS

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(run: Run, name: str) -> None:
    result = run(name, "--help")
    assert result.exit_code == 0
    assert "Example" in result.stdout
    assert f"python cli.py {name}" in result.stdout


def test_the_version_is_that_of_the_package(run: Run) -> None:
    assert __version__ in run("--version").stdout


def test_an_unknown_command_or_option_is_bad_usage(refused: Refused) -> None:
    assert "trian" in refused(2, "trian")
    assert "--epoch " in refused(2, "train", "--epoch ", "3")


def test_the_square_of_3_is_9_and_its_derivative_is_6(events: Events) -> None:
    result = events("derivative", 3)[-1]
    assert (result["x"], result["value"], result["gradient"]) == (3, 9, 6)
    assert result["finite_difference"] == pytest.approx(6, rel=1e-12)


@pytest.mark.parametrize("x", [-3, 0, "1e-8", "-1e140"])
def test_the_hand_derived_and_the_measured_derivative_agree(events: Events, x: object) -> None:
    result = events("derivative", x)[-1]
    assert result["gradient"] == 2 * float(str(x))
    assert result["finite_difference"] == pytest.approx(result["gradient"], rel=1e-9)


@pytest.mark.parametrize("x", ["three", "nan", "1e200", ""])
def test_an_x_whose_square_is_not_a_finite_number_is_bad_usage(refused: Refused, x: str) -> None:
    refused(2, "derivative", x)


def test_baseline_on_mnist_prints_the_books_figures(run: Run, events: Events, shared_mnist: Path) -> None:
    output = run("baseline", "--data", shared_mnist).stdout
    for figure in ("926/1010 = 0.9168", "1013/1028 = 0.9854", "0.9511", "968/1010", "1001/1028", "0.9661"):
        assert figure in output
    result = events("baseline", "--data", shared_mnist)[-1]
    assert result["l1"]["accuracy_per_digit"] == {"3": 926 / 1010, "7": 1013 / 1028}
    assert result["l1"]["accuracy"] == pytest.approx((926 / 1010 + 1013 / 1028) / 2)
    assert result["squared"]["accuracy_per_digit"] == {"3": 968 / 1010, "7": 1001 / 1028}


def test_the_confusion_matrix_counts_every_test_digit_once(run: Run, events: Events) -> None:
    run("train", "--data", "strokes", "--epochs", 2, "--save", "model.npz")
    result = events("evaluate", "model.npz", "--data", "strokes")[-1]
    table = np.array(result["confusion"])
    assert table.sum(axis=1).tolist() == [30, 30]
    assert result["accuracy"] == np.trace(table) / 60
    assert result["accuracy_per_digit"] == {"3": table[0, 0] / 30, "7": table[1, 1] / 30}
    output = run("evaluate", "model.npz", "--data", "strokes").stdout
    lines = output.splitlines()
    assert any(line.startswith("accuracy ") for line in lines)
    head = lines.index("true  predicted")
    assert lines[head + 1].split() == ["3", "7", "correct"]
    rows = [line.replace(".", "0", 1).split()[1:3] for line in lines[head + 2 :]]
    assert [[int(cell) for cell in row] for row in rows] == table.tolist()


def test_the_confusion_matrix_of_ten_digits_fits_into_60_columns(run: Run, events: Events) -> None:
    run("train", "--data", "strokes", "--digits", "0-9", "--epochs", 1, "--seed", 0, "--save", "model.npz")
    output = run("evaluate", "model.npz", "--data", "strokes").stdout
    assert max(map(len, output.splitlines())) <= 60
    table = events("evaluate", "model.npz", "--data", "strokes")[-1]["confusion"]
    rows = [line.split()[1:11] for line in output.splitlines()[-10:]]
    assert [[int(cell.replace(".", "0")) for cell in row] for row in rows] == table


def test_evaluate_refuses_a_file_that_is_not_a_trained_network(refused: Refused) -> None:
    Path("notes.txt").write_text("not a network")
    assert "notes.txt" in refused(1, "evaluate", "notes.txt")
    assert "missing.npz does not exist" in refused(1, "evaluate", "missing.npz")


@pytest.mark.parametrize("words", [("train", "--data", "x" * 300), ("train", "--data", "strokes", "--save", "x" * 300)])
def test_a_file_name_that_is_too_long_is_refused_in_one_sentence(refused: Refused, words: tuple[str, ...]) -> None:
    assert "File name too long" in refused(1, *words)


@pytest.mark.parametrize("words", [("derivative", "3"), ("--help",)])
def test_a_full_disk_under_standard_output_is_reported_in_one_sentence(words: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([sys.executable, "cli.py", *words], cwd=ROOT, stdout=full, stderr=-1, text=True)
    assert done.returncode != 0
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_interrupt_during_the_start_prints_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    class Importing(ModuleType):
        def __getattr__(self, _: str) -> None:
            raise KeyboardInterrupt

    monkeypatch.setitem(sys.modules, "tinygrad_mnist.app", Importing("tinygrad_mnist.app"))
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(ROOT / "cli.py"))
    assert ended.value.code == 130


@pytest.mark.parametrize("words", ["show >&-", "train --epochs 1 2>&-"])
def test_a_closed_stream_is_not_a_terminal(words: str, small: Path) -> None:
    line = f"exec '{sys.executable}' cli.py {words} --data '{small}'"
    done = subprocess.run(["/bin/sh", "-c", line], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_json_before_a_subcommand_of_data_is_bad_usage(refused: Refused) -> None:
    assert "--json must come after 'fetch'" in refused(2, "data", "--json", "fetch")


def test_training_imports_no_slow_or_optional_packages(shared_mnist: Path) -> None:
    code = (
        "import sys; from tinygrad_mnist.app import COMMANDS, main;"
        f"main(['train', '-q', '-e', '1', '--data', {str(shared_mnist)!r}], standalone_mode=False);"
        "print(sorted({'scipy', 'pooch', 'requests', 'matplotlib', 'PIL', 'cupy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
