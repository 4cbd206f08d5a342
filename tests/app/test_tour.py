"""The code blocks of the README run, and the shell completes commands, options and values."""

import re
import shlex
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.fixtures import Run
from tinygrad_mnist.app import main

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
FAILED_CHECK = 1
"""The exit code of a gradient check that found the planted bug."""


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def test_the_commands_of_the_tour_run(run: Run, few: tuple[str, ...], tmp_path: Path) -> None:
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    (tour,) = blocks("console")
    for line in tour.splitlines():
        assert line.startswith("$ python cli.py ")
        result = run(*shlex.split(line.removeprefix("$ python cli.py ")))
        assert result.exit_code == (FAILED_CHECK if "--plant" in line else 0), result.output


def test_the_photo_of_a_3_is_predicted_as_a_3(run: Run, tmp_path: Path) -> None:
    assert run("train", "--data", "strokes", "--seed", 1, "--save", "model.npz").exit_code == 0
    result = run("predict", "model.npz", ROOT / "docs" / "three.jpg")
    assert "digit     3" in result.stdout


COMPLETED = {"tr": "train", "train --pre": "--preset", "train --preset b": "best", "train --data s": "strokes"}


@pytest.mark.parametrize(("typed", "completed"), [*COMPLETED.items(), ("show w", "weights")])
def test_the_shell_completes_commands_options_and_values(typed: str, completed: str) -> None:
    words = f"tinygrad-mnist {typed}"
    request = {"COMP_WORDS": words, "COMP_CWORD": str(words.count(" ")), "_TINYGRAD_MNIST_COMPLETE": "bash_complete"}
    done = CliRunner(env=request).invoke(main, [], prog_name="tinygrad-mnist")
    assert f"plain,{completed}" in done.stdout.splitlines()
