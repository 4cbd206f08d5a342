"""derivative: the warm-up, x² and its slope."""

import math

import click

from tinygrad_mnist import oracles
from tinygrad_mnist.commands import options, report
from tinygrad_mnist.passes import square

MOST = math.sqrt(1e300)
"""Beyond it, x² or the squares next to it do not fit a float."""


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("x", type=options.Number(min=-MOST, max=MOST), callback=options.finite)
@options.json_events
def derivative(x: float, as_json: bool) -> None:
    """Show x² and its slope at X.

    The slope is derived by hand, and measured. The hand-derived slope is 2x (see
    tinygrad_mnist/passes/square.py). The measured one is how much x² rises when x is nudged up and down a
    little: a derivation that is wrong disagrees with it.

    \b
    Example:
      python cli.py derivative 3
    """
    value = square.forward(x)
    gradient = square.backward(1.0, x)
    finite_difference = oracles.differences(square.forward, x, order=2)
    if as_json:
        report.event("result", x=x, value=value, gradient=gradient, finite_difference=finite_difference)
        return
    report.line("x", f"{x:.10g}")
    report.line("value", f"{value:.10g}   x squared")
    report.line("gradient", f"{gradient:.10g}   derived by hand: 2x")
    report.line("measured", f"{finite_difference:.10g}   by finite differences")
