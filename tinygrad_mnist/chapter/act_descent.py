"""The seven steps of gradient descent, on a parabola."""

import numpy as np

from tinygrad_mnist.chapter import book, roller_coaster
from tinygrad_mnist.chapter.material import Material
from tinygrad_mnist.chapter.plot import plot
from tinygrad_mnist.chapter.roller_coaster import SPEED, TIME, Parabola, Step
from tinygrad_mnist.chapter.section import Figure, Picture, Section, Table

TEXT = (
    "The speed of a roller coaster, once a second, as it goes over a hill: which parabola a t^2 + b t + c comes "
    "nearest? Begin with any a, b and c, and measure how wrong they are in one number, the loss: here the mean of the "
    "squared errors. The gradient says which way is uphill, so go the other way, and only a little: the slope times a "
    "small number, the learning rate. Then do it again, until it no longer helps. Every network here learns in these "
    "seven steps, and only what predicts is another."
)

RATE = 1e-5
"""The book's learning rate."""

STEPS = 10
"""How many steps the book takes."""

SHOWN = (0, 1, 2, 3, 4, STEPS)
"""The steps after which the loss is set beside the book's."""


def show(material: Material) -> Section:  # noqa: ARG001 - all sections are given it, and this one needs none
    """Return the seven steps with their numbers, and the losses of the book's ten steps."""
    way = roller_coaster.descend(RATE, STEPS)
    names = (f"slope of the loss by {name}" for name in "abc")
    return Section(
        "Seven steps downhill",
        TEXT,
        ("tinygrad_mnist/chapter/roller_coaster.py", "tinygrad_mnist/train.py"),
        pictures=(drawn(way[-1].parabola),),
        tables=(Table(f"The steps, with a learning rate of {RATE:.5f}:", (), ("d", "", ""), steps(way)),),
        figures=(
            *map(Figure, names, book.FIRST_GRADIENT, way[0].gradient.tolist(), [".1f"] * 3),
            *(
                Figure(
                    f"loss after step {count}" if count else "loss at first", book.LOSSES[count], way[count].loss, ".1f"
                )
                for count in SHOWN
            ),
        ),
    )


def steps(way: list[Step]) -> list[tuple[int, str, str]]:
    """Return the number, the name, and the numbers of each of the seven steps."""
    first, second, *_, before, last = way
    at = int(TIME[-1])
    says = roller_coaster.predict(first.parabola)[-1]
    da, db, dc = first.gradient
    return [
        (1, "initialise", _parabola(first.parabola)),
        (2, "predict", f"at t = {at}: {says:.1f}, measured {SPEED[-1]:.1f}"),
        (3, "loss", f"{first.loss:.1f}"),
        (4, "gradient", f"by a {da:.1f}, by b {db:.1f}, by c {dc:.1f}"),
        (
            5,
            "step",
            f"a = {first.parabola[0]:.4f} - {RATE:.5f} * ({da:.1f}) = {second.parabola[0]:.4f}, and so b and c",
        ),
        (6, "repeat", f"the loss is {second.loss:.1f} now, and falls on"),
        (7, "stop", f"after {len(way) - 1} steps, as the last one gained only {before.loss - last.loss:.2f}"),
    ]


def drawn(parabola: Parabola) -> Picture:
    """Return what was measured as dots, and the parabola as a line."""
    a, b, c = parabola
    fine = np.linspace(TIME[0], TIME[-1], 400)
    return plot("dots: measured; line: after ten steps", [(TIME, SPEED), (fine, a * fine**2 + b * fine + c)])


def _parabola(parabola: Parabola) -> str:
    return ", ".join(f"{name} = {value:.4f}" for name, value in zip("abc", parabola, strict=True))
