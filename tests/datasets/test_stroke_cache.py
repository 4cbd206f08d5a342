"""Strokes are drawn once, and read from then on."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinygrad_mnist.datasets import idx, stroke_cache


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stroke_cache, "TRAINING", 20)
    monkeypatch.setattr(stroke_cache, "TEST", 5)


def never(_: Any) -> None:
    raise AssertionError("there was nothing to tell")


def test_what_was_drawn_is_read_from_then_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = stroke_cache.load(tmp_path, (3, 7), never)
    monkeypatch.setattr(stroke_cache, "_draw", never)
    kept = stroke_cache.load(tmp_path, (7, 3), never)
    assert np.array_equal(kept[0].only([3]).images, drawn[0].only([3]).images)
    assert np.array_equal(kept[1].only([7]).images, drawn[1].only([7]).images)
    assert (len(kept[0].labels), len(kept[1].labels)) == (40, 10)


def test_test_digits_are_not_training_digits(tmp_path: Path) -> None:
    training, test = stroke_cache.load(tmp_path, (3,), never)
    same = (training.images[:, None] == test.images[None, :]).all(axis=(2, 3))
    assert not same.any()


@pytest.mark.parametrize("spoil", [lambda whole: whole[:-1], lambda _: b"", lambda whole: whole + b"\0"])
def test_a_spoiled_cache_is_drawn_anew(tmp_path: Path, spoil: Any) -> None:
    drawn = stroke_cache.load(tmp_path, (3,), never)
    path = stroke_cache.path(tmp_path, 3)
    path.write_bytes(spoil(path.read_bytes()))
    again = stroke_cache.load(tmp_path, (3,), never)
    assert np.array_equal(again[0].images, drawn[0].images)
    assert idx.read(path).shape == (25, 28, 28)


@pytest.mark.parametrize("other", [np.zeros((25, 5, 5), np.uint8), np.zeros((25, 28, 28), np.int8)])
def test_another_file_in_its_place_is_drawn_over(tmp_path: Path, other: Any) -> None:
    idx.write(stroke_cache.path(tmp_path, 3), other)
    assert stroke_cache.load(tmp_path, (3,), never)[0].images.any()


def test_a_folder_that_cannot_be_written_to_is_told_and_the_digits_are_there(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    told: list[str] = []
    training, _ = stroke_cache.load(tmp_path / "file" / "strokes", (3, 7), told.append)
    assert len(training.labels) == 40
    assert ["cannot be kept" in text for text in told] == [True], "it is told once, and not for each digit"
