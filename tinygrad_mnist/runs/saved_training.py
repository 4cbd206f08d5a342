"""Where a training stands: all that it takes to go on as if it had never stopped."""

import json
import math
from dataclasses import asdict, dataclass
from typing import Any

from tinygrad_mnist.network import Parameters
from tinygrad_mnist.presets import Preset
from tinygrad_mnist.steps import Velocity
from tinygrad_mnist.train import Epoch, Settings


@dataclass(frozen=True)
class Progress:
    """An epoch, how it was reached, and on what."""

    chosen: Preset
    data: str  # datasets.digits.Digits.fingerprint of what was trained on
    epoch: Epoch  # on the host

    def as_text(self) -> str:
        """Return all but the arrays as JSON, in which numbers keep every bit."""
        number, loss, valid_accuracy, _, _, highest, improved = self.epoch
        epoch = {
            **{"number": number, "loss": loss, "valid_accuracy": valid_accuracy},
            **{"highest": highest, "improved": improved},
        }
        return json.dumps({"chosen": asdict(self.chosen), "data": self.data, "epoch": epoch})


def from_text(text: str, parameters: Parameters, velocity: Velocity) -> Progress:
    """Return the progress that `as_text` wrote, with the arrays of its epoch.

    Raises ValueError, TypeError or KeyError where it is not that of a training of a network with these layers.
    """
    facts = json.loads(text)
    if facts.keys() != {"chosen", "data", "epoch"}:
        raise ValueError("something is missing, or too much")
    settings = facts["chosen"].pop("settings")
    chosen = Preset(Settings(**{**settings, "hidden": tuple(settings["hidden"])}), **facts["chosen"])
    epoch = Epoch(parameters=parameters, velocity=velocity, **facts["epoch"])
    if not (_is_sound(chosen, facts["data"]) and _is_reached(epoch) and _fits(chosen.settings, epoch)):
        raise ValueError("no training stands there")
    return Progress(chosen, facts["data"], epoch)


def _is_sound(chosen: Preset, data: Any) -> bool:
    return type(chosen.augment) is bool and _is_share(chosen.hold_out) and 0 < chosen.hold_out < 1 and type(data) is str


def _is_reached(epoch: Epoch) -> bool:
    """Return whether the numbers of an epoch are such as training gives."""
    return (
        type(epoch.number) is type(epoch.improved) is int
        and 1 <= epoch.improved <= epoch.number
        and type(epoch.loss) is float
        and math.isfinite(epoch.loss)
        and _is_share(epoch.valid_accuracy)
        and _is_share(epoch.highest)
        and epoch.valid_accuracy <= epoch.highest
    )


def _is_share(number: Any) -> bool:
    return type(number) is float and 0 <= number <= 1


def _fits(settings: Settings, epoch: Epoch) -> bool:
    """Return whether these settings make these layers, and remember a velocity where there is one."""
    hidden = tuple(layer.w.shape[1] for layer in epoch.parameters[:-1])
    return (
        settings.hidden == hidden
        and epoch.parameters[0].w.dtype.name == settings.dtype
        and (epoch.velocity is not None) == (settings.step == "momentum")
    )
