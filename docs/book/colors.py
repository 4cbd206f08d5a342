"""The colors of code. In both styles, names of gradients, like dw, have the color that they have in formulas."""

import re
from collections.abc import Iterator
from typing import Any

from pygments.lexers.python import PythonLexer
from pygments.styles.default import DefaultStyle
from pygments.styles.monokai import MonokaiStyle
from pygments.token import Name, _TokenType

GRADIENT = re.compile(r"d([a-z]|gamma|beta|var|mean)\d*")
"""The name of a gradient in the pages."""


class Light(DefaultStyle):
    """For a light page."""

    background_color = "#f8f8f8"
    styles = DefaultStyle.styles | {Name.Variable.Global: "#b03a00"}


class Dark(MonokaiStyle):
    """For a dark page."""

    styles = MonokaiStyle.styles | {Name.Variable.Global: "#ffa36b"}


class PageLexer(PythonLexer):
    """Python, with a kind of its own for the names of gradients."""

    def get_tokens_unprocessed(self, *arguments: Any) -> Iterator[tuple[int, _TokenType, str]]:
        """Yield the tokens of some code."""
        for place, kind, text in super().get_tokens_unprocessed(*arguments):
            is_gradient = kind is Name and GRADIENT.fullmatch(text)
            yield place, Name.Variable.Global if is_gradient else kind, text
