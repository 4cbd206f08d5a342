"""The checks that settings must pass before a training, and the layers that follow from them."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import fields

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

MAX_RATE, MAX_UNITS, MAX_LAYERS = 1e100, 100_000, 100
"""The largest learning rate, hidden layer and number of layers. Like the limits above, they are beyond useful ones."""


def require_valid(settings: Settings, digits: int) -> None:
    """Raise ValueError, naming the setting, unless a network for this number of digits can be trained with them."""
    for field in fields(Settings):
        value, expected = getattr(settings, field.name), type(field.default)
        require(type(value) is expected, f"{field.name} is {shown(value)}, not of type {expected.__name__}")
    for name, choices in CHOICES.items():
        value = getattr(settings, name)
        require(value in choices, f"{name} is {shown(value)}, not one of {', '.join(choices)}")
    for name, (low, high) in RANGES.items():
        require_between(name, getattr(settings, name), low, high)
    for name in ("hidden", "features"):
        for size in getattr(settings, name):
            require_between(f"a size in {name}", size, 1, MAX_UNITS)
    require(len(settings.hidden) < MAX_LAYERS, f"hidden has {len(settings.hidden)} layers, not at most {MAX_LAYERS}")
    convolutions = f"features is {shown(settings.features)}, not two numbers, or none for a dense network"
    require(len(settings.features) in (0, convolutional.CONVOLUTIONS), convolutions)
    rate, share = settings.learning_rate, settings.hold_out
    require(0 <= rate <= MAX_RATE, f"learning_rate is {rate!r}, not from 0 to {MAX_RATE:g}")
    require(0 < share < 1, f"hold_out is {share!r}, not between 0 and 1")
    is_possible = settings.loss != "softmax-cross-entropy" or digits > 2
    require(is_possible, "the softmax cross-entropy is for three digits or more: use the cross-entropy")


def require_between(name: str, value: object, low: int, high: int) -> None:
    """Raise ValueError, with the name, unless the value is a whole number from `low` to `high`."""
    require(type(value) is int, f"{name} is {shown(value)}, not a whole number")
    is_between = isinstance(value, int) and low <= value <= high
    require(is_between, f"{name} is {shown(value)}, not from {low:,} to {high:,}")


def shown(value: object) -> str:
    """Return a value as it is in Python, cut off if it is long, for a sentence about it."""
    if type(value) is int and value.bit_length() > 100:
        return "a number of more than 30 digits"  # Python refuses to write thousands of digits
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}..."


def layer_sizes(settings: Settings, pixels: int, digits: int) -> tuple[int, ...]:
    """Return the numbers of pixels, features of the convolutions, hidden units, and outputs for so many digits."""
    return (pixels, *settings.features, *settings.hidden, 1 if digits == 2 else digits)


def weight_shapes(settings: Settings, sizes: Sequence[int]) -> list[tuple[int, int]]:
    """Return the shapes of the weights of a network with these settings and sizes.

    Raises ValueError if the images are not square, or too small, for a convolutional network.
    """
    return convolutional.weight_shapes(sizes) if settings.features else list(itertools.pairwise(sizes))


def work(settings: Settings, pixels: int, digits: int) -> int:
    """Return the work of a training step: the examples in a batch times the weights and biases, at every patch."""
    patches = [count**2 for count in convolutional.patch_counts(pixels)] if settings.features else []
    shapes = weight_shapes(settings, layer_sizes(settings, pixels, digits))
    times = [*patches, *itertools.repeat(1, len(shapes) - len(patches))]
    return settings.batch * sum(count * (i + 1) * o for count, (i, o) in zip(times, shapes, strict=True))
