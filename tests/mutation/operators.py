"""Mutations of array code, which Cosmic Ray's own do not know: matrix products, transposes, calls and their arguments.

Every function here returns what a node of the syntax tree may be replaced by, as source text; [] where it has no idea.
"""

from collections.abc import Callable, Iterator
from typing import Any

from cosmic_ray.operators.operator import Operator
from parso.python.tree import Name

OTHER_FUNCTION = {
    "sum": "mean",
    "mean": "sum",
    "prod": "fsum",
    "ones_like": "zeros_like",
    "zeros": "ones",
    "exp": "expm1",
    "sqrt": "square",
    "min": "max",
    "max": "min",
}


def call_deleted(node: Any) -> list[str]:
    """A statement that is nothing but a call: the checks of shapes."""
    return ["pass"] if node.type == "atom_expr" and node.parent.type == "simple_stmt" else []


def transpose_deleted(node: Any) -> list[str]:
    """A.T becomes A."""
    code = source(node)
    return [code.removesuffix(".T")] if node.type == "atom_expr" and code.endswith(".T") else []


def product_replaced(node: Any) -> list[str]:
    """A @ B becomes B @ A and A * B."""
    if node.type != "term" or [source(child) for child in node.children[1::2]] != ["@"]:
        return []
    a, b = source(node.children[0]), source(node.children[2])
    return [f"{b} @ {a}", f"{a} * {b}"]


def function_replaced(node: Any) -> list[str]:
    """A sum becomes a mean, and so on."""
    return [OTHER_FUNCTION[node.value]] if node.type == "name" and node.value in OTHER_FUNCTION else []


def argument_deleted(node: Any) -> list[str]:
    """f(a, b) becomes f(b) and f(a)."""
    if node.type != "arglist":
        return []
    items = elements(node)
    return [", ".join(items[:i] + items[i + 1 :]) for i in range(len(items))]


def neighbours_swapped(node: Any) -> list[str]:
    """(a, b, c) becomes (b, a, c) and (a, c, b), be it a tuple or the arguments of a call."""
    if node.type not in ("arglist", "testlist_star_expr", "testlist_comp"):
        return []
    items = elements(node)
    swapped = [[*items[:i], items[i + 1], items[i], *items[i + 2 :]] for i in range(len(items) - 1)]
    keywords = [child.type == "argument" for child in node.children[::2]]  # whose order means nothing
    return [
        ", ".join(other)
        for other, first, second in zip(swapped, keywords, keywords[1:], strict=False)
        if other != items and not (first or second)
    ]


def string_reversed(node: Any) -> list[str]:
    """The axes "NI" become "IN"; a docstring stays."""
    if node.type != "string" or node.parent.type == "simple_stmt":
        return []
    text = node.value.strip('"')
    return [f'"{text[::-1]}"'] if text != text[::-1] else []


def argument_mistaken(node: Any) -> list[str]:
    """One parameter of the function is taken for another, wherever it is used."""
    function = node.search_ancestor("funcdef")
    if node.type != "name" or function is None or node.is_definition() or node.search_ancestor("suite") is None:
        return []
    before, after = node.get_previous_leaf(), node.get_next_leaf()
    if before.value == "." or (node.parent.type == "argument" and after.value == "="):
        return []
    parameters = [parameter.name.value for parameter in function.get_params()]
    return [other for other in parameters if other != node.value] if node.value in parameters else []


def source(node: Any) -> str:
    return node.get_code(include_prefix=False)


def elements(node: Any) -> list[str]:
    """Return the source of each of the elements between commas; none where it is no such list."""
    separators = {source(child) for child in node.children[1::2]}
    return [source(child) for child in node.children[::2]] if separators == {","} else []


class Replacement(Operator):
    """What Cosmic Ray asks for: where in the tree a mutation can be, and the tree after it."""

    alternatives: Callable[[Any], list[str]]

    def mutation_positions(self, node: Any) -> Iterator[tuple[Any, Any]]:
        for _ in self.alternatives(node):
            yield node.start_pos, node.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        return Name(self.alternatives(node)[index], node.start_pos, node.get_first_leaf().prefix)

    @classmethod
    def examples(cls) -> tuple[()]:
        return ()


OPERATORS = {
    function.__name__: type(function.__name__, (Replacement,), {"alternatives": staticmethod(function)})
    for function in (
        call_deleted,
        transpose_deleted,
        product_replaced,
        function_replaced,
        argument_deleted,
        neighbours_swapped,
        string_reversed,
        argument_mistaken,
    )
}
