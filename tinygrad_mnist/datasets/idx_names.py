"""Finds MNIST's four files under the names that other programs and other data sets give them.

    train-images-idx3-ubyte    train-images.idx3-ubyte    TRAIN-IMAGES.GZ    emnist-digits-test-labels-idx1-ubyte

They may be in the folder itself, in its MNIST/raw as torchvision leaves them, or each in a folder of its own name.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from tinygrad_mnist.errors import DataError

FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
"""The names that MNIST's authors gave to the training images, their labels, the test images and theirs."""

NAME = re.compile(
    r"(?:(?P<prefix>.*)[-_. ])?(?P<part>train|t10k|test)[-_. ]?(?P<kind>images|labels)"
    r"(?:[-_. ]?idx[1-4])?(?:[-_. ](?:ubyte|byte|int))?(?:\.(?:idx|gz))*",
    re.IGNORECASE,
)
"""A name that means one of the four. The data sets that are made like MNIST put their own name in front of it."""

SUBFOLDER = re.compile(r"raw|gzip|.*mnist", re.IGNORECASE)
"""A folder in which the files may be, besides one that is named like a file."""

DEPTH = 3
"""How many folders deep files are searched for."""


def is_emnist(folder: Path) -> bool:
    """Return whether the data set in a folder is named like EMNIST's, whose images are transposed.

    See Cohen, Afshar, Tapson and van Schaik, EMNIST: an extension of MNIST to handwritten letters, 2017.
    """
    return "emnist" in four_files(folder)[FILES[0]].name.lower()


def four_files(folder: Path) -> dict[str, Path]:
    """Return the paths of all four files of the one data set in a folder, by MNIST's names.

    A data set with MNIST's own names comes first. Raises DataError if there is none, if there are several others, or
    if they are EMNIST's letters, whose labels would be taken for digits.
    """
    found = most_files(folder)
    if missing := [name for name in FILES if name not in found]:
        beside = f", beside {', '.join(path.name for path in found.values())}" if found else ""
        raise DataError(f"{folder} has no {missing[0]}, with or without .gz{beside}: use a folder with all four files.")
    sets = data_sets(folder)
    names = sorted(files[FILES[0]].name for files in sets.values() if len(files) == len(FILES))
    if len(names) > 1 and found != sets.get((folder, "")):
        raise DataError(f"{folder} has several data sets ({', '.join(names)}): move one to a folder of its own.")
    if "letters" in found[FILES[0]].name.lower():
        raise DataError(f"{folder} has EMNIST's letters, and this program learns digits: use EMNIST's digits.")
    return found


def most_files(folder: Path) -> dict[str, Path]:
    """Return the paths, by MNIST's names, of the data set that is most complete. MNIST's own names come first."""
    sets = data_sets(folder)
    return max([sets.get((folder, ""), {}), *sets.values()], key=len)


def data_sets(folder: Path) -> dict[tuple[Path, str], dict[str, Path]]:
    """Return the files in a folder that are named like MNIST's, by data set and then by MNIST's names.

    A data set is the folder of its files and what stands in front of their names, in lower case. Of a plain and a
    gzipped file, the plain one is returned.
    """
    sets: dict[tuple[Path, str], dict[str, Path]] = {}
    for path in sorted(_files(folder, DEPTH), key=lambda path: (path.suffix.lower() == ".gz", path)):
        if found := NAME.fullmatch(path.name):
            home = path.parent.parent if NAME.fullmatch(path.parent.name) and path.parent != folder else path.parent
            part = "train" if found["part"].lower() == "train" else "t10k"
            name = next(name for name in FILES if name.startswith(f"{part}-{found['kind'].lower()}"))
            sets.setdefault((home, (found["prefix"] or "").lower()), {}).setdefault(name, path)
    return sets


def _files(folder: Path, depth: int) -> Iterator[Path]:
    """Yield the files in a folder, and those in the folders below it in which MNIST's files may be."""
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return  # what reads the files says why they cannot be read
    for entry in entries:
        if entry.is_file():
            yield entry
        elif depth > 1 and (SUBFOLDER.fullmatch(entry.name) or NAME.fullmatch(entry.name)) and entry.is_dir():
            yield from _files(entry, depth - 1)
