"""How `chapter` lays out its sections for a person: 60 columns wide, words first, then pictures, tables, figures."""

import textwrap
from collections.abc import Mapping, Sequence

import click

from tinygrad_mnist.chapter.section import Figure, Picture, Section, Table
from tinygrad_mnist.commands import drawing

WIDTH = 60
INDENT, GAP = "  ", "   "
SAME, NOT_COMPARABLE = "=", "*"

GO_ON = """Go on with
  python cli.py gradcheck             are the slopes right?
  python cli.py train --hidden 30     better than the book's
  python cli.py train --preset best   better still
  tinygrad_mnist/passes/              each slope, derived"""


def section(shown: Section, place: str) -> str:
    """Return the page of a section; `place` says where in the walk it stands."""
    title = click.style(shown.title, bold=True) + f"{place:>{WIDTH - len(shown.title)}}"
    parts = [f"{title}\n{'-' * WIDTH}", textwrap.fill(shown.text, WIDTH)]
    if shown.pictures:
        parts.append(_pictures(shown.pictures))
    parts += map(_table, shown.tables)
    if shown.figures:
        parts.append(_figures({"": shown.figures}))
    parts.append("\n".join([*_named("digits", shown.origin), *_named("code", *shown.code)]))
    return "\n\n".join(parts) + "\n\n"


def summary(sections: Mapping[str, Section]) -> str:
    """Return the table of the figures of all sections, and where to go on."""
    comparable = [figure for shown in sections.values() for figure in shown.figures if figure.comparable]
    same = sum(figure.same for figure in comparable)
    said = f"{SAME} {same} of the {len(comparable)} that can be compared are the same, to the digits shown."
    if same < len(comparable):
        said += (
            " What was learned is near the book's and not the same: it began with other random weights, and took the "
            "digits in another order."
        )
    title = click.style("All the figures", bold=True) + f"\n{'-' * WIDTH}"
    figures = _figures({name: shown.figures for name, shown in sections.items()})
    return "\n\n".join([title, figures, textwrap.fill(said, WIDTH), GO_ON])


def _figures(by_section: Mapping[str, Sequence[Figure]]) -> str:
    """Return a table of the book's numbers and ours, with what its mark means; the section's name is said once."""
    lines = [f"{'':<36}{'book':>11}{'here':>11}"]
    for name, figures in by_section.items():
        for number, figure in enumerate(figures):
            words = f"{name * (number == 0):<11}{figure.name}" if name else figure.name
            numbers = "".join(f"{format(value, figure.shown):>11}" for value in (figure.book, figure.here))
            lines.append(f"{words:<36}{numbers} {_mark(figure)}".rstrip())
    if any(not figure.comparable for figures in by_section.values() for figure in figures):
        lines.append(f"{NOT_COMPARABLE} not comparable: the book's is of MNIST, this is not")
    return "\n".join(lines)


def _mark(figure: Figure) -> str:
    return NOT_COMPARABLE if not figure.comparable else SAME * figure.same


def _pictures(pictures: Sequence[Picture]) -> str:
    drawn = [drawing.lines(picture.image) for picture in pictures]
    return drawing.side_by_side(drawn, [picture.caption for picture in pictures])


def _table(table: Table) -> str:
    """Return a table under its caption; words in its last column are broken into lines."""
    rows = [[format(value, how) for value, how in zip(row, table.formats, strict=True)] for row in table.rows]
    rows = [list(table.head), *rows] if table.head else rows
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    signs = ["<" if isinstance(value, str) else ">" for value in table.rows[0]]
    lines = []
    for row in rows:
        *cells, last = [f"{cell:{sign}{width}}" for cell, sign, width in zip(row, signs, widths, strict=True)]
        before = INDENT + "".join(cell + GAP for cell in cells)
        broken = textwrap.wrap(last, WIDTH, initial_indent=before, subsequent_indent=" " * len(before))
        lines += broken or [before.rstrip()]
    return "\n".join([textwrap.fill(table.caption, WIDTH), *lines])


def _named(name: str, *texts: str) -> list[str]:
    """Return lines of a report, of which the first has a name; none where there is nothing to say."""
    said = [line for text in texts for line in textwrap.wrap(text, WIDTH - 10)]
    return [f"{name if number == 0 else '':<10}{line}" for number, line in enumerate(said)]
