"""The ideal three and the ideal seven, and how far a picture is from both."""

import numpy as np

from tinygrad_mnist import baseline
from tinygrad_mnist.chapter import book
from tinygrad_mnist.chapter.material import DIGITS, Material, rows
from tinygrad_mnist.chapter.section import Figure, Picture, Section

TEXT = (
    "Average all training threes, pixel by pixel, and the ideal three appears: clear where all have ink, faint where "
    "some do. How far is a picture from it? Take the difference in each pixel, from 0 to 1, and average: without its "
    "sign (L1), or squared, with a root at the end (root mean square, RMS), which minds a few large differences more "
    "than many small ones. Is the three of the first section nearer to the ideal three than to the ideal seven?"
)


def show(material: Material) -> Section:
    """Return both ideals as pictures, and the distances of the book's three from them."""
    three = material.three
    ideals = [baseline.ideal(rows(material.data.training.only([digit]))) for digit in DIGITS]
    row = three.reshape(1, -1)
    l1 = [float(baseline.l1(row, ideal)[0]) for ideal in ideals]
    root_mean_square = [float(np.sqrt(baseline.squared(row, ideal)[0])) for ideal in ideals]
    distances = [*l1, *root_mean_square]
    return Section(
        "The ideal three and the ideal seven",
        TEXT,
        ("tinygrad_mnist/baseline.py",),
        material.data.origin,
        pictures=tuple(
            Picture(f"the ideal {digit}", np.round(ideal * 255).astype(np.uint8).reshape(three.shape))
            for digit, ideal in zip(DIGITS, ideals, strict=True)
        ),
        figures=tuple(
            Figure(name, figure, here, comparable=material.is_mnist)
            for (name, figure), here in zip(book.DISTANCES.items(), distances, strict=True)
        ),
    )
