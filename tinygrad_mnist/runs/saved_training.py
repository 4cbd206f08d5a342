"""A saved training: all that is needed to continue it as if it had never stopped. It is part of a checkpoint."""

import json
import math
from dataclasses import asdict, dataclass, fields
from typing import Any

from tinygrad_mnist.arrays.layers import Layer, Parameters
from tinygrad_mnist.errors import require
from tinygrad_mnist.optimizers import Velocity
from tinygrad_mnist.passes.first_linear import S
from tinygrad_mnist.runs.settings import RunSettings
from tinygrad_mnist.train import Settings, TrainingState

KEYS = {"settings", "data", "state"}

RENAMED_SINCE_2 = {"number": "epoch", "highest": "best_accuracy", "improved": "best_epoch"}
"""The names of a state's numbers that have changed since version 2 of the checkpoints."""


@dataclass(frozen=True)
class SavedTraining:
    """The settings of a training, what it was trained on, and the state to continue from."""

    settings: RunSettings
    data: str  # datasets.digits.Digits.fingerprint of what was trained on
    state: TrainingState  # on the host

    def as_text(self) -> str:
        """Return everything but the arrays as JSON, in which numbers keep every bit."""
        state = self.state._asdict()
        del state["parameters"], state["velocity"]
        return json.dumps({"settings": asdict(self.settings), "data": self.data, "state": state})


def from_text(text: str, version: int, parameters: Parameters, velocity: Velocity) -> SavedTraining:
    """Return the training that `as_text` wrote in a checkpoint of this version, with the arrays of its state.

    Raises ValueError, TypeError, KeyError or AttributeError if it does not describe a training of these parameters.
    """
    facts = json.loads(text)
    if version <= 2:
        facts, velocity = _from_version_2(facts, velocity)
    require(facts.keys() == KEYS, "the description of its training is not complete")
    require(type(facts["data"]) is str, "the fingerprint of its data is not text")
    chosen = facts["settings"]
    training = chosen.pop("training")
    require(training.keys() == {field.name for field in fields(Settings)}, "its settings are not complete")
    settings = RunSettings(Settings(**{**training, "hidden": tuple(training["hidden"])}), **chosen)
    state = TrainingState(parameters=parameters, velocity=velocity, **facts["state"])
    _require_reached(state)
    _require_fit(settings.training, state)
    return SavedTraining(settings, facts["data"], state)


def _from_version_2(facts: dict[str, Any], velocity: Velocity) -> tuple[dict[str, Any], Velocity]:
    """Return what version 2 wrote under the names of today, and its velocity for pixels from 0 to 1.

    In version 2 the first layer's velocity was that of weights for pixels from 0 to 255. Those are w / 255, so that the
    derivative of the loss with respect to them is 255 times as large.
    """
    chosen, epoch = facts.pop("chosen"), facts.pop("epoch")
    training = chosen.pop("settings")
    optimizer = training.pop("step")
    training["optimizer"] = "sgd" if optimizer == "plain" else optimizer
    state = {RENAMED_SINCE_2.get(name, name): value for name, value in epoch.items()}
    if velocity is not None:
        (w, b), *later_layers = velocity
        velocity = (Layer(w * w.dtype.type(S), b), *later_layers)
    return {**facts, "settings": {**chosen, "training": training}, "state": state}, velocity


def _require_reached(state: TrainingState) -> None:
    """Raise ValueError unless the numbers of a state are such as training produces."""
    for name in ("epoch", "best_epoch"):
        require(type(getattr(state, name)) is int, f"{name} is {getattr(state, name)!r}, not a whole number")
    require(1 <= state.best_epoch <= state.epoch, f"epoch is {state.epoch}, and best_epoch is {state.best_epoch}")
    require(type(state.loss) is float and math.isfinite(state.loss), f"loss is {state.loss!r}, not a finite number")
    for name in ("valid_accuracy", "best_accuracy"):
        share = getattr(state, name)
        require(type(share) is float and 0 <= share <= 1, f"{name} is {share!r}, not a number from 0 to 1")
    require(state.valid_accuracy <= state.best_accuracy, "valid_accuracy is larger than best_accuracy")


def _require_fit(settings: Settings, state: TrainingState) -> None:
    """Raise ValueError unless these settings lead to parameters and a velocity like those of the state."""
    hidden = tuple(layer.w.shape[1] for layer in state.parameters[:-1])
    require(settings.hidden == hidden, f"its settings have the hidden layers {settings.hidden}, its network {hidden}")
    dtype = state.parameters[0].w.dtype.name
    require(dtype == settings.dtype, f"its settings have the type {settings.dtype}, its network {dtype}")
    has_velocity = state.velocity is not None
    require(has_velocity == (settings.optimizer == "momentum"), "its optimizer and its velocity do not fit")
