"""train: learn to tell handwritten digits apart."""

from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from tinygrad_mnist import datasets
from tinygrad_mnist.app import command_line, facts, options, output, plots
from tinygrad_mnist.app.reporters import Facts, JsonReporter, QuietReporter, TextReporter
from tinygrad_mnist.losses import LOSSES
from tinygrad_mnist.optimizers import OPTIMIZERS, SCHEDULES
from tinygrad_mnist.photos.doubt import measuring
from tinygrad_mnist.runs import checkpoint, resume
from tinygrad_mnist.runs.presets import PRESETS, chosen, start
from tinygrad_mnist.runs.resume import Run, Saver
from tinygrad_mnist.runs.run import Outcome, execute, split, work
from tinygrad_mnist.runs.settings import DTYPES, KEEP, RunSettings, require_loss_for

WITH_RESUME = {"source", "backend_name", "epochs", "patience", "save", "resume_from", "plot", "quiet", "as_json"}
"""The options that can be given with --resume. All others would change the training."""


@click.command(cls=command_line.Command)
@options.data
@options.digits
@click.option(
    *("--preset", "-p"),
    type=options.RenamedChoice(PRESETS, {"line": "linear"}),
    default="linear",
    help="Settings to start from; the options below override them. linear: no hidden layer, one second. chapter: the "
    "book's network, for two digits. quick: a small convolutional network. best: the most accurate.",
)
@click.option("--network", type=click.Choice(["dense", "convolutional"]), help="Kind of network.")
@click.option("--features", metavar="N,N", callback=options.sizes, help="Features of the two convolutions, 16,64.")
@click.option("--hidden", metavar="N,..", callback=options.sizes, help="Sizes of the hidden layers, or 0 for none.")
@click.option("--loss", type=click.Choice(list(LOSSES)), help="Loss function.")
@click.option("--optimizer", type=click.Choice(list(OPTIMIZERS)), help="Update rule.")
@click.option("--step", type=options.RenamedChoice(OPTIMIZERS, {"plain": "sgd"}), hidden=True)
@click.option("--learning-rate", "--lr", type=options.RATE, help="Factor of the gradient in a step.")
@click.option("--schedule", type=click.Choice(list(SCHEDULES)), help="How the learning rate changes with the epochs.")
@click.option("--batch", type=options.BATCH, help="Number of digits in each step.")
@click.option("--epochs", "-e", type=options.EPOCHS, help="Largest number of passes over the training digits.")
@click.option("--patience", type=options.EPOCHS, help="Stop after this many epochs without improvement.")
@click.option("--keep", type=click.Choice(KEEP), help="Which epoch's network to keep.")
@click.option("--augment/--no-augment", default=None, help="Distort the training digits differently in every epoch.")
@click.option(
    "--hold-out",
    type=options.Number(0, 1, min_open=True, max_open=True),
    help="Share of the training digits to use as the validation set.",
)
@click.option(
    "--seed",
    type=options.SEED,
    help="Seed for all random numbers. Random by default. The same seed repeats a run exactly on the same machine with "
    "the same version of NumPy and the same number of BLAS threads (OPENBLAS_NUM_THREADS, for example).",
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
    it after Ctrl-C. On the same machine, with the same NumPy and BLAS threads, it ends as an uninterrupted run does.

    \b
    Examples:
      python cli.py train
      python cli.py train --digits 4,9 --hidden 30 -s model.npz
      python cli.py train --resume model.npz
      python cli.py train --digits 0-9 --preset best
    """
    reporter = JsonReporter() if as_json else QuietReporter() if quiet else TextReporter()
    if resume_from is None:
        run = Run(_settings(preset, digits, choices), digits)
    else:
        _refuse_changes(resume_from)
        run = resume.resumed(resume_from, choices["epochs"], choices["patience"])
        save = save or resume_from
    if save is not None:
        checkpoint.require_replaceable(save)
        plots.require_not_model(plot, save)
    backend = options.backend_for(backend_name, work(run))
    data = datasets.load(source, run.digits, output.CONSOLE, run.normalize)
    parts = split(run, data)
    measure = measuring(data, parts.training, parts.validation, run.digits, run.settings.training.features)
    saver = resume.saver(save, run, data.training, backend.description, output.CONSOLE, measure)
    about = {"digits": run.digits, "backend": backend.name, **data.facts()}
    reporter.start(about | facts.before(run, parts, backend))
    if run.settings.training.loss == "mean" and len(run.digits) > 2:
        output.notice("With more than two digits, the mean loss learns almost nothing: try --loss cross-entropy.")
    with saver.told_after_a_fault():
        outcome = execute(run, parts, backend, saver, reporter.epoch, reporter.batches)
    _finish(reporter, about | facts.after(run, parts, outcome), outcome, saver, plot)
    if warning := facts.at_chance(run, parts, outcome):
        output.notice(warning)
    if outcome.signal:
        output.notice(saver.how_to_continue(click.get_current_context().command_path, source))
        raise click.exceptions.Exit(128 + outcome.signal)


def _settings(preset: str, digits: tuple[int, ...], choices: Facts) -> RunSettings:
    """Return the settings of a new run. Raises click.UsageError if they do not fit each other or the digits."""
    try:
        settings = chosen(start(preset, len(digits), choices), choices)
        require_loss_for(settings.training, len(digits))
    except ValueError as error:
        raise click.UsageError(f"{error}.") from error
    return settings


def _finish(reporter: QuietReporter, found: Facts, outcome: Outcome, saver: Saver, plot: Path | None) -> None:
    """Draw the plot and report the result, in any case. Afterwards, raise the error if the plot or a save failed."""
    drawn = None
    try:
        if plot is not None:
            plots.training_curve(outcome.curve, plot, outcome.test_accuracy)
            drawn = plot
    finally:
        reporter.finish(found | {"saved": None if saver.failure else saver.path, "plot": drawn})
    if saver.failure:
        raise saver.failure


def _refuse_changes(path: Path) -> None:
    """Raise click.UsageError for an option that would change the training that --resume continues."""
    context = click.get_current_context()
    for option in context.command.params:
        given = context.get_parameter_source(str(option.name)) is not ParameterSource.DEFAULT
        if given and option.name not in WITH_RESUME:
            raise click.UsageError(f"{option.opts[0]} cannot be changed: --resume uses the settings in {path}.")
