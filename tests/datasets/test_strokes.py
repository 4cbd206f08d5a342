"""Digits drawn by this program: they repeat with the seed, are placed as in MNIST, and are good for training."""

import numpy as np
import pytest
from numpy.typing import NDArray

from tinygrad_mnist import train
from tinygrad_mnist.arrays.examples import Examples
from tinygrad_mnist.datasets import strokes
from tinygrad_mnist.datasets.skeletons import SKELETONS
from tinygrad_mnist.train import Settings

Images = NDArray[np.uint8]

DIGITS = range(10)


def drawn(digit: int, count: int, seed: int = 0) -> Images:
    return strokes.draw(digit, count, np.random.default_rng(seed))


def threes_and_sevens(count: int, seed: int) -> Examples:
    """Return examples with count threes (t = 1) and count sevens (t = 0)."""
    return examples(drawn(3, count, seed), drawn(7, count, seed + 1))


def examples(threes: Images, sevens: Images) -> Examples:
    t = np.repeat(np.array([1, 0], np.float32), [len(threes), len(sevens)])[:, None]
    images = np.concatenate([threes, sevens]).reshape(-1, 28 * 28)
    return Examples(images, np.arange(len(images)), t)


@pytest.fixture(scope="module")
def trained() -> train.TrainingResult:
    return train.train(
        threes_and_sevens(5000, seed=10), threes_and_sevens(1000, seed=20), train.Settings(epochs=30, patience=5)
    )


def centers_of_mass(images: Images) -> NDArray[np.float64]:
    """Return the centers (N, 2) of the ink, as row and column."""
    ink, pixels = images.sum(axis=(1, 2)), np.arange(28)
    return np.stack([images.sum(axis=2) @ pixels / ink, images.sum(axis=1) @ pixels / ink], axis=1)


@pytest.mark.parametrize("digit", DIGITS)
def test_the_same_seed_gives_the_same_images(digit: int) -> None:
    np.testing.assert_array_equal(drawn(digit, 200, seed=3), drawn(digit, 200, seed=3))


@pytest.mark.parametrize("digit", DIGITS)
def test_no_two_images_are_the_same(digit: int) -> None:
    images = np.concatenate([drawn(digit, 200, seed=3), drawn(digit, 200, seed=4)])
    assert len(np.unique(images, axis=0)) == 400


def test_the_state_of_the_generator_changes() -> None:
    rng = np.random.default_rng(0)
    assert (strokes.draw(3, 5, rng) != strokes.draw(3, 5, rng)).any()


@pytest.mark.parametrize("count", [0, 1, strokes.IMAGES_AT_ONCE + 1, 500])
def test_the_number_of_images_is_the_count(count: int) -> None:
    images = drawn(7, count)
    assert images.shape == (count, 28, 28)
    assert images.dtype == np.uint8


@pytest.mark.parametrize("digit", DIGITS)
def test_every_image_fills_a_box_of_20_pixels(digit: int) -> None:
    images = drawn(digit, 500)
    sides = np.stack([extent(images.max(axis=2)), extent(images.max(axis=1))])
    assert sides.max() == strokes.BOX
    assert sides.max(axis=0).min() >= strokes.BOX - 1


def extent(profiles: Images) -> NDArray[np.int64]:
    """Return the number of pixels from the first with ink to the last, both included, in each row of (N, 28)."""
    inked = profiles > 0
    sizes: NDArray[np.int64] = 28 - inked.argmax(axis=1) - inked[:, ::-1].argmax(axis=1)
    return sizes


@pytest.mark.parametrize("digit", DIGITS)
def test_the_center_of_mass_is_at_pixel_14_as_in_mnist(digit: int) -> None:
    distance = np.abs(centers_of_mass(drawn(digit, 500)) - 14)
    assert distance.mean() < 0.35
    assert np.quantile(distance, 0.99) <= 0.5, "moving by full pixels leaves at most half a pixel"


def test_a_box_stays_inside_the_image() -> None:
    boxes = np.zeros((1, 20, 20), np.uint8)
    boxes[0, 0, 0] = 255
    assert strokes.center(boxes)[0, 8, 8] == 255


@pytest.mark.parametrize("digit", DIGITS)
def test_every_image_has_ink_gray_edges_and_background(digit: int) -> None:
    images = drawn(digit, 500).reshape(500, -1)
    assert images.max(axis=1).min() > 150
    assert ((images > 0) & (images < 255)).sum(axis=1).min() > 10
    assert (images == 0).mean(axis=1).min() > 0.4
    assert 0.05 < images.mean() / 255 < 0.2


@pytest.mark.parametrize("digit", DIGITS)
def test_points_of_a_path_are_close_within_each_stroke(digit: int) -> None:
    for skeleton in SKELETONS[digit]:
        gaps = np.linalg.norm(np.diff(strokes.trace(skeleton), axis=0), axis=1)
        assert (gaps > strokes.SPACING + 1e-9).sum() <= len(skeleton.strokes) - 1


def test_a_stroke_of_two_points_is_straight_and_a_ring_has_no_corner() -> None:
    line = strokes.trace(SKELETONS[1][0])
    np.testing.assert_allclose(line[:, 0], 0.3)
    ring = strokes.trace(SKELETONS[0][0])
    np.testing.assert_allclose(ring[0], ring[-1], atol=1e-12)
    first, last = ring[1] - ring[0], ring[-1] - ring[-2]
    assert first @ last / np.linalg.norm(first) / np.linalg.norm(last) > 0.95


@pytest.mark.parametrize("digit", [-1, 10])
def test_a_number_that_is_not_a_digit_is_refused(digit: int) -> None:
    with pytest.raises(ValueError, match=f"from 0 to 9, not {digit}"):
        drawn(digit, 1)


def test_a_negative_count_is_refused() -> None:
    with pytest.raises(ValueError, match="negative, but it is -1"):
        drawn(3, -1)


def test_a_linear_model_learns_most_drawn_digits_but_not_all(trained: train.TrainingResult) -> None:
    _, accuracy = train.evaluate(trained.best.parameters, threes_and_sevens(2000, seed=30), Settings())
    assert 0.975 < accuracy < 0.999


def test_a_model_trained_on_drawn_digits_recognizes_handwritten_digits(
    trained: train.TrainingResult, real_digits: dict[str, tuple[Images, Images]]
) -> None:
    images, labels = real_digits["t10k"]
    real = examples(images[labels == 3], images[labels == 7])
    _, accuracy = train.evaluate(trained.best.parameters, real, Settings())
    assert accuracy >= 0.95
