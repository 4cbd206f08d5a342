"""Presets: settings that work well together, by name. Each depends on the number of digits to tell apart."""

import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tinygrad_mnist.runs.settings import require_valid
from tinygrad_mnist.train import Settings


def linear(digits: int) -> Settings:
    """Return the default: no hidden layer. It trains in a second, or in a few seconds for more than two digits.

    For ten digits, nine of the ten targets are 0. The mean loss is small if all predictions are close to 0, and its
    gradient vanishes there, so the network learns almost nothing. The gradient of the cross-entropy does not vanish,
    and with the softmax, the probabilities of the digits have the sum 1.
    """
    if digits == 2:
        return Settings()
    return Settings(loss="softmax-cross-entropy", learning_rate=0.3, batch=128, epochs=30)


def chapter(digits: int) -> Settings:  # noqa: ARG001 - every preset takes the same argument
    """Return the settings of the book's network, 784-30-1: its learning rate, batch size and number of epochs."""
    return Settings(hidden=(30,), learning_rate=0.1, batch=256, epochs=40, patience=40)


def quick(digits: int) -> Settings:
    """Return the settings of a small convolutional network, which reads about 99 % of ten digits after five epochs."""
    return replace(_convolutional(digits), features=(8, 32), hidden=(64,), epochs=5, patience=5)


def best(digits: int) -> Settings:
    """Return the most accurate settings: a convolutional network, and digits distorted differently in every epoch.

    They were chosen by the accuracy on held-out training digits. Two digits have only a fifth of the images, so they
    take more epochs. The last epoch is kept, because the steps are small by then, and an earlier epoch that is better
    on the few held-out digits is better by chance.
    """
    epochs = 60 if digits == 2 else 36
    return replace(_convolutional(digits), features=(16, 64), hidden=(128,), epochs=epochs, patience=epochs)


def _convolutional(digits: int) -> Settings:
    """Return what both have in common. With a sigmoid, one output is enough for two digits."""
    return Settings(
        loss="cross-entropy" if digits == 2 else "softmax-cross-entropy",
        optimizer="momentum",
        learning_rate=0.05,
        schedule="cosine",
        batch=128,
        keep="last",
        augment=True,
        hold_out=1 / 60,
    )


PRESETS: dict[str, Callable[[int], Settings]] = {"linear": linear, "chapter": chapter, "quick": quick, "best": best}
"""The presets by their names. Each takes the number of digits."""


def chosen(preset: str, digits: int, choices: dict[str, Any]) -> Settings:
    """Return a preset with those of the chosen settings that are not None, for this number of digits.

    Besides the settings, `network` may be "dense" or "convolutional". The seed is random if none was chosen. Raises
    ValueError if there is no such preset, if a setting is not valid, or if the settings do not fit each other.
    """
    if preset not in PRESETS:
        raise ValueError(f"preset is {preset!r}, not one of {', '.join(PRESETS)}")
    settings = PRESETS[preset](digits)
    given = {name: value for name, value in choices.items() if value is not None}
    network, features = given.pop("network", None), given.get("features")
    if network == "dense":
        if features:
            raise ValueError("a dense network has no features, and a convolutional one has two numbers of them")
        given["features"] = ()
    elif (network or features) and not settings.features:
        settings = replace(quick(digits), augment=False)
    if network == "convolutional":
        given["features"] = features or settings.features
    given.setdefault("seed", secrets.randbelow(1_000_000))
    settings = replace(settings, **given)
    require_valid(settings, digits)
    return settings
