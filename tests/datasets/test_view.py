"""Images of other sizes than MNIST's: pictures are prepared as large as the digits that a network was trained on."""

import numpy as np
import pytest
from numpy.typing import NDArray

from tinygrad_mnist.datasets import strokes, view
from tinygrad_mnist.datasets.digits import DataSet, Digits
from tinygrad_mnist.datasets.scaling import AS_MNIST, Scaling
from tinygrad_mnist.datasets.view import View

pytest.importorskip("PIL.Image")

DIGITS = strokes.draw(3, 20, np.random.default_rng(0))


def extents(image: NDArray[np.uint8]) -> tuple[int, int]:
    rows, columns = (np.flatnonzero((image >= view.INK).any(axis=axis)) for axis in (1, 0))
    return int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1


def of(images: NDArray[np.uint8], scaling: Scaling = AS_MNIST) -> View:
    digits = Digits.of(images, np.full(len(images), 3, np.uint8))
    return view.of(DataSet("mine", "mine", digits, digits, scaling))


def test_the_view_of_a_data_set_is_measured() -> None:
    seen = of(DIGITS, Scaling(255, 0))
    assert (seen.shape, seen.scaling) == ((28, 28), Scaling(255, 0))
    assert seen.box == np.median([max(extents(image)) for image in DIGITS])
    assert of(np.pad(DIGITS, [(0, 0), (2, 2), (10, 2)])).shape == (32, 40)


def test_the_view_of_black_images_is_the_whole_image() -> None:
    assert of(np.zeros((3, 8, 6), np.uint8)).box == 8


@pytest.mark.parametrize(("height", "width", "box"), [(8, 8, 8), (16, 16, 14), (32, 32, 22), (20, 12, 12)])
def test_a_digit_becomes_as_large_as_those_of_the_data_set(height: int, width: int, box: int) -> None:
    for image in DIGITS[:5]:
        fitted = View(height, width, box, 0, 255).fitted(image)
        assert fitted.shape == (height, width)
        assert abs(max(extents(fitted)) - min(box, height)) <= 1 + (width < box)
        assert fitted.max() > 230
        middle = np.array([(fitted.sum(axis=axis) * np.arange(fitted.shape[1 - axis])).sum() for axis in (1, 0)])
        center = middle / fitted.sum()
        assert np.all(np.abs(center - (np.array(fitted.shape) - 1) / 2) <= 1.5)


def test_images_like_mnists_stay_as_they_are() -> None:
    image = DIGITS[0]
    assert View(28, 28, 20, 0, 255).fitted(image) is image


def test_a_picture_of_the_size_of_the_training_images_may_be_one_of_them() -> None:
    seen = View(8, 8, 8, 255, 0)
    small = np.full((8, 8), 255.0)
    small[2:6, 3:5] = 0
    ready = seen.as_it_is(small)
    assert ready is not None
    np.testing.assert_array_equal(ready, np.where(small == 0, 255, 0))
    assert seen.as_it_is(np.zeros((9, 8))) is None
    assert View(28, 28, 20, 0, 255).as_it_is(np.zeros((28, 28))) is None
