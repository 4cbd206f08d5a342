"""Drawn digits are drawn once, saved, and then read."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinygrad_mnist.datasets import idx, stroke_cache


@pytest.fixture(autouse=True)
def few_images(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stroke_cache, "TRAINING", 20)
    monkeypatch.setattr(stroke_cache, "TEST", 5)


def not_called(_: Any) -> None:
    raise AssertionError("this must not be called")


def test_digits_are_drawn_once_and_then_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = stroke_cache.load(tmp_path, (3, 7), not_called)
    monkeypatch.setattr(stroke_cache, "_draw", not_called)
    saved = stroke_cache.load(tmp_path, (7, 3), not_called)
    assert np.array_equal(saved[0].only([3]).images, drawn[0].only([3]).images)
    assert np.array_equal(saved[1].only([7]).images, drawn[1].only([7]).images)
    assert (len(saved[0].labels), len(saved[1].labels)) == (40, 10)


def test_test_digits_are_not_training_digits(tmp_path: Path) -> None:
    training, test = stroke_cache.load(tmp_path, (3,), not_called)
    same = (training.images[:, None] == test.images[None, :]).all(axis=(2, 3))
    assert not same.any()


@pytest.mark.parametrize("damage", [lambda content: content[:-1], lambda _: b"", lambda content: content + b"\0"])
def test_a_damaged_file_is_drawn_again_with_a_notice(tmp_path: Path, damage: Any) -> None:
    drawn = stroke_cache.load(tmp_path, (3,), not_called)
    path = stroke_cache.path(tmp_path, 3)
    path.write_bytes(damage(path.read_bytes()))
    notices: list[str] = []
    again = stroke_cache.load(tmp_path, (3,), notices.append)
    assert notices == [f"{path} was damaged, so the digit 3 was drawn again."]
    assert np.array_equal(again[0].images, drawn[0].images)
    assert idx.read(path).shape == (25, 28, 28)


@pytest.mark.parametrize("other", [np.zeros((25, 5, 5), np.uint8), np.zeros((25, 28, 28), np.int8)])
def test_a_file_with_different_content_is_replaced(tmp_path: Path, other: Any) -> None:
    idx.write(stroke_cache.path(tmp_path, 3), other)
    assert stroke_cache.load(tmp_path, (3,), print)[0].images.any()


@pytest.mark.parametrize("digit", range(10))
def test_the_sha256_of_every_digit_is_known(digit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stroke_cache, "TRAINING", stroke_cache.SIZES[0])
    monkeypatch.setattr(stroke_cache, "TEST", stroke_cache.SIZES[1])
    assert hashlib.sha256(stroke_cache._draw(digit).data).hexdigest() == stroke_cache.SHA256[digit]


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the SHA-256 of these few images known."""
    monkeypatch.setattr(stroke_cache, "SIZES", (20, 5))
    digests = [hashlib.sha256(stroke_cache._draw(digit).data).hexdigest() for digit in range(10)]
    monkeypatch.setattr(stroke_cache, "SHA256", digests)


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize("change", [lambda images: 0 * images, lambda images: images ^ (np.arange(28) == 27)])
def test_changed_images_are_drawn_again_with_a_notice(tmp_path: Path, change: Any) -> None:
    drawn = stroke_cache.load(tmp_path, (3,), not_called)
    path = stroke_cache.path(tmp_path, 3)
    idx.write(path, change(idx.read(path)).astype(np.uint8))
    notices: list[str] = []
    again = stroke_cache.load(tmp_path, (3,), notices.append)
    assert notices == [f"{path} was damaged, so the digit 3 was drawn again."]
    assert np.array_equal(again[0].images, drawn[0].images)
    stroke_cache.load(tmp_path, (3,), not_called)
    idx.write(path, np.zeros((25, 28, 28), np.uint8))
    assert np.array_equal(stroke_cache.ensure_saved(tmp_path, 3, notices.append), idx.read(path))
    assert len(notices) == 2


@pytest.mark.usefixtures("known")
def test_a_machine_that_draws_differently_reports_no_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stroke_cache, "SHA256", ["0" * 64] * 10)
    drawn = [stroke_cache.load(tmp_path, (3,), not_called)[0].images for _ in range(2)]
    assert np.array_equal(*drawn)


def test_digits_are_drawn_even_if_the_folder_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    notices: list[str] = []
    training, _ = stroke_cache.load(tmp_path / "file" / "strokes", (3, 7), notices.append)
    assert len(training.labels) == 40
    assert ["cannot be saved" in text for text in notices] == [True], "there is one notice, not one for each digit"
