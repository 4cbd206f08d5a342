"""Formulas in LaTeX, from the trees that are checked. Names are those of the code: dw is one name, not d times w."""

from collections.abc import Callable, Sequence
from typing import Any

from lark import Token
from lark.visitors import Interpreter

from tinygrad_mnist.derivations.evaluation import ELEMENT, Tree

SYMBOLS = {
    "≤": r"\le",
    "≥": r"\ge",
    "≠": r"\ne",
    "gamma": r"\gamma",
    "beta": r"\beta",
    "ε": r"\varepsilon",
    "δ": r"\delta",
}
COMMANDS = ("log", "exp", "tanh", "sinh", "cosh", "max", "min")
"""The functions that are commands in LaTeX."""


def _product(one: str, other: str) -> str:
    # Without a dot, a number or a fraction would look like a part of the factor before it.
    needs_dot = other[0].isdigit() or other.startswith((r"\frac", r"\partial", "-"))
    return rf"{one} \cdot {other}" if needs_dot else rf"{one} \, {other}"


def _call(name: str, *arguments: str) -> str:
    inner = rf"\left({', '.join(arguments)}\right)" if name.endswith("(") else arguments[0]
    name = name.removesuffix("(")
    return (rf"\{name} " if name in COMMANDS else rf"\operatorname{{{name}}} ") + inner


FORMS: dict[str, Callable[..., str]] = {
    "number": str,
    "add": "{} + {}".format,
    "subtract": "{} - {}".format,
    "negate": "-{}".format,
    "multiply": _product,
    "matmul": r"{} \, {}".format,
    "absolute": r"\left| {} \right|".format,
    "transposed": r"{}^{{\mathsf{{T}}}}".format,
    "shape": r"\mathrm{{shape}}({})".format,
    "entries": lambda *sizes: f"({', '.join(sizes)})",
    "indexed": lambda base, *indices: f"{base}_{{{','.join(indices)}}}",
    "reduction": lambda sign, body: r"\{}_{{{}}} {}".format(*sign.split("_"), body),
    "call": _call,
    "comparison": lambda *parts: " ".join(parts),
    "row": lambda *cells: " & ".join(cells),
    "matrix": lambda *rows: r"\begin{pmatrix}" + r" \\ ".join(rows) + r"\end{pmatrix}",
    "definition": r"\text{{let }} {} &{} {}".format,
    "range": r"\text{{let }} {} &{} {}".format,
    "derivative": r"\frac{{\partial {}}}{{\partial {}}}".format,
    "divide": r"\frac{{{}}}{{{}}}".format,
    "branch": lambda value, *conditions: rf"{value} & \text{{if }} " + r" \text{ and } ".join(conditions),
    "cases": lambda *rows: r"\begin{cases}" + r" \\ ".join(rows) + r"\end{cases}",
    "all_cases": lambda *rows: FORMS["cases"](*rows[:-1], rf"{rows[-1]} & \text{{otherwise}}"),
}
"""The forms of a formula on lines of its own, by the kinds of nodes in the grammar."""

INLINE = FORMS | {
    "definition": r"\text{{let }} {} {} {}".format,
    "range": r"\text{{let }} {} {} {}".format,
    "derivative": r"\partial {} / \partial {}".format,
    "divide": "{} / {}".format,
    "branch": lambda value, *conditions: rf"{value} \text{{ if }} " + r" \text{ and } ".join(conditions),
    "cases": lambda *cases: ", ".join(cases),
    "all_cases": lambda *cases: ", ".join(cases) + r" \text{ otherwise}",
}
"""The forms of a formula in a line of text."""


def latex(statements: Sequence[Tree]) -> str:
    """Return the statements of a formula in LaTeX, with a line for each equals sign, aligned at these."""
    rows: list[str] = []
    for statement in statements:
        if rows and statement.children[-1].data == "entries":  # shapes stand beside their formula
            rows[-1] += r" \qquad " + inline([statement])
        else:
            rows.append(Typesetter(FORMS).visit(statement))
    return r"\begin{aligned}" + r" \\ ".join(rows) + r"\end{aligned}"


def inline(statements: Sequence[Tree]) -> str:
    """Return the statements of a formula in LaTeX, in one line."""
    return r", \quad ".join(map(Typesetter(INLINE).visit, statements))


class Typesetter(Interpreter[Token, str]):
    """Turns formulas into LaTeX, in these forms."""

    def __init__(self, forms: dict[str, Callable[..., str]]) -> None:
        self.forms = forms

    def visit_children(self, tree: Tree) -> list[Any]:
        """Return the parts of a node, in LaTeX."""
        return [
            self.visit(child) if hasattr(child, "data") else SYMBOLS.get(child, str(child)) for child in tree.children
        ]

    def __default__(self, tree: Tree) -> str:
        return self.forms[tree.data](*self.visit_children(tree))

    def name(self, tree: Tree) -> str:
        """Return a name as one symbol, or as an entry of one, like w12."""
        name = str(tree.children[0])
        base, entry = element.groups() if (element := ELEMENT.fullmatch(name)) else (name, "")
        symbol = SYMBOLS.get(base) or (base if len(base) == 1 else rf"\mathit{{{base}}}")
        return f"{symbol}_{{{entry}}}" if entry else symbol

    def chain(self, tree: Tree) -> str:
        """Return a chain of equals signs, each on a line of its own unless the formula is inline."""
        first, *others = self.visit_children(tree)
        between, sign = (" ", "") if self.forms is INLINE else (r" \\ ", "&")
        return f"{first} " + between.join(
            f"{sign}{one} {side}" for one, side in zip(others[::2], others[1::2], strict=True)
        )

    def divide(self, tree: Tree) -> str:
        """Return a fraction. A line replaces the parentheses around its parts. a * 1/n is a times 1/n."""
        above, below = tree.children
        if above.data == "multiply" and above.children[1].data == "number":
            first, number = map(self.visit, above.children)
            return _product(first, self.forms["divide"](number, self.visit(below)))
        if self.forms is INLINE:
            return self.forms["divide"](*self.visit_children(tree))
        return self.forms["divide"](self._bare(above), self._bare(below))

    def raised(self, tree: Tree) -> str:
        """Return a power, with no parentheses around its exponent."""
        return f"{self.visit(tree.children[0])}^{{{self._bare(tree.children[1])}}}"

    def exponential(self, tree: Tree) -> str:
        """Return a power of e, with no parentheses around its exponent."""
        return f"e^{{{self._bare(tree.children[1])}}}"

    def _bare(self, tree: Tree) -> str:
        return self.visit(tree.children[0] if tree.data == "group" else tree)

    def group(self, tree: Tree) -> str:
        """Return parentheses, unless a brace takes their place."""
        (side,) = tree.children
        has_brace = side.data == "all_cases" and self.forms is FORMS
        return self.visit(side) if has_brace else rf"\left({self.visit(side)}\right)"
