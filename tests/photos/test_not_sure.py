"""What is not sure: pictures that look like no training digit or like several, and limits that are not valid."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tinygrad_mnist.datasets import strokes
from tinygrad_mnist.datasets.digits import Digits
from tinygrad_mnist.photos import not_sure
from tinygrad_mnist.photos.not_sure import CELLS, COLUMNS, DIRECTIONS, FEWEST, Limits, Sample

Bytes = NDArray[np.uint8]


def drawn(digits: tuple[int, ...], count: int, seed: int) -> Digits:
    images = [strokes.draw(digit, count, np.random.default_rng((seed, digit))) for digit in digits]
    return Digits.of(np.concatenate(images), np.repeat(np.array(digits, np.uint8), count))


def measured(sample: Sample, z: NDArray[Any]) -> Limits:
    """Return the limits of a network with these logits (N, O) for the held-out digits."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(not_sure, "network_with", lambda _: SimpleNamespace(logits=lambda *_: z))
        return not_sure.measure(sample, (), ())


def knowing(labels: Bytes) -> NDArray[np.float64]:
    """Return logits (N, 1) of a network that knows the labels."""
    return np.where(labels == 3, 9.0, -9.0)[:, None]


@pytest.fixture(scope="module")
def pair() -> Limits:
    held_out = drawn((3, 7), 120, 1)
    return measured(not_sure.sample(drawn((3, 7), 200, 0), held_out, (3, 7)), knowing(held_out.labels))


def odd(limits: Limits, digits: tuple[int, ...], images: Bytes, z: NDArray[Any]) -> float:
    """Return the share of images that look unlike all digits."""
    found = not_sure.reasons(limits, digits, images, z, [""] * len(images))
    return sum(reason.startswith("this looks like n") for reason in found) / len(found)


def test_few_new_digits_are_odd(pair: Limits) -> None:
    new = drawn((3, 7), 100, 2)
    assert odd(pair, (3, 7), new.images, knowing(new.labels)) < 0.05


def test_most_other_digits_noise_and_empty_images_are_odd(pair: Limits) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (50, 28, 28), dtype=np.uint8)
    for images in (drawn((0, 4, 6), 20, 2).images, noise, np.zeros((1, 28, 28), np.uint8)):
        for z in (9.0, -9.0):
            assert odd(pair, (3, 7), images, np.full((len(images), 1), z)) > 0.8


def test_a_digit_that_the_network_takes_for_another_one_is_odd(pair: Limits) -> None:
    new = drawn((3, 7), 60, 2)
    assert odd(pair, (3, 7), new.images, -knowing(new.labels)) > 0.8


def test_little_evidence_makes_a_digit_odd_among_many() -> None:
    digits = (3, 5, 7)
    held_out, new = drawn(digits, 60, 1), drawn(digits, 60, 2)
    strength = np.random.default_rng(0).normal(12, 1, 180)[:, None]

    def z(labels: Bytes, strength: Any) -> NDArray[np.float64]:
        return np.where(labels[:, None] == digits, strength, 0.0)

    limits = measured(not_sure.sample(drawn(digits, 100, 0), held_out, digits), z(held_out.labels, strength))
    assert odd(limits, digits, new.images, z(new.labels, strength)) < 0.1
    assert odd(limits, digits, new.images, z(new.labels, 2.0)) > 0.9


def test_a_digit_that_looks_odd_is_told_before_a_fault_of_the_picture_and_that_before_two_likely_digits(
    pair: Limits,
) -> None:
    images = np.concatenate([np.zeros((1, 28, 28), np.uint8), *[drawn((3,), 1, 2).images] * 3])
    z, faults = np.array([[9.0], [0.1], [0.1], [9.0]]), ["it is cut", "it is cut", "", ""]
    found = not_sure.reasons(pair, (3, 7), images, z, faults)
    assert found == ["this looks like neither a 3 nor a 7", "it is cut", "this could be a 3 or a 7", ""]
    assert not_sure.reasons({}, (3, 7), images, z, faults) == faults


def test_no_picture_is_odd_after_few_or_tiny_images_and_no_network_without_finite_outputs_is_measured() -> None:
    few = not_sure.sample(drawn((3, 7), FEWEST - 1, 0), drawn((3, 7), 5, 1), (3, 7))
    tiny = Digits.of(np.zeros((200, 3, 3), np.uint8), np.repeat(np.array((3, 7), np.uint8), 100))
    for sample in (few, not_sure.sample(tiny, tiny, (3, 7))):
        assert sample.known.shape == (0, COLUMNS)
        assert measured(sample, np.zeros((len(sample.held_out.labels), 1)))["oddness"] == 0
    assert measured(few, np.full((10, 1), np.inf)) == {}


@pytest.mark.parametrize(("slope", "expected"), [((0, 1), 0), ((1, 1), 1), ((1, 0), 2), ((0, -1), 4), ((-1, -1), 5)])
def test_an_even_slope_has_one_direction_in_every_cell(slope: tuple[int, int], expected: int) -> None:
    y, x = np.indices((28, 28))
    image = (128 + 4 * (slope[0] * (y - 14) + slope[1] * (x - 14))).astype(np.uint8)
    inner = not_sure.describe(image[None]).reshape(CELLS, CELLS, DIRECTIONS)[1:3, 1:3].reshape(-1, DIRECTIONS)
    assert (inner.argmax(axis=1) == expected).all()
    assert (np.delete(inner, expected, axis=1) == 0).all()


def test_descriptions_do_not_depend_on_the_chunk_or_on_contrast(monkeypatch: pytest.MonkeyPatch) -> None:
    images = drawn((8,), 20, 0).images
    whole = not_sure.describe(images)
    monkeypatch.setattr(not_sure, "CHUNK", 3)
    np.testing.assert_array_equal(not_sure.describe(images), whole)
    assert np.abs(not_sure.describe(images // 2).astype(int) - whole).max() <= 3
    assert not not_sure.describe(np.zeros((1, 28, 28), np.uint8)).any()


def test_distances_are_to_the_nearest_of_each_kind() -> None:
    rng = np.random.default_rng(0)
    known, queries = (rng.integers(0, 256, (count, COLUMNS), dtype=np.uint8) for count in (9, 5))
    kinds = np.array([0, 0, 0, 1, 1, 2, 2, 2, 2], np.uint8)
    apart = np.linalg.norm(queries[:, None].astype(float) - known, axis=2)
    expected = np.stack([apart[:, kinds == kind].min(axis=1) for kind in range(3)], axis=1)
    np.testing.assert_allclose(not_sure.distances(queries, known, kinds), expected, rtol=1e-15)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("least_probability", lambda least: least * np.nan),
        ("known", lambda known: known[:, :9]),
        ("known", lambda known: known[:5]),
        ("kinds", lambda kinds: kinds + np.uint8(1)),
        ("kinds", lambda kinds: kinds.astype(float)),
        ("weights", lambda weights: weights + np.inf),
        ("oddness", lambda oddness: oddness[None]),
        ("oddness", lambda _: None),
    ],
)
def test_limits_that_do_not_fit_the_network_are_refused(name: str, change: Callable[[Any], Any], pair: Limits) -> None:
    changed: Limits = pair | {name: change(pair[name])}
    limits = {key: array for key, array in changed.items() if array is not None}
    with pytest.raises(ValueError, match="its limit "):
        not_sure.reasons(limits, (3, 7), np.zeros((1, 28, 28), np.uint8), np.zeros((1, 1)), [""])
