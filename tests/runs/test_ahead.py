"""Distortions are prepared one epoch ahead on a GPU, and they are the same, bit for bit."""

import threading
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.standin_cupy import Meter
from tinygrad_mnist.arrays.backend import choose_backend, to_host
from tinygrad_mnist.arrays.examples import Examples
from tinygrad_mnist.datasets.digits import Digits
from tinygrad_mnist.runs import run
from tinygrad_mnist.runs.ahead import OneAhead
from tinygrad_mnist.train import Settings


def images_of(epoch: int) -> NDArray[np.uint8]:
    return np.random.default_rng(epoch).integers(0, 256, (3, 4), dtype=np.uint8)


@pytest.mark.parametrize("epochs", [(1, 2, 3), (5, 6), (3, 1, 2), (4, 4)])
def test_every_epoch_has_the_images_that_were_asked_for(epochs: tuple[int, ...]) -> None:
    ahead = OneAhead(images_of, last=6)
    for epoch in epochs:
        np.testing.assert_array_equal(ahead(epoch), images_of(epoch))


def test_the_next_epoch_is_prepared_meanwhile_but_none_after_the_last() -> None:
    prepared: list[int] = []
    second = threading.Event()

    def prepare(epoch: int) -> NDArray[np.uint8]:
        prepared.append(epoch)
        if epoch == 2:
            second.set()
        return images_of(epoch)

    ahead = OneAhead(prepare, last=2)
    ahead(1)
    assert second.wait(10), "the second epoch was not started while nobody asked for it"
    ahead(2)
    assert prepared == [1, 2]


def test_an_exception_reaches_the_one_who_asks() -> None:
    def prepare(epoch: int) -> Any:
        raise MemoryError(f"epoch {epoch}")

    with pytest.raises(MemoryError, match="epoch 1"):
        OneAhead(prepare, last=3)(1)


def test_a_gpu_trains_on_the_same_distorted_digits(cupy_standin: Meter) -> None:
    digits = Digits.of(np.random.default_rng(0).integers(0, 256, (20, 28, 28), dtype=np.uint8), np.arange(20) % 2)

    def epochs(name: str) -> list[Any]:
        backend = choose_backend(name)
        transform = run._distortion(digits, Settings(epochs=3, seed=4), backend)
        examples = run.examples(digits, (0, 1), backend)
        return [transform(examples, epoch) for epoch in (1, 2, 3)]

    for there, here in zip(epochs("cupy"), epochs("numpy"), strict=True):
        assert isinstance(there, Examples)
        for array1, array in zip(there, here, strict=True):
            np.testing.assert_array_equal(to_host(array1), array)
