"""Pixel similarity: the book's figures on real MNIST."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.fixtures import Close
from tinygrad_mnist import similarity

Digits = dict[str, tuple[Any, Any]]
Ideals = tuple[Any, Any]


@pytest.fixture(scope="module")
def ideals(real_digits: Digits) -> Ideals:
    """Return the ideal 3 and the ideal 7."""
    images, labels = real_digits["train"]
    return similarity.ideal(images[labels == 3]), similarity.ideal(images[labels == 7])


def test_mnist_has_the_books_numbers_of_threes_and_sevens(real_digits: Digits) -> None:
    counts = [int(np.sum(labels == digit)) for _, labels in real_digits.values() for digit in (3, 7)]
    assert counts == [6131, 6265, 1010, 1028]


@pytest.mark.parametrize(
    ("distance", "correct"),
    [(similarity.l1, {3: 926, 7: 1013}), (similarity.squared, {3: 968, 7: 1001})],
)
def test_the_books_numbers_of_test_digits_are_classified_correctly(
    distance: Callable[[Any, Any], Any], correct: dict[int, int], real_digits: Digits, ideals: Ideals
) -> None:
    images, labels = real_digits["t10k"]
    for position, digit in enumerate((3, 7)):
        nearest = similarity.nearest([distance(images[labels == digit], ideal) for ideal in ideals])
        assert np.sum(nearest == position) == correct[digit]


def test_the_books_three_has_its_distances_from_both_ideals(real_digits: Digits, ideals: Ideals) -> None:
    three = real_digits["train"][0][10000:10001]
    l1 = [similarity.l1(three, ideal).item() for ideal in ideals]
    root_mean_square = [similarity.squared(three, ideal).item() ** 0.5 for ideal in ideals]
    assert l1 == pytest.approx([0.1114, 0.1586], rel=0, abs=5e-5)
    assert root_mean_square == pytest.approx([0.2021, 0.3021], rel=0, abs=5e-5)


def test_distances_of_small_images_agree_with_those_computed_by_hand() -> None:
    images = np.array([[0, 255], [255, 255]], np.uint8)
    ideal = similarity.ideal(images)
    np.testing.assert_array_equal(ideal, [0.5, 1])
    np.testing.assert_array_equal(similarity.l1(images, ideal), [0.25, 0.25])
    np.testing.assert_array_equal(similarity.squared(images, ideal), [0.125, 0.125])


def test_the_first_of_equal_distances_is_the_nearest() -> None:
    np.testing.assert_array_equal(similarity.nearest([np.array([1.0, 2, 3]), np.array([1.0, 1, 4])]), [0, 1, 0])


def test_it_runs_on_a_different_device(on_device1: Callable[[Any], Any], close: Close) -> None:
    images = np.arange(12, dtype=np.uint8).reshape(3, 4)
    images1 = on_device1(images)
    for distance in (similarity.l1, similarity.squared):
        here, there = (distance(array, similarity.ideal(array)) for array in (images, images1))
        close(there, here, 1e-15)
        close(similarity.nearest([there, there]), np.zeros(3), 0)
