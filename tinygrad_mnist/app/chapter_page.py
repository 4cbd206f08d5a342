"""The layout of `chapter` for people: 60 columns, with the text first, then pictures, tables and figures."""

import textwrap
from collections.abc import Mapping, Sequence

import click

from tinygrad_mnist.app import output
from tinygrad_mnist.app.pictures import lines, side_by_side
from tinygrad_mnist.chapter.section import Figure, Picture, Section, Table

WIDTH = 60
INDENT, GAP = "  ", "   "
SAME, NOT_COMPARABLE = "=", "*"

NEXT_STEPS = (
    "Next, 'gradcheck' checks all derivatives, 'train --hidden 30' beats the book's result, 'train --preset best' "
    "trains the best network, and tinygrad_mnist/passes/ has the derivations."
)


def section(content: Section, place: str) -> str:
    """Return the page of a section. `place` is its place in the walk, for example "2 of 13: stack"."""
    title = click.style(content.title, bold=True) + f"{place:>{WIDTH - len(content.title)}}"
    parts = [f"{title}\n{'-' * WIDTH}", textwrap.fill(content.text, WIDTH)]
    if content.pictures:
        parts.append(_pictures(content.pictures))
    parts += map(_table, content.tables)
    if content.figures:
        parts.append(_figures({"": content.figures}))
    parts.append("\n".join([*_named("digits", output.printable(content.origin)), *_named("code", *content.code)]))
    return "\n\n".join(parts) + "\n\n"


def summary(sections: Mapping[str, Section]) -> str:
    """Return the table of all sections' figures, the number of those that agree with the book, and what to do next."""
    comparable = [figure for content in sections.values() for figure in content.figures if figure.comparable]
    same = sum(figure.same for figure in comparable)
    verdict = f"{SAME} {same} of the {len(comparable)} figures that can be compared are the same in all digits shown."
    if same < len(comparable):
        verdict += (
            " The results of training are close to the book's but not the same, because training started from "
            "different random weights and took the digits in a different order."
        )
    title = click.style("All the figures", bold=True) + f"\n{'-' * WIDTH}"
    figures = _figures({name: content.figures for name, content in sections.items()})
    return "\n\n".join([title, figures, textwrap.fill(verdict, WIDTH), textwrap.fill(NEXT_STEPS, WIDTH)])


def _figures(by_section: Mapping[str, Sequence[Figure]]) -> str:
    """Return a table of the book's figures and ours, with each section's name in its first row."""
    rows = [f"{'':<36}{'book':>11}{'here':>11}"]
    for name, figures in by_section.items():
        for number, figure in enumerate(figures):
            label = f"{name * (number == 0):<11}{figure.name}" if name else figure.name
            numbers = "".join(f"{format(value, figure.number_format):>11}" for value in (figure.book, figure.here))
            mark = SAME * figure.same if figure.comparable else NOT_COMPARABLE
            rows.append(f"{label:<36}{numbers} {mark}".rstrip())
    if any(not figure.comparable for figures in by_section.values() for figure in figures):
        rows.append(f"{NOT_COMPARABLE} not comparable: the book used MNIST, this run did not")
    return "\n".join(rows)


def _pictures(pictures: Sequence[Picture]) -> str:
    return side_by_side([lines(picture.image) for picture in pictures], [picture.caption for picture in pictures])


def _table(table: Table) -> str:
    """Return a table under its caption. Long text in the last column is wrapped."""
    rows = [[format(value, how) for value, how in zip(row, table.formats, strict=True)] for row in table.rows]
    rows = [list(table.head), *rows] if table.head else rows
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    signs = ["<" if isinstance(value, str) else ">" for value in table.rows[0]]
    wrapped = [textwrap.fill(table.caption, WIDTH)]
    for row in rows:
        *cells, last = [f"{cell:{sign}{width}}" for cell, sign, width in zip(row, signs, widths, strict=True)]
        before = INDENT + "".join(cell + GAP for cell in cells)
        filled = textwrap.wrap(last, WIDTH, initial_indent=before, subsequent_indent=" " * len(before))
        wrapped += filled or [before.rstrip()]
    return "\n".join(wrapped)


def _named(name: str, *texts: str) -> list[str]:
    """Return the lines of a report, with a name in the first one; an empty list if there is no text."""
    wrapped = [line for text in texts for line in textwrap.wrap(text, WIDTH - 10)]
    return [f"{name if number == 0 else '':<10}{line}" for number, line in enumerate(wrapped)]
