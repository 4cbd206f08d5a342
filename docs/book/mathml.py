"""Formulas as MathML, which browsers draw without JavaScript and without fonts or files from elsewhere."""

import re

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.writers.html5 import HTML5Translator

from book.colors import GRADIENT

LETTERS = re.compile(r'(?:<mi mathvariant="italic">\w</mi>){2,}')
"""A name of several letters."""


def mathml(latex: str, display: str) -> str:
    """Return a formula in MathML. Gradients have a class of their own, for their color."""

    def name(match: re.Match[str]) -> str:
        letters = re.sub(r"<.*?>", "", match[0])
        kind = "gradient" if GRADIENT.fullmatch(letters) else "name"
        return f'<mi class="{kind}">{letters}</mi>'

    # The converter knows no "aligned", which is the same as "split".
    return LETTERS.sub(name, convert(latex.replace("{aligned}", "{split}"), display=display))


def inline(translator: HTML5Translator, node: nodes.math) -> None:
    """Write a formula in a line of text."""
    translator.body.append(mathml(node.astext(), "inline"))
    raise nodes.SkipNode


def block(translator: HTML5Translator, node: nodes.math_block) -> None:
    """Write a formula on a line of its own. A long one scrolls sideways in its own box."""
    translator.body.append(f'<div class="formula" tabindex="0">{mathml(node.astext(), "block")}</div>')
    raise nodes.SkipNode
