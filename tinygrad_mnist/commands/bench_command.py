"""bench: how fast this machine trains, on each backend that it has."""

import itertools
import time

import click
import numpy as np

from tinygrad_mnist import backend, train
from tinygrad_mnist.backend import Backend
from tinygrad_mnist.commands import options, report
from tinygrad_mnist.datasets.bars import shown
from tinygrad_mnist.errors import BackendError
from tinygrad_mnist.train import Examples, Settings

DIGITS = 12_000
"""As many as MNIST has threes and sevens, nearly."""

SECONDS = 1.5
"""How long each network is trained, at least, on each backend: short, but many epochs of the small one."""

NETWORKS = {
    "784-1": Settings(batch=256, epochs=1),
    "784-300-1": Settings(hidden=(300,), loss="cross-entropy", batch=256, epochs=1),
}


@click.command()
@options.json_events
def bench(as_json: bool) -> None:
    """Measure how fast this machine trains.

    Digits a second, on each backend that is found, by a line and by a network with a hidden layer of 300,
    in batches of 256 digits, made of random pixels. How it compares with others is in
    benchmarks/RESULTS.md.

    \b
    Example:
      python cli.py bench
    """
    places = _found()
    speeds: dict[str, dict[str, float]] = {place.name: {} for place in places}
    for place, name in shown([*itertools.product(places, NETWORKS)], "bench", report.Bar):
        speeds[place.name][name] = _speed(NETWORKS[name], place)
    if as_json:
        report.event("result", digits_per_second=speeds)
        return
    click.echo(f"{'digits a second':<16}" + "".join(f"{name:>14}" for name in NETWORKS))
    for name, by_network in speeds.items():
        click.echo(f"{name:<16}" + "".join(f"{speed:>14,.0f}" for speed in by_network.values()))


def _found() -> list[Backend]:
    places = []
    for name in ("numpy", "cupy"):
        try:
            places.append(backend.choose(name))
        except BackendError as error:
            report.notice(f"Without {name}: {error}")
    return places


def _speed(settings: Settings, place: Backend) -> float:
    """Return how many digits a second are trained on, in whole epochs, the first one left out."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (DIGITS, 784), dtype=np.uint8)
    t = rng.integers(0, 2, (DIGITS, 1), dtype=np.uint8)
    examples = Examples(images, np.arange(DIGITS), t).moved(place.place)
    few = Examples(examples.images, examples.rows[:1], examples.t[:1])
    train.train(examples, few, settings)
    epochs, begun = 0, time.perf_counter()
    while time.perf_counter() - begun < SECONDS:
        # Training ends with numbers on the host, and so when the device is done.
        train.train(examples, few, settings)
        epochs += 1
    return epochs * DIGITS / (time.perf_counter() - begun)
