"""chapter: walk through the book's chapter, and compare its figures with ours."""

import click

from tinygrad_mnist.app import chapter_page, command_line, options, output
from tinygrad_mnist.chapter import SECTIONS
from tinygrad_mnist.chapter.material import DIGITS, Material
from tinygrad_mnist.chapter.section import Section


@click.command(cls=command_line.Command)
@options.data
@click.option(
    "--section",
    "only",
    metavar="NAME",
    type=click.Choice(list(SECTIONS)),
    help=f"Show only one section: {', '.join(SECTIONS)}.",
)
@click.option("--seed", type=options.SEED, default=0, show_default=True, help="Seed for all random numbers.")
@options.json_events
def chapter(load: options.Load, only: str | None, seed: int, as_json: bool) -> None:
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
    for name in [only] if only else names:
        sections[name] = SECTIONS[name](material)
        if as_json:
            output.event("section", name=name, **sections[name].as_json())
        else:
            output.page(chapter_page.section(sections[name], f"{names.index(name) + 1} of {len(names)}: {name}"))
    if as_json:
        figures = [{"section": name, **figure.as_json()} for name in sections for figure in sections[name].figures]
        output.event("result", seed=seed, same=sum(figure["same"] for figure in figures), figures=figures)
    elif not only:
        output.page(chapter_page.summary(sections))
