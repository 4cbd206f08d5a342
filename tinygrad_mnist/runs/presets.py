"""Settings that belong together, by name."""

from dataclasses import dataclass, replace

from tinygrad_mnist.train import Settings


@dataclass(frozen=True)
class Preset:
    """Settings of a training, and of the digits that it is given."""

    settings: Settings
    augment: bool = False
    hold_out: float = 1 / 6
    """The share of the training digits that decides when to stop: 10,000 of MNIST's 60,000, as many as its test set."""


def line(digits: int) -> Preset:
    """Return the default: no hidden layer, learned in a second, or in some seconds for more than two digits.

    Of ten outputs nine are to be 0, and the mean loss is nearly content with all of them at 0: its gradient vanishes
    there. The cross-entropy's does not.
    """
    if digits == 2:
        return Preset(Settings())
    return Preset(Settings(loss="cross-entropy", learning_rate=3.0, batch=128, epochs=30))


def chapter(digits: int) -> Preset:  # noqa: ARG001 - the book has one network, for any digits
    """Return the settings of the book's network, 784-30-1: its learning rate, its batches, its number of epochs."""
    return Preset(Settings(hidden=(30,), learning_rate=0.1, batch=256, epochs=40, patience=40))


def best(digits: int) -> Preset:
    """Return the strongest for so many digits: a wide hidden layer, and other distortions in every epoch.

    Chosen on held-out training digits: for pairs on 3 against 7 and 4 against 9, for more on all ten. The last epoch is
    kept: by then the steps have come to rest, and among a thousand held-out digits an earlier one is best by luck.
    """
    strong = Settings(loss="cross-entropy", step="momentum", schedule="cosine", epochs=60, patience=60, keep="last")
    if digits == 2:
        chosen = replace(strong, hidden=(500,), learning_rate=0.2, batch=128, epochs=80, patience=80)
    else:
        # The loss is the mean over all outputs: the more there are, the smaller the gradient of each.
        chosen = replace(strong, hidden=(1000,), learning_rate=3.0, batch=256, epochs=100, patience=100)
    return Preset(chosen, augment=True, hold_out=1 / 60)
