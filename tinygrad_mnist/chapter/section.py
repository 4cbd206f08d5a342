"""A section of the walk: an explanation, pictures, tables, and the book's figures next to the computed ones."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

HEIGHT, WIDTH = 24, 58
"""The size of a plot in pixels. A terminal draws two of them per character, so it takes 12 lines of 58 columns."""

Curve = tuple[NDArray[np.float64], NDArray[np.float64]]
"""x and y of the points of a curve, each (N,)."""


class Figure(NamedTuple):
    """A number that the book prints, and the same number computed here."""

    name: str
    book: float
    here: float
    number_format: str = ".4f"  # the digits that the book prints, or that its rounded inputs allow
    comparable: bool = True  # False if the book's number comes from MNIST and ours from another data set

    @property
    def same(self) -> bool:
        """Whether both numbers are the same in all digits shown.

        >>> Figure("loss", 0.4333, 1.3 / 3).same
        True
        """
        return self.comparable and format(self.book, self.number_format) == format(self.here, self.number_format)

    def as_json(self) -> dict[str, Any]:
        """Return the figure as JSON represents it."""
        return {name: getattr(self, name) for name in ("name", "book", "here", "same", "comparable")}


class Table(NamedTuple):
    """Rows of numbers and words."""

    caption: str
    head: tuple[str, ...]  # the columns' headings; empty if they need none
    formats: Sequence[str]  # the columns' formats, as Python's `format` takes them
    rows: Sequence[Sequence[Any]]


class Picture(NamedTuple):
    """An image (H, W) of bytes, from 0 (black) to 255 (white), and its caption."""

    caption: str
    image: NDArray[np.uint8]
    curves: Sequence[Curve] = ()  # what the image shows, if it is a plot


@dataclass(frozen=True)
class Section:
    """One section of the walk."""

    title: str
    text: str  # two to five sentences
    code: tuple[str, ...]  # the files to read next, relative to the project's root
    origin: str = ""  # where the section's digits come from; empty if it uses none
    pictures: tuple[Picture, ...] = ()
    tables: tuple[Table, ...] = ()
    figures: tuple[Figure, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the section as JSON represents it, without its pictures."""
        return {
            "title": self.title,
            "text": self.text,
            "data": self.origin or None,
            "tables": [{"caption": table.caption, "head": table.head, "rows": table.rows} for table in self.tables],
            "figures": [figure.as_json() for figure in self.figures],
            "code": self.code,
        }


def compare(
    book: Mapping[str, float], here: Iterable[float], number_format: str = ".4f", comparable: bool = True
) -> tuple[Figure, ...]:
    """Return figures made from the book's numbers, by their names, and ours in the same order.

    Raises ValueError if there are not as many of ours.
    """
    pairs = zip(book.items(), here, strict=True)
    return tuple(Figure(name, printed, computed, number_format, comparable) for (name, printed), computed in pairs)


def plot(caption: str, curves: Sequence[Curve]) -> Picture:
    """Return a picture of the curves' points. Its edges are at the smallest and largest x and y of all curves."""
    xs, ys = (np.concatenate([curve[axis] for curve in curves]) for axis in (0, 1))
    image = np.zeros((HEIGHT, WIDTH), np.uint8)
    image[HEIGHT - 1 - _positions(ys, HEIGHT), _positions(xs, WIDTH)] = 255
    return Picture(caption, image, curves)


def _positions(values: NDArray[np.float64], size: int) -> NDArray[np.int64]:
    """Return the positions (N,) of the values along `size` pixels: 0 for the smallest, size - 1 for the largest.

    >>> _positions(np.array([0.0, 5.0, 10.0]), 11)
    array([ 0,  5, 10])
    """
    smallest, largest = values.min(), values.max()
    positions: NDArray[np.int64] = np.round((values - smallest) / (largest - smallest) * (size - 1)).astype(np.int64)
    return positions
