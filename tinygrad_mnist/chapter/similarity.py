"""Pixel similarity: a reader that learns nothing."""

import numpy as np

from tinygrad_mnist import baseline
from tinygrad_mnist.backend import Array
from tinygrad_mnist.chapter import book
from tinygrad_mnist.chapter.material import DIGITS, Material, rows
from tinygrad_mnist.chapter.section import Figure, Section, Table

TEXT = (
    "Call a picture a 3 where it is nearer to the ideal 3, and a 7 where it is not. That is a whole program that "
    "reads digits, tried here on test digits, which the ideals were not made of. What learns has to beat it. And it "
    "cannot get better: there is no number in it that could be changed a little to make fewer mistakes. To have such "
    "numbers, and to change them, is what the rest of the walk is about."
)


def show(material: Material) -> Section:
    """Return the shares of test digits that are nearest to their own ideal, by L1 and by squares."""
    training, test = material.data.training, material.data.test
    ideals = [baseline.ideal(rows(training.only([digit]))) for digit in DIGITS]
    images = [rows(test.only([digit])) for digit in DIGITS]

    def shares(distance: Array) -> list[float]:
        nearest = [baseline.nearest([distance(some, ideal) for ideal in ideals]) for some in images]
        right = [float(np.mean(positions == position)) for position, positions in enumerate(nearest)]
        return [*right, sum(right) / len(right)]

    l1, squared = shares(baseline.l1), shares(baseline.squared)
    return Section(
        "A reader that learns nothing",
        TEXT,
        ("tinygrad_mnist/baseline.py", "tinygrad_mnist/commands/baseline.py"),
        material.data.origin,
        tables=(
            Table(
                "Share of the test digits that are read right:",
                ("", "by L1", "by squares"),
                ("", ".4f", ".4f"),
                list(zip(("threes", "sevens", "mean of the two"), l1, squared, strict=True)),
            ),
        ),
        figures=tuple(
            Figure(name, figure, here, comparable=material.is_mnist)
            for (name, figure), here in zip(book.SIMILARITY.items(), l1, strict=True)
        ),
    )
