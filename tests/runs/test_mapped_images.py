"""A run on images that are read from their file, because they are too large for memory."""

import os
from pathlib import Path

import numpy as np
import pytest

from tinygrad_mnist.arrays.backend import choose_backend
from tinygrad_mnist.datasets import digits as digits_module
from tinygrad_mnist.datasets import idx
from tinygrad_mnist.datasets.digits import Digits
from tinygrad_mnist.errors import DataError
from tinygrad_mnist.runs import run
from tinygrad_mnist.runs.resume import Run
from tinygrad_mnist.runs.run import Parts
from tinygrad_mnist.runs.settings import RunSettings
from tinygrad_mnist.train import Settings, TrainingState


def test_a_file_that_becomes_shorter_ends_the_run_before_the_next_epoch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(digits_module, "COPY_LIMIT", 0)
    path, labels = tmp_path / "images", np.tile(np.array([3, 7], np.uint8), 50)
    idx.write(path, np.random.default_rng(0).integers(0, 256, (100, 28, 28), np.uint8))
    part = Digits.of(idx.read(path), labels)
    epochs: list[int] = []

    def shorten(state: TrainingState) -> None:
        epochs.append(state.epoch)
        os.truncate(path, path.stat().st_size - 1)

    settings = RunSettings(Settings(epochs=5, patience=5))
    with pytest.raises(DataError, match="images became shorter while it was read"):
        run.execute(Run(settings, (3, 7)), Parts(part, part, part), choose_backend("numpy"), lambda _: True, shorten)
    assert epochs == [1]
