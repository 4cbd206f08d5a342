"""Distortions: other hands, the same digits."""

import numpy as np
import pytest
from numpy.typing import NDArray

from tinygrad_mnist.datasets import augment, strokes

Images = NDArray[np.uint8]


@pytest.fixture(scope="module")
def threes() -> Images:
    return strokes.draw(3, 600, np.random.default_rng(0))


def distorted(images: Images, seed: int) -> Images:
    return augment.distort(images, np.random.default_rng(seed))


def test_the_same_seed_distorts_the_same_and_another_one_otherwise(threes: Images) -> None:
    first, again, other = (distorted(threes, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any(axis=(1, 2)).all()


def test_every_image_is_distorted_in_its_own_way(threes: Images) -> None:
    same = np.repeat(threes[:1], 50, axis=0)
    assert len(np.unique(distorted(same, 0), axis=0)) == 50


def test_shape_and_type_stay_and_the_originals_are_not_written_to(threes: Images) -> None:
    before = threes.copy()
    after = distorted(threes, 0)
    np.testing.assert_array_equal(threes, before)
    assert (after.shape, after.dtype) == (threes.shape, threes.dtype)


@pytest.mark.parametrize("count", [0, 1, augment.IMAGES_AT_ONCE + 1])
def test_any_number_of_images_can_be_distorted(count: int) -> None:
    assert distorted(np.full((count, 28, 28), 9, np.uint8), 0).shape == (count, 28, 28)


def test_ink_neither_comes_nor_goes_by_much(threes: Images) -> None:
    before, after = threes.sum(axis=(1, 2), dtype=float), distorted(threes, 0).sum(axis=(1, 2), dtype=float)
    assert np.mean(after / before) == pytest.approx(1, abs=0.05)
    assert np.std(after / before) < 0.25


def test_read_where_they_are_images_stay_as_they_are(threes: Images) -> None:
    still = np.zeros(threes.shape, np.float32)
    np.testing.assert_array_equal(augment.read_at(threes, still, still), threes)


@pytest.mark.parametrize(("dy", "dx"), [(1, 0), (0, 1), (-2, 3), (0, -1), (29, 0), (-40, 40)])
def test_read_a_whole_pixel_beside_images_are_shifted_and_paper_comes_in(threes: Images, dy: int, dx: int) -> None:
    aside = np.ones(threes.shape, np.float32)
    wide = np.pad(threes, ((0, 0), (40, 40), (40, 40)))
    expected = wide[:, 40 + dy : 68 + dy, 40 + dx : 68 + dx]
    np.testing.assert_array_equal(augment.read_at(threes, dy * aside, dx * aside), expected)


def test_between_pixels_images_are_read_linearly(threes: Images) -> None:
    half = np.full(threes.shape, 0.5, np.float32)
    mean = (threes[:, :, :-1].astype(int) + threes[:, :, 1:]) // 2
    np.testing.assert_allclose(augment.read_at(threes, 0 * half, half)[:, :, :-1], mean, atol=1)


def test_noise_has_spread_1_and_neighbours_alike() -> None:
    noise = augment.smooth_noise((2000, 28, 28), np.random.default_rng(0))
    assert np.std(noise) == pytest.approx(1, abs=0.05)
    neighbours = np.mean(noise[:, 14, 14] * noise[:, 14, 15])
    assert neighbours == pytest.approx(np.exp(-1 / (4 * augment.SMOOTH**2)), abs=0.1)
    assert abs(np.mean(noise[:, 2, 2] * noise[:, 25, 25])) < 0.1


def test_displacements_are_small_and_centred() -> None:
    for displacement in augment.displacements((2000, 28, 28), np.random.default_rng(0)):
        assert abs(np.mean(displacement)) < 0.1
        assert 0.5 < np.std(displacement[:, 14, 14]) < 3
        assert np.std(displacement[:, 0, 0]) > np.std(displacement[:, 14, 14]), "turning moves the edges most"
