"""gradcheck: the table for people, the checks for programs, and exit code 1 for a wrong derivative."""

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result

from tinygrad_mnist.passes import relu
from tinygrad_mnist.proof import planted

Run = Callable[..., Result]
Events = Callable[..., list[dict[str, Any]]]
Refused = Callable[..., str]


def test_the_table_has_a_row_for_each_gradient(run: Run) -> None:
    result = run("gradcheck")
    assert result.exit_code == 0
    rows = [line for line in result.stdout.splitlines() if line.endswith(" ok")]
    names = (
        "square",
        "linear",
        "linear 3x3",
        "first linear",
        "sigmoid",
        "relu",
        "mean loss",
        "soft mean",
        "sigmoid+loss",
        "cross-entropy",
        "soft entropy",
        "one layer",
        "MNIST",
        "hidden",
        "two hidden",
        "squared error",
        "softmax",
        "soft softmax",
        "tanh",
        "broadcast",
        "patches",
        "max pool",
        "layer norm",
        "batch norm",
    )
    assert all(any(row.startswith(f"{name:<14}") for row in rows) for name in names)
    assert len(rows) == 43
    assert "all passed" in result.stdout


def test_the_json_result_has_every_check(events: Events) -> None:
    result = events("gradcheck")[-1]
    assert result["passed"] is True
    for check in result["checks"]:
        assert check.keys() >= {"name", "argument", "oracle", "error", "tolerance", "passed"}
        assert check["passed"] is True
        assert check["error"] <= check["tolerance"]


def test_a_planted_bug_exits_with_1_and_its_line_is_shown(run: Run) -> None:
    result = run("gradcheck", "--plant", "wrong-sign")
    assert result.exit_code == 1
    assert "uphill" in result.stderr
    wrong = [line for line in result.stdout.splitlines() if line.endswith(" BAD")]
    assert [line.split()[:2] for line in wrong] == [["linear", "dw"]]
    assert "WRONG: linear, dw" in result.stdout
    assert "dw = -x.T @ dz" in result.stdout
    assert "planted.py:" in result.stdout


def test_if_a_pass_is_wrong_its_line_is_shown_but_not_those_of_the_networks(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    correct = relu.backward

    def backward(dh: Any, z: Any) -> Any:
        dz = -correct(dh, z)
        return dz

    monkeypatch.setattr(relu, "backward", backward)
    result = run("gradcheck")
    assert result.exit_code == 1
    assert [line for line in result.stdout.splitlines() if line.startswith("WRONG")] == ["WRONG: relu, dz"]
    assert "dz = -correct(dh, z)" in result.stdout
    assert "Wrong as a result: hidden, two hidden." in result.stdout


def test_if_only_the_chain_is_wrong_the_lines_of_the_network_are_shown(run: Run) -> None:
    result = run("gradcheck", "--plant", "forgotten-pass")
    wrong = [line for line in result.stdout.splitlines() if line.startswith("WRONG")]
    assert wrong
    assert all(line.startswith("WRONG: two hidden, d") for line in wrong)
    assert "Wrong as a result" not in result.stdout


def test_the_table_fits_into_60_columns(run: Run) -> None:
    for words in ((), ("--plant", "float64-leak")):
        assert max(len(line) for line in run("gradcheck", *words).stdout.splitlines()) <= 60


def test_a_planted_bug_is_reported_as_json(run: Run) -> None:
    result = run("gradcheck", "--plant", "no-bias", "--json")
    assert result.exit_code == 1
    assert '"passed": false' in result.stdout


def test_the_planted_bugs_are_listed(run: Run) -> None:
    lines = run("gradcheck", "--plant", "list").stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(planted.PLANTED_BUGS)


def test_the_planted_bugs_are_listed_as_json(events: Events) -> None:
    (result,) = events("gradcheck", "--plant", "list")
    assert result["plants"] == {name: bug.description for name, bug in planted.PLANTED_BUGS.items()}


def test_an_unknown_bug_is_bad_usage(refused: Refused) -> None:
    assert "--plant list" in refused(2, "gradcheck", "--plant", "weeds")


@pytest.mark.parametrize(("dtype", "oracles"), [("float32", {"float32"}), ("float64", {"differences", "complex step"})])
def test_a_single_dtype_can_be_checked(events: Events, dtype: str, oracles: set[str]) -> None:
    found = {check["oracle"] for check in events("gradcheck", "--dtype", dtype)[-1]["checks"]}
    assert {oracle for oracle in found if "," not in oracle} - {"order"} == oracles
    assert {oracle.partition(", ")[2] for oracle in found if "," in oracle} == {dtype}


def test_a_different_seed_draws_different_numbers(events: Events) -> None:
    words = ("gradcheck", "--dtype", "float32", "--seed")
    errors = [[check["error"] for check in events(*words, seed)[-1]["checks"]] for seed in (0, 1, 1)]
    assert errors[0] != errors[1] == errors[2]
