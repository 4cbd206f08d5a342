"""Pictures are tables of numbers."""

import numpy as np

from tinygrad_mnist import backend
from tinygrad_mnist.chapter import book
from tinygrad_mnist.chapter.material import Material
from tinygrad_mnist.chapter.section import Figure, Picture, Section, Table

TEXT = (
    "A picture is a table of numbers, one for each pixel: 0 is paper, 255 is ink. A single number, a row, a table, a "
    "pile of tables: all of these are tensors, and the rank is how many axes there are. All the numbers in one have "
    "the same type, and all its rows the same length, so that a processor can run through millions of them without "
    "looking. What breaks this rule is refused, and named."
)

MADE = (3, [1.5, 2.5], [[1, 2], [3, 4]])
"""What tensors can be made of."""

REFUSED = ([[1, 2], [3]], [1, 2.5], [1, "two"])
"""What they cannot be made of."""


def show(material: Material) -> Section:
    """Return what ranks and types are, what is refused, and a part of the book's three in numbers."""
    three = material.three
    patch = three[4:10, 4:10]
    alike = int(np.count_nonzero(patch == np.array(book.PATCH))) if patch.shape == (6, 6) else 0
    made = [(f"{data}", backend.tensor(data)) for data in MADE] + [("the picture", backend.tensor(three))]
    tables = (
        Table("Its rows and columns 4 to 9, counted from 0:", (), ("d",) * patch.shape[1], patch.tolist()),
        Table(
            "Tensors:",
            ("of", "rank", "shape", "type"),
            ("", "d", "", ""),
            [(name, array.ndim, str(array.shape), str(array.dtype)) for name, array in made],
        ),
        Table("Refused:", (), ("", ""), [(f"{data}", refusal(data)) for data in REFUSED]),
    )
    return Section(
        "Pictures are numbers",
        TEXT,
        ("tinygrad_mnist/backend.py", "tinygrad_mnist/nested.py"),
        material.data.origin,
        pictures=(Picture("a training three", three),),
        tables=tables if patch.size else tables[1:],
        figures=(Figure("pixels alike, of 36", 36, alike, "d", material.is_mnist),),
    )


def refusal(data: object) -> str:
    """Return why there is no tensor of this."""
    try:
        backend.tensor(data)
    except ValueError as error:
        return str(error)
    raise AssertionError(f"{data} was accepted")
