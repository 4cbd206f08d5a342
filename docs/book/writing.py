"""Markdown for MyST: tables, code, formulas in prose, pictures."""

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from book import typeset
from tinygrad_mnist.derivations import derivations, pagetext
from tinygrad_mnist.derivations.pagetext import CODE, DOCTEST, FORMULA, PROSE, SHAPES, Block, Formula

ROOT = Path(__file__).parents[2]

SPECIAL = re.compile(r"([\\*_<>\[\]|$#{}])")
"""What has a meaning in Markdown."""


def write(path: Path, content: str | bytes) -> None:
    """Write a file if its content has changed, so that Sphinx reads again only what is new."""
    data = content.encode() if isinstance(content, str) else content
    if not path.exists() or path.read_bytes() != data:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def escaped(text: str) -> str:
    """Return text that stays as it is in Markdown."""
    return SPECIAL.sub(r"\\\1", text)


def fence(language: str, text: str) -> str:
    """Return a block of code, or the content of a directive."""
    return f"```{language}\n{text}\n```"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table. Its cells are Markdown, and all but those of the first column stand at the right."""
    lines = [head, [":--", *["--:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def without_paths(text: str) -> str:
    """Return text with the paths of the project's files relative to its root."""
    return text.replace(f"{ROOT}{os.sep}", "")


def svg(picture: str) -> str:
    """Return a picture as a part of the page, so that it takes the colors of the page, in the dark as well."""
    return fence("{raw} html", f'<div class="picture">{picture}</div>')


def prose(text: str) -> str:
    """Return prose in Markdown, with the formulas in it typeset."""
    parts = []
    end = 0
    for match in pagetext.INLINE.finditer(text):
        parts.append(escaped(text[end : match.start()]))
        end = match.end()
        content = " ".join(match["formula"].split())
        if pagetext.is_formula(match):
            latex = typeset.inline(derivations.parse(Formula(content, 0)))
            parts.append((match["let"] or "") + f"{{math}}`{latex}`")
        else:
            parts.append(f"`{content}`")
    return "".join(parts) + escaped(text[end:])


def block(content: Block) -> str:
    """Return a block of a docstring in Markdown."""
    text = "\n".join(content.lines)
    if content.kind == PROSE:
        return prose(text)
    if content.kind == SHAPES:
        rows = filter(None, map(pagetext.ROW.fullmatch, content.lines))
        cells = [(f"`{row['names']}`", f"({escaped(row['shape'])})", prose(row["words"] or "")) for row in rows]
        return "| name | shape | |\n| :-- | :-- | :-- |\n" + "\n".join(f"| {' | '.join(row)} |" for row in cells)
    if content.kind == FORMULA:
        return "\n\n".join(
            fence("{math}", typeset.latex(derivations.parse(each))) for each in pagetext.formulas([content])
        )
    if content.kind == DOCTEST:
        return fence("pycon", text)
    return fence("page" if content.kind == CODE else "text", "\n".join(line[4:] for line in content.lines))


def blocks(contents: Iterable[Block]) -> str:
    """Return the blocks of a docstring in Markdown."""
    return "\n\n".join(map(block, contents))
