"""train: learn to tell handwritten digits apart."""

import shlex
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from tinygrad_mnist.app import command_line, options, output, plots
from tinygrad_mnist.app.training_report import TrainingReport
from tinygrad_mnist.arrays.backend import device_faults
from tinygrad_mnist.datasets.strokes import SIDE
from tinygrad_mnist.datasets.view import AS_MNIST
from tinygrad_mnist.errors import BackendError
from tinygrad_mnist.losses import LOSSES
from tinygrad_mnist.optimizers import OPTIMIZERS, SCHEDULES
from tinygrad_mnist.photos import not_sure
from tinygrad_mnist.runs import checkpoint, resume
from tinygrad_mnist.runs.presets import PRESETS, chosen
from tinygrad_mnist.runs.run import Run, execute, split
from tinygrad_mnist.runs.settings import DTYPES, KEEP, work

WITH_RESUME = {"load", "transpose", "backend_name", "epochs", "patience", "save", "resume_from"}
WITH_RESUME |= {"plot", "quiet", "as_json"}
"""The options that can be given with --resume. All others would change the training."""


@click.command(cls=command_line.Command)
@options.data
@options.digits
@click.option(
    *("--preset", "-p"),
    type=click.Choice(list(PRESETS), case_sensitive=False),
    default="linear",
    help="Settings to start from; the options below override them. linear: no hidden layer, one second. chapter: the "
    "book's network, for two digits. quick: a small convolutional network. best: the most accurate.",
)
@click.option("--network", type=click.Choice(["dense", "convolutional"]), help="Kind of network.")
@options.sizes("--features", metavar="N,N", help="Features of the two convolutions, 16,64.")
@options.sizes("--hidden", metavar="N,..", help="Sizes of the hidden layers, or 0 for none.")
@click.option("--loss", type=click.Choice(list(LOSSES)), help="Loss function.")
@click.option("--optimizer", type=click.Choice(list(OPTIMIZERS)), help="Update rule.")
@click.option("--learning-rate", "--lr", type=options.RATE, help="Factor of the gradient in a step.")
@click.option("--schedule", type=click.Choice(list(SCHEDULES)), help="How the learning rate changes with the epochs.")
@click.option("--batch", type=options.BATCH, help="Number of digits in each step.")
@click.option("--epochs", "-e", type=options.EPOCHS, help="Largest number of passes over the training digits.")
@click.option("--patience", type=options.EPOCHS, help="Stop after this many epochs without improvement.")
@click.option("--keep", type=click.Choice(KEEP), help="Which epoch's network to keep.")
@click.option("--augment/--no-augment", default=None, help="Distort the training digits differently in every epoch.")
@click.option("--hold-out", type=options.SHARE, help="Share of the training digits to use as the validation set.")
@click.option("--seed", type=options.SEED, help="Seed for all random numbers, to repeat a run. Random by default.")
@click.option("--dtype", type=click.Choice(DTYPES), help="Type of all numbers.")
@options.backend_name
@click.option("--save", "-s", type=options.FILE, metavar="FILE", help="Save the best network so far to FILE.")
@click.option("--resume", "-r", "resume_from", type=options.FILE, metavar="FILE", help="Continue the training in FILE.")
@options.plot
@click.option("--quiet", "-q", is_flag=True, help="Print only one line, at the end.")
@options.json_events
def train(
    load: options.Load,
    digits: tuple[int, ...],
    preset: str,
    backend_name: str,
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

    With --save, FILE always holds the best network so far (or the last one, with --keep last), and --resume continues
    it after Ctrl-C. On the same machine, with the same version of NumPy, the same --seed repeats a run exactly, and a
    continued run ends as an uninterrupted one does.

    \b
    Examples:
      python cli.py train
      python cli.py train --digits 4,9 --hidden 30 -s model.npz
      python cli.py train --resume model.npz
      python cli.py train --digits 0-9 --preset best
    """
    if Path("-") in (save, resume_from):
        raise click.UsageError("--save and --resume need a file: - is a stream.")
    path = save or resume_from
    begun = None
    if resume_from is not None:
        _refuse_changes(resume_from)
        begun = resume.loaded(resume_from, choices["epochs"], choices["patience"])
        digits = begun.digits
    try:
        settings = begun.settings if begun else chosen(preset, len(digits), choices)
    except ValueError as error:
        raise click.UsageError(f"{error}.") from error
    if path is not None:
        checkpoint.require_replaceable(path)
    backend = options.backend_for(backend_name, work(settings, SIDE * SIDE, len(digits)))
    data = load(digits, scaling=begun.view.scaling if begun else AS_MNIST)
    parts = split(settings, data)
    if begun is None:
        begun = resume.new(settings, digits, data, backend.description)
    else:
        begun = resume.continued(begun, data, backend.description, output.CONSOLE)
    sample = not_sure.sample(parts.training, parts.validation, digits) if path else None
    measure = partial(not_sure.measure, sample, settings.features) if sample else None
    run = Run(replace(begun, path=path), output.CONSOLE, measure or (lambda _: {}))
    about = {"digits": digits, "backend": backend.name, "device": backend.description, **data.facts()}
    report = TrainingReport(run, parts, about, as_json, quiet)
    report.start()
    if settings.loss == "mean" and len(digits) > 2:
        output.notice("With more than two digits, the mean loss learns almost nothing: try --loss cross-entropy.")
    try:
        with device_faults():
            outcome = execute(run, parts, backend, report.epoch)
    except BackendError:
        output.notice(_how_to_continue(run, load))
        raise
    drawn = None
    try:
        if plot is not None:
            plots.training_curve(run.curve, outcome.test_accuracy, plot)
            drawn = plot
    finally:
        report.finish(outcome, drawn)
    if run.failure:
        raise run.failure
    report.warn_at_chance(outcome)
    if outcome.signal:
        output.notice(_how_to_continue(run, load))
        raise click.exceptions.Exit(128 + outcome.signal)


def _how_to_continue(run: Run, load: options.Load) -> str:
    """Return what the user can do after the end of a run before its time, which got its digits in this way."""
    if run.kept.path is None:
        return "This run is lost, because --save was not given."
    if not run.saved_epoch:
        return "Nothing is saved yet."
    source, command = load.args[0], click.get_current_context().command_path
    words = ["--data", source] * (source != "auto") + ["--transpose"] * load.keywords["transpose"]
    return f"Continue after epoch {run.saved_epoch} with: {command} {shlex.join([*words, '--resume', run.kept.name])}"


def _refuse_changes(path: Path) -> None:
    """Raise click.UsageError for an option that would change the training that --resume continues."""
    context = click.get_current_context()
    for option in context.command.params:
        given = context.get_parameter_source(str(option.name)) is not ParameterSource.DEFAULT
        if given and option.name not in WITH_RESUME:
            raise click.UsageError(f"{option.opts[0]} cannot be changed: --resume uses the settings in {path}.")
