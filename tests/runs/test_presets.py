"""Presets: settings that every training accepts, and the book's own where that is promised."""

from collections.abc import Callable

import pytest

from tinygrad_mnist import presets
from tinygrad_mnist.network import LOSSES
from tinygrad_mnist.presets import Preset
from tinygrad_mnist.steps import SCHEDULES, STEPS
from tinygrad_mnist.train import Settings

EVERY = [presets.line, presets.chapter, presets.best]


@pytest.mark.parametrize("digits", [2, 3, 10])
@pytest.mark.parametrize("preset", EVERY)
def test_every_preset_names_rules_that_exist(preset: Callable[[int], Preset], digits: int) -> None:
    chosen = preset(digits)
    settings = chosen.settings
    assert settings.loss in LOSSES
    assert settings.step in STEPS
    assert settings.schedule in SCHEDULES
    assert 0 < chosen.hold_out < 1
    assert settings.patience <= settings.epochs


def test_a_line_between_two_digits_is_what_training_does_unasked() -> None:
    assert presets.line(2) == Preset(Settings())


def test_the_chapters_network_has_the_books_settings() -> None:
    settings = presets.chapter(2).settings
    assert (settings.hidden, settings.learning_rate, settings.batch, settings.epochs) == ((30,), 0.1, 256, 40)
    assert (settings.loss, settings.step, settings.schedule) == ("mean", "plain", "constant")


def test_of_ten_outputs_the_mean_loss_would_be_content_with_none() -> None:
    assert presets.line(10).settings.loss == "cross-entropy"
