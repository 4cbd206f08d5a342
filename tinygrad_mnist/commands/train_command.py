"""train: learn to tell handwritten digits apart."""

import secrets
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from tinygrad_mnist import datasets, metrics
from tinygrad_mnist.arrays.backend import Backend
from tinygrad_mnist.commands import options
from tinygrad_mnist.console import output, plots
from tinygrad_mnist.console.reporters import JsonReporter, QuietReporter, TextReporter, TrainingReporter
from tinygrad_mnist.datasets.digits import DataSet
from tinygrad_mnist.losses import LOSSES
from tinygrad_mnist.optimizers import OPTIMIZERS, SCHEDULES
from tinygrad_mnist.runs import checkpoint, resume
from tinygrad_mnist.runs.presets import PRESETS
from tinygrad_mnist.runs.resume import Run
from tinygrad_mnist.runs.run import INTERRUPTED, Outcome, execute, split
from tinygrad_mnist.runs.settings import DTYPES, KEEP, RunSettings

WITH_RESUME = {"source", "backend", "epochs", "patience", "save", "resume_from", "plot", "quiet", "as_json"}
"""The options that can be given with --resume. All others would change the training."""


@click.command()
@options.data
@options.digits
@click.option(
    *("--preset", "-p"),
    type=options.RenamedChoice(PRESETS, {"line": "linear"}),
    default="linear",
    help="Settings to start from; the options below override them. linear: no hidden layer, one second. chapter: the "
    "book's network, for two digits. best: the most accurate, 40 seconds for two digits, five minutes for ten.",
)
@click.option("--hidden", metavar="N,..", callback=options.sizes, help="Sizes of the hidden layers, or 0 for none.")
@click.option("--loss", type=click.Choice(list(LOSSES)), help="Loss function.")
@click.option("--optimizer", type=click.Choice(list(OPTIMIZERS)), help="Update rule.")
@click.option("--step", type=options.RenamedChoice(OPTIMIZERS, {"plain": "sgd"}), hidden=True)
@click.option(
    "--learning-rate", "--lr", type=options.Number(0, min_open=True), help="Factor of the gradient in a step."
)
@click.option("--schedule", type=click.Choice(list(SCHEDULES)), help="How the learning rate changes with the epochs.")
@click.option("--batch", type=options.WholeNumber(1), help="Number of digits in each step.")
@click.option("--epochs", "-e", type=options.WholeNumber(1), help="Largest number of passes over the training digits.")
@click.option("--patience", type=options.WholeNumber(1), help="Stop after this many epochs without improvement.")
@click.option("--keep", type=click.Choice(KEEP), help="Which epoch's network to keep.")
@click.option("--augment/--no-augment", default=None, help="Distort the training digits differently in every epoch.")
@click.option(
    "--hold-out",
    type=options.Number(0, 1, min_open=True, max_open=True),
    help="Share of the training digits to use as the validation set.",
)
@click.option("--seed", type=options.WholeNumber(0, 2**63 - 1), help="Seed for all random numbers. Random by default.")
@click.option("--dtype", type=click.Choice(DTYPES), help="Type of all numbers.")
@options.backend
@click.option("--save", "-s", type=options.FILE, metavar="FILE", help="Save the best network so far to FILE.")
@click.option("--resume", "-r", "resume_from", type=options.FILE, metavar="FILE", help="Continue the training in FILE.")
@options.plot
@click.option("--quiet", "-q", is_flag=True, help="Print only one line, at the end.")
@options.json_events
def train(
    source: str,
    digits: tuple[int, ...],
    preset: str,
    backend: Backend,
    save: Path | None,
    resume_from: Path | None,
    plot: Path | None,
    quiet: bool,
    as_json: bool,
    **choices: Any,
) -> None:
    """Learn to tell handwritten digits apart.

    This takes about a second for two digits. The default is a linear model with a sigmoid and the mean loss, trained by
    stochastic gradient descent with gradients derived by hand. A share of the training digits is held out as the
    validation set, which decides when to stop. The test digits are used only once, at the end.

    With --save, FILE always holds the best network so far (or the last one, with --keep last). After Ctrl-C, --resume
    FILE continues from there, with the same result as an uninterrupted training.

    \b
    Examples:
      python cli.py train
      python cli.py train --digits 4,9 --hidden 30 -s model.npz
      python cli.py train --resume model.npz
      python cli.py train --digits 0-9 --preset best
      python cli.py train --data strokes --seed 1
    """
    reporter: TrainingReporter = JsonReporter() if as_json else QuietReporter() if quiet else TextReporter()
    if resume_from is None:
        run = Run(_chosen_settings(PRESETS[preset](len(digits)), choices), digits)
    else:
        _refuse_changes(resume_from)
        run = resume.resumed(resume_from, choices["epochs"], choices["patience"])
        save = save or resume_from
    if save is not None:
        checkpoint.require_writable(save)
        plots.require_not_model(plot, save)
    data = datasets.load(source, run.digits, output.notice, output.Bar)
    save_state = resume.saver(save, run, data.training)
    about = {"digits": run.digits, "data": data.name, "backend": backend.name}
    reporter.start(about | _start(run, data, backend))
    if run.settings.training.loss == "mean" and len(run.digits) > 2:
        output.notice("With more than two digits, the mean loss learns almost nothing: try --loss cross-entropy.")
    with reporter.epochs(run.settings.training.epochs, run.state.epoch if run.state else 0) as show:
        outcome = execute(run, data, backend, save_state, show)
    if plot is not None:
        plots.training_curve(outcome.curve, plot, outcome.test_accuracy)
    reporter.finish(about | _result(run, data, outcome) | {"saved": save, "plot": plot})
    if outcome.result.stopped == INTERRUPTED:
        raise click.exceptions.Exit(130)


def _chosen_settings(preset: RunSettings, choices: dict[str, Any]) -> RunSettings:
    """Return the preset with the settings that were given as options. The seed is random if none was given."""
    given = {name: value for name, value in choices.items() if value is not None}
    if "step" in given:
        given.setdefault("optimizer", given.pop("step"))
    given.setdefault("seed", secrets.randbelow(1_000_000))
    of_run = {name: given.pop(name) for name in ("augment", "hold_out") if name in given}
    return replace(preset, training=replace(preset.training, **given), **of_run)


def _refuse_changes(path: Path) -> None:
    """Raise click.UsageError for an option that would change the training that --resume continues."""
    context = click.get_current_context()
    for option in context.command.params:
        given = context.get_parameter_source(str(option.name)) is not ParameterSource.DEFAULT
        if given and option.name not in WITH_RESUME:
            raise click.UsageError(f"{option.opts[0]} cannot be changed: --resume uses the settings in {path}.")


def _start(run: Run, data: DataSet, backend: Backend) -> dict[str, Any]:
    """Return what is reported before training."""
    training, held_out = split(run, data)
    outputs = metrics.targets(training.labels[:1], run.digits).shape[1]
    return {
        "origin": data.origin,
        "training": len(training.labels),
        "held_out": len(held_out.labels),
        "test": len(data.test.labels),
        "layers": [training.pixels.shape[1], *run.settings.training.hidden, outputs],
        "augment": run.settings.augment,
        "device": backend.description,
        "after": run.state.epoch if run.state else 0,
        **asdict(run.settings.training),
    }


def _result(run: Run, data: DataSet, outcome: Outcome) -> dict[str, Any]:
    """Return what is reported after training."""
    (best, last, stopped), test_accuracy = outcome.result, outcome.test_accuracy
    return {
        "epochs": last.epoch,
        "best_epoch": best.epoch,
        "loss": best.loss,
        "valid_accuracy": best.valid_accuracy,
        "test_accuracy": test_accuracy,
        "wrong": round((1 - test_accuracy) * len(data.test.labels)),
        "seconds": outcome.seconds,
        "seed": run.settings.training.seed,
        "stopped": stopped,
        "patience": run.settings.training.patience,
    }
