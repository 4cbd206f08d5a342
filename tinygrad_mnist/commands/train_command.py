"""train: learn to tell handwritten digits apart."""

import secrets
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np
from click.core import ParameterSource

from tinygrad_mnist import backend, checkpoint, datasets, network, presets, steps
from tinygrad_mnist import train as training
from tinygrad_mnist.backend import Backend
from tinygrad_mnist.commands import options, plots, report
from tinygrad_mnist.commands.resume import Begun, Watch, keeper, resumed
from tinygrad_mnist.commands.training_report import ToHurried, ToPerson, ToProgram, TrainingReport
from tinygrad_mnist.datasets.digits import DataSet, Digits
from tinygrad_mnist.presets import Preset
from tinygrad_mnist.train import INTERRUPTED, Examples, Trained

PRESETS: dict[str, Callable[[int], Preset]] = {"line": presets.line, "chapter": presets.chapter, "best": presets.best}

WITH_RESUME = {"source", "backend_name", "epochs", "patience", "save", "resume", "plot", "quiet", "as_json"}
"""What may be said beside --resume: where, how long, and how to tell of it; nothing that makes another training."""


class Files(NamedTuple):
    """What is written, where it is wanted."""

    save: Path | None
    plot: Path | None


AUGMENT = 1
"""Numbers of their own for distortions: train.py draws the order of an epoch from (seed, epoch)."""


@click.command()
@options.data
@options.digits
@click.option(
    "--preset",
    "-p",
    type=click.Choice(list(PRESETS)),
    default="line",
    show_default=True,
    help="Settings to start from; the options below change single ones. line: no hidden layer, a second. "
    "chapter: the book's network, for two digits. best: the strongest, 40 seconds for two digits, five minutes "
    "for ten.",
)
@click.option("--hidden", metavar="N,..", callback=options.sizes, help="Sizes of the hidden layers; 0 for none.")
@click.option("--loss", type=click.Choice(list(network.LOSSES)), help="What is made small.")
@click.option("--step", type=click.Choice(list(steps.STEPS)), help="How parameters follow their gradients.")
@click.option(
    "--learning-rate",
    "--lr",
    type=options.Number(min=0, min_open=True),
    callback=options.finite,
    help="How far each step goes down the slope.",
)
@click.option("--schedule", type=click.Choice(list(steps.SCHEDULES)), help="What becomes of the learning rate.")
@click.option("--batch", type=options.Whole(1), help="Digits looked at in each step.")
@click.option("--epochs", "-e", type=options.Whole(1), help="At most so many passes over all the digits.")
@click.option("--patience", type=options.Whole(1), help="Stop after so many epochs that are no better.")
@click.option("--keep", type=click.Choice(["best", "last"]), help="Which epoch's network is kept.")
@click.option("--augment/--no-augment", default=None, help="Distort the training digits anew in every epoch.")
@click.option(
    "--hold-out",
    type=options.Number(0, 1, min_open=True, max_open=True),
    callback=options.finite,
    help="Share of the training digits that decides when to stop.",
)
@click.option("--seed", type=options.Whole(0, 2**63 - 1), help="Repeats a run exactly. New each time if not given.")
@click.option("--dtype", type=click.Choice(["float32", "float64"]), help="The type of all the numbers.")
@options.backend
@click.option(
    "--save", "-s", type=click.Path(path_type=Path), metavar="FILE", help="Keep the best network so far here."
)
@click.option(
    "--resume", "-r", type=click.Path(path_type=Path), metavar="FILE", help="Go on with the training that FILE keeps."
)
@options.plot
@click.option("--quiet", "-q", is_flag=True, help="Print one line, at the end.")
@options.json_events
@click.pass_context
def train(
    context: click.Context,
    /,
    source: str,
    digits: tuple[int, ...],
    preset: str,
    augment: bool | None,
    hold_out: float | None,
    backend_name: str,
    save: Path | None,
    resume: Path | None,
    plot: Path | None,
    quiet: bool,
    as_json: bool,
    **choices: Any,
) -> None:
    """Learn to tell handwritten digits apart.

    Two of them take about a second. Without more options, a linear model with a sigmoid and the mean
    loss, trained by stochastic gradient descent with gradients worked out by hand. A share of the
    training digits is held out, and decides when to stop; the test digits are looked at once, at the end.

    With --save, the best network so far (or the last, as --keep says) is in FILE at any moment. After Ctrl-C,
    --resume FILE goes on from there, to the same end as if nothing had happened.

    \b
    Examples:
      python cli.py train
      python cli.py train --digits 4,9 --hidden 30 -s model.npz
      python cli.py train --resume model.npz
      python cli.py train --digits 0-9 --preset best
      python cli.py train --data strokes --seed 1
    """
    tell: TrainingReport = ToProgram() if as_json else ToHurried() if quiet else ToPerson()
    if resume is None:
        begun = Begun(_chosen(PRESETS[preset](len(digits)), augment, hold_out, choices), digits)
    else:
        _require_only_more(context, resume)
        begun = resumed(resume, choices)
        save = save or resume
    if save is not None:
        checkpoint.require_writable(save)
        plots.require_other(plot, save)
    place = backend.choose(backend_name)
    data = datasets.load(source, begun.digits, report.notice, report.Bar)
    trained = _trained(begun, data, place, Files(save, plot), tell)
    context.exit(130 if trained.stopped == INTERRUPTED else 0)


def _trained(begun: Begun, data: DataSet, place: Backend, files: Files, tell: TrainingReport) -> Trained:
    """Train, keep, tell and plot; return how it ended."""
    chosen, digits, settings = begun.chosen, begun.digits, begun.chosen.settings
    keep = keeper(files.save, begun, data.training)
    learn, held_out = data.training.hold_out(chosen.hold_out, settings.seed)
    about = {"digits": digits, "data": data.name, "backend": place.name}
    tell.start(about | _start(begun, data, learn, held_out, place))
    if settings.loss == "mean" and len(digits) > 2:
        report.notice("Of more than two digits the mean loss learns next to nothing: try --loss cross-entropy.")
    seconds = -time.perf_counter()
    # Distorted, a digit may have ink anywhere.
    learned = _examples(learn, digits, place) if chosen.augment else _inked(learn, digits, place)
    renew = _distorted(learn, settings.seed, place) if chosen.augment else training.unchanged
    after = begun.after and training.moved(begun.after, place.place)
    with tell.epochs(settings.epochs, after.number if after else 0) as show:
        watch = Watch(after, settings, show, keep)
        try:
            trained = training.train(learned, _examples(held_out, digits, place), settings, watch, renew, after)
        except KeyboardInterrupt:
            trained = watch.interrupted()
    seconds += time.perf_counter()
    test_accuracy = training.measure(trained.best.parameters, _examples(data.test, digits, place))
    if files.plot is not None:
        plots.training_curve(watch.curve, files.plot, test_accuracy)
    tell.finish(
        {
            **about,
            "epochs": trained.last.number,
            "best_epoch": trained.best.number,
            "loss": trained.best.loss,
            "valid_accuracy": trained.best.valid_accuracy,
            "test_accuracy": test_accuracy,
            "wrong": round((1 - test_accuracy) * len(data.test.labels)),
            "seconds": seconds,
            "seed": settings.seed,
            "stopped": trained.stopped,
            "patience": settings.patience,
            "saved": str(files.save) if files.save else None,
            "plot": str(files.plot) if files.plot else None,
        }
    )
    return trained


def _start(begun: Begun, data: DataSet, learn: Digits, held_out: Digits, place: Backend) -> dict[str, Any]:
    """Return what is to be said before training."""
    settings = begun.chosen.settings
    outputs = network.targets(learn.labels[:1], begun.digits).shape[1]
    return {
        "origin": data.origin,
        "training": len(learn.labels),
        "held_out": len(held_out.labels),
        "test": len(data.test.labels),
        "layers": [learn.pixels.shape[1], *settings.hidden, outputs],
        "augment": begun.chosen.augment,
        "device": place.description,
        "after": begun.after.number if begun.after else 0,
        **asdict(settings),
    }


def _require_only_more(context: click.Context, resume: Path) -> None:
    """Raise a usage error for an option that would make another training of the one that goes on."""
    for option in context.command.params:
        given = context.get_parameter_source(str(option.name)) is not ParameterSource.DEFAULT
        if given and option.name not in WITH_RESUME:
            raise click.UsageError(f"{option.opts[0]} cannot be changed, as --resume goes on with what {resume} says.")


def _chosen(preset: Preset, augment: bool | None, hold_out: float | None, choices: dict[str, Any]) -> Preset:
    """Return the preset with the options that were given in place of its own."""
    given = {name: value for name, value in choices.items() if value is not None}
    settings = replace(preset.settings, **{"seed": secrets.randbelow(1_000_000), **given})
    return Preset(
        settings,
        preset.augment if augment is None else augment,
        preset.hold_out if hold_out is None else hold_out,
    )


def _examples(digits: Digits, which: tuple[int, ...], place: Backend) -> Examples:
    t = network.targets(digits.labels, which)
    return Examples(digits.pixels, digits.places, t).moved(place.place)


def _inked(digits: Digits, which: tuple[int, ...], place: Backend) -> Examples:
    """Return the same examples without the pixels that are paper in all: a tenth to a fifth less to compute."""
    pixels, places, inked = digits.without_paper()
    return Examples(pixels, places, network.targets(digits.labels, which), inked).moved(place.place)


def _distorted(digits: Digits, seed: int, place: Backend) -> training.Renew:
    """Return what gives other distortions of the digits for each epoch, the same for the same seed."""
    from tinygrad_mnist.datasets import augment

    def renew(examples: Examples, epoch: int) -> Examples:
        distorted = augment.distort(digits.images, np.random.default_rng((seed, epoch, AUGMENT)))
        count = len(digits.labels)
        return Examples(place.place(distorted.reshape(count, -1)), place.place(np.arange(count)), examples.t)

    return renew
