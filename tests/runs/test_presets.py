"""Presets: settings that every run accepts, the book's own if that is promised, and what changes them."""

from typing import Any

import pytest

from tinygrad_mnist.runs import presets
from tinygrad_mnist.runs.presets import PRESETS, chosen
from tinygrad_mnist.runs.settings import require_valid
from tinygrad_mnist.train import Settings


@pytest.mark.parametrize("digits", [2, 3, 10])
@pytest.mark.parametrize("preset", [name for name in PRESETS if name != "chapter"])
def test_every_preset_is_valid(preset: str, digits: int) -> None:
    settings = PRESETS[preset](digits)
    require_valid(settings, digits)
    assert settings.patience <= settings.epochs


def test_the_linear_preset_for_two_digits_has_the_default_settings() -> None:
    assert presets.linear(2) == Settings()
    assert presets.linear(10).loss == "softmax-cross-entropy"


def test_the_chapter_preset_has_the_books_settings() -> None:
    settings = presets.chapter(2)
    assert (settings.hidden, settings.learning_rate, settings.batch, settings.epochs) == ((30,), 0.1, 256, 40)
    assert (settings.loss, settings.optimizer, settings.schedule) == ("mean", "sgd", "constant")
    require_valid(settings, 2)


@pytest.mark.parametrize(
    ("preset", "choices", "features", "augment"),
    [
        ("linear", {}, (), False),
        ("linear", {"network": "convolutional"}, (8, 32), False),
        ("linear", {"features": (2, 4)}, (2, 4), False),
        ("linear", {"network": "convolutional", "features": ()}, (8, 32), False),
        ("best", {}, (16, 64), True),
        ("best", {"network": "convolutional", "augment": False}, (16, 64), False),
        ("best", {"network": "dense"}, (), True),
    ],
)
def test_the_kind_of_network_can_be_chosen(
    preset: str, choices: dict[str, Any], features: tuple[int, ...], augment: bool
) -> None:
    settings = chosen(preset, 3, {**choices, "hidden": None})
    assert (settings.features, settings.augment) == (features, augment)


def test_the_seed_is_random_unless_it_is_chosen() -> None:
    assert chosen("linear", 2, {"seed": 5}).seed == 5
    assert len({chosen("linear", 2, {}).seed for _ in range(20)}) > 1
