"""Docstrings in the form that Sphinx reads. In the code they are plain text, in which nothing is markup."""

import re
from typing import Any

from tinygrad_mnist.derivations import pagetext
from tinygrad_mnist.derivations.pagetext import DOCTEST, PROSE

SPECIAL = re.compile(r"([\\*|_`])")


def to_rest(app: object, what: str, name: str, thing: object, options: Any, lines: list[str]) -> None:
    """Replace the lines of a docstring: names in backticks become code, and indented blocks stay as they are."""
    parts = []
    for block in pagetext.blocks("\n".join(lines)):
        text = "\n".join(block.lines)
        if block.kind == PROSE:
            pieces = re.split(r"`([^`]*)`", text)
            text = "".join(
                f"``{piece}``" if place % 2 else SPECIAL.sub(r"\\\1", piece) for place, piece in enumerate(pieces)
            )
        elif block.kind != DOCTEST:
            text = f"::\n\n{text}"
        parts += [*text.splitlines(), ""]
    lines[:] = parts
