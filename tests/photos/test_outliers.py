"""What is not sure: pictures that look like no training digit, and what a checkpoint remembers to tell."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tinygrad_mnist.arrays.layers import Layer
from tinygrad_mnist.datasets import strokes, view
from tinygrad_mnist.datasets.digits import DataSet, Digits
from tinygrad_mnist.datasets.scaling import Scaling
from tinygrad_mnist.errors import CheckpointError
from tinygrad_mnist.networks import dense
from tinygrad_mnist.photos import directions, outliers
from tinygrad_mnist.photos.directions import COLUMNS, described
from tinygrad_mnist.photos.doubt import measuring
from tinygrad_mnist.photos.outliers import FEWEST, Outliers
from tinygrad_mnist.runs import checkpoint
from tinygrad_mnist.runs.checkpoint import Checkpoint

Bytes = NDArray[np.uint8]

DIGITS = (3, 7)


def drawn(digits: tuple[int, ...], count: int, seed: int) -> Digits:
    images = [strokes.draw(digit, count, np.random.default_rng((seed, digit))) for digit in digits]
    return Digits.of(np.concatenate(images), np.repeat(np.array(digits, np.uint8), count))


def logits(labels: Bytes) -> NDArray[np.float64]:
    """Return logits (N, 1) of a network that knows the labels."""
    return np.where(labels == DIGITS[0], 9.0, -9.0)[:, None]


@pytest.fixture(scope="module")
def fitted() -> Outliers:
    held_out = drawn(DIGITS, 300, 1)
    fit = outliers.fitting(drawn(DIGITS, 300, 0), held_out, DIGITS)
    assert fit is not None
    return fit(logits(held_out.labels))


def test_few_new_digits_are_outliers(fitted: Outliers) -> None:
    new = drawn(DIGITS, 200, 2)
    assert fitted.are(new.images, logits(new.labels)).mean() < 0.05


def test_most_other_digits_noise_and_empty_images_are_outliers(fitted: Outliers) -> None:
    other = drawn((0, 4, 6), 50, 2)
    noise = np.random.default_rng(0).integers(0, 256, (50, 28, 28), dtype=np.uint8)
    for images in (other.images, noise, np.zeros((1, 28, 28), np.uint8)):
        for z in (9.0, -9.0):
            assert fitted.are(images, np.full((len(images), 1), z)).mean() > 0.8


def test_a_digit_that_the_network_takes_for_another_one_is_an_outlier(fitted: Outliers) -> None:
    new = drawn(DIGITS, 100, 2)
    assert fitted.are(new.images, -logits(new.labels)).mean() > 0.8


def test_little_evidence_makes_an_outlier_of_a_digit_among_many() -> None:
    digits = (3, 5, 7)
    held_out, new = drawn(digits, 60, 1), drawn(digits, 60, 2)
    fit = outliers.fitting(drawn(digits, 100, 0), held_out, digits)
    assert fit is not None
    strength = np.random.default_rng(0).normal(12, 1, 180)[:, None]

    def z(labels: Bytes, strength: Any) -> NDArray[np.float64]:
        return np.where(labels[:, None] == digits, strength, 0.0)

    found = fit(z(held_out.labels, strength))
    assert found.are(new.images, z(new.labels, strength)).mean() < 0.1
    assert found.are(new.images, z(new.labels, 2.0)).mean() > 0.9


def test_nothing_is_fitted_to_few_or_tiny_images() -> None:
    assert outliers.fitting(drawn(DIGITS, FEWEST - 1, 0), drawn(DIGITS, 20, 1), DIGITS) is None
    tiny = Digits.of(np.zeros((200, 3, 3), np.uint8), np.repeat(np.array(DIGITS, np.uint8), 100))
    assert outliers.fitting(tiny, tiny, DIGITS) is None


@pytest.mark.parametrize(
    ("slope", "expected"), [((0, 1), 0), ((1, 1), 1), ((1, 0), 2), ((0, -1), 4), ((-1, -1), 5), ((-1, 0), 6)]
)
def test_an_even_slope_has_one_direction_in_every_cell(slope: tuple[int, int], expected: int) -> None:
    y, x = np.indices((28, 28))
    image = (128 + 4 * (slope[0] * (y - 14) + slope[1] * (x - 14))).astype(np.uint8)
    cells = described(image[None]).reshape(directions.CELLS, directions.CELLS, directions.DIRECTIONS)
    inner = cells[1:3, 1:3].reshape(-1, directions.DIRECTIONS)
    assert (inner.argmax(axis=1) == expected).all()
    assert (np.delete(inner, expected, axis=1) == 0).all()


def test_descriptions_do_not_depend_on_the_chunk_or_on_contrast(monkeypatch: pytest.MonkeyPatch) -> None:
    images = drawn((8,), 20, 0).images
    whole = described(images)
    assert whole.shape == (20, COLUMNS)
    monkeypatch.setattr(directions, "CHUNK", 3)
    np.testing.assert_array_equal(described(images), whole)
    assert np.abs(described(images // 2).astype(int) - whole).max() <= 3
    assert not described(np.zeros((1, 28, 28), np.uint8)).any()


def test_distances_are_to_the_nearest_of_each_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outliers, "CHUNK", 2)
    rng = np.random.default_rng(0)
    known, queries = (rng.integers(0, 256, (count, COLUMNS), dtype=np.uint8) for count in (9, 5))
    kinds = np.array([0, 0, 0, 1, 1, 2, 2, 2, 2], np.uint8)
    apart = np.linalg.norm(queries[:, None].astype(float) - known, axis=2)
    expected = np.stack([apart[:, kinds == kind].min(axis=1) for kind in range(3)], axis=1)
    np.testing.assert_allclose(outliers.distances(queries, known, kinds), expected, rtol=1e-5)


@pytest.fixture
def remembered() -> Checkpoint:
    """A checkpoint that remembers drawn digits."""
    training, held_out = drawn(DIGITS, 60, 0), drawn(DIGITS, 20, 1)
    parameters = dense.initialize((784, 1), np.random.default_rng(0), "float32")
    data = DataSet("drawn", "drawn", training, held_out, Scaling(255, 0))
    return Checkpoint(parameters, DIGITS, 0, doubt=measuring(data, training, held_out, DIGITS, ())(parameters))


def test_what_is_remembered_comes_back(remembered: Checkpoint, tmp_path: Path) -> None:
    checkpoint.save(tmp_path / "network.npz", remembered)
    loaded = checkpoint.load(tmp_path / "network.npz").doubt
    assert remembered.doubt is not None
    assert remembered.doubt.outliers is not None
    assert loaded is not None
    assert loaded.outliers is not None
    assert loaded.view == remembered.doubt.view == view.View(28, 28, loaded.view.box, 255, 0)
    assert loaded.least_probability == remembered.doubt.least_probability
    for found, expected in zip(loaded.outliers, remembered.doubt.outliers, strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("name", "change", "problem"),
    [
        ("view", lambda _: np.array([28, 28, 20, 0]), "view is not five whole numbers"),
        ("view", lambda _: np.array([0, 28, 20, 0, 255]), "a size that is not at least 1"),
        ("view", lambda _: np.array([14, 28, 20, 0, 255]), "view is of 392 pixels, not 784"),
        ("view", lambda _: np.array([28, 28, 29, 0, 255]), "digits larger than the images"),
        ("view", lambda _: np.array([28, 28, 20, 7, 7]), "no two grays"),
        ("view", lambda _: np.array([2, 392, 20, 0, 255]), "too small for outliers"),
        ("view", None, "view is missing"),
        ("least_probability", lambda _: np.array(np.nan), "not a number from 0 to 1"),
        ("least_probability", None, "not a number from 0 to 1"),
        ("outlier_known", lambda known: known[:, :9], "not bytes in 128 columns"),
        ("outlier_known", lambda known: known[:5], "lacks a digit"),
        ("outlier_kinds", lambda kinds: kinds + 1, "lacks a digit"),
        ("outlier_weights", lambda weights: weights + np.inf, "not .2,. finite numbers"),
        ("outlier_limit", lambda limit: limit[None], "not .. finite numbers"),
        ("outlier_limit", None, "outlier arrays are incomplete"),
    ],
)
def test_what_does_not_fit_the_network_is_refused(
    name: str, change: Callable[[Any], Any] | None, problem: str, remembered: Checkpoint, tmp_path: Path
) -> None:
    path = tmp_path / "network.npz"
    checkpoint.save(path, remembered)
    with np.load(path) as file:
        stored = dict(file)
    changed = stored if change is None else stored | {name: change(stored[name])}
    np.savez(path, **{key: array for key, array in changed.items() if change or key != name})
    with pytest.raises(CheckpointError, match=f"is broken, because .*{problem}"):
        checkpoint.load(path)


def test_what_could_not_be_loaded_is_not_saved(remembered: Checkpoint, tmp_path: Path) -> None:
    assert remembered.doubt is not None
    invalid = replace(remembered, doubt=remembered.doubt._replace(least_probability=2.0))
    with pytest.raises(ValueError, match="not a number from 0 to 1"):
        checkpoint.save(tmp_path / "network.npz", invalid)


def test_a_network_without_finite_outputs_is_measured_without_outliers() -> None:
    digits = drawn(DIGITS, 60, 0)
    parameters = (Layer(np.full((784, 1), 3e38, np.float32), np.zeros(1, np.float32)),)
    found = measuring(DataSet("drawn", "drawn", digits, digits), digits, digits, DIGITS, ())(parameters)
    assert found is not None
    assert (found.outliers, found.least_probability) == (None, 0.0)
