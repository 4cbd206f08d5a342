"""Digits drawn by this program: they repeat with the seed, are placed as in MNIST, are saved, and good for training."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.datasets.conftest import Listener
from tinygrad_mnist import train
from tinygrad_mnist.arrays.examples import Examples
from tinygrad_mnist.datasets import idx, strokes
from tinygrad_mnist.train import Settings

Images = NDArray[np.uint8]

DIGITS = range(10)

SHA256 = (
    "4fd6c9dce5468fa6c847472b9e150fb38d6e2925b06e9052695a7c862fa51b50",
    "68c90f26ebdb74f2b27e76cba84d67accfcb3ea05878621648668bdec15d461e",
    "dd21e671630c1cd7d7b56c53c7d26e150bcf75277a3e599b1207ae864feb29e6",
    "64715a671b8299f45d1db1037bf2ef28ef204b0839ec04fc252e27bef50fc332",
    "a5848f856474207de8bd4c45befc7fcbe3666345b7185d872a73361b397aec9a",
    "711b14a7511a0adeee8817b5934c7293d3af37256bd7be9b6654778a0648a6c6",
    "638e75198a7605881d93d0722159a917188b2eaa0a87a9ecf000a0d7fba4b17a",
    "3ef913db615cd2832c380435d7908249eca1f13fe59b1431da6260e402624aed",
    "eec4aadaf1b3ebdf7e13bc566c346f2b807f11c9a09be030bd21a7c2960aa99f",
    "b2c87ef92e2a50c211ada102c5247f3f0b1b602105354d8ebf6aaf758f5b7f6c",
)
"""The SHA-256 of all images of each digit, from 0 to 9. If they change, strokes.VERSION must be raised."""

FIRST_SHA256 = "d50f35650ec824a9ac4097b9d2e5cc13b3ca1ce817ee9e02fdc00812566643bf"
"""The SHA-256 of the first 500 images of all digits."""


@pytest.fixture(scope="session")
def some_drawn() -> list[Images]:
    """Images (500, 28, 28) of each digit."""
    return [strokes.draw(digit, 500, np.random.default_rng((strokes.SEED, digit))) for digit in DIGITS]


def sha256(images: Images) -> str:
    return hashlib.sha256(np.ascontiguousarray(images).data).hexdigest()


@pytest.mark.exhaustive
@pytest.mark.parametrize("digit", DIGITS)
def test_the_images_of_every_digit_never_change(digit: int) -> None:
    assert sha256(strokes.draw_all(digit)) == SHA256[digit]


def test_the_first_images_never_change(some_drawn: list[Images]) -> None:
    assert sha256(np.stack(some_drawn)) == FIRST_SHA256


def test_no_two_images_are_the_same(some_drawn: list[Images]) -> None:
    assert len({image.tobytes() for images in some_drawn for image in images}) == 500 * 10


@pytest.mark.parametrize("count", [0, 1, strokes.IMAGES_AT_ONCE + 1])
def test_the_number_of_images_is_the_count(count: int) -> None:
    images = strokes.draw(7, count, np.random.default_rng(0))
    assert images.shape == (count, 28, 28)
    assert images.dtype == np.uint8


@pytest.mark.parametrize(("digit", "count"), [(-1, 1), (10, 1), (3, -1)])
def test_what_is_not_a_digit_or_not_a_count_is_refused(digit: int, count: int) -> None:
    with pytest.raises(ValueError, match=f"{count} images of {digit} cannot be drawn"):
        strokes.draw(digit, count, np.random.default_rng(0))


def test_every_image_fills_a_box_of_20_pixels(some_drawn: list[Images]) -> None:
    for images in some_drawn:
        sides = np.stack([extent(images.max(axis=2)), extent(images.max(axis=1))])
        assert sides.max() == strokes.BOX
        assert sides.max(axis=0).min() >= strokes.BOX - 1


def extent(profiles: Images) -> NDArray[np.int64]:
    """Return the number of pixels from the first with ink to the last, both included, in each row of (N, 28)."""
    inked = profiles > 0
    sizes: NDArray[np.int64] = 28 - inked.argmax(axis=1) - inked[:, ::-1].argmax(axis=1)
    return sizes


def test_the_center_of_mass_is_at_pixel_14_as_in_mnist(some_drawn: list[Images]) -> None:
    pixels = np.arange(28)
    for images in some_drawn:
        ink = images.sum(axis=(1, 2))
        centers = np.stack([images.sum(axis=2) @ pixels / ink, images.sum(axis=1) @ pixels / ink], axis=1)
        distance = np.abs(centers - 14)
        assert distance.mean() < 0.35
        assert np.quantile(distance, 0.99) <= 0.5, "moving by full pixels leaves at most half a pixel"


def test_a_box_stays_inside_the_image() -> None:
    boxes = np.zeros((1, 20, 20), np.uint8)
    boxes[0, 0, 0] = 255
    assert strokes.center(boxes)[0, 8, 8] == 255


def test_every_image_has_ink_gray_edges_and_background(some_drawn: list[Images]) -> None:
    for images in some_drawn:
        rows = images.reshape(len(images), -1)
        assert rows.max(axis=1).min() > 150
        assert ((rows > 0) & (rows < 255)).sum(axis=1).min() > 10
        assert (rows == 0).mean(axis=1).min() > 0.4
        assert 0.05 < rows.mean() / 255 < 0.2


def paths(digit: int) -> list[Sequence[str]]:
    return [skeleton["strokes"] for skeleton in strokes.skeletons()[str(digit)]]


def test_points_of_a_path_are_close_within_each_stroke() -> None:
    for path in (path for digit in DIGITS for path in paths(digit)):
        gaps = np.linalg.norm(np.diff(strokes.trace(path), axis=0), axis=1)
        assert (gaps > strokes.SPACING + 1e-9).sum() <= len(path) - 1


def test_a_stroke_of_two_points_is_straight_and_a_ring_has_no_corner() -> None:
    line = strokes.trace(paths(1)[0])
    np.testing.assert_allclose(line[:, 0], 0.3)
    ring = strokes.trace(paths(0)[0])
    np.testing.assert_allclose(ring[0], ring[-1], atol=1e-12)
    first, last = ring[1] - ring[0], ring[-1] - ring[-2]
    assert first @ last / np.linalg.norm(first) / np.linalg.norm(last) > 0.95


def examples(threes: Images, sevens: Images) -> Examples:
    t = np.repeat(np.array([1, 0], np.float32), [len(threes), len(sevens)])[:, None]
    images = np.concatenate([threes, sevens]).reshape(-1, 28 * 28)
    return Examples(images, np.arange(len(images)), t)


def test_a_linear_model_learns_most_drawn_digits_but_not_all_and_recognizes_handwritten_ones(
    real_digits: dict[str, tuple[Images, Images]],
) -> None:
    drawn = [strokes.draw(digit, 2000, np.random.default_rng(digit)) for digit in (3, 7)]
    parts = (slice(1500), slice(1500, 1750), slice(1750, None))
    training, validation, test = (examples(*(images[part] for images in drawn)) for part in parts)
    trained = train.train(training, validation, Settings(epochs=30, patience=5)).best.parameters
    assert 0.97 < train.evaluate(trained, test, Settings())[1] < 0.999
    images, labels = real_digits["t10k"]
    assert train.evaluate(trained, examples(images[labels == 3], images[labels == 7]), Settings())[1] >= 0.95


@pytest.mark.usefixtures("empty_folder")
def test_digits_are_drawn_once_and_then_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listener: Listener
) -> None:
    drawn = strokes.load(tmp_path, (3, 7), listener)
    with monkeypatch.context() as without_drawing:
        without_drawing.delattr(strokes, "draw_all")
        training, test = strokes.load(tmp_path, (7, 3), listener)
    assert np.array_equal(training.only([3]).images, drawn[0].only([3]).images)
    assert np.array_equal(test.only([7]).images, drawn[1].only([7]).images)
    assert (len(training.labels), len(test.labels)) == (40, 10)
    assert not (training.images[:, None] == test.images[None, :]).all(axis=(2, 3)).any()
    assert (strokes.saved(tmp_path), listener.sentences) == ([3, 7], [])


@pytest.mark.usefixtures("empty_folder")
@pytest.mark.parametrize("damaged", [b"", b"\0", None])
def test_a_damaged_file_is_drawn_again(tmp_path: Path, damaged: bytes | None, listener: Listener) -> None:
    drawn = strokes.load(tmp_path, (3,), listener)
    if damaged is None:
        idx.write(strokes.path(tmp_path, 3), np.zeros((25, 5, 5), np.uint8))
    else:
        strokes.path(tmp_path, 3).write_bytes(damaged)
    assert np.array_equal(strokes.load(tmp_path, (3,), listener)[0].images, drawn[0].images)
    assert idx.read(strokes.path(tmp_path, 3)).shape == (25, 28, 28)


@pytest.mark.usefixtures("empty_folder")
def test_digits_are_drawn_even_if_the_folder_cannot_be_written_to(tmp_path: Path, listener: Listener) -> None:
    (tmp_path / "file").write_text("in the way")
    training, _ = strokes.load(tmp_path / "file" / "strokes", (3, 7), listener)
    assert len(training.labels) == 40
    assert ["cannot be saved" in text for text in listener.sentences] == [True], "once, not once for each digit"
