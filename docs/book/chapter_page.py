"""The book's chapter: the sections that `python cli.py chapter` prints, with plots and pictures."""

from book import drawing, writing
from tinygrad_mnist import datasets
from tinygrad_mnist.chapter import SECTIONS
from tinygrad_mnist.chapter.material import DIGITS, Material
from tinygrad_mnist.chapter.section import Figure, Picture, Section, Table
from tinygrad_mnist.datasets.progress import Progress


class Notices(Progress):
    """Keeps what is told about the digits, for the page."""

    def __init__(self) -> None:
        self.sentences: list[str] = []

    def say(self, sentence: str) -> None:
        """Keep a sentence."""
        self.sentences.append(sentence)


def pages(digits: str) -> dict[str, str | bytes]:
    """Return the page of the chapter and its pictures, by the names of their files. It uses this data set."""
    notices = Notices()
    material = Material(lambda: datasets.load(digits, DIGITS, notices), seed=0)
    sections = {name: compute(material) for name, compute in SECTIONS.items()}
    files: dict[str, str | bytes] = {}
    for name, section in sections.items():
        for number, picture in enumerate(section.pictures):
            ending, draw = ("svg", drawing.curves) if picture.curves else ("png", drawing.digit)
            files[f"chapter-{name}-{number}.{ending}"] = draw(picture)
    text = "\n\n".join(_section(name, section) for name, section in sections.items())
    figures = [figure for section in sections.values() for figure in section.figures if figure.comparable]
    same = sum(figure.same for figure in figures)
    files["chapter.md"] = (
        "# The chapter\n\n"
        "Chapter 4 of Howard and Gugger, *Deep Learning for Coders with fastai and PyTorch* (O'Reilly, 2020), computed "
        "with this project's code. `python cli.py chapter` prints the same walk. "
        f"Of the {len(figures)} figures that can be compared with the book's, {same} are the same in all digits shown. "
        "Results of training are close but not the same, because training starts from different random weights.\n\n"
        f"{writing.escaped(' '.join(notices.sentences))}\n\n{text}\n"
    )
    return files


def _section(name: str, section: Section) -> str:
    """Return a section of the walk in Markdown."""
    parts = [f"## {section.title}", writing.escaped(section.text)]
    parts += [_picture(f"chapter-{name}-{number}", picture) for number, picture in enumerate(section.pictures)]
    parts += [_table(table) for table in section.tables]
    if section.figures:
        parts.append(writing.table(("", "the book's figure", "ours", ""), map(_figure, section.figures)))
    code = ", ".join(f"`{path}`" for path in section.code)
    origin = f"Digits: {writing.escaped(section.origin)}. " if section.origin else ""
    parts.append(f"{origin}Code: {code}")
    return "\n\n".join(parts)


def _picture(name: str, picture: Picture) -> str:
    """Return a picture with its caption."""
    kind, ending = ("plot", "svg") if picture.curves else ("digit", "png")
    caption = writing.escaped(picture.caption)
    return f":::{{figure}} {name}.{ending}\n:class: {kind}\n:alt: {caption}\n\n{caption}\n:::"


def _table(table: Table) -> str:
    """Return a table under its caption."""
    rows = [
        [writing.escaped(format(value, how)) for value, how in zip(row, table.formats, strict=True)]
        for row in table.rows
    ]
    head = [writing.escaped(name) for name in table.head] or [""] * len(table.formats)
    return f"{writing.escaped(table.caption)}\n\n{writing.table(head, rows)}"


def _figure(figure: Figure) -> tuple[str, str, str, str]:
    book, here = (format(value, figure.number_format) for value in (figure.book, figure.here))
    mark = ("same" if figure.same else "") if figure.comparable else "not comparable: not MNIST"
    return writing.escaped(figure.name), book, here, mark
