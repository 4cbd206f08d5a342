"""Worlds to check formulas in: random arrays for a page's names, what forward makes of them, and its definitions."""

import inspect
import math
import re
import zlib
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from importlib import import_module
from types import ModuleType
from typing import Any, TypeAlias

import numpy as np
from lark import Tree as LarkTree
from numpy.exceptions import ComplexWarning
from numpy.typing import NDArray

from tinygrad_mnist.check.oracles import STEP, TINY
from tinygrad_mnist.derivations.evaluation import Evaluator, Letters, Moved, Tree
from tinygrad_mnist.derivations.pagetext import UnreadableError

SIZES = {"N": 3, "I": 4, "O": 2, "H": 5, "W": 7, "C": 2}
"""The sizes of axes."""

Shapes: TypeAlias = dict[str, tuple[list[str], str]]
"""The sizes of the axes, and words, for each name in a page's table."""

FUNCTIONS = {name: getattr(np, name) for name in ("log", "exp", "sqrt", "tanh", "sinh", "cosh")}
FUNCTIONS |= {"max": np.maximum, "min": np.minimum, "floor": lambda value: np.floor(value).astype(int)}

ELEMENT = re.compile(r"([a-z]+)(\d\d?)")
"""A name for an entry by its row and column, counted from 1, like w12."""


class World:
    """Values for the names of a page: arrays, functions, the output of forward, definitions, and derivatives of L."""

    def __init__(self, module: ModuleType, seed: int) -> None:
        self.module, self.seed = module, seed
        self.arrays: dict[str, NDArray[Any]] = {}
        self.output, self.arguments = "", list[str]()
        """The name of what forward returns, and those of what it takes."""
        self.definitions: dict[str, tuple[list[str], Tree]] = {}
        """The letters on the left, and the right side, of each definition."""
        self.claims: list[tuple[list[str], Tree]] = []
        """The same for what the page says about the output. Since these are steps, derivatives may be taken of them."""
        self.ranges: dict[str, Tree] = {}
        """The limits of letters."""
        self.small: Callable[[], World] = lambda: self
        """Returns the same world with the size 2 for all axes."""
        self.exact = True
        """Whether the complex step measured every derivative since this was last set."""
        self._moved: Moved = None
        self.met: set[int] = set()
        """The cases that held for at least one entry."""
        self._touched = False
        self._values: dict[str, tuple[NDArray[Any], bool]] = {}
        self._values_if_moved: dict[str, tuple[NDArray[Any], bool]] = {}
        self._slopes: dict[Any, tuple[NDArray[Any], bool]] = {}

    def knows(self, name: str) -> bool:
        """Return whether a name has a value. If not, it is a letter, or stands for any number."""
        return name in self.definitions or self.means(name)

    def means(self, name: str) -> bool:
        """Return whether a name has a value that the page does not define."""
        of_pass = name in self.arrays or (self.output != "" and name in (self.output, "L"))
        return of_pass or (name[:1] == "d" and self.knows(name[1:]))

    def element(self, name: str) -> re.Match[str] | None:
        """Return the array and the place if a name stands for an entry."""
        match = ELEMENT.fullmatch(name)
        return match if match and not self.knows(name) and self.knows(match[1]) else None

    def function(self, name: str) -> Any:
        """Return a function of the page or of NumPy, or the forward of another page."""
        own = getattr(self.module, name, None) or FUNCTIONS.get(name)
        return own if callable(own) else import_module(f"tinygrad_mnist.passes.{name}").forward

    def value(self, name: str, moved: Moved = None) -> NDArray[Any]:
        """Return the value of a name while a variable is moved."""
        if moved is not None and moved[0] == name:
            self._touched = True
            return moved[1]
        if moved is not None and moved is not self._moved:
            self._moved, self._values_if_moved = moved, {}
        values = self._values if moved is None else self._values_if_moved
        touched, self._touched = self._touched, False
        if name not in values:
            value = np.asarray(self._computed(name, moved))
            values[name] = value, self._touched
        value, depends = values[name]
        self._touched = touched or depends
        return value

    def _computed(self, name: str, moved: Moved) -> Any:
        if name in self.arrays:
            return self.arrays[name]
        if name in self.definitions:
            return self._evaluated(*self.definitions[name], moved)
        if name == self.output != "":
            return self._output(moved)
        if name == "L" and self.output:
            return np.sum(self.arrays[f"d{self.output}"] * self.value(self.output, moved))
        if self.knows(name):
            return self.slopes(LarkTree("name", ["L"]), name[1:], {}).reshape(self.value(name[1:]).shape)
        if element := self.element(name):
            return self.value(element[1], moved)[tuple(int(digit) - 1 for digit in element[2])]
        # A name without a meaning is any number: above 0 in even worlds, and below 0 in odd ones.
        return np.random.default_rng(zlib.crc32(name.encode())).uniform(0.3, 2) * (-1) ** self.seed

    def _output(self, moved: Moved) -> Any:
        """Return what forward returns; or, if that does not depend on the moved variable, what the page says it is."""
        output = self.module.forward(*(self.value(name, moved) for name in self.arguments))
        for letters, side in self.claims if moved and not self._touched else ():
            claimed = self._evaluated(letters, side, moved)
            if self._touched:
                return claimed.reshape(output.shape)
        return output

    def _evaluated(self, letters: Sequence[str], side: Tree, moved: Moved) -> Any:
        """Return the array whose entries a formula gives, with an axis for each of the letters, which it must have."""
        inside = self.letters([side])
        value = np.asarray(Evaluator(self, inside, moved).visit(side))
        if not inside:
            return value
        value = np.broadcast_to(value, np.broadcast_shapes(value.shape, (1,) * len(inside)))
        if {*letters} - {*inside} or any(value.shape[inside[letter][0]] > 1 for letter in inside.keys() - {*letters}):
            raise UnreadableError("the sides of a definition have different indices")
        value = np.broadcast_to(value, [size if letter in letters else 1 for letter, (_, size) in inside.items()])
        order = [inside[letter][0] for letter in letters]
        rest = [axis for axis in range(value.ndim) if axis not in order]
        return value.transpose(*order, *rest).reshape([value.shape[axis] for axis in order])

    def letters(self, sides: Iterable[Tree]) -> Letters:
        """Return the letters in some formulas, each with its axis and the size of the axes that it runs over."""
        sizes: dict[str, int] = {}
        nodes = [node for side in sides for node in side.iter_subtrees_topdown()]
        for base, *indices in (node.children for node in nodes if node.data == "indexed"):
            if base.children == ["δ"]:
                continue
            shape = np.shape(Evaluator(self, {}).visit(base))
            shape = (int(np.prod(shape)),) if len(indices) == 1 else shape
            if len(shape) != len(indices):
                raise UnreadableError(f"{len(indices)} indices for {len(shape)} axes")
            for index, size in zip(indices, shape, strict=True):
                letter = str(index.children[0])
                if (
                    index.data == "name"
                    and not self.knows(letter)
                    and (sizes.setdefault(letter, size) != size or size == 1)
                ):
                    raise UnreadableError(f"{letter} runs over axes of different sizes, or over one of size 1")
        for letter in {*self.ranges} & {str(node.children[0]) for node in nodes if node.data == "name"}:
            sizes.setdefault(letter, int(Evaluator(self, {}).visit(self.ranges[letter])))
        return {letter: (axis, size) for axis, (letter, size) in enumerate(sizes.items())}

    def slopes(self, top: Tree, variable: str, letters: Letters) -> NDArray[Any]:
        """Return the derivatives of a formula with respect to each entry of a variable, along a new last axis.

        The complex step measures them, exact except for rounding, if differences of fourth order agree with it. If they
        do not, the formula is not analytic, and the differences have to do.
        """
        key = (top, variable, tuple(letters.items()))
        if key not in self._slopes:
            self._slopes[key] = self._measured(top, variable, letters)
        slopes, exact = self._slopes[key]
        self.exact &= exact
        return slopes

    def _measured(self, top: Tree, variable: str, letters: Letters) -> tuple[NDArray[Any], bool]:
        x = np.asarray(self.value(variable), float)

        def at(step: NDArray[Any]) -> NDArray[Any]:
            value: NDArray[Any] = np.asarray(Evaluator(self, letters, (variable, x + step)).visit(top))
            return np.broadcast_to(value, [size for _, size in letters.values()] or value.shape)

        def differences(direction: NDArray[np.float64]) -> NDArray[Any]:
            whole, half = ((at(h * direction) - at(-h * direction)) / (2 * h) for h in (STEP, STEP / 2))
            slope: NDArray[Any] = (4 * half - whole) / 3
            return slope

        entries = np.eye(x.size).reshape(-1, *x.shape)
        direction = np.random.default_rng(self.seed).uniform(0.1, 1, x.shape)
        self._touched = False
        along = differences(direction)
        if not self._touched:
            raise UnreadableError(f"what is differentiated with respect to {variable} does not depend on it")
        try:
            exact = np.stack([at(TINY * 1j * entry).imag / TINY for entry in entries], axis=-1)
        except (TypeError, ComplexWarning):  # a forward for real numbers only
            exact = np.full((*along.shape, x.size), np.nan)
        if np.max(np.abs(exact @ direction.ravel() - along)) <= 1e-6 * max(1, np.max(np.abs(along))):
            return exact, True
        return np.stack([differences(entry) for entry in entries], axis=-1), False


def world_of(module: ModuleType, shapes: Shapes, trees: Sequence[Tree], seed: int, sizes: dict[str, int]) -> World:
    """Return a world with random arrays in the shapes that the page's table gives, and with the page's definitions."""
    rng = np.random.default_rng(seed)
    world = World(module, seed)
    world.small = partial(world_of, module, shapes, trees, seed, dict.fromkeys(sizes, 2))
    if hasattr(module, "forward"):  # the package itself has none
        arguments, (first, *others) = (inspect.signature(f).parameters for f in (module.forward, module.backward))
        world.output, world.arguments = "L" if first in arguments else first.removeprefix("d"), [*arguments]
        defined = {world.output, *(target(tree)[0] for tree in trees if tree.data == "definition")}
        arrays: dict[str, Any] = {
            "wide": [sizes[axis] for axis in "NHW"],
            "size": 3 if "stride" in arguments else 2,
            "stride": 2,
            **sizes,
        }
        for name, (axes, words) in (dict.fromkeys(arguments, (["N", "I"], "")) | shapes).items():
            if name not in arrays and name not in defined:
                shape = [math.prod(int(arrays.get(size, size)) for size in axis.split("*")) for axis in axes]
                arrays[name] = _drawn(rng.standard_normal(shape), words, seed)
        upstream = rng.standard_normal(np.shape(module.forward(*(arrays[name] for name in arguments))))
        arrays[f"d{world.output}"] = 1.0 if world.output == "L" else upstream
        if "shape" in others:
            arrays["shape"] = np.shape(arrays["x"])
        world.arrays = {name: np.asarray(value) for name, value in arrays.items()}
    for tree in trees:
        name, letters = target(tree)
        if tree.data == "range":
            world.ranges[name] = tree.children[2]
        elif tree.data == "definition":
            world.definitions[name] = letters, tree.children[2]
        elif name == world.output:
            world.claims += [(letters, side) for side in tree.children[2::2]]
    return world


def _drawn(numbers: NDArray[np.float64], words: str, seed: int) -> NDArray[np.float64]:
    """Return random numbers as the words in the table describe them. In every second world, targets are 0 or 1."""
    is_hard = "targets" in words and seed % 2
    if "sum of 1" in words:
        numbers = np.exp(9 * numbers if is_hard else numbers)
        numbers = numbers / np.sum(numbers, axis=-1, keepdims=True)
    elif "from 0 to 1" in words:
        numbers = 1 / (1 + np.exp(-2 * numbers))
    return np.round(numbers) if is_hard else numbers


def target(statement: Tree) -> tuple[str, list[str]]:
    """Return the name and the letters on the left of a statement: x, n and i for x[n,i] = 1 or let x[n,i] = 1."""
    left = statement.children[0]
    if statement.data not in ("chain", "definition"):  # a range, or code
        return str(left), []
    base, *indices = left.children if left.data == "indexed" else (left,)
    return str(base.children[0]) if base.data == "name" else "", [str(index.children[0]) for index in indices]
