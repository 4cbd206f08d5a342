"""The settings of a training run, and what each of them must satisfy."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, fields

from tinygrad_mnist.errors import require
from tinygrad_mnist.losses import LOSSES
from tinygrad_mnist.optimizers import OPTIMIZERS, SCHEDULES
from tinygrad_mnist.train import Settings

KEEP = ("best", "last")
"""Which epoch's network a run keeps."""

DTYPES = ("float32", "float64")
"""The types that a network can be trained in."""

CHOICES: dict[str, Iterable[str]] = {
    "loss": LOSSES,
    "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
    "keep": KEEP,
    "dtype": DTYPES,
}
"""The settings that are one of a few names."""


@dataclass(frozen=True)
class RunSettings:
    """The settings of training, and of the digits that it is given. Raises ValueError if one of them is not valid."""

    training: Settings
    augment: bool = False
    hold_out: float = 1 / 6
    """The share of the training digits in the validation set: 10,000 of MNIST's 60,000, as many as its test set."""

    def __post_init__(self) -> None:
        """Check every value, because it may have been read from a file."""
        require_valid(self.training)
        require(type(self.augment) is bool, f"augment is {self.augment!r}, not true or false")
        require(type(self.hold_out) is float, f"hold_out is {self.hold_out!r}, not a number with a point")
        require(0 < self.hold_out < 1, f"hold_out is {self.hold_out!r}, not between 0 and 1")


def require_valid(settings: Settings) -> None:
    """Raise ValueError, naming it, if a setting has the wrong type or a value that training cannot use."""
    for field in fields(Settings):
        value, expected = getattr(settings, field.name), type(field.default)
        require(type(value) is expected, f"{field.name} is {value!r}, not of type {expected.__name__}")
    for name, choices in CHOICES.items():
        value = getattr(settings, name)
        require(value in choices, f"{name} is {value!r}, not one of {', '.join(choices)}")
    for name in ("batch", "epochs", "patience"):
        require(getattr(settings, name) >= 1, f"{name} is {getattr(settings, name)!r}, not at least 1")
    for size in settings.hidden:
        require(type(size) is int and size >= 1, f"hidden has the size {size!r}, not a whole number of at least 1")
    rate = settings.learning_rate
    require(0 <= rate < math.inf, f"learning_rate is {rate!r}, not a finite number of at least 0")
    require(settings.seed >= 0, f"seed is {settings.seed!r}, not at least 0")
