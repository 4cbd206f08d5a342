"""Fixtures that run commands in an empty folder, without downloads and with few strokes, and check the output."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tinygrad_mnist.app import main
from tinygrad_mnist.datasets import folders, mnist, strokes

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a function that runs a command, with its words as separate arguments."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(folders, "is_checkout", lambda: True)
    monkeypatch.delenv(folders.VARIABLE, raising=False)
    monkeypatch.setattr(mnist, "MIRRORS", ())
    monkeypatch.setattr(strokes, "TRAINING", 120)
    monkeypatch.setattr(strokes, "TEST", 30)

    def invoke(*words: object) -> Result:
        return CliRunner().invoke(main, [str(word) for word in words], prog_name="python cli.py")

    return invoke


@pytest.fixture
def events(run: Run) -> Callable[..., list[dict[str, Any]]]:
    """Return a function that runs a command with --json, and checks that its output is strict JSON, the result last."""

    def invoke(*words: object) -> list[dict[str, Any]]:
        result = run(*words, "--json")
        assert result.exit_code == 0, result.output
        objects = [json.loads(line, parse_constant=pytest.fail) for line in result.stdout.splitlines()]
        assert [one["event"] == "result" for one in objects] == [False] * (len(objects) - 1) + [True]
        return objects

    return invoke


@pytest.fixture
def refused(run: Run) -> Callable[..., str]:
    """Return a function that runs a command that must fail with this exit code and one sentence, which it returns."""

    def invoke(code: int, *words: object) -> str:
        result = run(*words)
        assert result.exit_code == code, result.output
        assert isinstance(result.exception, SystemExit)
        assert result.stdout == ""
        errors = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
        assert len(errors) == 1
        assert "Traceback" not in result.stderr
        return errors[0]

    return invoke
