"""Settings: what training can use is accepted, and everything else is refused by name."""

from dataclasses import replace
from typing import Any

import pytest

from tinygrad_mnist.runs.settings import CHOICES, RunSettings, require_valid
from tinygrad_mnist.train import Settings


@pytest.mark.parametrize(("name", "choices"), CHOICES.items())
def test_every_choice_is_accepted(name: str, choices: Any) -> None:
    for choice in choices:
        require_valid(replace(Settings(), **{name: choice}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[(name, "x") for name in ("loss", "optimizer", "schedule", "keep", "dtype")],
        *[(name, value) for name in ("batch", "epochs", "patience") for value in (0, -1, 1.0, "1", True)],
        *[("learning_rate", value) for value in (-1.0, float("inf"), float("nan"), 1, "1")],
        *[("hidden", value) for value in ([30], (0,), (-1,), (1.5,), ("30",), (True,), 30)],
        *[("seed", value) for value in (-1, 0.5, None)],
    ],
)
def test_a_value_that_training_cannot_use_is_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=name):
        require_valid(replace(Settings(), **{name: value}))


def test_a_learning_rate_of_0_is_accepted() -> None:
    require_valid(Settings(learning_rate=0.0))


@pytest.mark.parametrize(
    ("name", "value"), [("augment", 1), *[("hold_out", value) for value in (0.0, 1.0, 1, "x", float("nan"))]]
)
def test_a_run_refuses_values_that_it_cannot_use_by_name(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=name):
        RunSettings(Settings(), **{name: value})


def test_a_run_refuses_settings_that_training_cannot_use() -> None:
    with pytest.raises(ValueError, match="batch is 0, not at least 1"):
        RunSettings(Settings(batch=0))
