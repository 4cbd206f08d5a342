"""train: learn to tell handwritten digits apart."""

import shlex
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from tinygrad_mnist import datasets
from tinygrad_mnist.app import command_line, options, output, plots, training_report
from tinygrad_mnist.app.training_report import TrainingEvents, TrainingReport
from tinygrad_mnist.arrays.backend import device_faults
from tinygrad_mnist.arrays.layers import Parameters
from tinygrad_mnist.datasets.strokes import SIDE
from tinygrad_mnist.datasets.view import AS_MNIST
from tinygrad_mnist.errors import BackendError
from tinygrad_mnist.losses import LOSSES
from tinygrad_mnist.optimizers import OPTIMIZERS, SCHEDULES
from tinygrad_mnist.photos import not_sure
from tinygrad_mnist.runs import checkpoint, resume
from tinygrad_mnist.runs.presets import PRESETS, chosen
from tinygrad_mnist.runs.run import Parts, Run, execute, split
from tinygrad_mnist.runs.settings import DTYPES, KEEP, work
from tinygrad_mnist.train import Settings

WITH_RESUME = {"source", "transpose", "backend_name", "epochs", "patience", "save", "resume_from"}
WITH_RESUME |= {"plot", "quiet", "as_json"}
"""The options that can be given with --resume. All others would change the training."""


@click.command(cls=command_line.Command)
@options.data
@options.transpose
@options.digits
@click.option(
    *("--preset", "-p"),
    type=click.Choice(list(PRESETS), case_sensitive=False),
    default="linear",
    help="Settings to start from; the options below override them. linear: no hidden layer, one second. chapter: the "
    "book's network, for two digits. quick: a small convolutional network. best: the most accurate.",
)
@click.option("--network", type=click.Choice(["dense", "convolutional"]), help="Kind of network.")
@click.option("--features", metavar="N,N", type=options.Sizes(), help="Features of the two convolutions, 16,64.")
@click.option("--hidden", metavar="N,..", type=options.Sizes(), help="Sizes of the hidden layers, or 0 for none.")
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
@click.option(
    "--seed",
    type=options.SEED,
    help="Seed for all random numbers. Random by default. The same seed repeats a run exactly on the same machine with "
    "the same version of NumPy.",
)
@click.option("--dtype", type=click.Choice(DTYPES), help="Type of all numbers.")
@options.backend_name
@click.option("--save", "-s", type=options.FILE, metavar="FILE", help="Save the best network so far to FILE.")
@click.option("--resume", "-r", "resume_from", type=options.FILE, metavar="FILE", help="Continue the training in FILE.")
@options.plot
@click.option("--quiet", "-q", is_flag=True, help="Print only one line, at the end.")
@options.json_events
def train(
    source: str,
    transpose: bool,
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
    it after Ctrl-C. On the same machine, with the same NumPy, it ends as an uninterrupted run does.

    \b
    Examples:
      python cli.py train
      python cli.py train --digits 4,9 --hidden 30 -s model.npz
      python cli.py train --resume model.npz
      python cli.py train --digits 0-9 --preset best
    """
    reporter = TrainingEvents() if as_json else TrainingReport(quiet)
    path = save or resume_from
    if resume_from is None:
        begun, settings = None, _settings(preset, digits, choices)
    else:
        _refuse_changes(resume_from)
        begun = resume.loaded(resume_from, choices["epochs"], choices["patience"])
        settings, digits = begun.settings, begun.digits
    if path is not None:
        checkpoint.require_replaceable(path)
        plots.require_not_model(plot, path)
    backend = options.backend_for(backend_name, work(settings, SIDE * SIDE, len(digits)))
    data = datasets.load(source, digits, output.CONSOLE, begun.view.scaling if begun else AS_MNIST, transpose)
    parts = split(settings, data)
    if begun is None:
        begun = resume.new(settings, digits, data, backend.description)
    else:
        begun = resume.continued(begun, data, backend.description, output.CONSOLE)
    measure = _measuring(parts, digits, settings) if path else lambda _: {}
    run = Run(replace(begun, path=path), output.CONSOLE, measure)
    about = {"digits": digits, "backend": backend.name, **data.facts()}
    reporter.start(about | training_report.before(run, parts, backend))
    if settings.loss == "mean" and len(digits) > 2:
        output.notice("With more than two digits, the mean loss learns almost nothing: try --loss cross-entropy.")
    try:
        with device_faults():
            outcome = execute(run, parts, backend, reporter.epoch)
    except BackendError:
        output.notice(_how_to_continue(run, source))
        raise
    found = about | training_report.after(run, parts, outcome)
    drawn = None
    try:
        if plot is not None:
            plots.training_curve(run.curve, plot, outcome.test_accuracy)
            drawn = plot
    finally:
        reporter.finish(found | {"saved": None if run.failure else path, "plot": drawn})
    if run.failure:
        raise run.failure
    if warning := training_report.why_at_chance(run, parts, outcome):
        output.notice(warning)
    if outcome.signal:
        output.notice(_how_to_continue(run, source))
        raise click.exceptions.Exit(128 + outcome.signal)


def _measuring(parts: Parts, digits: tuple[int, ...], settings: Settings) -> Callable[[Parameters], not_sure.Limits]:
    """Return the function that measures the limits of "not sure" for parameters of this run."""
    return partial(not_sure.measure, not_sure.sample(parts.training, parts.validation, digits), settings.features)


def _settings(preset: str, digits: tuple[int, ...], choices: output.Facts) -> Settings:
    """Return the settings of a new run. Raises click.UsageError if they do not fit each other or the digits."""
    try:
        return chosen(preset, len(digits), choices)
    except ValueError as error:
        raise click.UsageError(f"{error}.") from error


def _how_to_continue(run: Run, source: str) -> str:
    """Return what the user can do after the end of a run before its time, which was given this --data."""
    if run.kept.path is None:
        return "This run is lost, because --save was not given."
    if not run.saved_epoch:
        return "Nothing is saved yet."
    data, command = "" if source == "auto" else f" --data {shlex.quote(source)}", click.get_current_context()
    continued = f"{command.command_path}{data} --resume {shlex.quote(run.kept.name)}"
    return f"Continue after epoch {run.saved_epoch} with: {continued}"


def _refuse_changes(path: Path) -> None:
    """Raise click.UsageError for an option that would change the training that --resume continues."""
    context = click.get_current_context()
    for option in context.command.params:
        given = context.get_parameter_source(str(option.name)) is not ParameterSource.DEFAULT
        if given and option.name not in WITH_RESUME:
            raise click.UsageError(f"{option.opts[0]} cannot be changed: --resume uses the settings in {path}.")
