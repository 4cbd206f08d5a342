"""The parts of a section: figures that are compared with the book's, and plots."""

import numpy as np
import pytest

from tinygrad_mnist.chapter.section import HEIGHT, WIDTH, Figure, plot


@pytest.mark.parametrize(("here", "same"), [(0.43333, True), (0.43326, True), (0.43324, False), (0.4334, False)])
def test_a_comparable_figure_is_the_same_if_all_digits_that_the_book_prints_are(here: float, same: bool) -> None:
    assert Figure("loss", 0.4333, here).same is same
    assert not Figure("loss", 0.4333, here, comparable=False).same


def test_a_curve_ends_in_the_corners_of_its_plot() -> None:
    x = np.linspace(-3, 5, 100)
    image = plot("a line", [(x, 2 * x)]).image
    assert image.shape == (HEIGHT, WIDTH)
    assert image[HEIGHT - 1, 0] == image[0, WIDTH - 1] == 255
    assert image[0, 0] == image[HEIGHT - 1, WIDTH - 1] == 0
    assert np.all(image.max(axis=0) == 255)


def test_two_curves_have_the_same_scale() -> None:
    x = np.linspace(0, 1, 100)
    image = plot("two", [(x, x), (x, np.full(100, 3.0))]).image
    assert np.all(image[0] == 255)
    assert image[np.round((HEIGHT - 1) * 2 / 3).astype(int), WIDTH - 1] == 255
