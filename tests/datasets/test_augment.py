"""Distortions: the same digits, as if written differently."""

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


def test_the_same_seed_repeats_the_distortions_and_a_different_seed_does_not(threes: Images) -> None:
    first, again, other = (distorted(threes, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any(axis=(1, 2)).all()


def test_every_image_is_distorted_differently(threes: Images) -> None:
    same = np.repeat(threes[:1], 50, axis=0)
    assert len(np.unique(distorted(same, 0), axis=0)) == 50


def test_shape_and_type_stay_and_the_originals_are_unchanged(threes: Images) -> None:
    before = threes.copy()
    after = distorted(threes, 0)
    np.testing.assert_array_equal(threes, before)
    assert (after.shape, after.dtype) == (threes.shape, threes.dtype)


@pytest.mark.parametrize("count", [0, 1, augment.IMAGES_AT_ONCE + 1])
def test_any_number_of_images_can_be_distorted(count: int) -> None:
    assert distorted(np.full((count, 28, 28), 9, np.uint8), 0).shape == (count, 28, 28)


def test_the_amount_of_ink_changes_little(threes: Images) -> None:
    before, after = threes.sum(axis=(1, 2), dtype=float), distorted(threes, 0).sum(axis=(1, 2), dtype=float)
    assert np.mean(after / before) == pytest.approx(1, abs=0.05)
    assert np.std(after / before) < 0.25


def test_without_displacement_images_stay_the_same(threes: Images) -> None:
    zero = np.zeros(threes.shape, np.float32)
    np.testing.assert_array_equal(augment.resample(threes, zero, zero), threes)


@pytest.mark.parametrize(("dy", "dx"), [(1, 0), (0, 1), (-2, 3), (0, -1), (29, 0), (-40, 40)])
def test_displacements_by_full_pixels_shift_images_and_fill_with_zeros(threes: Images, dy: int, dx: int) -> None:
    one = np.ones(threes.shape, np.float32)
    padded = np.pad(threes, ((0, 0), (40, 40), (40, 40)))
    expected = padded[:, 40 + dy : 68 + dy, 40 + dx : 68 + dx]
    np.testing.assert_array_equal(augment.resample(threes, dy * one, dx * one), expected)


def test_images_are_interpolated_linearly_between_pixels(threes: Images) -> None:
    half = np.full(threes.shape, 0.5, np.float32)
    mean = (threes[:, :, :-1].astype(int) + threes[:, :, 1:]) // 2
    np.testing.assert_allclose(augment.resample(threes, 0 * half, half)[:, :, :-1], mean, atol=1)


def test_noise_has_standard_deviation_1_and_similar_neighbors() -> None:
    noise = augment.smooth_noise((2000, 28, 28), np.random.default_rng(0))
    assert np.std(noise) == pytest.approx(1, abs=0.05)
    correlation = np.mean(noise[:, 14, 14] * noise[:, 14, 15])
    assert correlation == pytest.approx(np.exp(-1 / (4 * augment.SIGMA**2)), abs=0.1)
    assert abs(np.mean(noise[:, 2, 2] * noise[:, 25, 25])) < 0.1


def test_displacements_are_small_and_centered() -> None:
    for displacement in augment.displacements((2000, 28, 28), np.random.default_rng(0)):
        assert abs(np.mean(displacement)) < 0.1
        assert 0.5 < np.std(displacement[:, 14, 14]) < 3
        assert np.std(displacement[:, 0, 0]) > np.std(displacement[:, 14, 14]), "a rotation moves the edges most"
