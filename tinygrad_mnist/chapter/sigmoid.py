"""The sigmoid, which makes of any number one between 0 and 1."""

import numpy as np

from tinygrad_mnist.chapter.material import Material
from tinygrad_mnist.chapter.plot import plot
from tinygrad_mnist.chapter.section import Section, Table
from tinygrad_mnist.passes import sigmoid

TEXT = (
    "A prediction should lie between 0, surely a 7, and 1, surely a 3, but weighing pixels can give any number z. The "
    "sigmoid, p = 1 / (1 + e^-z), presses it into that range. It rises everywhere and has no corners, so that its "
    "slope always says what a little more of z would do. The slope is p (1 - p): steep in the middle, where the model "
    "is unsure, and almost flat at both ends, where it is sure."
)

AT = (-1000.0, -4.0, -2.0, 0.0, 2.0, 4.0, 1000.0)


def show(material: Material) -> Section:  # noqa: ARG001 - all sections are given it, and this one needs none
    """Return the sigmoid as a picture, and its value and slope at some z."""
    z = np.array(AT)
    p = sigmoid.forward(z)
    slope = sigmoid.backward(np.ones_like(p), p)
    line = np.linspace(-6, 6, 400)
    return Section(
        "From any number to a prediction",
        TEXT,
        ("tinygrad_mnist/passes/sigmoid.py",),
        pictures=(plot("z from -6 to 6, and p from 0 to 1", [(line, sigmoid.forward(line))]),),
        tables=(
            Table(
                "No exponential overflows, even at -1000:",
                ("z", "p", "slope"),
                ("g", ".4f", ".4f"),
                list(zip(z.tolist(), p.tolist(), slope.tolist(), strict=True)),
            ),
        ),
    )
