"""The gradient of x^2: measured by nudging, and derived."""

import numpy as np

from tinygrad_mnist.chapter.material import Material
from tinygrad_mnist.chapter.section import Figure, Section, Table
from tinygrad_mnist.passes import square

TEXT = (
    "How fast does x^2 grow at 3? Nudge x by h, and divide what x^2 has grown by h: the smaller the nudge, the nearer "
    "that comes to 6, the slope. For x^2 it is 2x everywhere, and such a formula, worked out once by hand, needs no "
    "nudging. Where several numbers go in there is a slope by each, and all of them together are the gradient. It "
    "says how the outcome grows with every single number."
)

NUDGES = (1.0, 0.1, 0.01, 0.001)


def show(material: Material) -> Section:  # noqa: ARG001 - all sections are given it, and this one needs none
    """Return the value and the slope of x^2 at 3, and of the sum of x^2 at 3, 4 and 10."""
    x = np.array(3.0)
    xs = np.array([3.0, 4.0, 10.0])
    slope = square.backward(np.ones_like(x), x)
    gradient = square.backward(np.ones_like(xs), xs)
    measured = [(h, float((square.forward(x + h) - square.forward(x)) / h)) for h in NUDGES]
    return Section(
        "How fast does it grow?",
        TEXT,
        ("tinygrad_mnist/passes/square.py",),
        tables=(
            Table(
                "At x = 3, measured by a nudge:",
                ("nudge h", "((x + h)^2 - x^2) / h"),
                ("g", ".3f"),
                measured,
            ),
        ),
        figures=(
            Figure("x^2 at 3", 9, float(square.forward(x)), "g"),
            Figure("slope of x^2 at 3", 6, float(slope), "g"),
            Figure("sum of x^2 at 3, 4 and 10", 125, float(np.sum(square.forward(xs))), "g"),
            *(
                Figure(f"slope of the sum at {at:g}", figure, here, "g")
                for at, figure, here in zip(xs.tolist(), (6, 8, 20), gradient.tolist(), strict=True)
            ),
        ),
    )
