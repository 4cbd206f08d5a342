"""The grays of other people's digits: paper becomes 0 and ink 255, whatever they were."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from tinygrad_mnist import datasets
from tinygrad_mnist.datasets import strokes
from tinygrad_mnist.datasets.digits import DataSet, Digits
from tinygrad_mnist.datasets.likeness import like_mnist, unchanged
from tinygrad_mnist.datasets.scaling import AS_MNIST, Scaling, measured

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
def test_other_grays_are_found_converted_and_named(drawn: Bytes, change: Change, scaling: Scaling, notice: str) -> None:
    notices: list[str] = []
    found = like_mnist(data_set(change(drawn)), notices.append)
    assert found.scaling == scaling
    assert len(notices) == 1
    assert notice in notices[0]
    levels = abs(scaling.ink - scaling.paper)
    np.testing.assert_allclose(found.training.images.astype(int), drawn, atol=128 / levels if levels > 1 else 128)
    np.testing.assert_array_equal(found.training.images, found.test.images)


def test_images_like_mnists_are_left_as_they_are(drawn: Bytes) -> None:
    data = data_set(drawn)
    assert like_mnist(data, pytest.fail) is data


def test_the_scaling_of_a_network_is_used_if_the_background_varies() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (120, 28, 28), dtype=np.uint8)
    assert measured(noise) is None
    notices: list[str] = []
    found = like_mnist(data_set(noise), notices.append, Scaling(255, 0))
    np.testing.assert_array_equal(found.training.images, 255 - noise)
    assert unchanged(found, pytest.fail) is found


def test_images_of_one_gray_have_no_scaling() -> None:
    assert measured(np.full((20, 8, 8), 77, np.uint8)) is None


def test_paler_digits_do_not_set_the_ink(drawn: Bytes) -> None:
    pale = drawn.copy()
    pale[::10] //= 4
    assert measured(pale) == AS_MNIST


def test_transposed_digits_are_turned_upright_and_named(drawn: Bytes) -> None:
    notices: list[str] = []
    found = like_mnist(data_set(np.swapaxes(drawn, 1, 2).copy()), notices.append)
    np.testing.assert_array_equal(found.training.images, drawn)
    assert notices == ["In mine, the images are transposed, as EMNIST's are, so their rows and columns are exchanged."]


def test_upright_digits_of_few_kinds_are_not_turned(drawn: Bytes) -> None:
    for kinds in ((3, 7), (0, 8), (1,), (4, 9)):
        digits = Digits.of(drawn, LABELS).take(np.isin(LABELS, kinds))
        data = DataSet("mine", "mine", digits, digits)
        assert like_mnist(data, pytest.fail) is data


def test_images_too_many_for_memory_are_not_changed(drawn: Bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.digits, "CHANGE_LIMIT", 1000)
    with pytest.raises(datasets.DataError, match="too many to be held in memory"):
        like_mnist(data_set(255 - drawn), lambda _: None)


@pytest.mark.parametrize("shape", [(1, 1), (1, 28), (3, 3), (28, 28)])
def test_images_with_a_single_dot_are_not_turned(shape: tuple[int, int]) -> None:
    images = np.zeros((len(LABELS), *shape), np.uint8)
    images[:, 0, 0] = 255
    found = like_mnist(data_set(images), lambda _: None)
    assert found.training.images.shape == images.shape
