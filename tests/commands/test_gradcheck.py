"""gradcheck: a table for a person, checks for a program, and exit code 1 for a wrong derivative."""

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result

from tinygrad_mnist import planted
from tinygrad_mnist.passes import relu

Run = Callable[..., Result]
Events = Callable[..., list[dict[str, Any]]]
Refused = Callable[..., str]


def test_a_person_sees_each_pass_by_each_argument_and_that_all_is_well(run: Run) -> None:
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
        "sigmoid+loss",
        "cross-entropy",
        "line",
        "hidden",
        "two hidden",
    )
    assert all(any(row.startswith(f"{name:<14}") for row in rows) for name in names)
    assert len(rows) == 28
    assert "all passed" in result.stdout


def test_a_program_reads_every_check(events: Events) -> None:
    result = events("gradcheck")[-1]
    assert result["passed"] is True
    for check in result["checks"]:
        assert check.keys() >= {"name", "argument", "oracle", "error", "tolerance", "passed"}
        assert check["passed"] is True
        assert check["error"] <= check["tolerance"]


def test_a_planted_bug_exits_1_and_shows_the_pass_and_the_line(run: Run) -> None:
    result = run("gradcheck", "--plant", "wrong-sign")
    assert result.exit_code == 1
    assert "uphill" in result.stderr
    wrong = [line for line in result.stdout.splitlines() if line.endswith(" BAD")]
    assert [line.split()[:2] for line in wrong] == [["linear", "w"]]
    assert "WRONG: linear, dw" in result.stdout
    assert "dw = -x.T @ dz" in result.stdout
    assert "planted.py:" in result.stdout


def test_where_a_page_is_wrong_its_line_is_named_and_not_those_of_the_networks_made_of_it(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = relu.backward

    def backward(dh: Any, z: Any) -> Any:
        dz = -right(dh, z)
        return dz

    monkeypatch.setattr(relu, "backward", backward)
    result = run("gradcheck")
    assert result.exit_code == 1
    assert [line for line in result.stdout.splitlines() if line.startswith("WRONG")] == ["WRONG: relu, dz"]
    assert "dz = -right(dh, z)" in result.stdout
    assert "Wrong too, being chained from that: hidden, two hidden." in result.stdout


def test_where_the_chain_alone_is_wrong_the_networks_lines_are_named(run: Run) -> None:
    result = run("gradcheck", "--plant", "forgotten-pass")
    wrong = [line for line in result.stdout.splitlines() if line.startswith("WRONG")]
    assert wrong
    assert all(line.startswith("WRONG: two hidden, d") for line in wrong)
    assert "Wrong too" not in result.stdout


def test_no_line_of_the_table_is_wider_than_60_columns(run: Run) -> None:
    for words in ((), ("--plant", "float64-leak")):
        assert max(len(line) for line in run("gradcheck", *words).stdout.splitlines()) <= 60


def test_a_planted_bug_is_json_for_a_program(run: Run) -> None:
    result = run("gradcheck", "--plant", "no-bias", "--json")
    assert result.exit_code == 1
    assert '"passed": false' in result.stdout


def test_the_plants_are_listed(run: Run) -> None:
    lines = run("gradcheck", "--plant", "list").stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(planted.PLANTS)


def test_the_plants_are_listed_for_a_program(events: Events) -> None:
    (result,) = events("gradcheck", "--plant", "list")
    assert result["plants"] == {name: plant.says for name, plant in planted.PLANTS.items()}


def test_a_plant_that_is_not_there_is_bad_usage(refused: Refused) -> None:
    assert "--plant list" in refused(2, "gradcheck", "--plant", "weeds")


@pytest.mark.parametrize(("dtype", "oracles"), [("float32", {"float32"}), ("float64", {"differences", "complex step"})])
def test_one_type_alone_can_be_checked(events: Events, dtype: str, oracles: set[str]) -> None:
    found = {check["oracle"] for check in events("gradcheck", "--dtype", dtype)[-1]["checks"]}
    assert {oracle for oracle in found if "," not in oracle} - {"order"} == oracles
    assert {oracle.partition(", ")[2] for oracle in found if "," in oracle} == {dtype}


def test_another_seed_checks_at_other_numbers(events: Events) -> None:
    words = ("gradcheck", "--dtype", "float32", "--seed")
    errors = [[check["error"] for check in events(*words, seed)[-1]["checks"]] for seed in (0, 1, 1)]
    assert errors[0] != errors[1] == errors[2]
