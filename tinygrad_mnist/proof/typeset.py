"""Formulas in LaTeX, from the same trees that are checked. The names are those of the code: dw is one name, not d times w."""

from collections.abc import Sequence
from typing import Any

from lark import Token
from lark.visitors import Interpreter

from tinygrad_mnist.proof.evaluation import Tree
from tinygrad_mnist.proof.worlds import ELEMENT

FORMS = {
    "number": "{}",
    "add": "{} + {}",
    "subtract": "{} - {}",
    "negate": "-{}",
    "matmul": r"{} \, {}",
    "raised": "{}^{{{}}}",
    "exponential": "{}{{{}}}",
    "absolute": r"\left| {} \right|",
    "transposed": r"{}^{{\mathsf{{T}}}}",
    "shape": r"\mathrm{{shape}}({})",
}
DISPLAYED = FORMS | {
    "equation": "{} &{} {}",
    "sign": r" \\ &{} {}",
    "derivative": r"\frac{{\partial {}}}{{\partial {}}}",
    "divide": r"\frac{{{}}}{{{}}}",
    "branch": r"{} & \text{{if }} {}",
    "otherwise": r"{} & \text{{otherwise}}",
    "next": r" \\ ",
    "cases": r"\begin{{cases}}{}\end{{cases}}",
}
"""The forms of formulas on lines of their own."""

INLINE = FORMS | {
    "equation": "{} {} {}",
    "sign": " {} {}",
    "derivative": r"\partial {} / \partial {}",
    "divide": "{} / {}",
    "branch": r"{} \text{{ if }} {}",
    "otherwise": r"{} \text{{ otherwise}}",
    "next": ", ",
    "cases": "{}",
}
"""The forms of formulas in a line of text."""

SYMBOLS = {"≤": r"\le", "≥": r"\ge", "≠": r"\ne", "gamma": r"\gamma", "beta": r"\beta", "ε": r"\varepsilon", "δ": r"\delta"}
COMMANDS = ("log", "exp", "tanh", "sinh", "cosh", "max", "min")
"""The functions that are commands in LaTeX."""


def latex(statements: Sequence[Tree]) -> str:
    """Return the statements of a formula in LaTeX, with a line for each equals sign, aligned at these."""
    rows: list[str] = []
    for statement in statements:
        if rows and statement.children[-1].data == "entries":  # shapes stand beside their formula
            rows[-1] += r" \qquad " + inline([statement])
        else:
            rows.append(Typesetter(DISPLAYED).visit(statement))
    return r"\begin{aligned}" + r" \\ ".join(rows) + r"\end{aligned}"


def inline(statements: Sequence[Tree]) -> str:
    """Return the statements of a formula in LaTeX, in one line."""
    return r", \quad ".join(map(Typesetter(INLINE).visit, statements))


class Typesetter(Interpreter[Token, str]):
    """Turns formulas into LaTeX. Each method does this for the kind of node that has its name in the grammar."""

    def __init__(self, forms: dict[str, str]) -> None:
        self.forms = forms

    def visit_children(self, tree: Tree) -> list[Any]:
        """Return the parts of a node, in LaTeX."""
        return [self.visit(child) if hasattr(child, "data") else SYMBOLS.get(child, str(child)) for child in tree.children]

    def __default__(self, tree: Tree) -> str:
        return self.forms[tree.data].format(*self.visit_children(tree))

    def name(self, tree: Tree) -> str:
        """Return a name as one symbol, or as an entry of one, like w12."""
        name = str(tree.children[0])
        base, entry = element.groups() if (element := ELEMENT.fullmatch(name)) else (name, "")
        symbol = SYMBOLS.get(base) or (base if len(base) == 1 else rf"\mathit{{{base}}}")
        return f"{symbol}_{{{entry}}}" if entry else symbol

    def chain(self, tree: Tree) -> str:
        """Return both sides of the first sign, and the right sides of the others."""
        left, sign, right, *others = self.visit_children(tree)
        rest = (self.forms["sign"].format(*pair) for pair in zip(others[::2], others[1::2], strict=True))
        return "".join([self.forms["equation"].format(left, sign, right), *rest])

    def definition(self, tree: Tree) -> str:
        """Return a definition."""
        return r"\text{let }" + self.forms["equation"].format(*self.visit_children(tree))

    range = definition

    def multiply(self, tree: Tree) -> str:
        """Return a product, with a dot in front of what would look like a part of the first factor."""
        one, other = self.visit_children(tree)
        needs_dot = other[0].isdigit() or other.startswith((r"\frac", r"\partial", "-"))
        return rf"{one} \cdot {other}" if needs_dot else rf"{one} \, {other}"

    def divide(self, tree: Tree) -> str:
        """Return a fraction. A line between its parts replaces the parentheses around them."""
        has_line = "frac" in self.forms["divide"]
        parts = (child.children[0] if has_line and child.data == "group" else child for child in tree.children)
        return self.forms["divide"].format(*map(self.visit, parts))

    def group(self, tree: Tree) -> str:
        """Return parentheses, unless a brace takes their place."""
        (side,) = tree.children
        has_brace = side.data == "all_cases" and self.forms["cases"] != "{}"
        return self.visit(side) if has_brace else rf"\left({self.visit(side)}\right)"

    def reduction(self, tree: Tree) -> str:
        """Return a sum with its letter below."""
        sign, letter = tree.children[0].split("_")
        return rf"\{sign}_{{{letter}}} {self.visit(tree.children[1])}"

    def indexed(self, tree: Tree) -> str:
        """Return an array with its indices below."""
        base, *indices = self.visit_children(tree)
        return f"{base}_{{{','.join(indices)}}}"

    def entries(self, tree: Tree) -> str:
        """Return a shape, or a group of indices."""
        return f"({', '.join(self.visit_children(tree))})"

    def call(self, tree: Tree) -> str:
        """Return a function of something."""
        name = tree.children[0].removesuffix("(")
        sign = rf"\{name}" if name in COMMANDS else rf"\operatorname{{{name}}}"
        arguments = ", ".join(map(self.visit, tree.children[1:]))
        return rf"{sign} {arguments}" if tree.children[0] == name else rf"{sign}({arguments})"

    def comparison(self, tree: Tree) -> str:
        """Return a condition."""
        return " ".join(self.visit_children(tree))

    def branch(self, tree: Tree) -> str:
        """Return a case and its conditions."""
        value, *conditions = self.visit_children(tree)
        return self.forms["branch"].format(value, r" \text{ and } ".join(conditions))

    def cases(self, tree: Tree) -> str:
        """Return cases."""
        return self.forms["cases"].format(self.forms["next"].join(self.visit_children(tree)))

    def all_cases(self, tree: Tree) -> str:
        """Return cases of which the last is for all that is left."""
        *branches, last = self.visit_children(tree)
        rows = [*branches, self.forms["otherwise"].format(last)]
        return self.forms["cases"].format(self.forms["next"].join(rows))

    def matrix(self, tree: Tree) -> str:
        """Return a matrix."""
        rows = (" & ".join(self.visit_children(row)) for row in tree.children)
        return r"\begin{pmatrix}" + r" \\ ".join(rows) + r"\end{pmatrix}"
