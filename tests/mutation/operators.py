"""Mutations of array code that Cosmic Ray does not have: of matrix products, transposes, calls and their arguments.

Each function returns the source texts that can replace a node of the syntax tree, or [] if it does not apply to it.
"""

from collections.abc import Callable, Iterator
from typing import Any

from cosmic_ray.operators.operator import Operator
from parso.python.tree import Name

REPLACEMENTS = {
    "sum": "mean",
    "mean": "sum",
    "prod": "fsum",
    "ones_like": "zeros_like",
    "zeros": "ones",
    "exp": "expm1",
    "sqrt": "square",
    "min": "max",
    "max": "min",
    "minimum": "maximum",
    "maximum": "minimum",
}
"""Functions that are replaced by a different one."""


def call_deleted(node: Any) -> list[str]:
    """A statement that consists of a call, such as a check of shapes, is removed."""
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
    return [REPLACEMENTS[node.value]] if node.type == "name" and node.value in REPLACEMENTS else []


def argument_deleted(node: Any) -> list[str]:
    """f(a, b) becomes f(b) and f(a)."""
    if node.type != "arglist":
        return []
    items = elements(node)
    return [", ".join(items[:i] + items[i + 1 :]) for i in range(len(items))]


def neighbors_swapped(node: Any) -> list[str]:
    """(a, b, c) becomes (b, a, c) and (a, c, b), in a tuple or the arguments of a call."""
    if node.type not in ("arglist", "testlist_star_expr", "testlist_comp"):
        return []
    items = elements(node)
    swapped = [[*items[:i], items[i + 1], items[i], *items[i + 2 :]] for i in range(len(items) - 1)]
    keywords = [child.type == "argument" for child in node.children[::2]]  # their order does not matter
    return [
        ", ".join(other)
        for other, first, second in zip(swapped, keywords, keywords[1:], strict=False)
        if other != items and not (first or second)
    ]


def string_reversed(node: Any) -> list[str]:
    """The axes "NI" become "IN". Docstrings are not changed."""
    if node.type != "string" or node.parent.type == "simple_stmt":
        return []
    text = node.value.strip('"')
    return [f'"{text[::-1]}"'] if text != text[::-1] else []


def argument_replaced(node: Any) -> list[str]:
    """A parameter of the function is replaced by a different one, in each place where it is used."""
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
    """Return the source of each element of a list with commas, or [] if the node is not one."""
    separators = {source(child) for child in node.children[1::2]}
    return [source(child) for child in node.children[::2]] if separators == {","} else []


class Replacement(Operator):
    """The interface of Cosmic Ray: the places in the tree where a mutation is possible, and the tree after it."""

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
        neighbors_swapped,
        string_reversed,
        argument_replaced,
    )
}
