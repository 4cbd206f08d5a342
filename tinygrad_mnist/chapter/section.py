"""What a section of the walk shows: an explanation, pictures, tables, and the book's figures beside ours."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Figure(NamedTuple):
    """A number that the book prints, and the same one computed here."""

    name: str
    book: float
    here: float
    shown: str = ".4f"  # the format with as many digits as the book prints, or as its own rounded input allows
    comparable: bool = True  # not where the book's is of MNIST and ours of something else

    @property
    def same(self) -> bool:
        """Whether both are the same number, to the digits that are shown.

        >>> Figure("loss", 0.4333, 1.3 / 3).same
        True
        """
        return self.comparable and format(self.book, self.shown) == format(self.here, self.shown)


class Table(NamedTuple):
    """Rows of numbers and words; each column has a heading and a format, as Python's `format` takes it."""

    caption: str
    head: tuple[str, ...]  # empty where the columns need none
    formats: tuple[str, ...]
    rows: Sequence[Sequence[Any]]


class Picture(NamedTuple):
    """An image (H, W) of bytes, 255 is ink, and what is to be written under it."""

    caption: str
    image: NDArray[np.uint8]


@dataclass(frozen=True)
class Section:
    """One step of the walk."""

    title: str
    text: str  # two to five sentences
    code: tuple[str, ...]  # the files to read on in, seen from the project's root
    origin: str = ""  # which digits it looked at, for a person; nothing where it needs none
    pictures: tuple[Picture, ...] = ()
    tables: tuple[Table, ...] = ()
    figures: tuple[Figure, ...] = ()
