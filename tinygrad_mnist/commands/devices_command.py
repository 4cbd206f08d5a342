"""devices: where this machine can compute, and what is taken."""

import click

from tinygrad_mnist import backend
from tinygrad_mnist.commands import options, report
from tinygrad_mnist.errors import BackendError


@click.command()
@options.json_events
def devices(as_json: bool) -> None:
    """Show where this machine can compute.

    And what '--backend auto' takes.

    \b
    Example:
      python cli.py devices
    """
    taken = backend.choose("auto").name
    found = {name: _described(name) for name in ("numpy", "cupy")}
    if as_json:
        usable = {name: {"usable": usable, "description": text} for name, (usable, text) in found.items()}
        report.event("result", backends=usable, auto=taken)
        return
    for name, (_, text) in found.items():
        report.line(name, text)
    report.line("auto", f"takes {taken}")


def _described(name: str) -> tuple[bool, str]:
    """Return whether a backend can be used, and what it is or what it lacks."""
    try:
        return True, backend.choose(name).description
    except BackendError as error:
        return False, str(error)
