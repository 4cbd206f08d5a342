"""Worlds to check formulas in: random arrays for a page's names, what forward makes of them, and its definitions."""

import inspect
import re
import zlib
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np
from lark import Tree as LarkTree
from numpy.typing import NDArray

from tinygrad_mnist.proof.evaluation import Evaluator, Letters, Moved, Tree
from tinygrad_mnist.proof.oracles import STEP, TINY
from tinygrad_mnist.proof.pagetext import UnreadableError

SIZES = {"N": 3, "I": 4, "O": 2, "H": 7, "W": 9, "C": 2}
INTEGERS = {"size": 3, "stride": 2}
SEEDS = (0, 1, 2)
"""The sizes of axes, the whole numbers that a forward takes, and the seed of each world."""

FUNCTIONS = {name: getattr(np, name) for name in ("log", "exp", "sqrt", "tanh", "sinh", "cosh", "floor")}
FUNCTIONS |= {"max": np.maximum, "min": np.minimum}

ELEMENT = re.compile(r"([a-z]+)(\d)(\d?)")
"""A name for an entry by its row and column, counted from 1, like w12."""


class World:
    """Values for a page's names: arguments of forward, its output, definitions, and for `d` and a name, ∂L/∂name."""

    def __init__(self, module: ModuleType, arrays: dict[str, Any], output: str, seed: int) -> None:
        self.module, self.output, self.seed = module, output, seed
        self._arguments = [*inspect.signature(module.forward).parameters] if output else []
        self.arrays = {name: np.asarray(value) for name, value in arrays.items()}
        self.definitions: dict[str, tuple[list[str], Tree]] = {}
        """The letters and the right side of each definition."""
        self.claims: list[tuple[list[str], Tree]] = []
        """The same for what the page says about the output. Since these are steps, derivatives may be taken of them."""
        self.ranges: dict[str, Tree] = {}
        """The limits of letters."""
        self.exact = True
        """Whether the complex step measured every derivative since this was last set."""
        self._touched = False
        self._values: dict[str, NDArray[Any]] = {}
        self._slopes: dict[Any, tuple[NDArray[Any], bool]] = {}

    def knows(self, name: str) -> bool:
        """Return whether a name has a value. If not, it is a letter, or stands for any number."""
        return name in self.definitions or self.means(name)

    def means(self, name: str) -> bool:
        """Return whether a name has a value that the page does not define."""
        of_pass = name in self.arrays or (self.output != "" and name in (self.output, "L"))
        return of_pass or (name[:1] == "d" and self.knows(name[1:]))

    def element(self, name: str) -> re.Match[str] | None:
        """Return the array, the row and the column if a name stands for an entry."""
        match = ELEMENT.fullmatch(name)
        return match if match and not self.knows(name) and self.knows(match[1]) else None

    def function(self, name: str) -> Callable[..., Any]:
        """Return a function of the page or of NumPy, or the forward of another page."""
        own = getattr(self.module, name, None) or FUNCTIONS.get(name)
        return own if callable(own) else import_module(f"tinygrad_mnist.passes.{name}").forward  # type: ignore[no-any-return]  # any module may have one

    def value(self, name: str, moved: Moved | None = None) -> NDArray[Any]:
        """Return the value of a name while a variable is moved."""
        if moved is not None:
            self._touched |= moved.name == name
            return moved.value if moved.name == name else np.asarray(self._computed(name, moved))
        if name not in self._values:
            self._values[name] = np.asarray(self._computed(name, None))
        return self._values[name]

    def _computed(self, name: str, moved: Moved | None) -> Any:
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
            return self.value(element[1], moved)[tuple(int(digit) - 1 for digit in element.groups()[1:] if digit)]
        return np.random.default_rng((self.seed, zlib.crc32(name.encode()))).normal()

    def _output(self, moved: Moved | None) -> Any:
        """Return what forward returns; or, if that does not depend on the moved variable, what the page says it is."""
        touched, self._touched = self._touched, False
        output = self.module.forward(*(self.value(name, moved) for name in self._arguments))
        for letters, side in self.claims if moved and not self._touched else ():
            claimed = self._evaluated(letters, side, moved)
            if self._touched:
                return claimed.reshape(output.shape)
        self._touched |= touched
        return output

    def _evaluated(self, letters: Sequence[str], side: Tree, moved: Moved | None) -> Any:
        """Return the array whose entries a formula gives, with an axis for each of the letters, which it must have."""
        inside = self.letters([side])
        value = np.asarray(Evaluator(self, inside, moved).visit(side))
        if not inside:
            return value
        free = {letter for letter, (axis, _) in inside.items() if value.ndim and value.shape[axis] > 1}
        if {*letters} - {*inside} or free - {*letters}:
            raise UnreadableError("the sides of a definition have different indices")
        order = [inside[letter][0] for letter in letters]
        value = np.broadcast_to(value, [size if letter in letters else 1 for letter, (_, size) in inside.items()])
        rest = [axis for axis in range(value.ndim) if axis not in order]
        return value.transpose(*order, *rest).reshape([value.shape[axis] for axis in order])

    def letters(self, sides: Iterable[Tree]) -> Letters:
        """Return the letters in some formulas, each with its axis and the size of the axes that it runs over."""
        sizes: dict[str, int] = {}
        nodes = [node for side in sides for node in side.iter_subtrees_topdown()]
        for base, *indices in (
            node.children for node in nodes if node.data == "indexed" and node.children[0].children != ["δ"]
        ):
            shape = np.shape(Evaluator(self, {}).visit(base))
            shape = (int(np.prod(shape)),) if len(indices) == 1 else shape
            if len(shape) != len(indices):
                raise UnreadableError(f"{len(indices)} indices for {len(shape)} axes")
            for index, size in zip(indices, shape, strict=True):
                letter = str(index.children[0])
                if index.data == "name" and not self.knows(letter) and sizes.setdefault(letter, size) != size:
                    raise UnreadableError(f"{letter} runs over axes of different sizes")
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
        self._touched = False

        def along(step: complex) -> NDArray[Any]:
            """Return the formula's values after a step of each entry."""
            values = []
            for entry in np.eye(x.size).reshape(-1, *x.shape):
                value = Evaluator(self, letters, Moved(variable, x + step * entry)).visit(top)
                values.append(np.broadcast_to(value, [size for _, size in letters.values()] or np.shape(value)))
            return np.stack(values, axis=-1)

        whole, half = ((along(step) - along(-step)) / (2 * step) for step in (STEP, STEP / 2))
        if not self._touched:
            raise UnreadableError(f"what is differentiated with respect to {variable} does not depend on it")
        differences = (4 * half - whole) / 3
        try:
            exact = np.imag(along(TINY * 1j)) / TINY
        except TypeError:  # a forward that takes real numbers only
            return differences, False
        agree = np.abs(exact - differences) <= np.abs(half - whole) + 1e-7 * np.max(np.abs(differences))
        return (exact, True) if np.all(agree) else (differences, False)


def worlds_of(module: ModuleType, shapes: dict[str, tuple[list[str], str]], trees: Sequence[Tree]) -> list[list[World]]:
    """Return worlds with different random numbers for a page, and others in which all axes have the size 2."""
    return [
        [_world(module, shapes, trees, seed, sizes) for seed in SEEDS] for sizes in (SIZES, dict.fromkeys(SIZES, 2))
    ]


def _world(
    module: ModuleType,
    shapes: dict[str, tuple[list[str], str]],
    trees: Sequence[Tree],
    seed: int,
    sizes: dict[str, int],
) -> World:
    """Return a world with the arguments of the page's forward, in the shapes that its table gives."""
    rng = np.random.default_rng(seed)
    arrays: dict[str, Any] = {}
    output = ""
    if hasattr(module, "forward"):  # the package itself has none
        for name in inspect.signature(module.forward).parameters:
            axes, words = shapes.get(name, (["N", "I"], ""))
            arrays[name] = INTEGERS.get(name) or _drawn(
                rng.standard_normal([sizes[axis] for axis in axes]), words, seed
            )
        first = next(iter(inspect.signature(module.backward).parameters))
        output = "L" if first in arrays else first.removeprefix("d")
        upstream = 1.0 if output == "L" else rng.standard_normal(np.shape(module.forward(**arrays)))
        arrays |= sizes | {f"d{output}": upstream}
    world = World(module, arrays, output, seed)
    for tree in trees:
        name, letters = target(tree)
        if tree.data == "range":
            world.ranges[name] = tree.children[2]
        elif tree.data == "definition":
            world.definitions[name] = letters, tree.children[2]
        elif name == output:
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
    if statement.data == "range":
        return str(left), []
    base, *indices = left.children if left.data == "indexed" else (left,)
    return str(base.children[0]) if base.data == "name" else "", [str(index.children[0]) for index in indices]
