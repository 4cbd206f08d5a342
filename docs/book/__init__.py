"""The parts of the book that are computed when it is built: derivations, the chapter, pictures and plots."""

from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from book import benchmark_page, chapter_page, check_page, derivation_page, files_page, home_page, mathml, python_page
from book.colors import PageLexer
from book.writing import write


def setup(app: Sphinx) -> dict[str, Any]:
    """Tell Sphinx about the formulas, and have the computed pages written before it reads any."""
    app.add_config_value("digits", "auto", "env", [str], "The data set for the chapter, like the option --data.")
    app.add_html_math_renderer("mathml", (mathml.inline, None), (mathml.block, None))
    app.add_lexer("page", PageLexer)
    app.connect("builder-inited", write_pages)
    app.connect("autodoc-process-docstring", python_page.to_rest)
    return {"parallel_read_safe": True}


def write_pages(app: Sphinx) -> None:
    """Write the computed pages and pictures into the folder of the sources, where git ignores them."""
    source = Path(app.srcdir)
    digits: str = app.config.digits
    pages = [derivation_page.pages(), check_page.pages(), benchmark_page.pages()]
    pages += [make(digits) for make in (chapter_page.pages, files_page.pages, home_page.pages)]
    for name, content in (item for made in pages for item in made.items()):
        write(source / "made" / name, content)
