"""Presets: settings that work well together, by name. Each depends on the number of digits to tell apart."""

import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tinygrad_mnist.runs.settings import RunSettings
from tinygrad_mnist.train import Settings


def linear(digits: int) -> RunSettings:
    """Return the default: no hidden layer. It trains in a second, or in a few seconds for more than two digits.

    For ten digits, nine of the ten targets are 0. The mean loss is small if all predictions are close to 0, and its
    gradient vanishes there, so the network learns almost nothing. The gradient of the cross-entropy does not vanish,
    and with the softmax, the probabilities of the digits have the sum 1.
    """
    if digits == 2:
        return RunSettings(Settings())
    return RunSettings(Settings(loss="softmax-cross-entropy", learning_rate=0.3, batch=128, epochs=30))


def chapter(digits: int) -> RunSettings:  # noqa: ARG001 - every preset takes the same argument
    """Return the settings of the book's network, 784-30-1: its learning rate, batch size and number of epochs."""
    return RunSettings(Settings(hidden=(30,), learning_rate=0.1, batch=256, epochs=40, patience=40))


def quick(digits: int) -> RunSettings:
    """Return the settings of a small convolutional network, which reads about 99 % of ten digits after five epochs."""
    training = replace(
        _CONVOLUTIONAL, loss=_cross_entropy(digits), features=(8, 32), hidden=(64,), epochs=5, patience=5
    )
    return RunSettings(training, augment=True, hold_out=1 / 60)


def best(digits: int) -> RunSettings:
    """Return the most accurate settings: a convolutional network, and digits distorted differently in every epoch.

    They were chosen by the accuracy on held-out training digits. Two digits have only a fifth of the images, so they
    take more epochs. The last epoch is kept, because the steps are small by then, and an earlier epoch that is better
    on the few held-out digits is better by chance.
    """
    epochs = 60 if digits == 2 else 36
    training = replace(_CONVOLUTIONAL, loss=_cross_entropy(digits), features=(16, 64), hidden=(128,))
    return RunSettings(replace(training, epochs=epochs, patience=epochs), augment=True, hold_out=1 / 60)


_CONVOLUTIONAL = Settings(optimizer="momentum", learning_rate=0.05, schedule="cosine", batch=128, keep="last")


def _cross_entropy(digits: int) -> str:
    """Return the cross-entropy for this number of digits. With a sigmoid, one output is enough for two digits."""
    return "cross-entropy" if digits == 2 else "softmax-cross-entropy"


FEATURES = (16, 64)
"""The features of a convolutional network if none are chosen."""

PRESETS: dict[str, Callable[[int], RunSettings]] = {
    "linear": linear,
    "chapter": chapter,
    "quick": quick,
    "best": best,
}
"""The presets by the names that `train --preset` takes. Each takes the number of digits."""


def start(name: str, digits: int, choices: dict[str, Any]) -> RunSettings:
    """Return a preset by its name, or `quick` without distortions if a convolutional network was chosen without one."""
    preset = PRESETS[name](digits)
    is_convolutional = choices.get("network") == "convolutional" or choices.get("features")
    return replace(quick(digits), augment=False) if is_convolutional and not preset.training.features else preset


def chosen(preset: RunSettings, choices: dict[str, Any]) -> RunSettings:
    """Return the preset with the chosen settings that are not None. The seed is random if none was chosen.

    Raises ValueError if a setting is not valid, or if the settings do not fit each other.
    """
    given = {name: value for name, value in choices.items() if value is not None}
    if "step" in given:  # an earlier name
        given.setdefault("optimizer", given.pop("step"))
    given.setdefault("seed", secrets.randbelow(1_000_000))
    network, had = given.pop("network", None), preset.training.features
    if network == "dense" and given.get("features"):
        raise ValueError("a dense network has no features, and a convolutional one has two numbers of them")
    if network is not None:
        given["features"] = () if network == "dense" else given.get("features") or had or FEATURES
    of_run = {name: given.pop(name) for name in ("augment", "hold_out") if name in given}
    return replace(preset, training=replace(preset.training, **given), **of_run)
