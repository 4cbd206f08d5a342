"""The settings of a training run, and the checks that each of them must pass."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import cast

from tinygrad_mnist.errors import require
from tinygrad_mnist.losses import LOSSES
from tinygrad_mnist.networks import convolutional
from tinygrad_mnist.optimizers import OPTIMIZERS, SCHEDULES
from tinygrad_mnist.train import Settings

KEEP = ("best", "last")
"""Which epoch's network a run keeps."""

DTYPES = ("float32", "float64")
"""The number types that a network can be trained in."""

CHOICES: dict[str, Iterable[str]] = {
    "loss": LOSSES,
    "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
    "keep": KEEP,
    "dtype": DTYPES,
}
"""The settings that are one of a few names."""


RANGES: dict[str, tuple[int, int]] = {
    "batch": (1, 10**9),
    "epochs": (1, 10**6),
    "patience": (1, 10**6),
    "seed": (0, 2**63 - 1),
}
"""The smallest and the largest value of the settings that are whole numbers, far beyond useful values."""

MAX_RATE, MAX_UNITS = 1e100, 100_000
"""The largest learning rate and the largest hidden layer. Like the limits above, they are far beyond useful values."""


@dataclass(frozen=True)
class RunSettings:
    """The settings of training, and of the digits to train on. Raises ValueError if one of them is not valid."""

    training: Settings
    augment: bool = False
    hold_out: float = 1 / 6
    """The share of the training digits in the validation set: 10,000 of MNIST's 60,000, the size of its test set."""

    def __post_init__(self) -> None:
        """Check every value, because it may have been read from a file."""
        require_valid(self.training)
        require(type(self.augment) is bool, f"augment is {shown(self.augment)}, not true or false")
        require(type(self.hold_out) is float, f"hold_out is {shown(self.hold_out)}, not a float")
        require(0 < self.hold_out < 1, f"hold_out is {self.hold_out!r}, not between 0 and 1")


def require_valid(settings: Settings) -> None:
    """Raise ValueError, naming the setting, if one has the wrong type or a value that training cannot use."""
    for field in fields(Settings):
        value, expected = getattr(settings, field.name), type(field.default)
        require(type(value) is expected, f"{field.name} is {shown(value)}, not of type {expected.__name__}")
    for name, choices in CHOICES.items():
        value = getattr(settings, name)
        require(value in choices, f"{name} is {shown(value)}, not one of {', '.join(choices)}")
    for name, (low, high) in RANGES.items():
        require_between(name, getattr(settings, name), low, high)
    for size in settings.hidden:
        require(type(size) is int and size >= 1, f"hidden has the size {shown(size)}, not a whole number of at least 1")
        require_between("a size in hidden", size, 1, MAX_UNITS)
    for count in settings.features:
        require_between("a number in features", count, 1, MAX_UNITS)
    convolutions = f"features is {shown(settings.features)}, not two numbers, or none for a dense network"
    require(len(settings.features) in (0, convolutional.CONVOLUTIONS), convolutions)
    rate = settings.learning_rate
    require(0 <= rate <= MAX_RATE, f"learning_rate is {rate!r}, not from 0 to {MAX_RATE:g}")


def require_loss_for(settings: Settings, digits: int) -> None:
    """Raise ValueError if the loss cannot be used for this number of digits."""
    is_possible = settings.loss != "softmax-cross-entropy" or digits > 2
    require(is_possible, "the softmax cross-entropy is for three digits or more: use the cross-entropy")


def require_between(name: str, value: object, low: int, high: int) -> None:
    """Raise ValueError, with the name, unless the value is a whole number from `low` to `high`."""
    require(type(value) is int, f"{name} is {shown(value)}, not a whole number")
    require(low <= cast("int", value), f"{name} is {shown(value)}, not at least {low:,}")
    require(cast("int", value) <= high, f"{name} is {shown(value)}, not at most {high:,}")


def shown(value: object) -> str:
    """Return a value as it is in Python, cut off if it is long, for a sentence about it."""
    if type(value) is int and value.bit_length() > 100:
        return "a number of more than 30 digits"  # Python refuses to write thousands of digits
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}..."
