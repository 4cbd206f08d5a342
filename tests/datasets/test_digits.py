"""Digits and data sets: choosing, holding out, and copying. Held-out digits depend only on the seed."""

import numpy as np
import pytest
from numpy.typing import NDArray

from tinygrad_mnist.datasets import digits as digits_module
from tinygrad_mnist.datasets.digits import DataSet, Digits
from tinygrad_mnist.errors import DataError


def numbered(count: int) -> Digits:
    """Return digits whose first pixel is their position."""
    images = np.zeros((count, 28, 28), np.uint8)
    images[:, 0, 0] = np.arange(count)
    return Digits.of(images, (np.arange(count) % 10).astype(np.uint8))


def numbers(digits: Digits) -> NDArray[np.uint8]:
    return digits.images[:, 0, 0]


def test_a_sixth_is_held_out_and_no_digit_is_in_both_sets() -> None:
    training, held_out = numbered(120).hold_out(1 / 6, seed=5)
    assert len(held_out.labels) == 20
    assert sorted([*numbers(training), *numbers(held_out)]) == list(range(120))


def test_the_held_out_digits_depend_only_on_the_seed() -> None:
    held_out = [numbers(numbered(120).hold_out(1 / 6, seed)[1]) for seed in (5, 5, 6)]
    assert np.array_equal(held_out[0], held_out[1])
    assert not np.array_equal(held_out[0], held_out[2])


def test_images_keep_their_labels() -> None:
    for part in numbered(120).hold_out(1 / 6, seed=0):
        assert np.array_equal(numbers(part) % 10, part.labels)


def test_only_the_given_digits_are_left() -> None:
    threes_and_sevens = numbered(100).only((3, 7))
    assert set(threes_and_sevens.labels) == {3, 7}
    assert len(threes_and_sevens.labels) == 20
    assert threes_and_sevens.images.shape == (20, 28, 28)
    assert threes_and_sevens.pixels.shape == (100, 784)


def test_a_digit_without_images_is_named() -> None:
    digits = numbered(7)
    with pytest.raises(DataError, match="no image of digit 8"):
        DataSet("", "", digits, digits).only((3, 8))


def test_two_images_can_be_split_and_one_cannot() -> None:
    training, held_out = numbered(2).hold_out(1 / 6, seed=0)
    assert (len(training.labels), len(held_out.labels)) == (1, 1)
    with pytest.raises(DataError, match="single image"):
        numbered(1).hold_out(1 / 6, seed=0)


def test_choosing_digits_copies_no_image() -> None:
    digits = numbered(100)
    for chosen in (digits.only((3, 7)), *digits.hold_out(1 / 6, seed=0)):
        assert np.shares_memory(chosen.pixels, digits.source)


def test_small_digits_are_compacted_and_large_ones_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = numbered(100).only((3, 7))
    compact = chosen.compact()
    assert compact.source.shape == (20, 28, 28)
    assert np.array_equal(compact.images, chosen.images)
    assert np.array_equal(compact.labels, chosen.labels)
    monkeypatch.setattr(digits_module, "COPY_LIMIT", 20 * 784 - 1)
    assert chosen.compact() is chosen
