"""The derivation checker: it reads the formulas in a page's docstrings, and checks both sides of every equals sign.

The numbers are random, from seeds. Derivatives are measured through the page's own forward, so no step relies on the
backward.
"""

import ast
import inspect
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, partial
from importlib import import_module
from itertools import pairwise
from types import CodeType
from typing import Any, NamedTuple

import numpy as np
from lark import Lark, Token
from lark import Tree as LarkTree
from lark.exceptions import LarkError

from tinygrad_mnist import passes
from tinygrad_mnist.derivations import pagetext
from tinygrad_mnist.derivations.evaluation import COMPARISONS, Evaluator, Sizes, Tree, Values, names, target
from tinygrad_mnist.derivations.pagetext import CODE, STRAY, Formula, UnreadableError

TOLERANCE = 1e-12
"""The largest error allowed, relative to the largest entry or to 1. Only rounding is left."""

SIZES = {"N": 3, "I": 4, "O": 2, "H": 5, "W": 7, "C": 2}
"""The sizes of axes. They differ, so that a wrong index or a transposed matrix shows."""

SEEDS = (0, 1)
"""Each formula is checked with random numbers from each of these seeds."""


class Step(NamedTuple):
    """One equals sign: where it stands, what is on its sides, and whether they agree."""

    line: int
    text: str
    error: float
    reason: str = ""
    """Why the sides could not be compared."""

    @property
    def right(self) -> bool:
        """Whether the sides agree."""
        return self.error <= TOLERANCE

    def __str__(self) -> str:
        return f"line {self.line}: {self.text}{f' ({self.reason})' if self.reason else ''}"


def page_names() -> list[str]:
    """Return the names of all pages, and "__init__", which explains the chain rule."""
    return ["__init__", *sorted(page.name for page in pkgutil.iter_modules(passes.__path__))]


def counts(page: str) -> dict[str, Any]:
    """Return how many of a page's steps are right, how many there are, and the wrong ones, as JSON represents it."""
    found = check(page)
    wrong = [str(step) for step in found if not step.right]
    name = "the chain rule" if page == "__init__" else page
    return {"page": name, "right": len(found) - len(wrong), "steps": len(found), "wrong": wrong}


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
            found.append(Step(formula.line, formula.text, np.nan, reason=str(error)))
    trees = [tree for _, tree in statements]
    shapes = pagetext.shapes(docstrings[""])

    def drawn(sizes: Sizes) -> list[Values]:
        return [Values(module, shapes, trees, seed, sizes) for seed in SEEDS]

    values = drawn(SIZES)
    for formula, tree in statements:
        if tree.data == "code":
            found += _code(formula, tree.children[0], values)
        elif tree.data == "chain":
            of_2_by_2 = any(map(values[0].element, names(tree)))
            found += _chain(formula, tree, drawn(dict.fromkeys(SIZES, 2)) if of_2_by_2 else values)
        elif fault := _fault(tree, trees, values[0]):
            found.append(Step(formula.line, formula.text, np.nan, reason=fault))
    return sorted(found, key=lambda step: step.line)


def _fault(definition: Tree, trees: Sequence[Tree], values: Values) -> str:
    """Return what is wrong with a definition, or "". It could hide a claim if its name had a meaning, or no use."""
    name, _ = target(definition)
    if values.means(name) or sum(target(tree)[0] == name for tree in trees if tree.data in ("definition", "range")) > 1:
        return f"{name} has a meaning already"
    others = (tree for tree in trees if tree is not definition)
    is_used = any(name in (_read(tree.children[0]) if tree.data == "code" else names(tree)) for tree in others)
    return "" if is_used else f"nothing uses {name}"


@cache
def _parser() -> Lark:
    return Lark.open_from_package(__package__, "formula.lark", parser="lalr", propagate_positions=True)


@cache
def parse(formula: Formula) -> list[Tree]:
    """Return the statements of a formula as trees. Raises UnreadableError if it does not follow the grammar."""
    if formula.kind == STRAY:
        raise UnreadableError("an equals sign that is in no formula")
    try:
        if formula.kind == CODE:
            return [LarkTree("code", [ast.parse(formula.text)])]
        return [tree for tree in _parser().parse(formula.text).children if not isinstance(tree, Token)]
    except SyntaxError as error:
        raise UnreadableError(str(error)) from error
    except LarkError as error:
        place = getattr(error, "pos_in_stream", None) or 0
        raise UnreadableError(f"it cannot be read after '{formula.text[:place]}'") from error


def _chain(formula: Formula, chain: Tree, values: Sequence[Values]) -> Iterator[Step]:
    """Yield the steps of a chain of equals signs."""
    for (left, right), sign in zip(pairwise(chain.children[::2]), chain.children[1::2], strict=True):
        text = " ".join(formula.text[left.meta.start_pos : right.meta.end_pos].split())
        step = _step(formula.line + right.meta.line - 1, text, partial(_sides, left, sign, right), values)
        cases = {id(node) for side in (left, right) for node in side.find_data("branch")}
        all_are_met = cases <= set().union(*(one.cases_met for one in values))
        yield step if all_are_met or step.reason else step._replace(error=np.nan, reason="one of its cases never holds")


def _sides(left: Tree, sign: str, right: Tree, values: Values) -> float | None:
    """Return how far two sides are apart; None if the equation holds nowhere."""
    sizes = values.sizes([left, right])
    one, other = Evaluator(values, sizes), Evaluator(values, sizes)
    return _error(one.visit(left), sign, other.visit(right), one.holds & other.holds, bool(sizes))


def _code(formula: Formula, body: ast.Module, values: Sequence[Values]) -> Iterator[Step]:
    """Yield a step for each statement of a block of code that completes a known name, and for the first that fails."""
    last = {name: statement for statement in body.body for name in _assigned(statement)}
    given = {name for name in _read(body) - last.keys() if values[0].knows(name)}
    for number, statement in enumerate(body.body, start=1):
        completed = [name for name, at in last.items() if at is statement and values[0].knows(name)]
        text = formula.text.splitlines()[statement.lineno - 1].strip()
        code = compile(ast.Module(body.body[:number], []), "page", "exec")
        step = _step(formula.line + statement.lineno - 1, text, partial(_run, code, given, completed), values)
        if completed or not step.right:
            yield step
        if step.reason:
            break


def _run(code: CodeType, given: Iterable[str], completed: Iterable[str], values: Values) -> float:
    """Run code, and return how far names are off that it completes."""
    space = {**vars(values.module), "xp": np, **{name: values[name] for name in given}}
    exec(code, space)  # noqa: S102  # lines of the page's own code
    return max((_error(values[name], "=", space[name]) or 0.0 for name in completed), default=0.0)


def _assigned(code: ast.AST) -> set[str]:
    """Return the names that code assigns, or parts of which it assigns."""
    targets = [node for node in ast.walk(code) if isinstance(getattr(node, "ctx", None), ast.Store)]
    return {node.id for target in targets for node in [getattr(target, "value", target)] if isinstance(node, ast.Name)}


def _read(code: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(code) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}


def _step(line: int, text: str, compared: Callable[[Values], float | None], values: Sequence[Values]) -> Step:
    """Return a step with the largest error for any values for which the equation holds somewhere."""
    try:
        errors = [error for error in map(compared, values) if error is not None]
    except (ArithmeticError, AttributeError, ImportError, LookupError, TypeError, ValueError, NameError) as error:
        return Step(line, text, np.nan, reason=f"{error}")
    return Step(line, text, float(np.max(errors, initial=0)))


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
