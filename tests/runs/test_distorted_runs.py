"""A run on distorted digits: every epoch distorts the originals, anew."""

from typing import Any

import numpy as np
import pytest

from tinygrad_mnist.arrays.backend import choose_backend
from tinygrad_mnist.datasets import augment
from tinygrad_mnist.datasets.digits import Digits
from tinygrad_mnist.runs import run
from tinygrad_mnist.runs.resume import Run
from tinygrad_mnist.runs.run import Parts
from tinygrad_mnist.runs.settings import RunSettings
from tinygrad_mnist.train import Settings


def test_every_epoch_distorts_the_originals_in_its_own_way(monkeypatch: pytest.MonkeyPatch) -> None:
    given, made, distort = list[Any](), list[Any](), augment.distort

    def watched(images: Any, *arguments: Any, **options: Any) -> Any:
        given.append(np.array(images))
        made.append(distort(images, *arguments, **options))
        return made[-1]

    monkeypatch.setattr(augment, "distort", watched)
    images = np.random.default_rng(0).integers(0, 256, (60, 28, 28), np.uint8)
    part = Digits.of(images, np.tile(np.array([3, 7], np.uint8), 30))
    settings = RunSettings(Settings(epochs=3, patience=3), augment=True)
    run.execute(Run(settings, (3, 7)), Parts(part, part, part), choose_backend("numpy"), lambda _: True, lambda _: None)
    assert len(given) == 3
    for again in given[1:]:
        np.testing.assert_array_equal(again, given[0])
    assert set(map(bytes, given[0])) <= set(map(bytes, images)), "they are the originals"
    assert not np.array_equal(made[0], made[1])
    assert not np.array_equal(made[1], made[2])
