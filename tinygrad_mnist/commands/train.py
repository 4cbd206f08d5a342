"""train: learn to tell two handwritten digits apart."""

import secrets
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from tinygrad_mnist import backend, checkpoint, datasets, network
from tinygrad_mnist import train as training
from tinygrad_mnist.backend import Backend
from tinygrad_mnist.checkpoint import Checkpoint
from tinygrad_mnist.commands import options, report
from tinygrad_mnist.commands.training_report import ToHurried, ToPerson, ToProgram, TrainingReport
from tinygrad_mnist.datasets.digits import Digits
from tinygrad_mnist.network import Parameters
from tinygrad_mnist.train import Examples, Settings

DEFAULTS = Settings()


@click.command()
@options.data
@options.digits
@click.option(
    "--learning-rate",
    "--lr",
    type=click.FloatRange(min=0, min_open=True),
    callback=options.finite,
    default=DEFAULTS.learning_rate,
    show_default=True,
    help="How far each step goes down the slope.",
)
@click.option(
    "--batch", type=click.IntRange(1), default=DEFAULTS.batch, show_default=True, help="Digits looked at in each step."
)
@click.option(
    "--epochs",
    "-e",
    type=click.IntRange(1),
    default=DEFAULTS.epochs,
    show_default=True,
    help="At most so many passes over all the digits.",
)
@click.option(
    "--patience",
    type=click.IntRange(1),
    default=DEFAULTS.patience,
    show_default=True,
    help="Stop after so many epochs without a better validation accuracy.",
)
@click.option(
    "--seed", type=click.IntRange(0, 2**63 - 1), help="Repeats a run exactly.  [default: a new one each time]"
)
@click.option(
    "--dtype",
    type=click.Choice(["float32", "float64"]),
    default=DEFAULTS.dtype,
    show_default=True,
    help="The type of all the numbers.",
)
@options.backend
@click.option("--save", "-s", type=click.Path(path_type=Path), metavar="FILE", help="Keep the trained network here.")
@click.option("--quiet", "-q", is_flag=True, help="Print one line, at the end.")
@options.json_events
def train(
    source: str,
    digits: tuple[int, ...],
    backend_name: str,
    seed: int | None,
    save: Path | None,
    quiet: bool,
    as_json: bool,
    **choices: Any,
) -> None:
    """Learn to tell two handwritten digits apart, in about a second.

    A linear model with a sigmoid and the mean loss, trained by stochastic gradient descent with
    gradients worked out by hand. One in six training digits is held out, and decides when to stop; the
    test digits are looked at once, at the end.

    \b
    Examples:
      python cli.py train
      python cli.py train --digits 4,9 --save model.npz
      python cli.py train --data strokes --seed 1
    """
    settings = Settings(seed=secrets.randbelow(1_000_000) if seed is None else seed, **choices)
    tell: TrainingReport = ToProgram() if as_json else ToHurried() if quiet else ToPerson()
    place = backend.choose(backend_name)
    if save is not None:
        checkpoint.require_writable(save)
    data = datasets.load(source, digits, report.notice, report.DownloadBar)
    learn, held_out = data.training.hold_out(settings.seed)
    about = {"digits": digits, "data": data.name, "backend": place.name}
    tell.start(
        {
            **about,
            "origin": data.origin,
            "training": len(learn.labels),
            "held_out": len(held_out.labels),
            "test": len(data.test.labels),
            "layers": [learn.rows.shape[1], 1],
            "device": place.description,
            **asdict(settings),
        }
    )
    begun = time.perf_counter()
    with tell.epochs(settings.epochs) as show:
        trained = training.train(_examples(learn, digits, place), _examples(held_out, digits, place), settings, show)
    seconds = time.perf_counter() - begun
    test_accuracy = training.measure(trained.best.parameters, _examples(data.test, digits, place))
    if save is not None:
        parameters = Parameters(*map(backend.to_host, trained.best.parameters))
        checkpoint.save(save, Checkpoint(parameters, digits, settings.seed))
    tell.finish(
        {
            **about,
            "epochs": trained.epochs,
            "best_epoch": trained.best.number,
            "loss": trained.best.loss,
            "valid_accuracy": trained.best.valid_accuracy,
            "test_accuracy": test_accuracy,
            "wrong": round((1 - test_accuracy) * len(data.test.labels)),
            "seconds": seconds,
            "seed": settings.seed,
            "stopped": trained.stopped,
            "saved": str(save) if save else None,
        }
    )


def _examples(digits: Digits, which: tuple[int, ...], place: Backend) -> Examples:
    return Examples(place.place(digits.rows), place.place(network.targets(digits.labels, which)))
