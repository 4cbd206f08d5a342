"""The README's lines are what CI runs, and what it says about the code is there."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def shell_blocks() -> list[str]:
    return re.findall(r"```sh\n(.*?)```", README, flags=re.DOTALL)


def test_there_is_one_line_that_trains_and_one_that_tests() -> None:
    train, test = shell_blocks()
    assert train.endswith("python cli.py train\n")
    assert test.endswith("pytest -n auto\n")
    assert all(block.count("\n") == 1 for block in (train, test))


def test_the_lines_name_files_that_are_there() -> None:
    for name in re.findall(r"-r (\S+)", " ".join(shell_blocks())):
        assert (ROOT / name).is_file()


def test_ci_calls_the_test_line_itself() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    extract = re.search(r"test_line=\$\((.*)\)", script)
    assert extract is not None
    said = subprocess.run(["/bin/sh", "-c", extract[1]], cwd=ROOT, capture_output=True, text=True, check=True)
    assert said.stdout == shell_blocks()[1]


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README))))
def test_every_link_leads_somewhere(target: str) -> None:
    assert (ROOT / target).exists()


def test_the_map_names_what_is_in_the_house() -> None:
    block = re.search(r"## The map\n\n```\n(.*?)```", README, flags=re.DOTALL)
    assert block is not None
    named = set(re.findall(r"[\w.]+(?:\.py|/)", block[1]))
    house = ROOT / "tinygrad_mnist"
    there = {path.name + "/" * path.is_dir() for path in house.iterdir() if not path.name.startswith("_")}
    assert there - named == set()
    assert named - there == {"cli.py", "tinygrad_mnist/", "tests/"}
