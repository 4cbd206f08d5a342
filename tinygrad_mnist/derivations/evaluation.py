"""The numbers behind a formula: every index runs over its axis, every sum is summed, every derivative is measured.

A formula with indices is evaluated for all of them at once. Each letter has an axis of its own, so x[n,i] w[i,o] is an
array with one axis for n, one for i and one for o. In a formula without indices, names stand for whole arrays.
"""

import operator
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
from lark import Token
from lark import Tree as LarkTree
from lark.visitors import Interpreter
from numpy.typing import NDArray

from tinygrad_mnist.derivations.pagetext import UnreadableError

Tree: TypeAlias = Any
"""A lark.Tree, or one of its tokens. Only the grammar says which kinds of children a node has."""

Letters: TypeAlias = dict[str, tuple[int, int]]
"""The axis and the size of each letter."""

Moved: TypeAlias = tuple[str, NDArray[Any]] | None
"""The variable of a derivative, with a value other than its own."""

OPERATIONS: dict[str, Callable[..., Any]] = {
    "group": lambda value: value,
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
    "matmul": operator.matmul,
    "raised": operator.pow,
    "negate": operator.neg,
    "absolute": lambda value: np.where(np.real(value) < 0, -value, value),
    "exponential": lambda _, power: np.exp(power),
    "transposed": np.transpose,
    "number": lambda digits: np.array(float(digits) if "." in digits else int(digits)),
    "row": lambda *entries: entries,
    "matrix": lambda *rows: np.array(rows),
    # A shape is an array with that shape, so that shapes can be multiplied and compared like arrays.
    "entries": lambda *sizes: np.zeros([operator.index(size) for size in sizes]),
    "shape": np.zeros_like,
}
COMPARISONS = {
    "=": np.equal,
    "≠": np.not_equal,
    "<": np.less,
    ">": np.greater,
    "≤": np.less_equal,
    "≥": np.greater_equal,
}


class Evaluator(Interpreter[Token, Any]):
    """Computes formulas. Each method computes the kind of node that has its name in the grammar."""

    # The world is a World. Its module imports this one, which cannot name it.
    def __init__(self, world: Any, letters: Letters, moved: Moved = None) -> None:
        self.world, self.letters, self.moved = world, letters, moved
        self.holds: Any = np.True_
        """Where an equation holds that is said for some cases only."""

    def __default__(self, tree: Tree) -> Any:
        return OPERATIONS[tree.data](*self.visit_children(tree))

    def name(self, tree: Tree) -> Any:
        """Return a letter, running along its own axis, or the value of a name."""
        name = str(tree.children[0])
        if name in self.letters:
            axis, size = self.letters[name]
            return np.arange(size).reshape([size if other == axis else 1 for other in range(len(self.letters))])
        value = self.world.value(name, self.moved)
        if self.letters and value.ndim:
            raise UnreadableError(f"{name} needs an index for each of its {value.ndim} axes")
        return value

    def branch(self, tree: Tree) -> Any:
        """Return the value in a case, and where its conditions hold."""
        value, *conditions = self.visit_children(tree)
        holds = np.all(np.broadcast_arrays(*conditions), axis=0)
        self.world.met |= {id(tree)} if np.any(holds) else set()
        return value, holds

    def cases(self, tree: Tree) -> Any:
        """Return the value of the first case that holds, and remember where one does."""
        branches = self.visit_children(tree)
        self.holds = np.any(np.broadcast_arrays(*(holds for _, holds in branches)), axis=0)
        return self._first([*branches, np.nan])

    def all_cases(self, tree: Tree) -> Any:
        """Return the value of the first case that holds, or of the last one."""
        return self._first(self.visit_children(tree))

    def _first(self, branches: Sequence[Any]) -> Any:
        *branches, value = branches
        for of_branch, holds in reversed(branches):
            value = np.where(holds, of_branch, value)
        return value

    def comparison(self, tree: Tree) -> Any:
        """Return where a condition holds."""
        sides = pairwise(np.real(self.visit(side)) for side in tree.children[::2])
        true = [COMPARISONS[sign](*pair) for sign, pair in zip(tree.children[1::2], sides, strict=True)]
        return np.all(np.broadcast_arrays(*true), axis=0)

    def call(self, tree: Tree) -> Any:
        """Return the value of a function."""
        name, *arguments = tree.children
        return self.world.function(name.removesuffix("("))(*map(self.visit, arguments))

    def reduction(self, tree: Tree) -> Any:
        """Return a sum over a letter, or the largest or smallest value."""
        how, letter = tree.children[0].split("_")
        if letter not in self.letters:
            raise UnreadableError(f"nothing says what {letter} runs over")
        axis, size = self.letters[letter]
        value = self.visit(tree.children[1])
        shape = [*np.broadcast_shapes(np.shape(value), (1,) * len(self.letters))]
        shape[axis] = size
        return getattr(np, how)(np.broadcast_to(value, shape), axis=axis, keepdims=True)

    def indexed(self, tree: Tree) -> Any:
        """Return entries of an array. A single index counts them through all of its axes."""
        base, *indices = tree.children
        at = [self._index(index) for index in indices]
        if base.children == ["δ"]:
            return np.equal(*at).astype(int)
        array = Evaluator(self.world, {}, self.moved).visit(base)
        array = array if len(at) > 1 else array.reshape(-1)
        if any(np.any((entry < 0) | (entry >= size)) for entry, size in zip(at, array.shape, strict=True)):
            raise UnreadableError("an index leaves its axis")
        return array[tuple(at)]

    def _index(self, index: Tree) -> Any:
        """Return an index. Several letters in parentheses count along one axis, the last letter fastest."""
        place: Any = 0
        for letter in index.children if index.data == "entries" else ():
            place = place * self.letters[str(letter.children[0])][1] + self.visit(letter)
        return place if index.data == "entries" else self.visit(index)

    def derivative(self, tree: Tree) -> Any:
        """Return the derivative of the upper formula with respect to entries of the lower one, as it is measured."""
        top, bottom = tree.children
        variable, *indices = bottom.children if bottom.data == "indexed" else (bottom,)
        name, inside = str(variable.children[0]), names(top)
        own = [letter for letter in self.letters if letter in inside]
        sizes = {letter: (axis, self.letters[letter][1]) for axis, letter in enumerate(own)}
        slopes, shape = self.world.slopes(top, name, sizes), self.world.value(name).shape
        if len(indices) not in (1, len(shape)) or (self.letters and slopes.ndim != len(own) + 1):
            raise UnreadableError("each axis in a derivative needs an index")
        slopes = slopes.reshape(slopes.shape[:-1] + ((-1,) if len(indices) == 1 else shape))
        at = [self.name(LarkTree("name", [letter])) for letter in own] + [*map(self._index, indices)]
        return slopes[tuple(at)] if at else slopes


def names(formula: Tree) -> set[str]:
    """Return all the names and letters in a formula."""
    return {str(node.children[0]) for node in formula.iter_subtrees() if node.data == "name"}
