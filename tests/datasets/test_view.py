"""The grays of other people's digits: paper becomes 0 and ink 255, whatever they were."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.datasets.conftest import Listener
from tinygrad_mnist.datasets import like_mnist, strokes
from tinygrad_mnist.datasets.digits import DataSet, Digits
from tinygrad_mnist.datasets.view import AS_MNIST, Scaling, scaling_of, view_of

Bytes = NDArray[np.uint8]
Change = Callable[[Bytes], Bytes]

LABELS = np.repeat(np.arange(10, dtype=np.uint8), 12)


@pytest.fixture(scope="module")
def drawn() -> Bytes:
    """Twelve images of each digit."""
    return np.concatenate([strokes.draw(digit, 12, np.random.default_rng(digit)) for digit in range(10)])


def data_set(images: Bytes) -> DataSet:
    digits = Digits.of(images, LABELS)
    return DataSet("mine", "mine", digits, digits)


CHANGES: dict[str, tuple[Change, Scaling, str]] = {
    "dark on light": (lambda x: 255 - x, Scaling(255, 0), "the digits are dark (0) on light paper (255)"),
    "0 and 1": (lambda x: (x > 127).astype(np.uint8), Scaling(0, 1), "the pixels are from 0 to 1,"),
    "0 to 16": (lambda x: np.rint(x / 255 * 16).astype(np.uint8), Scaling(0, 16), "the pixels are from 0 to 16,"),
    "gray paper": (lambda x: (180 - x // 2).astype(np.uint8), Scaling(180, 53), "dark (53) on light paper (180)"),
    "light on gray": (lambda x: (90 + x // 2).astype(np.uint8), Scaling(90, 217), "the pixels are from 90 to 217,"),
}


@pytest.mark.parametrize(("change", "scaling", "notice"), CHANGES.values(), ids=CHANGES)
def test_other_grays_are_found_converted_and_named(
    drawn: Bytes, change: Change, scaling: Scaling, notice: str, listener: Listener
) -> None:
    found = like_mnist(data_set(change(drawn)), listener)
    assert found.scaling == scaling
    assert [notice in text for text in listener.sentences] == [True]
    levels = abs(scaling.ink - scaling.paper)
    np.testing.assert_allclose(found.training.images.astype(int), drawn, atol=128 / levels if levels > 1 else 128)
    np.testing.assert_array_equal(found.training.images, found.test.images)


def test_images_like_mnists_are_left_as_they_are_even_if_some_are_pale(drawn: Bytes, listener: Listener) -> None:
    data = data_set(drawn)
    assert like_mnist(data, listener) is data
    pale = drawn.copy()
    pale[::10] //= 4
    assert scaling_of(pale) == AS_MNIST
    assert listener.sentences == []


def test_the_scaling_of_a_network_is_used_if_the_background_varies(listener: Listener) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (120, 28, 28), dtype=np.uint8)
    assert scaling_of(noise) is None
    found = like_mnist(data_set(noise), listener, Scaling(255, 0))
    np.testing.assert_array_equal(found.training.images, 255 - noise)


def test_images_of_one_gray_have_no_scaling() -> None:
    assert scaling_of(np.full((20, 8, 8), 77, np.uint8)) is None


def test_the_view_of_images_is_their_size_and_that_of_their_digits() -> None:
    images = np.zeros((3, 8, 6), np.uint8)
    assert view_of(images, AS_MNIST) == (8, 6, 8, 0, 255), "without ink, a digit fills the image"
    images[:, 2:6, 3] = 200
    assert view_of(images, Scaling(255, 0)) == (8, 6, 4, 255, 0)
