"""The derivation checker: it reads the formulas in a page's docstrings, and checks both sides of every equals sign.

The numbers are random, from seeds. The sizes of arrays are small and differ, so that a wrong index or a transposed
matrix shows. Derivatives are measured through the page's own forward, so no step relies on the backward.
"""

import ast
import inspect
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from importlib import import_module
from importlib.resources import files
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from lark import Lark, Token
from lark import Tree as LarkTree
from lark.exceptions import LarkError

from tinygrad_mnist.derivations import pagetext
from tinygrad_mnist.derivations.evaluation import COMPARISONS, Evaluator, Tree, names
from tinygrad_mnist.derivations.pagetext import CODE, STRAY, Formula, UnreadableError
from tinygrad_mnist.derivations.worlds import SIZES, World, target, world_of

EXACT, MEASURED = 1e-12, 1e-8
"""The largest errors allowed with exact derivatives and with differences, relative to the largest entry or to 1."""

SEEDS = (0, 1)
"""Each formula is checked in a world for each of these seeds."""


class Step(NamedTuple):
    """One equals sign: where it stands, what is on its sides, and whether they agree."""

    page: str
    line: int
    text: str
    error: float
    exact: bool = True
    """Whether every derivative in it was measured by the complex step."""
    reason: str = ""
    """Why the sides could not be compared."""

    @property
    def right(self) -> bool:
        """Whether the sides agree."""
        return self.error <= (EXACT if self.exact else MEASURED)


def page_names() -> list[str]:
    """Return the names of all pages, and "__init__", which explains the chain rule."""
    names = [file.name for file in files("tinygrad_mnist.passes").iterdir()]
    return sorted(name.removesuffix(".py") for name in names if name.endswith(".py"))


def steps(page: str) -> tuple[int, int, list[Step]]:
    """Return how many of a page's steps are right, how many there are, and those that are wrong."""
    found = check(page)
    wrong = [step for step in found if not step.right]
    return len(found) - len(wrong), len(found), wrong


@np.errstate(all="ignore")  # a wrong formula may divide by 0
def check(page: str, source: str | None = None) -> list[Step]:
    """Return the steps of the formulas in a page's docstrings, in their order. `source` may stand for the page's own.

    A formula that cannot be read, a definition that nothing uses, and an equals sign in prose are wrong steps.
    """
    module = import_module("tinygrad_mnist.passes" if page == "__init__" else f"tinygrad_mnist.passes.{page}")
    # The docstrings are read from the file, because python -OO removes them.
    docstrings = pagetext.docstrings(inspect.getsource(module) if source is None else source)
    found: list[Step] = []
    statements: list[tuple[Formula, Tree]] = []
    for formula in (formula for blocks in docstrings.values() for formula in pagetext.formulas(blocks)):
        try:
            statements += [(formula, tree) for tree in parse(formula)]
        except UnreadableError as error:
            found.append(Step(page, formula.line, formula.text, np.nan, reason=str(error)))
    trees = [tree for _, tree in statements]
    shapes = pagetext.shapes(docstrings[""])
    worlds = [world_of(module, shapes, trees, seed, SIZES) for seed in SEEDS]
    for formula, tree in statements:
        if tree.data == "code":
            found += _code(page, formula, tree.children[0], worlds)
        elif tree.data == "chain":
            of_2_by_2 = any(map(worlds[0].element, names(tree)))
            found += _chain(page, formula, tree, [world.small() for world in worlds] if of_2_by_2 else worlds)
        elif fault := _fault(tree, trees, worlds[0]):
            found.append(Step(page, formula.line, formula.text, np.nan, reason=fault))
    return sorted(found, key=lambda step: step.line)


def _fault(definition: Tree, trees: Sequence[Tree], world: World) -> str:
    """Return what is wrong with a definition, or "". It could hide a claim if its name had a meaning, or no use."""
    name, _ = target(definition)
    if world.means(name) or sum(target(tree)[0] == name for tree in trees if tree.data in ("definition", "range")) > 1:
        return f"{name} has a meaning already"
    others = (tree for tree in trees if tree is not definition)
    is_used = any(name in (_read(tree.children[0]) if tree.data == "code" else names(tree)) for tree in others)
    return "" if is_used else f"nothing uses {name}"


@cache
def _parser() -> Lark:
    grammar = files("tinygrad_mnist.derivations").joinpath("formula.lark").read_text("utf-8")
    return Lark(grammar, parser="lalr", propagate_positions=True, maybe_placeholders=True)


@cache
def _parsed(text: str, is_code: bool) -> list[Tree]:
    trees = [LarkTree("code", [ast.parse(text)])] if is_code else _parser().parse(text).children
    return [tree for tree in trees if not isinstance(tree, Token)]


def parse(formula: Formula) -> list[Tree]:
    """Return the statements of a formula as trees. Raises UnreadableError if it does not follow the grammar."""
    if formula.kind == STRAY:
        raise UnreadableError("an equals sign that is in no formula")
    try:
        return _parsed(formula.text, formula.kind == CODE)
    except SyntaxError as error:
        raise UnreadableError(str(error)) from error
    except LarkError as error:
        place = getattr(error, "pos_in_stream", None) or 0
        raise UnreadableError(f"it cannot be read after '{formula.text[:place]}'") from error


def _chain(page: str, formula: Formula, chain: Tree, worlds: Sequence[World]) -> Iterator[Step]:
    """Yield the steps of a chain of equals signs."""
    for (left, right), sign in zip(pairwise(chain.children[::2]), chain.children[1::2], strict=True):
        text = " ".join(formula.text[left.meta.start_pos : right.meta.end_pos].split())

        def compared(world: World, left: Tree = left, sign: str = sign, right: Tree = right) -> float | None:
            letters = world.letters([left, right])
            one, other = Evaluator(world, letters), Evaluator(world, letters)
            return _error(one.visit(left), sign, other.visit(right), one.holds & other.holds, bool(letters))

        step = _step(page, formula.line + right.meta.line - 1, text, compared, worlds)
        branches = {id(node) for side in (left, right) for node in side.find_data("branch")}
        is_met = branches <= set().union(*(world.met for world in worlds))
        yield step if is_met or step.reason else step._replace(error=np.nan, reason="one of its cases never holds")


def _code(page: str, formula: Formula, body: ast.Module, worlds: Sequence[World]) -> Iterator[Step]:
    """Run a block of code in all worlds, and yield a step for each statement that completes a known name."""
    last = {name: statement for statement in body.body for name in _assigned(statement)}
    known = {name for name in _read(body) - last.keys() if worlds[0].knows(name)}
    spaces: dict[int, dict[str, Any]] = {}
    for statement in body.body:
        ended = [name for name, at in last.items() if at is statement and worlds[0].knows(name)]

        def compared(world: World, statement: ast.stmt = statement, ended: Sequence[str] = ended) -> float:
            if id(world) not in spaces:
                values = {name: world.value(name) for name in known}
                spaces[id(world)] = {**vars(world.module), "xp": np, **values}
            space = spaces[id(world)]
            exec(compile(ast.Module([statement], []), page, "exec"), space)  # noqa: S102  # a line of the page's own code
            return max((_error(world.value(name), "=", space[name]) or 0.0 for name in ended), default=0.0)

        text = formula.text.splitlines()[statement.lineno - 1].strip()
        step = _step(page, formula.line + statement.lineno - 1, text, compared, worlds)
        if ended or not step.right:
            yield step


def _assigned(code: ast.AST) -> set[str]:
    """Return the names that code assigns, or parts of which it assigns."""
    targets = [node for node in ast.walk(code) if isinstance(getattr(node, "ctx", None), ast.Store)]
    return {node.id for target in targets for node in [getattr(target, "value", target)] if isinstance(node, ast.Name)}


def _read(code: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(code) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}


def _step(page: str, line: int, text: str, compared: Callable[[World], float | None], worlds: Sequence[World]) -> Step:
    """Return a step with the largest error in any world in which the equation holds somewhere."""
    for world in worlds:
        world.exact = True
    try:
        errors = [error for error in map(compared, worlds) if error is not None]
    except (ArithmeticError, AttributeError, ImportError, LookupError, TypeError, ValueError, NameError) as error:
        return Step(page, line, text, np.nan, reason=f"{error}")
    return Step(page, line, text, float(np.max(errors, initial=0)), all(world.exact for world in worlds))


def _error(one: Any, sign: str, other: Any, holds: Any = True, has_letters: bool = False) -> float | None:
    """Return how far two sides are apart, relative to the largest entry or to 1; None if the equation holds nowhere."""
    if not has_letters and np.shape(one) != np.shape(other):
        raise UnreadableError(f"the shapes of the sides are {np.shape(one)} and {np.shape(other)}")
    one, other, holds = np.broadcast_arrays(one, other, holds)
    one, other = one[holds], other[holds]
    if not one.size:
        return None
    if sign != "=":
        return 0.0 if np.all(COMPARISONS[sign](one, other)) else np.inf
    return float(np.max(np.abs(one - other)) / max(1.0, np.max(np.abs(one)), np.max(np.abs(other))))
