"""Three sets, used honestly: what is held out depends on the seed alone and is never trained on."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tinygrad_mnist.datasets import digits as digits_module
from tinygrad_mnist.datasets.digits import DataSet, Digits
from tinygrad_mnist.errors import DataError


def numbered(count: int) -> Digits:
    """Digits whose first pixel says which one it is."""
    images = np.zeros((count, 28, 28), np.uint8)
    images[:, 0, 0] = np.arange(count)
    return Digits.of(images, (np.arange(count) % 10).astype(np.uint8))


def numbers(digits: Digits) -> NDArray[np.uint8]:
    return digits.images[:, 0, 0]


def test_one_in_six_is_held_out_and_none_is_in_both() -> None:
    training, held_out = numbered(120).hold_out(1 / 6, seed=5)
    assert len(held_out.labels) == 20
    assert sorted([*numbers(training), *numbers(held_out)]) == list(range(120))


def test_the_seed_alone_says_which_are_held_out() -> None:
    drawn = [numbers(numbered(120).hold_out(1 / 6, seed)[1]) for seed in (5, 5, 6)]
    assert np.array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[0], drawn[2])


def test_images_keep_their_labels() -> None:
    for part in numbered(120).hold_out(1 / 6, seed=0):
        assert np.array_equal(numbers(part) % 10, part.labels)


def test_only_the_wanted_digits_are_left() -> None:
    threes_and_sevens = numbered(100).only((3, 7))
    assert set(threes_and_sevens.labels) == {3, 7}
    assert len(threes_and_sevens.labels) == 20
    assert threes_and_sevens.images.shape == (20, 28, 28)
    assert threes_and_sevens.pixels.shape == (100, 784)


def test_a_digit_without_images_is_named() -> None:
    digits = numbered(7)
    with pytest.raises(DataError, match="no image of digit 8"):
        DataSet("", "", digits, digits).only((3, 8))


def test_two_images_are_enough_to_hold_one_out_and_one_is_not() -> None:
    training, held_out = numbered(2).hold_out(1 / 6, seed=0)
    assert (len(training.labels), len(held_out.labels)) == (1, 1)
    with pytest.raises(DataError, match="single image"):
        numbered(1).hold_out(1 / 6, seed=0)


def test_choosing_copies_no_image() -> None:
    digits = numbered(100)
    for chosen in (digits.only((3, 7)), *digits.hold_out(1 / 6, seed=0)):
        assert np.shares_memory(chosen.pixels, digits.source)


def test_few_digits_come_to_lie_together_and_many_stay_where_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = numbered(100).only((3, 7))
    together = chosen.compact()
    assert together.source.shape == (20, 28, 28)
    assert np.array_equal(together.images, chosen.images)
    assert np.array_equal(together.labels, chosen.labels)
    monkeypatch.setattr(digits_module, "SMALL", 20 * 784 - 1)
    assert chosen.compact() is chosen


def test_without_paper_every_image_can_be_made_whole_again() -> None:
    hypothesis, numpy_strategies = (pytest.importorskip(f"hypothesis{part}") for part in ("", ".extra.numpy"))
    numbers = hypothesis.strategies
    shapes = numbers.tuples(numbers.integers(1, 5), numbers.just(3), numbers.just(2))
    images = numpy_strategies.arrays(np.uint8, shapes, elements=numbers.sampled_from([0, 1, 255]))

    @hypothesis.given(images, numbers.data())
    def check(images: NDArray[np.uint8], data: Any) -> None:
        places = data.draw(numbers.lists(numbers.integers(0, len(images) - 1)))
        chosen = Digits(images, np.zeros(len(places), np.uint8), np.array(places, np.intp))
        pixels, rows, inked = chosen.without_paper()
        assert pixels.any(axis=0).all(), "no pixel is left that is paper in all"
        whole = np.zeros((len(places), 6), np.uint8)
        whole[:, inked] = pixels[rows]
        assert np.array_equal(whole, chosen.images.reshape(-1, 6))

    check()


def test_of_many_digits_no_pixel_is_copied_and_all_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    digits = numbered(30).only((3, 7))
    monkeypatch.setattr(digits_module, "SMALL", 6 * 784 - 1)
    pixels, places, inked = digits.without_paper()
    assert np.shares_memory(pixels, digits.source)
    assert np.array_equal(places, digits.places)
    assert inked is None


@pytest.mark.parametrize(("digits", "inked"), [((3, 7), 640), (range(10), 717)])
def test_so_many_pixels_of_mnist_are_inked_in_any_training_image(
    digits: Sequence[int], inked: int, real_digits: dict[str, tuple[Any, Any]]
) -> None:
    images, labels = real_digits["train"]
    chosen = Digits.of(images.reshape(-1, 28, 28), labels).only(digits)
    assert chosen.without_paper()[0].shape == (len(chosen.labels), inked)
