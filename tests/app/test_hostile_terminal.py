"""Any locale, any terminal, any number: help and errors stay readable, complete and safe, in every command."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures import Run

ROOT = Path(__file__).parents[2]


def program(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run the program in a process of its own, in a folder and with additional environment variables."""
    command = [sys.executable, str(ROOT / "cli.py"), *words]
    return subprocess.run(command, cwd=folder, env={**os.environ, **environment}, capture_output=True, check=False)


@pytest.mark.parametrize("encoding", ["cp932", "ascii"])
def test_help_is_printed_in_every_encoding(encoding: str, tmp_path: Path) -> None:
    done = program(tmp_path, "derivative", "--help", PYTHONIOENCODING=encoding)
    assert done.returncode == 0
    assert b"Traceback" not in done.stderr
    assert b"Usage" in done.stdout


@pytest.mark.parametrize(
    "name", ["x\x1b]0;owned\x07.npz", "a\rb.npz", "line\nend.npz", "right\u202eleft.npz", "\x9b2J.npz"]
)
def test_control_characters_of_a_name_do_not_reach_the_terminal(name: str, run: Run) -> None:
    result = run("evaluate", name)
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert line.isprintable()


def test_a_name_that_is_not_text_is_shown_on_a_strict_stream(tmp_path: Path) -> None:
    done = program(tmp_path, "evaluate", os.fsdecode(b"m\xff.npz"), PYTHONIOENCODING="utf-8:strict")
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
    assert done.stderr.startswith(b"Error: ")


def test_it_runs_as_a_module_and_with_a_safe_path(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "tinygrad_mnist", "train", "--help"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "python -m tinygrad_mnist train --digits" in done.stdout
    assert program(tmp_path, "--version", PYTHONSAFEPATH="1").returncode == 0
