"""Fixtures that run commands in an empty folder, without downloads and with few strokes, and check the output."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from tests.fixtures import Run
from tinygrad_mnist.app import main
from tinygrad_mnist.datasets import folders, idx, mnist, strokes
from tinygrad_mnist.derivations import derivations
from tinygrad_mnist.proof import cases


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


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with MNIST's four files: drawn threes and sevens, 60 of each to train and 20 to test."""
    folder = tmp_path_factory.mktemp("small")
    for (images, labels), count in ((mnist.TRAINING, 60), (mnist.TEST, 20)):
        drawn = [strokes.draw(digit, count, np.random.default_rng((count, digit))) for digit in (3, 7)]
        idx.write(folder / images, np.concatenate(drawn))
        idx.write(folder / labels, np.repeat(np.array([3, 7], np.uint8), count))
    return folder


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """Let gradcheck check only a few of our functions and derivations, and return their names."""
    names, all_cases = ("square", "linear", "relu", "hidden"), cases.all_cases

    def chosen(seed: int = 0) -> dict[str, cases.Case]:
        return {name: case for name, case in all_cases(seed).items() if name in names}

    monkeypatch.setattr("tinygrad_mnist.app.gradcheck_command.all_cases", chosen)
    monkeypatch.setattr(derivations, "page_names", lambda: ["square", "linear"])
    return names
