"""Pictures in a terminal: half blocks, two pixels in each, in colours or plain.

A character is twice as tall as it is wide, so an upper half block, whose ink is one pixel and whose paper is the one
below, makes pixels square. With colours, both of them are set, and so a picture looks the same on a light terminal as
on a dark one. Without, ink is whatever colour the terminal writes in.
"""

import os
import shutil
import sys
from collections.abc import Sequence
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.commands import report

BLOCKS = " ▀▄█"
"""What is drawn without colours, by which of the two pixels is inked: neither, the upper one, the lower one, both."""

DOTS = " '.:"
"""The same where the terminal has no half blocks."""

INKED = 128 / 255
"""From here on a grey counts as inked, where there are no colours."""

SIGNS = "- +"
"""What is drawn without colours for numbers below 0, near 0 and above 0."""

NEAR = 0.25
"""Up to here a number counts as near 0, where there are no colours."""

GREYS = [16, *range(232, 256), 231]
"""Black to white in the 256 colours that terminals have, nearly evenly."""

REDS_TO_BLUES = [160, 196, 203, 210, 217, 224, 231, 189, 147, 105, 63, 21, 20]
"""Red over white to blue in the same 256 colours."""

RED, WHITE, BLUE = [178, 24, 43], [247, 247, 247], [33, 102, 172]
"""The same where a terminal has all colours: RdBu of ColorBrewer, which people who see few colours tell apart too."""

GAP = 2
"""Columns between pictures that stand side by side."""

Numbers = NDArray[np.float64]


def lines(image: NDArray[np.uint8]) -> list[str]:
    """Return an image (H, W) of bytes, 255 is ink, as lines of W columns each; smaller where the terminal is narrower.

    Ink is white on black where there are colours. Without them, a pixel is inked or not.
    """
    greys = _narrowed(image / 255)
    if _paints():
        return _painted(greys, [(grey, grey, grey) for grey in range(256)] if _has_all_colours() else GREYS)
    inked = _even(greys) >= INKED
    return _written(inked[::2] + 2 * inked[1::2], BLOCKS if _has_blocks() else DOTS)


def signed_lines(pictures: NDArray[Any]) -> list[list[str]]:
    """Return pictures (K, H, W) of numbers, each as lines of W columns; smaller where the terminal is narrower.

    Blue is above 0 and red below, where there are colours; without them, + and - say so. All have the same scale: see
    `full_colour`.
    """
    numbers = (pictures / full_colour(pictures)).clip(-1, 1)
    return [_signed(_narrowed(picture)) for picture in numbers]


def full_colour(pictures: NDArray[Any]) -> float:
    """Return how far from 0 a number of pictures (K, H, W) has the full colour: 99 in 100 are nearer.

    A few that stand out would leave the others pale.
    """
    return float(np.quantile(np.abs(pictures), 0.99)) or 1.0


def signs() -> tuple[str, str]:
    """Return what stands for numbers above 0, and for those below, in `signed_lines`."""
    return ("blue", "red") if _paints() else (SIGNS[2], SIGNS[0])


def has_colours() -> bool:
    """Return whether standard output takes colours: a terminal does, unless it is told not to.

    The environment variable NO_COLOR forbids them (https://no-color.org), and TERM=dumb says that there are none.
    """
    return report.is_terminal(sys.stdout) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def width() -> int:
    """Return how many columns the terminal has; 80 where there is none."""
    return shutil.get_terminal_size().columns


def side_by_side(pictures: Sequence[Sequence[str]], captions: Sequence[str]) -> str:
    """Return pictures of one size, with a caption under each, as many in a row as the terminal is wide."""
    columns = max(len(click.unstyle(text)) for text in (pictures[0][0], *captions))
    in_row = max(1, (width() + GAP) // (columns + GAP))
    rows = []
    for first in range(0, len(pictures), in_row):
        part = slice(first, first + in_row)
        cells = [*zip(*pictures[part], strict=True), captions[part]]
        rows.append("\n".join((" " * GAP).join(_filled(cell, columns) for cell in row).rstrip() for row in cells))
    return "\n\n".join(rows)


def _filled(text: str, columns: int) -> str:
    """Return the text with spaces behind it, so that it is as wide as it should be on the terminal."""
    return text + " " * (columns - len(click.unstyle(text)))


def _narrowed(picture: Numbers) -> Numbers:
    """Return a picture as it is where the terminal is wide enough, else the means of squares of its pixels."""
    side = -(-picture.shape[1] // width())
    whole = np.pad(picture, [(0, -length % side) for length in picture.shape])
    high, wide = (length // side for length in whole.shape)
    means: Numbers = whole.reshape(high, side, wide, side).mean(axis=(1, 3))
    return means


def _even(picture: Numbers) -> Numbers:
    """Return the picture with an even number of rows, the last one empty where it is added."""
    return np.concatenate([picture, np.zeros_like(picture[: len(picture) % 2])])


def _written(which: NDArray[Any], characters: str) -> list[str]:
    return ["".join(row) for row in np.array(list(characters))[which].tolist()]


def _signed(numbers: Numbers) -> list[str]:
    """Return numbers (H, W) from -1 to 1 as lines."""
    if _paints():
        return _painted((numbers + 1) / 2, _reds_to_blues() if _has_all_colours() else REDS_TO_BLUES)
    upper, lower = _even(numbers)[::2], _even(numbers)[1::2]
    stronger = np.where(np.abs(upper) >= np.abs(lower), upper, lower)
    return _written(1 + (stronger > NEAR) - (stronger < -NEAR), SIGNS)


def _reds_to_blues() -> list[tuple[int, ...]]:
    ends, even = [-1, 0, 1], np.linspace(-1, 1, 255)
    channels = [np.interp(even, ends, levels) for levels in zip(RED, WHITE, BLUE, strict=True)]
    return [tuple(map(round, colour)) for colour in zip(*channels, strict=True)]


def _painted(picture: Numbers, scale: Sequence[Any]) -> list[str]:
    """Return a picture (H, W), from 0 for the first colour of the scale to 1 for the last, as half blocks."""
    colours = [[scale[place] for place in row] for row in np.rint(picture * (len(scale) - 1)).astype(int).tolist()]
    # Of an odd number of rows, the last stands above the terminal's own colour.
    below = [*colours[1::2], [None] * picture.shape[1]]
    return [
        "".join(click.style("▀", fg=upper, bg=lower, reset=False) for upper, lower in zip(*rows, strict=True))
        + click.style("", reset=True)
        for rows in zip(colours[::2], below, strict=False)
    ]


def _paints() -> bool:
    return has_colours() and _has_blocks()


def _has_all_colours() -> bool:
    """Return whether the terminal says that it has more than 256 colours."""
    return os.environ.get("COLORTERM") in ("truecolor", "24bit")


def _has_blocks() -> bool:
    """Return whether standard output's encoding has half blocks."""
    try:
        BLOCKS.encode(getattr(sys.stdout, "encoding", None) or "ascii")
    except UnicodeEncodeError:
        return False
    return True
