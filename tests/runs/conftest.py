"""A small data set, and a training on it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tinygrad_mnist.arrays.backend import choose_backend
from tinygrad_mnist.datasets.digits import DataSet, Digits
from tinygrad_mnist.datasets.progress import Progress
from tinygrad_mnist.runs import checkpoint, resume
from tinygrad_mnist.runs.checkpoint import Checkpoint
from tinygrad_mnist.runs.run import Run, execute, split
from tinygrad_mnist.train import Settings

CPU = choose_backend("numpy")


@pytest.fixture(scope="session")
def data() -> DataSet:
    """Return 60 random images of 6 by 6 pixels."""
    images = np.random.default_rng(0).integers(0, 256, (60, 6, 6), dtype=np.uint8)
    digits = Digits.of(images, np.tile(np.array([3, 7], np.uint8), 30))
    return DataSet("random", "random", digits, digits)


@pytest.fixture(scope="session", params=["sgd", "momentum"])
def trained(request: pytest.FixtureRequest, data: DataSet) -> Checkpoint:
    """Return the checkpoint of a training of two epochs, with limits that it does not look at."""
    settings = Settings(hidden=(4,), optimizer=request.param, learning_rate=0.1, epochs=2, seed=7, keep="last")
    run = Run(resume.new(settings, (3, 7), data, CPU.description), Progress())
    execute(run, split(settings, data), CPU)
    return replace(run.kept, limits={"least": np.array(0.5), "known": np.eye(3, dtype=np.uint8)})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a path for a checkpoint, in an empty folder."""
    return tmp_path / "network.npz"


@pytest.fixture
def saved(trained: Checkpoint, path: Path) -> Path:
    """Return a file with the checkpoint."""
    checkpoint.save(replace(trained, path=path))
    return path
