"""chapter: the book's chapter, section by section, its numbers beside ours."""

from typing import Any

import click

from tinygrad_mnist import datasets
from tinygrad_mnist.chapter import SECTIONS
from tinygrad_mnist.chapter.material import DIGITS, Material
from tinygrad_mnist.chapter.section import Figure, Section
from tinygrad_mnist.commands import chapter_page, options, report


@click.command()
@options.data
@click.option(
    "--section",
    "only",
    metavar="NAME",
    type=click.Choice(list(SECTIONS)),
    help=f"Show one section alone: {', '.join(SECTIONS)}.",
)
@click.option(
    "--seed", type=options.Whole(0, 2**63 - 1), default=0, show_default=True, help="Draws other first weights."
)
@options.json_events
def chapter(source: str, only: str | None, seed: int, as_json: bool) -> None:
    """Walk through the book's chapter.

    Chapter 4 of Howard and Gugger, Deep Learning for Coders: from pictures as numbers to a network with a
    hidden layer. Each section says what it is about, computes it here and now, and sets the book's numbers
    beside its own. It takes a few seconds.

    \b
    Examples:
      python cli.py chapter
      python cli.py chapter | less
      python cli.py chapter --section gradient
    """
    material = Material(lambda: datasets.load(source, DIGITS, report.notice, report.Bar), seed)
    names = list(SECTIONS)
    shown: dict[str, Section] = {}
    for name in [only] if only else names:
        shown[name] = SECTIONS[name](material)
        if as_json:
            report.event("section", name=name, **_fields(shown[name]))
        else:
            click.echo(chapter_page.section(shown[name], f"{names.index(name) + 1} of {len(names)}: {name}"))
    if as_json:
        figures = [{"section": name, **_figure(figure)} for name in shown for figure in shown[name].figures]
        report.event("result", seed=seed, same=sum(figure["same"] for figure in figures), figures=figures)
    elif not only:
        click.echo(chapter_page.summary(shown))


def _fields(section: Section) -> dict[str, Any]:
    """Return a section as JSON can hold it. Its pictures are left to people."""
    return {
        "title": section.title,
        "text": section.text,
        "data": section.origin or None,
        "tables": [{"caption": table.caption, "head": table.head, "rows": table.rows} for table in section.tables],
        "figures": [_figure(figure) for figure in section.figures],
        "code": section.code,
    }


def _figure(figure: Figure) -> dict[str, Any]:
    return {
        "name": figure.name,
        "book": figure.book,
        "here": figure.here,
        "same": figure.same,
        "comparable": figure.comparable,
    }
