"""derivative: the warm-up, the derivative of the square of x."""

import math

import click

from tinygrad_mnist.app import command_line, options, output
from tinygrad_mnist.passes import square

MAX_X = math.sqrt(1e300)
"""For a larger x, its square or the squares near it overflow."""


@click.command(cls=command_line.Command, context_settings={"ignore_unknown_options": True})
@click.argument("x", type=options.Number(float, -MAX_X, MAX_X))
@options.json_events
def derivative(x: float, as_json: bool) -> None:
    """Show the square of X and its derivative.

    The derivative worked out by hand is 2x (see tinygrad_mnist/passes/square.py). The measured one is how much the
    square changes if x is moved up and down a little. If the derivation were wrong, the two would differ.

    \b
    Example:
      python cli.py derivative 3
    """
    value = square.forward(x)
    gradient = square.backward(1.0, x)
    step = 1e-3 * max(1.0, abs(x))
    finite_difference = (square.forward(x + step) - square.forward(x - step)) / (2 * step)
    facts = {"x": x, "value": value, "gradient": gradient, "finite_difference": finite_difference}
    lines = {
        "x": f"{x:.10g}",
        "value": f"{value:.10g}   x squared",
        "gradient": f"{gradient:.10g}   derived by hand: 2x",
        "measured": f"{finite_difference:.10g}   by finite differences",
    }
    output.report(as_json, facts, lines)
