"""Sphinx's settings for the book. `sphinx-build -W docs build/book` makes it from the sources and the docstrings."""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]

from tinygrad_mnist import __version__

project = "tinygrad_mnist"
author = "The tinygrad_mnist authors"
copyright = author  # noqa: A001  # Sphinx's own name for it
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx_click", "book"]
exclude_patterns = ["book"]
nitpicky = True
# The book has no pages for types of NumPy and of Python itself, for the parts of the derivation checker, for the grays
# of a data set, and for type variables.
INNER = r"tinygrad_mnist\.((derivations\.(evaluation|pagetext)|check\.subject|datasets\.view)\..*|.*\.Item)"
nitpick_ignore_regex = [(r"py:.*", rf"(?!tinygrad_mnist\.).*|{INNER}")]

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"

html_theme = "furo"
html_title = "tinygrad_mnist"
html_static_path = ["style"]
html_css_files = ["book.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_show_search_summary = False  # it reads the pages again, which browsers refuse for files on a disk
html_math_renderer = "mathml"
pygments_style = "book.colors.Light"
pygments_dark_style = "book.colors.Dark"
