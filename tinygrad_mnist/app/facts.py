"""The facts about a run that are reported before it and after it."""

import math
from dataclasses import asdict
from typing import Any

import numpy as np

from tinygrad_mnist.app import wording
from tinygrad_mnist.arrays.backend import Backend
from tinygrad_mnist.datasets import scaling
from tinygrad_mnist.runs.run import Outcome, Parts, Run

SAMPLE = 500
"""The number of training images that are looked at to find out why nothing was learned."""


def before(run: Run, parts: Parts, backend: Backend) -> dict[str, Any]:
    """Return what is reported before training."""
    training, validation, test = parts
    settings = asdict(run.kept.settings)
    settings["loss_function"] = settings.pop("loss")  # the loss is a number
    return {
        "training": len(training.labels),
        "held_out": len(validation.labels),
        "test": len(test.labels),
        "layers": run.kept.layer_sizes,
        "device": backend.description,
        "after": run.kept.state.epoch,
        **settings,
    }


def at_chance(run: Run, parts: Parts, outcome: Outcome) -> str:
    """Return a sentence with the likely cause if the network is no better than guessing, and "" if it is better.

    Guessing means to predict the most frequent test digit. It counts as better by three standard deviations or more.
    """
    labels, accuracy = parts.test.labels, outcome.test_accuracy
    guess = float(np.bincount(labels).max() / len(labels))
    if accuracy > guess + 3 * math.sqrt(guess * (1 - guess) / len(labels)):
        return ""
    result = f"The network is no better than guessing ({wording.percent(accuracy)} of the test digits)"
    valid = run.kept.state.valid_accuracy
    if run.kept.settings.loss == "mean" and len(run.kept.digits) > 2:
        return f"{result}, because the mean loss learns almost nothing: try --loss softmax-cross-entropy."
    if valid > (1 + guess) / 2:
        share = wording.percent(valid)
        return f"{result}, and recognizes {share} of the validation digits: check that the test labels are right."
    if scaling.measured(parts.training.sample(SAMPLE).source) is None:
        return f"{result}, perhaps because the background varies: use images of ink on paper of one gray."
    return f"{result}: check that the labels belong to the images, or change --learning-rate."


def after(run: Run, parts: Parts, outcome: Outcome) -> dict[str, Any]:
    """Return what is reported after training."""
    best, test_accuracy = run.kept.state, outcome.test_accuracy
    return {
        "epochs": run.last.epoch,
        "best_epoch": best.epoch,
        "loss": best.loss,
        "valid_loss": best.valid_loss,
        "valid_accuracy": best.valid_accuracy,
        "test_accuracy": test_accuracy,
        "wrong": round((1 - test_accuracy) * len(parts.test.labels)),
        "seconds": outcome.seconds,
        "seed": run.kept.settings.seed,
        "stopped": outcome.stopped,
        "patience": run.kept.settings.patience,
    }
