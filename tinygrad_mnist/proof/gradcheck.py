"""Every derivative that was worked out by hand, held against oracles that know nothing of the derivation.

A `Claim` is what hand-written code claims: a forward, and a backward that is said to be its gradient. `check` holds it
against fourth-order differences and against the complex step, which is exact but for rounding, both through the same
forward; and it looks at what values alone do not show: shapes, types, inputs that were written to.
"""

import ast
import inspect
import math
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import digits
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist import oracles
from tinygrad_mnist.backend import Array, Backend, array_namespace, beside, to_host
from tinygrad_mnist.oracles import Line

DIFFERENCES, COMPLEX_STEP, FLOAT32, ORDER = "differences", "complex step", "float32", "order"
"""The oracles that measure values. Differences are of fourth order; float32 code is held against the complex step."""

TOLERANCE = {DIFFERENCES: 1e-9, COMPLEX_STEP: 1e-12, FLOAT32: 1e-5, ORDER: 0.1}
"""Of the largest gradient in the same array; of the order itself, its distance from 2."""

UPSTREAM = "upstream"
"""What is looked at where it is not one of the arguments."""

LINEARITY = {"float64": 1e-13, "float32": 1e-5}
"""How far from linear in the upstream gradient a backward may be, of its largest entry."""

KINK = 1e-6
"""A slope that jumps by more than this, of the largest, is a kink: there is no derivative to be right about."""

EVERY_ENTRY = {COMPLEX_STEP: 10_000, DIFFERENCES: 200}
"""An oracle looks at each entry of arrays with up to so many, and along random directions through larger ones."""

DIRECTIONS = 16
"""How many random directions."""


@dataclass(frozen=True)
class Claim:
    """A forward, the backward that is claimed to be its gradient, and the point at which both are looked at."""

    name: str
    arguments: dict[str, NDArray[np.float64]]
    """What the loss is differentiated by, in the order in which `forward` takes it."""
    upstream: NDArray[np.float64]
    """The derivative of the loss by what `forward` returns: random, because an average hides under ones."""
    forward: Callable[..., Array]
    """Takes the arguments."""
    written: Callable[..., Any]
    """The backward as it is written by hand, which a reader opens where a derivative is wrong."""
    call: Callable[..., Sequence[Array]]
    """Takes `written`, the upstream gradient and the arguments; returns the derivative by each argument."""
    zero: frozenset[str] = frozenset()
    """Arguments whose gradient is meant to be 0. Elsewhere a gradient of 0 counts as forgotten."""
    chained: bool = False
    """Whether it is made of passes that have claims of their own, and so is wrong where one of them is."""

    def backward(self, upstream: Array, *arguments: Array) -> Sequence[Array]:
        """Return the derivative by each argument that is claimed."""
        return self.call(self.written, upstream, *arguments)

    def loss(self, *arguments: Array) -> Array:
        """Return a number whose derivative by the output is `upstream`: the sum of the output, weighted by it."""
        output = self.forward(*arguments)
        return array_namespace(output).sum(beside(self.upstream, like=output) * output)

    def along(self, argument: str, direction: Sequence[NDArray[Any]]) -> list[Line]:
        """Return the loss as functions of one number, that moves the argument in each of the directions."""

        def loss(moved: Array) -> Array:
            return self.loss(*({**self.arguments, argument: moved}).values())

        return oracles.lines_through(loss, self.arguments[argument], direction)


@dataclass(frozen=True)
class Check:
    """One thing that was looked at, how far it is off, and how far it may be."""

    name: str
    argument: str
    oracle: str
    error: float
    tolerance: float
    kinks: int = 0
    """How many points were set aside, because the function has no derivative there."""
    observed: float | None = None
    """What was observed, where that is not an error: the order of convergence."""

    @property
    def passed(self) -> bool:
        """Whether the error is within the tolerance; one that is not a number never is."""
        return self.error <= self.tolerance


# A wrong gradient may hold infinity and what is no number: that is found by comparing, not by a warning.
@np.errstate(all="ignore")
def check(claim: Claim, place: Backend, dtypes: Sequence[str] = ("float64", "float32")) -> list[Check]:
    """Hold a claim against every oracle, its backward running on `place` in each of the types.

    The oracles run on the host, through the same forward. The same claim gives the same checks.
    """
    checks = [found for dtype in dtypes for found in contract(claim, place, dtype)]
    gradients = {dtype: _gradients(claim, place, dtype, claim.upstream) for dtype in dtypes}
    for number, argument in enumerate(claim.arguments):
        claimed = {dtype: found[number] for dtype, found in gradients.items()}
        checks += values(claim, argument, claimed)
    return checks


def values(claim: Claim, argument: str, claimed: dict[str, NDArray[Any]]) -> list[Check]:
    """Hold the gradient by one argument, claimed in each of some types, against the oracles that measure it."""
    exact = Probe(claim, argument, EVERY_ENTRY[COMPLEX_STEP])
    few = claim.arguments[argument].size <= EVERY_ENTRY[DIFFERENCES]
    nudged = exact if few else Probe(claim, argument, EVERY_ENTRY[DIFFERENCES])

    def held(dtype: str, oracle: str, probe: Probe, expected: NDArray[np.float64]) -> Check:
        found = probe.claimed(claimed[dtype])
        if argument in claim.zero:
            # A measured slope of 0 has nothing to be relative to: it is 0 but for the rounding of the loss.
            error = 1.0 if np.any(found != 0) else float(np.max(np.abs(expected), initial=0.0))
        else:
            error = relative_error(found, expected)
        return Check(claim.name, argument, oracle, error, TOLERANCE[oracle], probe.kinks)

    checks = []
    if "float64" in claimed:
        fourth = np.array([oracles.differences(line) for line in nudged.lines])
        checks.append(held("float64", DIFFERENCES, nudged, fourth))
        checks.append(held("float64", COMPLEX_STEP, exact, exact.slopes))
        order = oracles.observed_order(nudged.lines)
        if order is not None:
            checks.append(Check(claim.name, argument, ORDER, abs(order - 2), TOLERANCE[ORDER], nudged.kinks, order))
    if "float32" in claimed:
        checks.append(held("float32", FLOAT32, exact, exact.slopes))
    return checks


class Probe:
    """Directions in which one argument of a claim is moved, and the slopes there; without those that meet a kink."""

    def __init__(self, claim: Claim, argument: str, every_entry: int) -> None:
        x = claim.arguments[argument]
        directions = oracles.each_entry(x) if x.size <= every_entry else _random_directions(x)
        lines = claim.along(argument, directions)
        slopes = np.array([oracles.complex_step(line) for line in lines])
        steepest = float(np.max(np.abs(slopes), initial=0.0))
        smooth = np.array([oracles.slope_jump(line) <= KINK * steepest for line in lines], dtype=bool)
        self.shape = x.shape
        self.directions = [v for v, is_smooth in zip(directions, smooth, strict=True) if is_smooth]
        self.lines = [line for line, is_smooth in zip(lines, smooth, strict=True) if is_smooth]
        self.slopes = slopes[smooth]
        self.kinks = len(lines) - len(self.lines)

    def claimed(self, gradient: NDArray[Any]) -> NDArray[Any]:
        """Return the slope in each direction, by a gradient; nothing by one of another shape."""
        if gradient.shape != self.shape:
            return np.empty(0)
        return np.array([np.sum(gradient * v) for v in self.directions])


def contract(claim: Claim, place: Backend, dtype: str) -> list[Check]:
    """Check what every backward promises beside its values.

    Each gradient has the shape and type of its argument; no input is written to; on a CPU the same call gives the same
    bits; and the gradient is linear in the upstream gradient, with 0 for 0.
    """
    before = [x.astype(dtype) for x in (claim.upstream, *claim.arguments.values())]
    inputs = [place.place(x.copy()) for x in before]
    first = list(map(to_host, claim.backward(*inputs)))
    after = list(map(to_host, inputs))

    def backward(upstream: NDArray[Any]) -> list[NDArray[Any]]:
        return _gradients(claim, place, dtype, upstream)

    dy = before[0]
    # Two upstream gradients, mixed: the mixture must give the mixture of what each of them gives.
    other = dy[..., ::-1] if dy.ndim else dy / 3
    again, zero, mixed, apart = (backward(some) for some in (dy, 0 * dy, dy / 2 - other * 2, other))

    rows = []
    for name, x, a, b, z, m, o in zip(claim.arguments, before[1:], first, again, zero, mixed, apart, strict=True):
        rows += [
            (name, "shape", float(a.shape != x.shape), 0.0),
            (name, "type", float(a.dtype != x.dtype), 0.0),
            (name, "zero for zero", float(np.any(z != 0)), 0.0),
            (name, "linearity", relative_error(m, a / 2 - o * 2, meant_to_be_zero=True), LINEARITY[dtype]),
        ]
        if place.name == "numpy":
            rows.append((name, "same twice", float(not np.array_equal(a, b)), 0.0))
    for name, was, now in zip((UPSTREAM, *claim.arguments), before, after, strict=True):
        rows.append((name, "unchanged", float(not np.array_equal(was, now)), 0.0))
    return [Check(claim.name, name, f"{what}, {dtype}", error, bound) for name, what, error, bound in rows]


def relative_error(found: NDArray[Any], expected: NDArray[Any], meant_to_be_zero: bool = False) -> float:
    """Return the largest difference over the largest entry expected, and 1 where that cannot be said.

    It cannot where shapes differ, something is not a number, there is nothing to compare, or everything is 0 and that
    was not meant: a forgotten gradient agrees with a forgotten input.

    >>> relative_error(np.array([1.0, 2.0]), np.array([1.0, 2.5]))
    0.2
    """
    if found.shape != expected.shape or not expected.size:
        return 1.0
    largest = float(np.max(np.abs(expected)))
    difference = float(np.max(np.abs(found - expected)))
    if largest == 0:
        return 0.0 if meant_to_be_zero and difference == 0 else 1.0
    return difference / largest if math.isfinite(difference) else 1.0


def culprit(claim: Claim, argument: str) -> str:
    """Return where the derivative by an argument is computed: the file, the number of the line, and its text."""
    source, first = inspect.getsourcelines(claim.written)
    number = 0
    for node in ast.walk(ast.parse(textwrap.dedent("".join(source)))):
        if isinstance(node, ast.Assign | ast.AugAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = {name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)}
            # The layers of a network are numbered, and their code is not.
            if f"d{argument.rstrip(digits)}" in names:
                number = max(number, node.lineno - 1)
    path = Path(inspect.getsourcefile(claim.written) or "?")
    package = Path(__file__).parent
    shown = path.relative_to(package.parent) if path.is_relative_to(package) else path
    return f"{shown}:{first + number}: {source[number].strip()}"


def _random_directions(x: NDArray[Any]) -> list[NDArray[Any]]:
    """Return directions of length 1. Each mixes all entries, so that each entry is seen by all of them."""
    drawn = np.random.default_rng(x.size).standard_normal((DIRECTIONS, *x.shape))
    return [v / np.linalg.norm(v) for v in drawn]


def _gradients(claim: Claim, place: Backend, dtype: str, upstream: NDArray[Any]) -> list[NDArray[Any]]:
    """Return the gradients claimed, on the host, computed from copies: a backward may write to what it is given."""
    inputs = [place.place(x.astype(dtype)) for x in (upstream, *claim.arguments.values())]
    return [to_host(gradient) for gradient in claim.backward(*inputs)]
