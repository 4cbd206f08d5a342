"""gradcheck: the table for people, the reports for programs, and exit codes, for our functions and for somebody's."""

import inspect
from pathlib import Path

import pytest

from tests.fixtures import Events, Refused, Run
from tinygrad_mnist.passes import relu
from tinygrad_mnist.proof import planted

LAYER = '''
"""A layer of somebody's."""
import numpy as np


def forward(x, w):
    """z = x w for x (N, I) and w (I, O)."""
    return x @ w


def backward(dz, x, w):
    """Return dx and dw."""
    dx = dz @ w.T
    dw = x.T @ dz
    return dx, dw
'''


def test_the_table_has_a_row_for_each_gradient_and_fits_into_60_columns(run: Run, few: tuple[str, ...]) -> None:
    result = run("gradcheck")
    assert result.exit_code == 0
    rows = [line for line in result.stdout.splitlines() if line.endswith(" ok")]
    assert [row.split()[:2] for row in rows if row.startswith("linear")] == [["linear", d] for d in ("dx", "dw", "db")]
    assert all(any(row.startswith(name) for row in rows) for name in few)
    assert "all gradients are right" in result.stdout
    assert max(len(line) for line in result.stdout.splitlines()) <= 60


def test_the_json_result_has_every_report(events: Events, few: tuple[str, ...]) -> None:
    result = events("gradcheck", "--dtype", "float64", "--seed", 1)[-1]
    assert (result["verdict"], result["passed"]) == ("right", True)
    assert [report["name"] for report in result["reports"]] == list(few)
    assert all(report["verdict"] == "right" for report in result["reports"])


def test_a_planted_bug_exits_with_1_and_its_line_is_shown(run: Run, few: tuple[str, ...]) -> None:
    result = run("gradcheck", "--plant", "wrong-sign")
    assert result.exit_code == 1
    assert "uphill" in result.stderr
    assert "WRONG: linear, dw" in result.stdout
    assert "minus the measured gradient" in result.stdout
    assert "dw = -x.T @ dz" in result.stdout
    assert "linear.py:" in result.stdout
    assert max(len(line) for line in result.stdout.splitlines() if "=" not in line) <= 60


def test_if_a_pass_is_wrong_its_line_is_shown_but_not_those_of_the_networks(run: Run, few: tuple[str, ...]) -> None:
    line = inspect.getsource(relu.backward).rstrip().splitlines()[-2].strip()
    bug = planted.PlantedBug("passes.relu.backward", "The sign is wrong.", line, f"{line}\n    dz = -dz")
    with planted.planted(bug):
        result = run("gradcheck")
    assert result.exit_code == 1
    assert [line for line in result.stdout.splitlines() if line.startswith("WRONG")] == ["WRONG: relu, dz"]
    assert "dz = -dz" in result.stdout
    assert "Wrong as a result: hidden." in result.stdout


def test_the_planted_bugs_are_listed(run: Run, events: Events) -> None:
    lines = run("gradcheck", "--plant", "list").stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(planted.named_bugs())
    (result,) = events("gradcheck", "--plant", "list")
    assert result["plants"] == {name: bug.description for name, bug in planted.named_bugs().items()}


def test_an_unknown_bug_is_bad_usage(refused: Refused) -> None:
    assert "--plant list" in refused(2, "gradcheck", "--plant", "weeds")


@pytest.mark.parametrize(
    ("before", "after", "code", "said"),
    [
        ("", "", 0, "right"),
        ("x.T @ dz", "np.zeros(w.shape) + x.T @ dz", 0, "right"),
        ("x.T @ dz", "2 * x.T @ dz", 1, "2 times"),
        ("return x @ w", "return x @ w + np.random.default_rng().random()", 2, "something different in every call"),
    ],
)
def test_somebodys_file_is_right_wrong_or_inconclusive(run: Run, before: str, after: str, code: int, said: str) -> None:
    Path("mylayer.py").write_text(LAYER.replace(before, after) if before else LAYER)
    result = run("gradcheck", "mylayer.py")
    assert result.exit_code == code, result.output
    assert said in " ".join(result.stdout.split())


def test_functions_and_shapes_may_be_named(run: Run) -> None:
    Path("mylayer.py").write_text(LAYER.replace("ward(", "e(").replace("(N, I)", "").replace("(I, O)", ""))
    words = ("gradcheck", "mylayer.py", "--forward", "fore", "--backward", "backe")
    assert run(*words, "--shape", "x=5,4", "--shape", "w=4,3").exit_code == 0
    assert "--shape" in run(*words).stderr


@pytest.mark.parametrize(
    "words",
    [
        ("--shape", "x=5,4"),
        ("mylayer.py", "--shape", "x:5"),
        ("mylayer.py", "--plant", "wrong-sign"),
        ("mylayer.py", "--forward", "nothing"),
        ("empty.py",),
    ],
)
def test_what_cannot_be_checked_is_bad_usage(refused: Refused, words: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "mylayer.py").write_text(LAYER)
    (tmp_path / "empty.py").write_text("")
    refused(2, "gradcheck", *words)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("return dx, dw", "return dx", "backward returned an array of float64, and must return an array"),
        ("return dx, dw", "return None", "backward returned None"),
        ("(dz, x, w)", "(dz, x)", "backward raises TypeError for these arguments"),
        ("return x @ w", "return w @ x", "forward raises ValueError for these arguments"),
        ("return x @ w", "return x @ w, None", "forward returned an array of float64 and None, and must return arrays"),
    ],
)
def test_functions_that_cannot_be_called_are_bad_usage(refused: Refused, before: str, after: str, said: str) -> None:
    Path("mylayer.py").write_text(LAYER.replace(before, after))
    assert said in " ".join(refused(2, "gradcheck", "mylayer.py").split())
