"""A saved training: everything needed to continue it as if it had never stopped. It is part of a checkpoint."""

import json
import math
from dataclasses import asdict, dataclass, fields
from typing import Any

from tinygrad_mnist.arrays.layers import Layer, Parameters
from tinygrad_mnist.errors import require
from tinygrad_mnist.optimizers import Velocity
from tinygrad_mnist.passes.first_linear import S
from tinygrad_mnist.runs.environment import Environment
from tinygrad_mnist.runs.settings import RANGES, RunSettings, require_between, shown
from tinygrad_mnist.train import Settings, TrainingState

KEYS = {"settings", "data", "state", "environment"}

SAMPLED = "sampled "
"""The start of a fingerprint that version 2 of the checkpoints made, from the labels and some of the images."""

MAX_FINGERPRINT = 100
"""The largest number of characters of a fingerprint."""

RENAMED_SINCE_2 = {"number": "epoch", "highest": "best_accuracy", "improved": "best_epoch"}
"""The names of a state's numbers that have changed since version 2 of the checkpoints."""


@dataclass(frozen=True)
class SavedTraining:
    """The settings of a training, the data it was trained on, and the state to continue from."""

    settings: RunSettings
    data: str  # the Digits.fingerprint of the digits it was trained on, or one that starts with SAMPLED
    state: TrainingState  # on the host
    environment: Environment | None = None  # None if it is unknown, as in files of version 2

    def as_text(self) -> str:
        """Return everything but the arrays as JSON, in which numbers keep every bit."""
        state = self.state._asdict()
        del state["parameters"], state["velocity"]
        environment = self.environment and asdict(self.environment)
        facts = {"settings": asdict(self.settings), "data": self.data, "state": state, "environment": environment}
        return json.dumps(facts)


def from_text(text: str, version: int, parameters: Parameters, velocity: Velocity) -> SavedTraining:
    """Return the training that `as_text` wrote in a checkpoint of this version, with the arrays of its state.

    Raises ValueError, TypeError, KeyError or AttributeError if it does not describe a training of these parameters.
    """
    try:
        facts = json.loads(text)
    except ValueError as error:
        raise ValueError("the description of its training is not valid JSON") from error
    if version <= 2:
        facts, velocity = _from_version_2(facts, velocity)
    if version <= 3:
        facts["state"].setdefault("valid_loss", math.nan)
        facts["settings"]["training"].setdefault("features", [])
    require(facts.keys() == KEYS, "the description of its training is incomplete")
    data, environment = facts["data"], facts["environment"]
    require(type(data) is str and len(data) <= MAX_FINGERPRINT, "the fingerprint of its data is not a short text")
    chosen = facts["settings"]
    training = chosen.pop("training")
    require(training.keys() == {field.name for field in fields(Settings)}, "its settings are incomplete")
    training |= {name: tuple(training[name]) for name in ("hidden", "features")}
    settings = RunSettings(Settings(**training), **chosen)
    state = TrainingState(parameters=parameters, velocity=velocity, **facts["state"])
    _require_reached(state)
    _require_fit(settings.training, state)
    return SavedTraining(settings, data, state, None if environment is None else Environment(**environment))


def _from_version_2(facts: dict[str, Any], velocity: Velocity) -> tuple[dict[str, Any], Velocity]:
    """Return what version 2 wrote, under today's names, and its velocity for pixels from 0 to 1.

    In version 2 the first layer's velocity was that of weights for pixels from 0 to 255. Those are w / 255, so the
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
    require(type(facts["data"]) is str, "the fingerprint of its data is not text")
    of_data = {"data": SAMPLED + facts["data"], "environment": None}
    return {**facts, **of_data, "settings": {**chosen, "training": training}, "state": state}, velocity


def _require_reached(state: TrainingState) -> None:
    """Raise ValueError unless the numbers of a state can come from training."""
    for name in ("epoch", "best_epoch"):
        require_between(name, getattr(state, name), *RANGES["epochs"])
    require(state.best_epoch <= state.epoch, f"epoch is {state.epoch}, and best_epoch is {state.best_epoch}")
    finite = type(state.loss) is float and math.isfinite(state.loss)
    require(finite, f"loss is {shown(state.loss)}, not a finite number")
    require(type(state.valid_loss) is float, f"valid_loss is {shown(state.valid_loss)}, not a number")
    for name in ("valid_accuracy", "best_accuracy"):
        share = getattr(state, name)
        require(type(share) is float and 0 <= share <= 1, f"{name} is {shown(share)}, not a number from 0 to 1")
    require(state.valid_accuracy <= state.best_accuracy, "valid_accuracy is larger than best_accuracy")


def _require_fit(settings: Settings, state: TrainingState) -> None:
    """Raise ValueError unless these settings lead to parameters and a velocity like those of the state."""
    hidden, chosen = tuple(layer.w.shape[1] for layer in state.parameters[:-1]), settings.features + settings.hidden
    require(chosen == hidden, f"its settings have the hidden layers {shown(chosen)}, its network {shown(hidden)}")
    require(state.epoch <= settings.epochs, f"epoch is {state.epoch}, and its settings have {settings.epochs} epochs")
    dtype = state.parameters[0].w.dtype.name
    require(dtype == settings.dtype, f"its settings have the type {settings.dtype}, its network {dtype}")
    has_velocity = state.velocity is not None
    require(has_velocity == (settings.optimizer == "momentum"), "its optimizer and its velocity do not fit")
