"""Values as people write them: lists of digits and of sizes."""

from tinygrad_mnist.errors import require
from tinygrad_mnist.runs.settings import MAX_LAYERS, MAX_UNITS

MAX_SHOWN = 40
"""The number of characters of a bad value that a sentence shows."""


def digits(text: str, least: int = 1) -> tuple[int, ...]:
    """Return `3` as (3,), `3,7` as (3, 7) and `0-9` as all ten. Raises ValueError unless they are different digits.

    >>> digits("1,4-6")
    (1, 4, 5, 6)
    """
    found: list[int] = []
    for part in text.split(","):
        first, _dash, last = (word.strip() for word in part.partition("-"))
        ends = (first, last or first)
        are_digits = all(end in tuple("0123456789") for end in ends) and ends[0] <= ends[1]
        require(are_digits, f"{quoted(text)} is not a list of digits like 3,7 or 1,4-6")
        found.extend(range(int(ends[0]), int(ends[1]) + 1))
    require(len(set(found)) == len(found), f"{quoted(text)} contains a digit twice")
    require(len(found) >= least, f"{text!r} is only one digit: name at least two to tell apart")
    return tuple(found)


def sizes(text: str) -> tuple[int, ...]:
    """Return `300,100` as (300, 100), and an empty text or `0` as no layers. Raises ValueError for anything else.

    >>> sizes("300,100"), sizes("0")
    ((300, 100), ())
    """
    if text.strip() in ("", "0"):
        return ()
    parts = [part.strip() for part in text.split(",")]
    # The lengths are checked first, because Python refuses to convert a number of thousands of digits.
    are_numbers = all(part.isascii() and part.isdigit() and len(part) <= len(str(MAX_UNITS)) for part in parts)
    are_sizes = are_numbers and all(0 < int(part) <= MAX_UNITS for part in parts)
    require(are_sizes, f"{quoted(text)} is not a list of layer sizes like 300 or 300,100")
    require(len(parts) < MAX_LAYERS, f"{len(parts)} hidden layers are too many: use up to {MAX_LAYERS - 1}")
    return tuple(map(int, parts))


def quoted(text: str) -> str:
    """Return a text in quotes for a sentence, cut off if it is long."""
    return repr(text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}...")
