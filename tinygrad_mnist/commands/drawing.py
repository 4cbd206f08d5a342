"""Pictures in a terminal: half blocks, two pixels in each, in colours or plain.

A character is twice as tall as it is wide, so an upper half block, whose ink is one pixel and whose paper is the one
below, makes pixels square.
"""

import os
import shutil
import sys
from collections.abc import Sequence

import click
import numpy as np
from numpy.typing import NDArray

BLOCKS = " ▀▄█"
"""What is drawn without colours, by which of the two pixels is dark: neither, the upper one, the lower one, both."""

DOTS = " '.:"
"""The same where the terminal has no half blocks."""

DARK = 128
"""From here on a grey counts as dark, where there are no colours."""

GAP = 2
"""Columns between pictures that stand side by side."""


def lines(image: NDArray[np.uint8]) -> list[str]:
    """Return an image as lines of W columns each: (H, W) greys, 255 is ink, or (H, W, 3) colours, red, green, blue.

    Colours are used on a terminal, unless the environment variable NO_COLOR forbids them (https://no-color.org).
    Without them, greys are dark or not; of colours, those that are not white are dark.
    """
    if len(image) % 2:
        image = np.concatenate([image, np.full_like(image[:1], 0 if image.ndim == 2 else 255)])
    return _coloured(image) if has_colours() and _has_blocks() else _plain(image)


def has_colours() -> bool:
    """Return whether standard output takes colours."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def width() -> int:
    """Return how many columns the terminal has; 80 where there is none."""
    return shutil.get_terminal_size().columns


def side_by_side(pictures: Sequence[Sequence[str]], captions: Sequence[str], columns: int) -> str:
    """Return pictures of so many columns each, with a caption under each, as many in a row as the terminal is wide."""
    in_row = max(1, (width() + GAP) // (columns + GAP))
    rows = []
    for first in range(0, len(pictures), in_row):
        part = slice(first, first + in_row)
        drawn = [(" " * GAP).join(cells) for cells in zip(*pictures[part], strict=True)]
        said = (" " * GAP).join(f"{caption:<{columns}}" for caption in captions[part])
        rows.append("\n".join([*drawn, said.rstrip()]))
    return "\n\n".join(rows)


def _coloured(image: NDArray[np.uint8]) -> list[str]:
    colours = image if image.ndim == 3 else np.repeat(image[..., None], 3, axis=2)
    return [
        "".join(
            click.style("▀", fg=tuple(upper), bg=tuple(lower), reset=False)
            for upper, lower in zip(above.tolist(), below.tolist(), strict=True)
        )
        + click.style("", reset=True)
        for above, below in zip(colours[::2], colours[1::2], strict=True)
    ]


def _plain(image: NDArray[np.uint8]) -> list[str]:
    dark = np.asarray(image >= DARK if image.ndim == 2 else (image < DARK).any(axis=2))
    signs = np.array(list(BLOCKS if _has_blocks() else DOTS))
    return ["".join(row) for row in signs[dark[::2] + 2 * dark[1::2]].tolist()]


def _has_blocks() -> bool:
    """Return whether standard output's encoding has half blocks."""
    try:
        BLOCKS.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True
