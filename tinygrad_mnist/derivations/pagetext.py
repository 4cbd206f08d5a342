"""The text of a page: its docstrings, split into prose, tables of shapes, formulas, code and doctests.

A formula stands in an indented block, or in backticks in prose. Every other equals sign is reported as a stray one, so
that the formulas found here are all that a page has.
"""

import ast
import inspect
import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

PROSE, SHAPES, FORMULA, CODE, DOCTEST, STRAY = "prose", "shapes", "formula", "code", "doctest", "stray"

INLINE = re.compile(r"(?P<let>\blet\s+)?(?<!`)`(?P<formula>[^`]*)`(?!`)", re.IGNORECASE)
"""Something in backticks, and the word "let" if it stands before them."""

EQUALS = re.compile(r"(?<![=<>!])=(?!=)")
"""An equals sign; not the signs ==, <=, >= and != of code."""

ROW = re.compile(r" {4}(?P<names>\w+(?:, \w+)*)  +\((?P<shape>[^()]*)\)(?:  +(?P<words>\S.*))?")
"""A row in a table of shapes."""

ENDING = re.compile(r"\bIn (?:arrays|matrices)\b")
"""The words before the code that a derivation ends in."""


class UnreadableError(ValueError):
    """A formula that cannot be read, or that has no value."""


class Block(NamedTuple):
    """Consecutive lines of a docstring, which begin at this line of the file."""

    kind: str
    lines: tuple[str, ...]
    line: int


class Formula(NamedTuple):
    """The text of a formula, of a block of code, or of a line with a stray equals sign."""

    text: str
    line: int
    kind: str = FORMULA


def docstrings(source: str) -> dict[str, list[Block]]:
    """Return the blocks of the docstrings in a page's source: that of the module, under "", and of each function."""
    module = ast.parse(source)
    nodes: list[ast.Module | ast.FunctionDef] = [module]
    nodes += [node for node in module.body if isinstance(node, ast.FunctionDef)]
    return {
        getattr(node, "name", ""): list(blocks(text, node.body[0].lineno))
        for node in nodes
        if (text := ast.get_docstring(node, clean=False))
    }


def blocks(docstring: str, first: int = 1) -> Iterator[Block]:
    """Yield the blocks of a docstring, of which the first begins at line `first` of the file."""
    before = ""
    numbered = enumerate(inspect.cleandoc(docstring).splitlines(), first)
    for is_blank, group in groupby(numbered, lambda line: not line[1].strip()):
        numbers, lines = zip(*group, strict=True)
        if not is_blank:
            yield Block(_kind(lines[0], before), lines, numbers[0])
            before = " ".join(lines)


def _kind(line: str, before: str) -> str:
    """Return the kind of a block that begins with this line and follows a block with the text `before`."""
    if line.startswith(">>> "):
        return DOCTEST
    if not line.startswith("    "):
        return PROSE
    return SHAPES if ROW.fullmatch(line) else CODE if ENDING.search(before) else FORMULA


def shapes(found: Sequence[Block]) -> dict[str, tuple[list[str], str]]:
    """Return what a table of shapes says of each name: the sizes of its axes, and words."""
    table: dict[str, tuple[list[str], str]] = {}
    for line in (line for block in found if block.kind == SHAPES for line in block.lines):
        if row := ROW.fullmatch(line):
            sizes = re.findall(r"[^, ]+", row["shape"])
            table |= dict.fromkeys(row["names"].split(", "), (sizes, row["words"] or ""))
    return table


def formulas(found: Sequence[Block]) -> Iterator[Formula]:
    """Yield the formulas in these blocks, the blocks of code, and the lines with stray equals signs."""
    for block in found:
        if block.kind == CODE:
            yield Formula("\n".join(line[4:] for line in block.lines), block.line, CODE)
        elif block.kind == FORMULA:
            # A line that is indented further continues the one before it.
            starts = [number for number, line in enumerate(block.lines) if line[:5].strip()] or [0]
            for start, end in zip(starts, [*starts[1:], None], strict=True):
                yield Formula(_with_matrices(block.lines[start:end]), block.line + start)
        elif block.kind in (PROSE, SHAPES):
            yield from _inline(block)


def _inline(block: Block) -> Iterator[Formula]:
    text = "\n".join(block.lines)
    for match in INLINE.finditer(text):
        if is_formula(match):
            line = block.line + text.count("\n", 0, match.start("formula"))
            yield Formula("let " * bool(match["let"]) + match["formula"], line)
    for line, rest in enumerate(INLINE.sub(lambda match: "\n" * match[0].count("\n"), text).split("\n"), block.line):
        if EQUALS.search(rest):
            yield Formula(rest.strip(), line, STRAY)


def is_formula(match: re.Match[str]) -> bool:
    """Return whether a formula stands in these backticks, and not a name or code."""
    return bool(EQUALS.search(match["formula"]) or match["let"])


def _with_matrices(lines: Sequence[str]) -> str:
    """Return the lines of a formula, with matrices of two rows, ( a  b ) over ( c  d ), as ⟦a, b; c, d⟧."""
    joined = []
    for upper, lower in zip(lines, [*lines[1:], ""], strict=True):
        text = upper
        for match in reversed([*re.finditer(r"\( .*? \)(?!\S)", lower if lower.strip().startswith("( ") else "")]):
            rows = [re.split(r"\s{2,}", line[slice(*match.span())][1:-1].strip()) for line in (upper, lower)]
            text = f"{text[: match.start()]}⟦{'; '.join(map(', '.join, rows))}⟧{text[match.end() :]}"
        joined += [text.strip()] * (not upper.strip().startswith("( "))
    return "\n".join(joined)
