"""Photos of digits: the digit is found among tables, shadows, lines, boxes, holes and blots, or there is none."""

import io
import time
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tinygrad_mnist.datasets import strokes
from tinygrad_mnist.errors import DataError
from tinygrad_mnist.photos import images
from tinygrad_mnist.photos.marks import Fault

pytest.importorskip("PIL.Image")
scenes = pytest.importorskip("benchmarks.scenes")

BLANK = ["sheet on a table", "dark squared paper", "hard shadow", "red margin", "dark columns", "plain", "shaded"]
PHOTOS = Path(__file__).parents[3] / "shared" / "photos"


def shot(digit: int, seed: int) -> "scenes.Shot":
    rng = np.random.default_rng([digit, seed])
    return scenes.shot(strokes.draw(digit, 1, rng)[0], rng)


def photo(page: "scenes.Shot", scene: str, seed: int) -> io.BytesIO:
    rng = np.random.default_rng(seed)
    colors = (scenes.GOOD | scenes.BAD)[scene](page, rng)
    return io.BytesIO(scenes.jpeg(scenes.photograph(colors, rng), 85))


def correlation(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> float:
    """Return the correlation of two images' pixels, after the first is shifted by at most a pixel."""
    shifts = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    shifted = [np.roll(first, shift, axis=(0, 1)) for shift in shifts]
    return max(float(np.corrcoef(image.ravel(), second.ravel())[0, 1]) for image in shifted)


@pytest.mark.parametrize("scene", [*scenes.GOOD, *scenes.BAD])
def test_a_scene_changes_little_of_the_prepared_digit(scene: str) -> None:
    for digit, seed in ((3, 1), (7, 2)):
        page = shot(digit, seed)
        reading = images.read(photo(page, scene, seed))
        assert correlation(reading.image, images.read(photo(page, "plain", seed)).image) > 0.8
        assert reading.doubt is None


@pytest.mark.parametrize("scene", BLANK)
def test_a_scene_without_a_digit_is_refused(scene: str) -> None:
    page = shot(3, 1)
    with pytest.raises(DataError, match="has no digit"):
        images.read(photo(page._replace(ink=np.zeros_like(page.ink)), scene, 1))


def test_a_blot_alone_is_in_doubt() -> None:
    page = np.full((300, 400), 230, np.uint8)
    y, x = np.mgrid[:300, :400]
    page[np.hypot(y - 150, x - 200) < 60] = 30
    assert images.read(io.BytesIO(scenes.jpeg(scenes.Image.fromarray(page), 90))).doubt == Fault.SOLID


def test_a_photo_of_12_megapixels_takes_less_than_two_seconds() -> None:
    picture = scenes.Image.open(photo(shot(3, 1), "shaded", 1)).resize((4000, 3000))
    content = io.BytesIO(scenes.jpeg(picture, 90))
    start = time.process_time()
    images.read(content)
    assert time.process_time() - start < 2


@pytest.mark.skipif(not PHOTOS.is_dir(), reason="the photos are not beside this project")
def test_the_blank_page_among_the_photos_is_refused_and_no_other_photo_is_in_doubt() -> None:
    for path in sorted(PHOTOS.glob("*.jpg")):
        if "blank" in path.name:
            with pytest.raises(DataError, match="has no digit"):
                images.read(path)
        else:
            assert images.read(path).doubt is None
