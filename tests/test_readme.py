"""The README: its lines are those that CI runs, its programs run, and its links and its map are right."""

import re
import subprocess
from pathlib import Path

import pytest

from tinygrad_mnist.datasets import folders, strokes

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def shell_blocks() -> list[str]:
    return re.findall(r"```sh\n(.*?)```", README, flags=re.DOTALL)


def test_one_line_trains_and_one_tests() -> None:
    train, test = shell_blocks()
    assert train.endswith("python cli.py train\n")
    assert test.endswith("pytest -n auto --dist worksteal\n")
    assert all(block.count("\n") == 1 for block in (train, test))


def test_the_lines_name_files_that_exist() -> None:
    for name in re.findall(r"-r (\S+)", " ".join(shell_blocks())):
        assert (ROOT / name).is_file()


def test_ci_runs_the_test_line() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    extract = re.search(r"test_line=\$\((.*)\)", script)
    assert extract is not None
    found = subprocess.run(["/bin/sh", "-c", extract[1]], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout == shell_blocks()[1]


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README))))
def test_every_link_leads_to_a_file(target: str) -> None:
    assert (ROOT / target).exists()


def test_the_map_names_every_room() -> None:
    block = re.search(r"## The map\n\n```\n(.*?)```", README, flags=re.DOTALL)
    assert block is not None
    named = set(re.findall(r"[\w.]+(?:\.py|/)", block[1]))
    house = ROOT / "tinygrad_mnist"
    there = {path.name + "/" * path.is_dir() for path in house.iterdir() if path.is_dir() or path.suffix == ".py"}
    there = {name for name in there if not name.startswith("_")}
    assert there - named == set()
    assert named - there == {"cli.py", "docs/", "examples/", "tinygrad_mnist/", "tests/", "benchmarks/"}


@pytest.mark.parametrize("code", re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL))
@pytest.mark.filterwarnings("ignore:Using digits drawn")
def test_its_programs_run(code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "download-failed.txt").touch()  # so that nothing is downloaded
    monkeypatch.setenv(folders.VARIABLE, str(tmp_path))
    for name, count in (("TRAINING", 120), ("TEST", 30)):
        monkeypatch.setattr(strokes, name, count)
    exec(compile(code, "README.md", "exec"), {})  # noqa: S102 - the README is our own
