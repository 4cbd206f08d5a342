"""What the learning rate does: too small, right, too large."""

import numpy as np

from tinygrad_mnist.chapter import roller_coaster
from tinygrad_mnist.chapter.material import Material
from tinygrad_mnist.chapter.section import Section, Table
from tinygrad_mnist.passes import square

TEXT = (
    "The gradient says which way to go, and the learning rate r how far: on x^2 a step takes x to x - r 2x. With a "
    "small r it creeps; with one too large it jumps across the valley, lands higher than it stood, and jumps farther "
    "each time. A loss that grows is the sign of that, and the right rate is found by trying. All parameters share "
    "it: the roller coaster's loss is so much steeper by a than by b and c that these have hardly moved after ten "
    "steps, and the best parabola is still far off."
)

ON_SQUARE = {0.01: "creeps", 0.3: "arrives", 0.9: "jumps, arrives", 1.1: "jumps away"}
ON_ROLLER_COASTER = {1e-7: "creeps", 1e-5: "falls", 1e-4: "jumps away"}
"""Learning rates, and what comes of them."""

AFTER = (1, 2, 10)
"""The numbers of steps after which one looks."""


def show(material: Material) -> Section:  # noqa: ARG001 - all sections are given it, and this one needs none
    """Return where steps of several lengths lead, on x^2 and for the roller coaster, and how far a, b and c get."""
    head = ("rate", *(f"{steps} step{'s' * (steps > 1)}" for steps in AFTER), "")
    ways = {rate: roller_coaster.descend(rate, max(AFTER)) for rate in ON_ROLLER_COASTER}
    right = ways[1e-5]
    parabolas = {"first": right[0], "after 10 steps": right[10], "the best": roller_coaster.best()}
    return Section(
        "How long a step?",
        TEXT,
        ("tinygrad_mnist/steps.py", "tinygrad_mnist/chapter/roller_coaster.py"),
        tables=(
            Table(
                "On x^2, from x = 3; the lowest point is x = 0:",
                head,
                ("g", *[".3f"] * len(AFTER), ""),
                [(rate, *(descend(3.0, rate, steps) for steps in AFTER), says) for rate, says in ON_SQUARE.items()],
            ),
            Table(
                f"The roller coaster's loss, from {right[0].loss:.1f}:",
                head,
                (".7f", *[".4g"] * len(AFTER), ""),
                [(rate, *(ways[rate][n].loss for n in AFTER), says) for rate, says in ON_ROLLER_COASTER.items()],
            ),
            Table(
                "Its parabolas at a rate of 0.00001, and the best there is:",
                ("", "a", "b", "c", "loss"),
                ("", ".3f", ".3f", ".3f", ".1f"),
                [(name, *step.parabola.tolist(), step.loss) for name, step in parabolas.items()],
            ),
        ),
    )


def descend(x: float, rate: float, steps: int) -> float:
    """Return where so many steps down x^2 lead, from x."""
    at = np.array(x)
    for _ in range(steps):
        at = at - rate * square.backward(np.ones_like(at), at)
    return float(at)
