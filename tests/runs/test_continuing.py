"""Continuing: a training goes on only on the digits that it started with, and as far as its schedule permits."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tinygrad_mnist.datasets import digits as module
from tinygrad_mnist.datasets.digits import DataSet, Digits
from tinygrad_mnist.datasets.progress import Progress
from tinygrad_mnist.errors import CheckpointError, DataError
from tinygrad_mnist.runs import checkpoint, resume
from tinygrad_mnist.runs.checkpoint import Checkpoint


def changed(digits: Digits, position: int) -> Digits:
    """Return the digits with one pixel of the image at this position changed."""
    images = digits.images
    images[position, 2, 2] ^= 1
    return Digits.of(images, digits.labels)


def test_every_image_the_labels_and_their_order_change_the_fingerprint(data: DataSet) -> None:
    digits = data.training
    different = [
        *(changed(digits, position) for position in (0, 1, 31, 59)),
        replace(digits, labels=digits.labels[::-1]),
        digits.take(np.roll(np.arange(60), 1)),
        Digits.of(digits.images.reshape(60, 4, 9), digits.labels),
    ]
    assert len({one.fingerprint() for one in (digits, *different)}) == 8
    which = np.flatnonzero(digits.labels == 3)
    assert digits.take(which).fingerprint() == digits.take(which).compact().fingerprint()


def test_of_more_than_the_limit_only_evenly_spaced_images_are_read(
    data: DataSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    digits = data.training
    monkeypatch.setattr(module, "COPY_LIMIT", 60 * 36 // 2)
    assert changed(digits, 1).fingerprint() == digits.fingerprint()
    assert changed(digits, 58).fingerprint() != digits.fingerprint()


def test_a_training_continues_only_on_the_digits_that_it_started_with(trained: Checkpoint, data: DataSet) -> None:
    assert resume.continued(trained, data, "NumPy on the CPU", Progress()) == trained
    for other, wrong in (
        (changed(data.training, 1), "these digits differ from those"),
        (Digits.of(data.training.images[:, 1:], data.training.labels), "images of 36 pixels, and these have 30"),
    ):
        with pytest.raises(DataError, match=wrong):
            resume.continued(trained, replace(data, training=other), "NumPy on the CPU", Progress())


def test_a_different_environment_is_told_and_recorded(trained: Checkpoint, data: DataSet) -> None:
    with pytest.warns(UserWarning, match="may differ .*: device NumPy on the CPU before and a GPU now"):
        assert resume.continued(trained, data, "a GPU", Progress()).environment["device"] == "a GPU"


def test_a_training_is_continued_with_more_epochs_and_another_patience(saved: Path) -> None:
    plain, changed = resume.loaded(saved, None, None), resume.loaded(saved, 9, 8)
    assert (plain.settings.epochs, plain.settings.patience) == (2, 10)
    assert changed.settings == replace(plain.settings, epochs=9, patience=8)
    with pytest.raises(CheckpointError, match="already trained for 2 epochs"):
        resume.loaded(saved, 1, None)
    checkpoint.save(replace(plain, settings=replace(plain.settings, schedule="cosine")))
    with pytest.raises(CheckpointError, match="schedule that fixes its last epoch"):
        resume.loaded(saved, 9, None)
