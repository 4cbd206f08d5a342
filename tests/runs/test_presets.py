"""Presets: settings that every run accepts, and the book's own if that is promised."""

from collections.abc import Callable

import pytest

from tinygrad_mnist.runs import presets
from tinygrad_mnist.runs.presets import PRESETS
from tinygrad_mnist.runs.settings import RunSettings, require_valid
from tinygrad_mnist.train import Settings


@pytest.mark.parametrize("digits", [2, 3, 10])
@pytest.mark.parametrize("preset", PRESETS.values())
def test_every_preset_is_valid(preset: Callable[[int], RunSettings], digits: int) -> None:
    settings = preset(digits)
    require_valid(settings.training)
    assert 0 < settings.hold_out < 1
    assert settings.training.patience <= settings.training.epochs


def test_the_linear_preset_for_two_digits_has_the_default_settings() -> None:
    assert presets.linear(2) == RunSettings(Settings())


def test_the_chapter_preset_has_the_books_settings() -> None:
    settings = presets.chapter(2).training
    assert (settings.hidden, settings.learning_rate, settings.batch, settings.epochs) == ((30,), 0.1, 256, 40)
    assert (settings.loss, settings.optimizer, settings.schedule) == ("mean", "sgd", "constant")


def test_the_linear_preset_for_ten_digits_does_not_use_the_mean_loss() -> None:
    assert presets.linear(10).training.loss == "softmax-cross-entropy"
