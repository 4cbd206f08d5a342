"""train: learn to tell handwritten digits apart."""

import secrets
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click
import numpy as np

from tinygrad_mnist import backend, checkpoint, datasets, network, presets, steps
from tinygrad_mnist import train as training
from tinygrad_mnist.backend import Backend
from tinygrad_mnist.checkpoint import Checkpoint
from tinygrad_mnist.commands import options, report
from tinygrad_mnist.commands.training_report import ToHurried, ToPerson, ToProgram, TrainingReport
from tinygrad_mnist.datasets.digits import Digits
from tinygrad_mnist.network import Layer
from tinygrad_mnist.presets import Preset
from tinygrad_mnist.train import Examples

PRESETS: dict[str, Callable[[int], Preset]] = {"line": presets.line, "chapter": presets.chapter, "best": presets.best}

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
    "chapter: the book's network. best: the strongest, a minute or more.",
)
@click.option("--hidden", metavar="N,..", callback=options.sizes, help="Sizes of the hidden layers; 0 for none.")
@click.option("--loss", type=click.Choice(list(network.LOSSES)), help="What is made small.")
@click.option("--step", type=click.Choice(list(steps.STEPS)), help="How parameters follow their gradients.")
@click.option(
    "--learning-rate",
    "--lr",
    type=click.FloatRange(min=0, min_open=True),
    callback=options.finite,
    help="How far each step goes down the slope.",
)
@click.option("--schedule", type=click.Choice(list(steps.SCHEDULES)), help="What becomes of the learning rate.")
@click.option("--batch", type=click.IntRange(1), help="Digits looked at in each step.")
@click.option("--epochs", "-e", type=click.IntRange(1), help="At most so many passes over all the digits.")
@click.option("--patience", type=click.IntRange(1), help="Stop after so many epochs that are no better.")
@click.option("--keep", type=click.Choice(["best", "last"]), help="Which epoch's network is kept.")
@click.option("--augment/--no-augment", default=None, help="Distort the training digits anew in every epoch.")
@click.option(
    "--hold-out",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    callback=options.finite,
    help="Share of the training digits that decides when to stop.",
)
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), help="Repeats a run exactly. New each time if not given.")
@click.option("--dtype", type=click.Choice(["float32", "float64"]), help="The type of all the numbers.")
@options.backend
@click.option("--save", "-s", type=click.Path(path_type=Path), metavar="FILE", help="Keep the trained network here.")
@click.option("--quiet", "-q", is_flag=True, help="Print one line, at the end.")
@options.json_events
def train(
    source: str,
    digits: tuple[int, ...],
    preset: str,
    augment: bool | None,
    hold_out: float | None,
    backend_name: str,
    save: Path | None,
    quiet: bool,
    as_json: bool,
    **choices: Any,
) -> None:
    """Learn to tell handwritten digits apart.

    Two of them take about a second. Without more options, a linear model with a sigmoid and the mean
    loss, trained by stochastic gradient descent with gradients worked out by hand. A share of the
    training digits is held out, and decides when to stop; the test digits are looked at once, at the end.

    \b
    Examples:
      python cli.py train
      python cli.py train --digits 4,9 --hidden 30 --save model.npz
      python cli.py train --digits 0-9 --preset best
      python cli.py train --data strokes --seed 1
    """
    chosen = _chosen(PRESETS[preset](len(digits)), augment, hold_out, choices)
    settings = chosen.settings
    tell: TrainingReport = ToProgram() if as_json else ToHurried() if quiet else ToPerson()
    place = backend.choose(backend_name)
    if save is not None:
        checkpoint.require_writable(save)
    data = datasets.load(source, digits, report.notice, report.DownloadBar)
    learn, held_out = data.training.hold_out(chosen.hold_out, settings.seed)
    about = {"digits": digits, "data": data.name, "backend": place.name}
    sizes = [learn.pixels.shape[1], *settings.hidden, network.targets(learn.labels[:1], digits).shape[1]]
    tell.start(
        {
            **about,
            "origin": data.origin,
            "training": len(learn.labels),
            "held_out": len(held_out.labels),
            "test": len(data.test.labels),
            "layers": sizes,
            "augment": chosen.augment,
            "device": place.description,
            **asdict(settings),
        }
    )
    begun = time.perf_counter()
    renew = _distorted(learn, settings.seed, place) if chosen.augment else training.unchanged
    with tell.epochs(settings.epochs) as show:
        trained = training.train(
            _examples(learn, digits, place), _examples(held_out, digits, place), settings, show, renew
        )
    seconds = time.perf_counter() - begun
    test_accuracy = training.measure(trained.best.parameters, _examples(data.test, digits, place))
    if save is not None:
        parameters = tuple(Layer(*map(backend.to_host, layer)) for layer in trained.best.parameters)
        checkpoint.save(save, Checkpoint(parameters, digits, settings.seed))
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
            "saved": str(save) if save else None,
        }
    )


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
    return Examples(*map(place.place, (digits.pixels, digits.places, t)))


def _distorted(digits: Digits, seed: int, place: Backend) -> training.Renew:
    """Return what gives other distortions of the digits for each epoch, the same for the same seed."""
    from tinygrad_mnist.datasets import augment

    def renew(examples: Examples, epoch: int) -> Examples:
        distorted = augment.distort(digits.images, np.random.default_rng((seed, epoch, AUGMENT)))
        count = len(digits.labels)
        return Examples(place.place(distorted.reshape(count, -1)), place.place(np.arange(count)), examples.t)

    return renew
