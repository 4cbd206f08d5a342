"""Many pictures at once: rank 3, and the mean over its last two axes."""

import numpy as np

from tinygrad_mnist import backend, network
from tinygrad_mnist.chapter import book
from tinygrad_mnist.chapter.material import DIGITS, Material
from tinygrad_mnist.chapter.section import Figure, Section, Table

TEXT = (
    "Pictures of one size stack up to a tensor of rank 3: which picture, which row, which column. To compare all of "
    "them with a single one, subtract it: it is held against each in turn, without a loop, which is called "
    "broadcasting. The mean over the last two axes, rows and columns, then leaves one number for each picture. Nearly "
    "all code for neural networks is written so, for many examples at once."
)


def show(material: Material) -> Section:
    """Return the shapes on the way from many pictures to one distance for each."""
    parts = (material.data.training, material.data.test)
    stacks = {
        f"{where} {digit}s": backend.stack(list(part.only([digit]).images))
        for where, part in zip(("training", "test"), parts, strict=True)
        for digit in DIGITS
    }
    threes = stacks["test 3s"] / network.BRIGHTEST
    ideal = np.mean(stacks["training 3s"] / network.BRIGHTEST, axis=0)
    differences = np.abs(threes - ideal)
    distances = np.mean(differences, axis=(-2, -1))
    first = distances[:4].tolist()
    shapes = {
        "test threes": threes,
        "mean of the training threes": ideal,
        "difference, broadcast": differences,
        "mean over the last two axes": distances,
    }
    return Section(
        "Many pictures at once",
        TEXT,
        ("tinygrad_mnist/backend.py", "tinygrad_mnist/baseline.py"),
        material.data.origin,
        tables=(
            Table(
                "How far are the test threes from the mean three?",
                ("", "rank", "shape"),
                ("", "d", ""),
                [(name, array.ndim, str(array.shape)) for name, array in shapes.items()],
            ),
            Table("The first of these distances:", (), (".4f",) * len(first), [first]),
        ),
        figures=tuple(
            Figure(name, count, len(stacks[name]), ",d", material.is_mnist) for name, count in book.COUNTS.items()
        ),
    )
