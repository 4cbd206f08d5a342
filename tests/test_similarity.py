"""Pixel similarity: the book's figures on real MNIST."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tinygrad_mnist import baseline

Digits = dict[str, tuple[Any, Any]]
Ideals = tuple[Any, Any]
Close = Callable[[Any, Any, float], None]


@pytest.fixture(scope="module")
def ideals(real_digits: Digits) -> Ideals:
    """Return the ideal 3 and the ideal 7."""
    images, labels = real_digits["train"]
    return baseline.ideal(images[labels == 3]), baseline.ideal(images[labels == 7])


def test_mnist_has_as_many_threes_and_sevens_as_the_book_says(real_digits: Digits) -> None:
    counts = [int(np.sum(labels == digit)) for _, labels in real_digits.values() for digit in (3, 7)]
    assert counts == [6131, 6265, 1010, 1028]


@pytest.mark.parametrize(
    ("distance", "right"),
    [(baseline.l1, {3: 926, 7: 1013}), (baseline.squared, {3: 968, 7: 1001})],
)
def test_as_many_test_digits_are_named_right_as_in_the_book(
    distance: Callable[[Any, Any], Any], right: dict[int, int], real_digits: Digits, ideals: Ideals
) -> None:
    images, labels = real_digits["t10k"]
    for position, digit in enumerate((3, 7)):
        nearest = baseline.nearest([distance(images[labels == digit], ideal) for ideal in ideals])
        assert np.sum(nearest == position) == right[digit]


def test_the_books_three_is_as_far_from_both_ideals_as_it_says(real_digits: Digits, ideals: Ideals) -> None:
    three = real_digits["train"][0][10000:10001]
    l1 = [baseline.l1(three, ideal).item() for ideal in ideals]
    root_mean_square = [baseline.squared(three, ideal).item() ** 0.5 for ideal in ideals]
    assert l1 == pytest.approx([0.1114, 0.1586], rel=0, abs=5e-5)
    assert root_mean_square == pytest.approx([0.2021, 0.3021], rel=0, abs=5e-5)


def test_distances_of_small_images_are_as_computed_by_hand() -> None:
    images = np.array([[0, 255], [255, 255]], np.uint8)
    ideal = baseline.ideal(images)
    np.testing.assert_array_equal(ideal, [0.5, 1])
    np.testing.assert_array_equal(baseline.l1(images, ideal), [0.25, 0.25])
    np.testing.assert_array_equal(baseline.squared(images, ideal), [0.125, 0.125])


def test_of_equal_distances_the_first_is_nearest() -> None:
    np.testing.assert_array_equal(baseline.nearest([np.array([1.0, 2, 3]), np.array([1.0, 1, 4])]), [0, 1, 0])


def test_it_runs_on_another_device(on_device1: Callable[[Any], Any], close: Close) -> None:
    images = np.arange(12, dtype=np.uint8).reshape(3, 4)
    images1 = on_device1(images)
    for distance in (baseline.l1, baseline.squared):
        here, there = (distance(array, baseline.ideal(array)) for array in (images, images1))
        close(there, here, 1e-15)
        close(baseline.nearest([there, there]), np.zeros(3), 0)
