"""bench: how fast this machine trains, on each of its backends."""

import itertools
import time

import click
import numpy as np

from tinygrad_mnist import train
from tinygrad_mnist.arrays.backend import Backend, choose_backend
from tinygrad_mnist.arrays.examples import Examples
from tinygrad_mnist.commands import options
from tinygrad_mnist.console import output
from tinygrad_mnist.datasets.bars import track
from tinygrad_mnist.errors import BackendError
from tinygrad_mnist.train import Settings

DIGITS = 12_000
"""The number of digits in an epoch, about as many as MNIST has threes and sevens."""

SECONDS = 1.5
"""The shortest time to measure each network on each backend. It is enough for many epochs of the small one."""

NETWORKS = {
    "784-1": Settings(batch=256, epochs=1),
    "784-300-1": Settings(hidden=(300,), loss="cross-entropy", batch=256, epochs=1),
}


@click.command()
@options.json_events
def bench(as_json: bool) -> None:
    """Measure how fast this machine trains.

    Prints how many digits per second each backend trains on, for a linear model and for a network with a hidden layer
    of 300 units. The digits are random pixels, in batches of 256. benchmarks/RESULTS.md has comparisons.

    \b
    Example:
      python cli.py bench
    """
    backends = _usable_backends()
    speeds: dict[str, dict[str, float]] = {backend.name: {} for backend in backends}
    for backend, name in track([*itertools.product(backends, NETWORKS)], "bench", output.Bar):
        speeds[backend.name][name] = _speed(NETWORKS[name], backend)
    if as_json:
        output.event("result", digits_per_second=speeds)
        return
    click.echo(f"{'digits/second':<16}" + "".join(f"{name:>14}" for name in NETWORKS))
    for name, by_network in speeds.items():
        click.echo(f"{name:<16}" + "".join(f"{speed:>14,.0f}" for speed in by_network.values()))


def _usable_backends() -> list[Backend]:
    backends = []
    for name in ("numpy", "cupy"):
        try:
            backends.append(choose_backend(name))
        except BackendError as error:
            output.notice(f"Skipping {name}: {error}")
    return backends


def _speed(settings: Settings, backend: Backend) -> float:
    """Return how many digits per second are trained on. The first epoch is not measured."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (DIGITS, 784), dtype=np.uint8)
    t = rng.integers(0, 2, (DIGITS, 1), dtype=np.uint8)
    examples = Examples(*map(backend.to_device, (images, np.arange(DIGITS), t)))
    validation = Examples(examples.images, examples.rows[:1], examples.t[:1])
    train.train(examples, validation, settings)
    epochs, begun = 0, time.perf_counter()
    while time.perf_counter() - begun < SECONDS:
        # Training returns numbers on the host, so the device has finished by then.
        train.train(examples, validation, settings)
        epochs += 1
    return epochs * DIGITS / (time.perf_counter() - begun)
