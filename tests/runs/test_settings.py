"""Settings: what training can use is accepted, and everything else is refused by name."""

from dataclasses import replace
from typing import Any

import pytest

from tinygrad_mnist.runs.settings import CHOICES, require_valid, work
from tinygrad_mnist.train import Settings


@pytest.mark.parametrize(("name", "choices"), CHOICES.items())
def test_every_choice_is_accepted(name: str, choices: Any) -> None:
    for choice in choices:
        require_valid(replace(Settings(), **{name: choice}), 3)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        *[(name, ("x",)) for name in ("loss", "optimizer", "schedule", "keep", "dtype")],
        *[(name, (0, -1, 1.0, "1", True, 10**400)) for name in ("batch", "epochs", "patience")],
        ("learning_rate", (-1.0, float("inf"), float("nan"), 1, "1")),
        ("hidden", ([30], (0,), (-1,), (1.5,), ("30",), (True,), 30, (1,) * 100)),
        ("features", ((2,), (2, 0), [2, 4], (2, 4, 8))),
        ("seed", (-1, 0.5, None)),
        ("augment", (1, None)),
        ("hold_out", (0.0, 1.0, 1, "x", float("nan"))),
    ],
)
def test_a_value_that_training_cannot_use_is_refused_by_name(name: str, values: tuple[Any, ...]) -> None:
    for value in values:
        with pytest.raises(ValueError, match=name):
            require_valid(replace(Settings(), **{name: value}), 3)


def test_a_learning_rate_of_0_is_accepted() -> None:
    require_valid(Settings(learning_rate=0.0), 2)


def test_the_work_of_a_step_counts_a_convolution_at_every_patch() -> None:
    assert work(Settings(hidden=(30,), batch=2), 784, 2) == 2 * (785 * 30 + 31)
    assert work(Settings(features=(2, 4), batch=1), 784, 3) == 144 * 26 * 2 + 16 * 51 * 4 + 65 * 3
