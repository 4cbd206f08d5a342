"""The example that people copy: it ends at the very numbers that training does, and runs as a program."""

import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinygrad_mnist import train
from tinygrad_mnist.arrays.examples import Examples
from tinygrad_mnist.datasets import strokes
from tinygrad_mnist.train import Settings

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "train_by_hand.py"

SETTINGS = Settings(epochs=5, patience=5)


def drawn_digits() -> tuple[Any, Any]:
    """Return images (N, 784) of bytes and targets (N, 1) of 3s and 7s that this project draws."""
    rng = np.random.default_rng(0)
    images = np.concatenate([strokes.draw(digit, 150, rng) for digit in (3, 7)])
    return images.reshape(300, 784), np.repeat([1, 0], 150)[:, np.newaxis].astype(np.uint8)


def assert_same_end(images: Any, t: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Check that the example and training print the same losses and end with the same parameters, bit for bit."""
    states: list[train.TrainingState] = []
    examples = Examples(images, np.arange(len(images)), t)
    train.train(examples, examples, SETTINGS, states.append)
    w, b = runpy.run_path(str(EXAMPLE))["train"](images.astype(np.float32), t.astype(np.float32))
    np.testing.assert_array_equal(w, states[-1].parameters[0].w)
    np.testing.assert_array_equal(b, states[-1].parameters[0].b)
    printed = [f"epoch {state.epoch}   loss {state.loss:.4f}" for state in states]
    assert capsys.readouterr().out.splitlines() == printed


def test_it_ends_at_the_numbers_of_training(capsys: pytest.CaptureFixture[str]) -> None:
    assert_same_end(*drawn_digits(), capsys)


def test_it_runs_as_a_program_and_classifies_98_percent_of_mnist(shared_mnist: Path, tmp_path: Path) -> None:
    environment = {"TINYGRAD_MNIST_DATA": str(shared_mnist), "PYTHONPATH": str(ROOT)}
    words = [sys.executable, str(EXAMPLE)]
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    *epochs, last = done.stdout.splitlines()
    assert len(epochs) == 5
    assert float(last.partition("%")[0]) > 97.5


def test_it_is_short() -> None:
    assert len(EXAMPLE.read_text().splitlines()) <= 45
