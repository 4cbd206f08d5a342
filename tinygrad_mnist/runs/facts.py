"""The facts about a run that are reported before it and after it."""

from dataclasses import asdict
from typing import Any

from tinygrad_mnist import metrics
from tinygrad_mnist.arrays.backend import Backend
from tinygrad_mnist.runs.resume import Run
from tinygrad_mnist.runs.run import Outcome, Parts


def before(run: Run, parts: Parts, backend: Backend) -> dict[str, Any]:
    """Return what is reported before training."""
    training, validation, test = parts
    settings = asdict(run.settings.training)
    settings["loss_function"] = settings.pop("loss")  # the loss is a number
    outputs = metrics.targets(training.labels[:1], run.digits).shape[1]
    return {
        "training": len(training.labels),
        "held_out": len(validation.labels),
        "test": len(test.labels),
        "layers": [training.pixels.shape[1], *run.settings.training.features, *run.settings.training.hidden, outputs],
        "augment": run.settings.augment,
        "device": backend.description,
        "after": run.state.epoch if run.state else 0,
        **settings,
    }


def after(run: Run, parts: Parts, outcome: Outcome) -> dict[str, Any]:
    """Return what is reported after training."""
    (best, last, stopped), test_accuracy = outcome.result, outcome.test_accuracy
    return {
        "epochs": last.epoch,
        "best_epoch": best.epoch,
        "loss": best.loss,
        "valid_loss": best.valid_loss,
        "valid_accuracy": best.valid_accuracy,
        "test_accuracy": test_accuracy,
        "wrong": round((1 - test_accuracy) * len(parts.test.labels)),
        "seconds": outcome.seconds,
        "seed": run.settings.training.seed,
        "stopped": stopped,
        "patience": run.settings.training.patience,
    }
