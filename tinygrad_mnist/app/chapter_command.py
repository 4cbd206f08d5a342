"""chapter: walk through the book's chapter, and compare its figures with ours."""

import textwrap
from collections.abc import Mapping, Sequence

import click

from tinygrad_mnist.app import command_line, options, output
from tinygrad_mnist.app.output import WIDTH, labeled
from tinygrad_mnist.app.pictures import lines, side_by_side
from tinygrad_mnist.chapter import SECTIONS
from tinygrad_mnist.chapter.material import DIGITS, Material
from tinygrad_mnist.chapter.section import Figure, Section, Table

NEXT_STEPS = (
    "Next, 'gradcheck' checks all derivatives, 'train --hidden 30' beats the book's result, 'train --preset best' "
    "trains the best network, and tinygrad_mnist/passes/ has the derivations."
)


@click.command(cls=command_line.Command)
@options.data
@click.option("--section", metavar="NAME", type=click.Choice(list(SECTIONS)), help=f"One of {', '.join(SECTIONS)}.")
@click.option("--seed", type=options.SEED, default=0, show_default=True, help="Seed for all random numbers.")
@options.json_events
def chapter(load: options.Load, section: str | None, seed: int, as_json: bool) -> None:
    """Walk through the book's chapter.

    Chapter 4 of Howard and Gugger, Deep Learning for Coders: from images as tables of numbers to a network
    with a hidden layer. Each section explains an idea, computes it with this project's code, and compares
    the results with the book's figures. The walk takes a few seconds.

    \b
    Examples:
      python cli.py chapter
      python cli.py chapter | less
      python cli.py chapter --section gradient
    """
    material = Material(lambda: load(DIGITS), seed)
    names = list(SECTIONS)
    sections: dict[str, Section] = {}
    for name in [section] if section else names:
        sections[name] = SECTIONS[name](material)
        if as_json:
            output.event("section", name=name, **sections[name].as_json())
        else:
            output.page(section_page(sections[name], f"{names.index(name) + 1} of {len(names)}: {name}"))
    if as_json:
        figures = [{"section": name, **figure.as_json()} for name in sections for figure in sections[name].figures]
        output.event("result", seed=seed, same=sum(figure["same"] for figure in figures), figures=figures)
    elif not section:
        output.page(summary(sections))


def section_page(content: Section, place: str) -> str:
    """Return the page of a section. `place` is its place in the walk, for example "2 of 13: stack"."""
    parts = [_title(content.title, place), textwrap.fill(content.text, WIDTH)]
    if content.pictures:
        drawn = [lines(picture.image) for picture in content.pictures]
        parts.append(side_by_side(drawn, [picture.caption for picture in content.pictures]))
    parts += map(_table, content.tables)
    if content.figures:
        parts.append(_figures([(figure.name, figure) for figure in content.figures]))
    origin = labeled("digits", content.origin) + "\n" if content.origin else ""
    parts.append(origin + labeled("code", ", ".join(content.code)))
    return "\n\n".join(parts) + "\n\n"


def summary(sections: Mapping[str, Section]) -> str:
    """Return the table of all sections' figures, the number of those that agree with the book, and what to do next."""
    named = [
        (f"{name if figure is content.figures[0] else '':<11}{figure.name}", figure)
        for name, content in sections.items()
        for figure in content.figures
    ]
    comparable = [figure for _, figure in named if figure.comparable]
    same = sum(figure.same for figure in comparable)
    verdict = f"= {same} of the {len(comparable)} figures that can be compared are the same in all digits shown."
    if same < len(comparable):
        verdict += (
            " The results of training are close to the book's but not the same, because training started from "
            "different random weights and took the digits in a different order."
        )
    end = [textwrap.fill(text, WIDTH) for text in (verdict, NEXT_STEPS)]
    return "\n\n".join([_title("All the figures"), _figures(named), *end])


def _title(title: str, place: str = "") -> str:
    return click.style(title, bold=True) + f"{place:>{WIDTH - len(title)}}".rstrip() + f"\n{'-' * WIDTH}"


def _figures(named: Sequence[tuple[str, Figure]]) -> str:
    """Return a table of the book's figures and ours, with a label each."""
    rows = [f"{'':<36}{'book':>11}{'here':>11}"]
    for label, figure in named:
        book, here = (format(number, figure.number_format) for number in (figure.book, figure.here))
        mark = "=" * figure.same if figure.comparable else "*"
        rows.append(f"{label:<36}{book:>11}{here:>11} {mark}".rstrip())
    if not all(figure.comparable for _, figure in named):
        rows.append("* not comparable: the book used MNIST, this run did not")
    return "\n".join(rows)


def _table(table: Table) -> str:
    """Return a table under its caption. Long text in the last column is wrapped."""
    rows = [[format(value, how) for value, how in zip(row, table.formats, strict=True)] for row in table.rows]
    rows = [list(table.head), *rows] if table.head else rows
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    signs = ["<" if isinstance(value, str) else ">" for value in table.rows[0]]
    wrapped = [textwrap.fill(table.caption, WIDTH)]
    for row in rows:
        *cells, last = [f"{cell:{sign}{width}}" for cell, sign, width in zip(row, signs, widths, strict=True)]
        before = "  " + "".join(f"{cell}   " for cell in cells)
        filled = textwrap.fill(last, WIDTH, initial_indent=before, subsequent_indent=" " * len(before))
        wrapped.append(filled or before.rstrip())
    return "\n".join(wrapped)
