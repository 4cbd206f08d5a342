"""devices: where this machine can compute."""

from typing import Any

import click

from tinygrad_mnist.app import command_line, options, output
from tinygrad_mnist.arrays.backend import WORTH_A_GPU, choose_backend
from tinygrad_mnist.errors import BackendError


@click.command(cls=command_line.Command)
@options.json_events
def devices(as_json: bool) -> None:
    """Show where this machine can compute.

    Also shows which backend 'train --backend auto' uses for large networks, and why a GPU cannot be used.

    \b
    Example:
      python cli.py devices
    """
    backends = {name: _described(name) for name in ("numpy", "cupy")}
    auto = choose_backend("auto").name
    condition = "" if auto == "numpy" else f" if the batch times the number of parameters is at least {WORTH_A_GPU:,}"
    lines = {name: backend["description"] for name, backend in backends.items()}
    output.report(as_json, {"backends": backends, "auto": auto}, lines | {"auto": f"uses {auto}{condition}"})


def _described(name: str) -> dict[str, Any]:
    """Return whether a backend can be used, and its device, or what is missing."""
    try:
        return {"usable": True, "description": choose_backend(name).description}
    except BackendError as error:
        return {"usable": False, "description": error.sentence({})}
