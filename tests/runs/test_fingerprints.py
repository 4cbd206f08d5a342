"""Fingerprints: a run continues only on the digits that it started with, also one that an earlier version saved."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tinygrad_mnist import train
from tinygrad_mnist.arrays.examples import Examples
from tinygrad_mnist.datasets import digits as module
from tinygrad_mnist.datasets.digits import Digits
from tinygrad_mnist.errors import DataError
from tinygrad_mnist.runs import resume
from tinygrad_mnist.runs.resume import Run
from tinygrad_mnist.runs.settings import RunSettings
from tinygrad_mnist.train import Settings

SETTINGS = Settings(epochs=1)


@pytest.fixture(scope="module")
def digits() -> Digits:
    """Return 3,000 random images of 4 by 4 pixels."""
    rng = np.random.default_rng(0)
    return Digits.of(rng.integers(0, 256, (3000, 4, 4), dtype=np.uint8), rng.choice(np.array([3, 7], np.uint8), 3000))


def changed(digits: Digits, position: int) -> Digits:
    """Return the digits with one pixel of the image at this position changed."""
    images = digits.images
    images[position, 2, 2] ^= 1
    return Digits.of(images, digits.labels)


@pytest.fixture(scope="module")
def run(digits: Digits) -> Run:
    """Return a run that was trained on the digits for an epoch."""
    examples = Examples(digits.pixels, digits.rows, (digits.labels == 7)[:, np.newaxis])
    state = train.train(examples, examples, SETTINGS).last
    return Run(RunSettings(SETTINGS), (3, 7), state, digits.fingerprint())


def accepts(run: Run, digits: Digits, path: Path) -> bool:
    try:
        resume.saver(path, run, digits, "NumPy on the CPU", pytest.fail)
    except DataError:
        return False
    return True


@pytest.mark.parametrize("position", [0, 1, 2, 1501, 2999])
def test_a_change_in_any_image_changes_the_fingerprint(position: int, digits: Digits) -> None:
    assert changed(digits, position).fingerprint() != digits.fingerprint()


def test_labels_order_and_shape_change_the_fingerprint(digits: Digits) -> None:
    different = [
        replace(digits, labels=digits.labels[::-1]),
        digits.take(np.roll(np.arange(3000), 1)),
        digits.take(np.arange(2999)),
        Digits.of(digits.images.reshape(3000, 2, 8), digits.labels),
    ]
    assert len({one.fingerprint() for one in (digits, *different)}) == 5


def test_the_same_digits_in_a_larger_array_have_the_same_fingerprint(digits: Digits) -> None:
    which = np.flatnonzero(digits.labels == 3)
    assert digits.take(which).fingerprint() == digits.take(which).compact().fingerprint()


def test_of_more_than_the_limit_only_evenly_spaced_images_are_read(
    digits: Digits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "COPY_LIMIT", 3000 * 16 // 2)
    assert changed(digits, 1).fingerprint() == digits.fingerprint()
    assert changed(digits, 2998).fingerprint() != digits.fingerprint()


def test_a_run_continues_only_on_the_digits_that_it_started_with(digits: Digits, run: Run, tmp_path: Path) -> None:
    assert accepts(run, digits, tmp_path / "network.npz")
    assert not accepts(run, changed(digits, 1), tmp_path / "network.npz")


def test_a_run_of_version_2_is_checked_by_the_fingerprint_of_that_version(
    digits: Digits, run: Run, tmp_path: Path
) -> None:
    sample = hashlib.sha256(b"(4, 4) uint8" + digits.labels.tobytes() + digits.images[::3].tobytes()).hexdigest()
    earlier = replace(run, data=f"sampled {sample}")
    assert accepts(earlier, digits, tmp_path / "network.npz")
    assert not accepts(earlier, changed(digits, 3), tmp_path / "network.npz")
