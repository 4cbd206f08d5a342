"""Pictures are prepared as large as the digits that a network was trained on."""

import numpy as np
import pytest

from tinygrad_mnist.datasets import strokes
from tinygrad_mnist.datasets.view import INKED, View
from tinygrad_mnist.photos.preparation import as_it_is, fitted

DIGITS = strokes.draw(3, 20, np.random.default_rng(0))


@pytest.mark.parametrize(("height", "width", "box"), [(8, 8, 8), (16, 16, 14), (32, 32, 22), (20, 12, 12)])
def test_a_digit_becomes_as_large_as_those_of_the_data_set(height: int, width: int, box: int) -> None:
    for digit in DIGITS[:5]:
        image = fitted(digit, View(height, width, box, 0, 255))
        assert image.shape == (height, width)
        extents = [np.ptp(np.flatnonzero((image >= INKED).any(axis=axis))) + 1 for axis in (1, 0)]
        assert abs(max(extents) - min(box, height)) <= 1 + (width < box)
        assert image.max() > 230
        middle = np.array([(image.sum(axis=axis) * np.arange(image.shape[1 - axis])).sum() for axis in (1, 0)])
        assert np.all(np.abs(middle / image.sum() - (np.array(image.shape) - 1) / 2) <= 1.5)


def test_images_like_mnists_stay_as_they_are() -> None:
    image = DIGITS[0]
    assert fitted(image, View(28, 28, 20, 0, 255)) is image


def test_a_picture_of_the_size_of_the_training_images_may_be_one_of_them() -> None:
    view = View(8, 8, 8, 255, 0)
    small = np.full((8, 8), 255.0)
    small[2:6, 3:5] = 0
    ready = as_it_is(small, view)
    assert ready is not None
    np.testing.assert_array_equal(ready, np.where(small == 0, 255, 0))
    assert as_it_is(np.zeros((9, 8)), view) is None
    assert as_it_is(np.zeros((28, 28)), View(28, 28, 20, 0, 255)) is None
