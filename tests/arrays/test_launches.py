"""How often a training step starts work on a GPU. Small steps take as long as their launches, so these are counted."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.standin_cupy import Meter
from tinygrad_mnist import train
from tinygrad_mnist.arrays.backend import choose_backend
from tinygrad_mnist.arrays.examples import Examples
from tinygrad_mnist.train import Settings

LAUNCHES = {
    "a line": (Settings(), 1, 31),
    "784-300-10": (Settings(hidden=(300,), loss="cross-entropy"), 10, 50),
    "784-300-10 with momentum": (Settings(hidden=(300,), loss="cross-entropy", optimizer="momentum"), 10, 58),
}
"""For each network, its outputs and the launches of a step after the first: five or fewer are matrix products.

If one of these numbers grows, training on a GPU becomes slower by as much. If it shrinks, write down the new one.
"""


@pytest.mark.parametrize(("settings", "outputs", "launches"), LAUNCHES.values(), ids=LAUNCHES)
def test_a_step_launches_as_many_kernels_as_written_down_and_transfers_and_awaits_nothing(
    settings: Settings, outputs: int, launches: int, cupy_standin: Meter
) -> None:
    backend, rng = choose_backend("cupy"), np.random.default_rng(0)
    images, t = rng.integers(0, 256, (640, 784), dtype=np.uint8), rng.integers(0, 2, (640, outputs), dtype=np.uint8)
    examples = Examples(*map(backend.to_device, (images, np.arange(640), t)))
    counts: list[tuple[int, ...]] = []

    def watched(*arguments: Any) -> Iterator[Any]:
        for batch in train.batches(*arguments):
            counts.append(cupy_standin.counts)
            yield batch

    train.train(examples, examples, replace(settings, epochs=1, batch=64), draw=watched)
    assert np.diff(np.array(counts), axis=0)[1:].tolist() == [[launches, 0, 0, 0]] * 8
