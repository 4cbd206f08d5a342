"""bench: how fast this machine trains, on each of its backends."""

import itertools

import click

from tinygrad_mnist.app import command_line, options, output
from tinygrad_mnist.arrays.backend import Backend, choose_backend
from tinygrad_mnist.errors import BackendError
from tinygrad_mnist.runs.speed import NETWORKS, digits_per_second


@click.command(cls=command_line.Command)
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
    for backend, name in output.CONSOLE.bar([*itertools.product(backends, NETWORKS)], "bench"):
        speeds[backend.name][name] = digits_per_second(NETWORKS[name], backend)
    if as_json:
        output.event("result", digits_per_second=speeds)
        return
    output.echo(f"{'digits/second':<16}" + "".join(f"{name:>14}" for name in NETWORKS))
    for name, by_network in speeds.items():
        output.echo(f"{name:<16}" + "".join(f"{speed:>14,.0f}" for speed in by_network.values()))


def _usable_backends() -> list[Backend]:
    backends = []
    for name in ("numpy", "cupy"):
        try:
            backends.append(choose_backend(name))
        except BackendError as error:
            output.notice(f"Skipping {name}: {error.sentence(command_line.REMEDIES)}")
    return backends
