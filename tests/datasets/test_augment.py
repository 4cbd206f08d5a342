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
    before = threes.copy()
    first, again, other = (distorted(threes, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(threes, before)
    np.testing.assert_array_equal(first, again)
    assert (first != other).any(axis=(1, 2)).all()


def test_every_image_is_distorted_differently(threes: Images) -> None:
    same = np.repeat(threes[:1], 50, axis=0)
    assert len(np.unique(distorted(same, 0), axis=0)) == 50


@pytest.mark.parametrize("count", [0, 1, augment.IMAGES_AT_ONCE + 1])
def test_any_number_of_images_can_be_distorted(count: int) -> None:
    assert distorted(np.full((count, 28, 28), 9, np.uint8), 0).shape == (count, 28, 28)


def test_the_amount_of_ink_changes_little(threes: Images) -> None:
    before, after = threes.sum(axis=(1, 2), dtype=float), distorted(threes, 0).sum(axis=(1, 2), dtype=float)
    assert np.mean(after / before) == pytest.approx(1, abs=0.05)
    assert np.std(after / before) < 0.25


@pytest.mark.parametrize(("dy", "dx"), [(0, 0), (1, 0), (-2, 3), (0, -1), (29, 0), (-40, 40)])
def test_displacements_by_full_pixels_shift_images_and_fill_with_zeros(threes: Images, dy: int, dx: int) -> None:
    one = np.ones(threes.shape, np.float32)
    padded = np.pad(threes, ((0, 0), (40, 40), (40, 40)))
    expected = padded[:, 40 + dy : 68 + dy, 40 + dx : 68 + dx]
    np.testing.assert_array_equal(augment.resample(threes, dy * one, dx * one), expected)


def test_images_are_interpolated_linearly_between_pixels(threes: Images) -> None:
    half = np.full(threes.shape, 0.5, np.float32)
    mean = (threes[:, :, :-1].astype(int) + threes[:, :, 1:]) // 2
    np.testing.assert_allclose(augment.resample(threes, 0 * half, half)[:, :, :-1], mean, atol=1)


def test_noise_from_few_random_numbers_varies_and_is_similar_between_all_rows_as_white_noise_that_is_filtered() -> None:
    noise = augment.smooth_noise((4000, 20, 28), np.random.default_rng(1))
    positions = np.arange(20)
    filtered = np.exp(-0.5 * ((positions[:, None] - positions) / augment.SIGMA) ** 2)
    filtered /= np.linalg.norm(filtered, axis=1, keepdims=True)
    similarity = np.einsum("nij,nkj->ik", noise, noise) / (4000 * 28)
    np.testing.assert_allclose(similarity, filtered @ filtered.T, atol=0.05)


def test_displacements_are_small_and_centered() -> None:
    for displacement in augment.displacements((2000, 28, 28), np.random.default_rng(0)):
        assert abs(np.mean(displacement)) < 0.1
        assert 0.5 < np.std(displacement[:, 14, 14]) < 3
        assert np.std(displacement[:, 0, 0]) > np.std(displacement[:, 14, 14]), "a rotation moves the edges most"


def test_images_move_up_and_down_independently_of_how_they_move_sideways() -> None:
    dy, dx = augment.displacements((4000, 28, 28), np.random.default_rng(2))
    # The middle is not moved by rotations, slants and other sizes.
    down, right = dy[:, 13:15, 13:15].mean(axis=(1, 2)), dx[:, 13:15, 13:15].mean(axis=(1, 2))
    assert abs(np.corrcoef(down, right)[0, 1]) < 0.1
    assert np.std(down) == pytest.approx(np.hypot(augment.ELASTIC, augment.SHIFT), rel=0.1)


def tilts(images: Images) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return, for images of a cross, how many rows its level bar falls per column and its upright bar moves per row."""
    positions = np.arange(28) - 13.5
    near, apart = np.abs(positions) < 10, (np.abs(positions) > 4) & (np.abs(positions) < 10)
    slopes = []
    for ink in (images, images.swapaxes(1, 2)):
        arms = ink[:, near][:, :, apart].astype(float)
        along, across = positions[apart], positions[near]
        slopes.append(np.einsum("nij,i,j->n", arms, across, along) / np.einsum("nij,j->n", arms, along**2))
    return slopes[0], slopes[1]


@pytest.fixture(scope="module")
def crosses() -> Images:
    image = np.zeros((28, 28), np.uint8)
    image[13:15, :] = image[:, 13:15] = 255
    return distorted(np.repeat(image[None], 1500, axis=0), 3)


def test_crosses_are_turned_so_both_bars_tilt_together(crosses: Images) -> None:
    level, upright = tilts(crosses)
    # Only a rotation moves both, and in opposite directions. Without one, the covariance would be about 0.
    assert -1.3 < np.cov(level, upright)[0, 1] / augment.ANGLE**2 < -0.3


def test_crosses_are_slanted_so_the_upright_bar_tilts_more(crosses: Images) -> None:
    level, upright = tilts(crosses)
    assert np.var(upright) - np.var(level) == pytest.approx(augment.SLANT**2, rel=0.35)


def test_each_epoch_may_distort_the_same_originals(threes: Images) -> None:
    rng = np.random.default_rng(0)
    first, second = augment.distort(threes, rng), augment.distort(threes, rng)
    twice = augment.distort(first, np.random.default_rng(1))

    def distance(images: Images) -> float:
        return float(np.abs(images.astype(float) - threes).mean())

    assert distance(second) == pytest.approx(distance(first), rel=0.05)
    assert distance(twice) > 1.2 * distance(first)
