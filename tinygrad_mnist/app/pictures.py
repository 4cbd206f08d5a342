"""Pictures in a terminal, drawn with half blocks, in color or without.

A character is twice as tall as it is wide, so each one shows two square pixels. An upper half block has the text color
in its upper half and the background color in its lower half. In color, both are set, so that a picture looks the same
on a light terminal and on a dark one. Without color, ink has the terminal's own text color.
"""

import os
import shutil
import sys
from collections.abc import Sequence
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.app import output

BLOCKS, DOTS = " ▀▄█", " '.:"
"""The characters for images without color: no ink, ink in the upper pixel, in the lower one, in both. The dots are for
a terminal whose encoding has no half blocks."""

SIGNS, NEAR_ZERO = "- +", 0.25
"""The characters for numbers below 0, near 0 and above 0 without color, and the largest number that is near 0."""

GRAYS, RED_TO_BLUE = [16, *range(232, 256), 231], [160, 196, 203, 210, 217, 224, 231, 189, 147, 105, 63, 21, 20]
"""Black to white, and red over white to blue, in a terminal's 256 colors."""

GAP = "  "
"""What is between two pictures in a row."""

Numbers = NDArray[np.float64]


def lines(image: NDArray[np.uint8]) -> list[str]:
    """Return an image (H, W) of bytes, where 255 is ink, as lines of W columns, or fewer if the terminal is narrower.

    In color, ink is white on black. Without color, a pixel is either ink or not.
    """
    grays = _fitted(image / 255)
    if _has_color():
        return _colored(grays, GRAYS)
    ink = grays >= 0.5
    return _signs(ink[::2] + 2 * ink[1::2], BLOCKS if _has_blocks() else DOTS)


def signed_lines(pictures: NDArray[Any]) -> list[list[str]]:
    """Return pictures (K, H, W) of numbers as lines of W columns each, or fewer if the terminal is narrower.

    Above 0 is blue and below 0 red, or + and - without color. All pictures have the same scale (see `full_color`).
    """
    return [_signed(_fitted(picture)) for picture in (pictures / full_color(pictures)).clip(-1, 1)]


def full_color(pictures: NDArray[Any]) -> float:
    """Return the absolute value that gets the full color. 99 % are smaller, so that outliers do not make them pale."""
    return float(np.quantile(np.abs(pictures), 0.99)) or 1.0


def side_by_side(pictures: Sequence[Sequence[str]], captions: Sequence[str]) -> str:
    """Return pictures of the same size, each above its caption, in rows that fill the width of the terminal."""
    columns = max(len(click.unstyle(text)) for text in (pictures[0][0], *captions))
    per_row = max(1, (shutil.get_terminal_size().columns + len(GAP)) // (columns + len(GAP)))
    rows = []
    for first in range(0, len(pictures), per_row):
        part = slice(first, first + per_row)
        for texts in (*zip(*pictures[part], strict=True), captions[part]):
            padded = (text + " " * (columns - len(click.unstyle(text))) for text in texts)
            rows.append(GAP.join(padded).rstrip())
        rows.append("")
    return "\n".join(rows[:-1])


def _fitted(picture: Numbers) -> Numbers:
    """Return the picture with an even number of rows, and squares of pixels as their means if it is too wide."""
    side = -(-picture.shape[1] // shutil.get_terminal_size().columns)
    rows, columns = picture.shape
    padded = np.pad(picture, [(0, -rows % (2 * side)), (0, -columns % side)])
    means: Numbers = padded.reshape(-1, side, padded.shape[1] // side, side).mean(axis=(1, 3))
    return means


def _signed(numbers: Numbers) -> list[str]:
    """Return numbers (H, W) from -1 to 1 as lines."""
    if _has_color():
        return _colored((numbers + 1) / 2, RED_TO_BLUE)
    upper, lower = numbers[::2], numbers[1::2]
    stronger = np.where(np.abs(upper) >= np.abs(lower), upper, lower)
    return _signs(1 + (stronger > NEAR_ZERO) - (stronger < -NEAR_ZERO), SIGNS)


def _signs(indices: NDArray[Any], signs: str) -> list[str]:
    return ["".join(signs[index] for index in row) for row in indices.tolist()]


def _colored(picture: Numbers, scale: Sequence[int]) -> list[str]:
    """Return a picture (H, W) as half blocks, where 0 is the first color of the scale and 1 the last one."""
    colors = np.asarray(scale)[np.rint(picture * (len(scale) - 1)).astype(int)].tolist()
    rows = [zip(*both, strict=True) for both in zip(colors[::2], colors[1::2], strict=True)]
    return ["".join(f"\x1b[38;5;{upper};48;5;{lower}m▀" for upper, lower in row) + "\x1b[0m" for row in rows]


def _has_color() -> bool:
    """Return whether standard output is a terminal with color and half blocks.

    Color is disabled by the environment variable NO_COLOR (https://no-color.org) and by TERM=dumb.
    """
    is_off = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return output.is_terminal(sys.stdout) and not is_off and _has_blocks()


def _has_blocks() -> bool:
    """Return whether the encoding of standard output has half blocks."""
    return output.printable(BLOCKS, sys.stdout) == BLOCKS
