"""The numbers behind a formula: every index runs over its axis, every sum is summed, every derivative is measured.

A formula with indices is evaluated for all of them at once. Each letter has an axis of its own, so x[n,i] w[i,o] is an
array with one axis for n, one for i and one for o. In a formula without indices, names stand for whole arrays.
"""

import copy
import inspect
import math
import operator
import re
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from itertools import pairwise
from types import ModuleType
from typing import Any, TypeAlias

import numpy as np
from lark import Token
from lark import Tree as LarkTree
from lark.visitors import Interpreter
from numpy.typing import NDArray

from tinygrad_mnist.derivations.pagetext import UnreadableError

Tree: TypeAlias = Any
"""A lark.Tree, or one of its tokens. Only the grammar says which kinds of children a node has."""

Sizes: TypeAlias = dict[str, int]
"""The size of each axis by its letter, like N or n, in the order of the axes."""

Shapes: TypeAlias = Mapping[str, tuple[list[str], str]]
"""The sizes of the axes, and words, for each name in a page's table."""

STEP = 1e-3
"""How far differences move an array. With extrapolation, errors are near 1e-12: truncation and rounding are alike."""

TINY = 2.0**-100
"""The imaginary step. Its square is lost when it is added to 1, and dividing by a power of 2 does not round."""

ELEMENT = re.compile(r"([a-z]+)(\d\d?)")
"""A name for an entry by its row and column, counted from 1, like w12."""

FUNCTIONS = {name: getattr(np, name) for name in ("log", "exp", "sqrt", "tanh", "sinh", "cosh")}
FUNCTIONS |= {"max": np.maximum, "min": np.minimum, "floor": lambda value: np.floor(value).astype(int)}

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

    def __init__(self, values: "Values", sizes: Sizes) -> None:
        self.values, self.sizes = values, sizes
        self.holds: Any = np.True_
        """Where an equation holds that is said for some cases only."""

    def __default__(self, tree: Tree) -> Any:
        return OPERATIONS[tree.data](*self.visit_children(tree))

    def name(self, tree: Tree) -> Any:
        """Return a letter, running along its own axis, or the value of a name."""
        name = str(tree.children[0])
        if name in self.sizes:
            return self._running(name)
        value = self.values[name]
        if self.sizes and value.ndim:
            raise UnreadableError(f"{name} needs an index for each of its {value.ndim} axes")
        return value

    def _running(self, letter: str) -> NDArray[Any]:
        shape = [size if other == letter else 1 for other, size in self.sizes.items()]
        return np.arange(self.sizes[letter]).reshape(shape)

    def branch(self, tree: Tree) -> Any:
        """Return the value in a case, and where its conditions hold."""
        value, *conditions = self.visit_children(tree)
        holds = np.all(np.broadcast_arrays(*conditions), axis=0)
        if np.any(holds):
            self.values.cases_met.add(id(tree))
        return value, holds

    def cases(self, tree: Tree) -> Any:
        """Return the value of the first case that holds, and remember where one does."""
        values, holds = zip(*self.visit_children(tree), strict=True)
        self.holds = np.any(np.broadcast_arrays(*holds), axis=0)
        return np.select(holds, values, np.nan)

    def all_cases(self, tree: Tree) -> Any:
        """Return the value of the first case that holds, or of the last one."""
        *branches, otherwise = self.visit_children(tree)
        values, holds = zip(*branches, strict=True)
        return np.select(holds, values, otherwise)

    def comparison(self, tree: Tree) -> Any:
        """Return where a condition holds."""
        sides = pairwise(np.real(self.visit(side)) for side in tree.children[::2])
        true = [COMPARISONS[sign](*pair) for sign, pair in zip(tree.children[1::2], sides, strict=True)]
        return np.all(np.broadcast_arrays(*true), axis=0)

    def call(self, tree: Tree) -> Any:
        """Return the value of a function: one of the page or of NumPy, or the forward of another page."""
        name = tree.children[0].removesuffix("(")
        function = getattr(self.values.module, name, None) or FUNCTIONS.get(name)
        if not callable(function):
            function = import_module(f"tinygrad_mnist.passes.{name}").forward
        return function(*map(self.visit, tree.children[1:]))

    def reduction(self, tree: Tree) -> Any:
        """Return a sum over a letter, or the largest or smallest value."""
        how, letter = tree.children[0].split("_")
        if letter not in self.sizes:
            raise UnreadableError(f"nothing says what {letter} runs over")
        value, _ = np.broadcast_arrays(self.visit(tree.children[1]), self._running(letter))
        return getattr(np, how)(value, axis=[*self.sizes].index(letter), keepdims=True)

    def indexed(self, tree: Tree) -> Any:
        """Return entries of an array. A single index counts them through all of its axes."""
        base, *indices = tree.children
        at = [self._index(index) for index in indices]
        if base.children == ["δ"]:
            return np.equal(*at).astype(int)
        array = Evaluator(self.values, {}).visit(base)
        array = array if len(at) > 1 else array.reshape(-1)
        if any(np.any((entry < 0) | (entry >= size)) for entry, size in zip(at, array.shape, strict=True)):
            raise UnreadableError("an index leaves its axis")
        return array[tuple(at)]

    def _index(self, index: Tree) -> Any:
        """Return an index. Several letters in parentheses count along one axis, the last letter fastest."""
        if index.data != "entries":
            return self.visit(index)
        sizes = [self.sizes[str(letter.children[0])] for letter in index.children]
        return np.ravel_multi_index(np.broadcast_arrays(*map(self.visit, index.children)), sizes)

    def derivative(self, tree: Tree) -> Any:
        """Return the derivative of the upper formula with respect to entries of the lower one, as it is measured."""
        top, bottom = tree.children
        variable, *indices = bottom.children if bottom.data == "indexed" else (bottom,)
        name, inside = str(variable.children[0]), names(top)
        own = {letter: size for letter, size in self.sizes.items() if letter in inside}
        slopes, shape = self.values.slopes(top, name, own), self.values[name].shape
        if len(indices) not in (1, len(shape)) or (self.sizes and slopes.ndim != len(own) + 1):
            raise UnreadableError("each axis in a derivative needs an index")
        slopes = slopes.reshape(slopes.shape[:-1] + ((-1,) if len(indices) == 1 else shape))
        at = [*map(self._running, own), *map(self._index, indices)]
        return slopes[tuple(at)] if at else slopes


class Values:
    """What the names of a page stand for: arrays, definitions, what forward returns, and derivatives of L.

    A name with no such meaning is the letter of an index, or stands for any number.
    """

    def __init__(self, module: ModuleType, table: Shapes, trees: Sequence[Tree], seed: int, sizes: Sizes) -> None:
        self.module, self.seed = module, seed
        self.output, self.arguments = "", list[str]()
        """The names of what forward returns, and of what it takes. The package, with the chain rule, has no forward."""
        if hasattr(module, "forward"):
            self.arguments = [*inspect.signature(module.forward).parameters]
            upstream = next(iter(inspect.signature(module.backward).parameters))
            self.output = "L" if upstream in self.arguments else upstream.removeprefix("d")
        self.rules: dict[str, list[tuple[list[str], Tree]]] = {}
        """The letters on the left, and the right side, of each definition, and of what the page says about the output.

        Since the latter are steps themselves, derivatives may be taken of them.
        """
        self.ranges: dict[str, Tree] = {}
        """The limits of letters."""
        self._parts = {"L": {self.output}} | {self.output: {*self.arguments}}
        """The names that the value of a name can be computed from."""
        for tree in trees:
            name, letters = target(tree)
            if tree.data == "range":
                self.ranges[name] = tree.children[2]
            elif tree.data == "definition" or (tree.data == "chain" and name == self.output):
                self.rules.setdefault(name, []).extend((letters, side) for side in tree.children[2::2])
                self._parts.setdefault(name, set()).update(*map(names, tree.children[2::2]))
        self.arrays = self._drawn(table, sizes) if self.output else {}
        self.cases_met: set[int] = set()
        """The cases that held for at least one entry."""
        self._computed: dict[str, NDArray[Any]] = {}
        self._slopes: dict[Any, NDArray[Any]] = {}
        self._variable, self._unmoved = "", self

    def _drawn(self, table: Shapes, sizes: Sizes) -> dict[str, NDArray[Any]]:
        """Return random arrays for the names in the table that the page does not define, and the upstream gradient."""
        rng = np.random.default_rng(self.seed)
        arrays: dict[str, Any] = {**sizes, "wide": [sizes[axis] for axis in "NHW"], "stride": 2}
        arrays["size"] = 3 if "stride" in self.arguments else 2  # so that patches overlap
        for name, (axes, words) in (dict.fromkeys(self.arguments, (["N", "I"], "")) | dict(table)).items():
            if name not in {*arrays, *self.rules, self.output}:
                shape = [math.prod(int(arrays.get(size, size)) for size in axis.split("*")) for axis in axes]
                arrays[name] = _numbers(rng.standard_normal(shape), words, self.seed)
        output = self.module.forward(*(arrays[name] for name in self.arguments))
        arrays[f"d{self.output}"] = 1.0 if self.output == "L" else rng.standard_normal(np.shape(output))
        if "shape" in inspect.signature(self.module.backward).parameters:
            arrays["shape"] = np.shape(arrays["x"])
        return {name: np.asarray(value) for name, value in arrays.items()}

    def knows(self, name: str) -> bool:
        """Return whether a name has a value. If not, it is a letter, or stands for any number."""
        return name in self.rules or self.means(name)

    def means(self, name: str) -> bool:
        """Return whether a name has a value that the page does not define."""
        of_pass = name in self.arrays or (self.output != "" and name in (self.output, "L"))
        return of_pass or (name[:1] == "d" and self.knows(name[1:]))

    def element(self, name: str) -> re.Match[str] | None:
        """Return the array and the place if a name stands for an entry."""
        match = ELEMENT.fullmatch(name)
        return match if match and not self.knows(name) and self.knows(match[1]) else None

    def moved(self, variable: str, value: NDArray[Any]) -> "Values":
        """Return the values if that of a variable were different."""
        other = copy.copy(self)
        other._variable, other._unmoved, other._computed, other._slopes = variable, self, {variable: value}, {}
        return other

    def depends(self, names: Iterable[str], variable: str) -> bool:
        """Return whether the value of one of these names is computed from that of a variable."""
        found, new = set[str](), {*names}
        while new:
            found |= new
            elements = {element[1] for name in new if (element := self.element(name))}
            new = elements.union(*(self._parts.get(name, ()) for name in new)) - found
        return variable in found

    def __getitem__(self, name: str) -> NDArray[Any]:
        if name not in self._computed:
            is_fixed = self._variable and not self.depends([name], self._variable)
            self._computed[name] = self._unmoved[name] if is_fixed else np.asarray(self._value(name))
        return self._computed[name]

    def _value(self, name: str) -> Any:
        if name in self.arrays:
            return self.arrays[name]
        if name == self.output != "":
            return self._output()
        if name in self.rules:
            return self._evaluated(*self.rules[name][0])
        if name == "L" and self.output:
            return np.sum(self.arrays[f"d{self.output}"] * self[self.output])
        if self.knows(name):
            return self.slopes(LarkTree("name", ["L"]), name[1:], {}).reshape(self[name[1:]].shape)
        if element := self.element(name):
            return self[element[1]][tuple(int(digit) - 1 for digit in element[2])]
        # A name without a meaning is any number: above 0 for even seeds, and below 0 for odd ones.
        return np.random.default_rng(zlib.crc32(name.encode())).uniform(0.3, 2) * (-1) ** self.seed

    def _output(self) -> Any:
        """Return what forward returns; or, if that does not depend on a moved variable, what the page says it is."""
        if not self._variable or self.depends(self.arguments, self._variable):
            return self.module.forward(*(self[name] for name in self.arguments))
        letters, side = next(rule for rule in self.rules[self.output] if self.depends(names(rule[1]), self._variable))
        return self._evaluated(letters, side).reshape(self._unmoved[self.output].shape)

    def _evaluated(self, letters: Sequence[str], side: Tree) -> Any:
        """Return the array whose entries a formula gives, with an axis for each of the letters, which it must have."""
        found = self.sizes([side])
        if not found:
            return Evaluator(self, {}).visit(side)
        sizes = {letter: found.get(letter, 0) for letter in (*letters, *found)}
        value = np.asarray(Evaluator(self, sizes).visit(side))
        if not {*letters} <= {*found} or any(size > 1 for size in value.shape[len(letters) :]):
            raise UnreadableError("the sides of a definition have different indices")
        shape = [found[letter] for letter in letters]
        return np.broadcast_to(value, shape + [1] * (len(sizes) - len(letters))).reshape(shape)

    def sizes(self, sides: Iterable[Tree]) -> Sizes:
        """Return the letters in some formulas, each with the size of the axes that it runs over."""
        sizes: Sizes = {}
        nodes = [node for side in sides for node in side.iter_subtrees_topdown()]
        for base, *indices in (node.children for node in nodes if node.data == "indexed"):
            if base.children == ["δ"]:
                continue
            shape = np.shape(Evaluator(self, {}).visit(base))
            shape = (int(np.prod(shape)),) if len(indices) == 1 else shape
            if len(shape) != len(indices):
                raise UnreadableError(f"{len(indices)} indices for {len(shape)} axes")
            places = zip(indices, shape, strict=True)
            for letter, size in ((str(index.children[0]), size) for index, size in places if index.data == "name"):
                if not self.knows(letter) and (sizes.setdefault(letter, size) != size or size == 1):
                    raise UnreadableError(f"{letter} runs over axes of different sizes, or over one of size 1")
        for letter in {*self.ranges} & {str(node.children[0]) for node in nodes if node.data == "name"}:
            sizes.setdefault(letter, int(Evaluator(self, {}).visit(self.ranges[letter])))
        return sizes

    def slopes(self, top: Tree, variable: str, sizes: Sizes) -> NDArray[Any]:
        """Return the derivatives of a formula with respect to each entry of a variable, along a new last axis."""
        key = (top, variable, tuple(sizes.items()))
        if key not in self._slopes:
            if not self.depends(names(top), variable):
                raise UnreadableError(f"what is differentiated with respect to {variable} does not depend on it")
            self._slopes[key] = self._measured(top, variable, sizes)
        return self._slopes[key]

    def _measured(self, top: Tree, variable: str, sizes: Sizes) -> NDArray[Any]:
        """Return the same, measured by the complex step, with which differences along a random line must agree."""
        x = np.asarray(self[variable], float)
        direction = np.random.default_rng(self.seed).uniform(0.1, 1, x.shape)

        def at(step: NDArray[Any]) -> NDArray[Any]:
            value: NDArray[Any] = np.asarray(Evaluator(self.moved(variable, x + step), sizes).visit(top))
            return np.broadcast_to(value, [*sizes.values()] or value.shape)

        def difference(h: float) -> Any:
            return (at(h * direction) - at(-h * direction)) / (2 * h)

        along = (4 * difference(STEP / 2) - difference(STEP)) / 3
        entries = np.eye(x.size).reshape(-1, *x.shape)
        slopes = np.stack([at(TINY * 1j * entry).imag / TINY for entry in entries], axis=-1)
        # Where the formula has no value, both are NaN, or an equation says nothing.
        if np.max(np.abs(slopes @ direction.ravel() - along)) > 1e-6 * max(1, np.max(np.abs(along))):
            raise UnreadableError(f"the complex step with respect to {variable} differs from differences")
        return slopes


def _numbers(numbers: NDArray[np.float64], words: str, seed: int) -> NDArray[np.float64]:
    """Return random numbers as the words in the table describe them. For odd seeds, targets are 0 or 1."""
    is_hard = "targets" in words and seed % 2
    if "sum of 1" in words:
        numbers = np.exp(9 * numbers if is_hard else numbers)
        numbers = numbers / np.sum(numbers, axis=-1, keepdims=True)
    elif "from 0 to 1" in words:
        numbers = 1 / (1 + np.exp(-2 * numbers))
    return np.round(numbers) if is_hard else numbers


def names(formula: Tree) -> set[str]:
    """Return all the names and letters in a formula."""
    return {str(node.children[0]) for node in formula.iter_subtrees() if node.data == "name"}


def target(statement: Tree) -> tuple[str, list[str]]:
    """Return the name and the letters on the left of a statement: x, n and i for x[n,i] = 1 or let x[n,i] = 1."""
    left = statement.children[0]
    if statement.data not in ("chain", "definition"):  # a range, or code
        return str(left), []
    base, *indices = left.children if left.data == "indexed" else (left,)
    return str(base.children[0]) if base.data == "name" else "", [str(index.children[0]) for index in indices]
