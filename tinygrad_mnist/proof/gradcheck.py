"""The gradient checker: it compares derivatives that were worked out by hand with measured ones.

A `GradientCase` is a forward, the backward that should compute its gradient, and the arrays to check both at. `check`
compares the backward with two oracles that measure derivatives and know only the forward: fourth-order differences, and
the complex step, which is exact except for rounding. It also checks shapes, dtypes, and that no input is overwritten.
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

from tinygrad_mnist.arrays.backend import Array, Backend, array_namespace, asarray_like, to_host
from tinygrad_mnist.proof import oracles
from tinygrad_mnist.proof.oracles import Line

DIFFERENCES, COMPLEX_STEP, FLOAT32, ORDER = "differences", "complex step", "float32", "order"
"""The checks of values. Gradients in float32 are compared with the complex step in float64."""

TOLERANCE = {DIFFERENCES: 1e-9, COMPLEX_STEP: 1e-12, FLOAT32: 1e-5, ORDER: 0.1}
"""The largest error allowed, relative to the largest entry of the gradient; for the order, its distance from 2."""

UPSTREAM = "upstream"
"""The name of the upstream gradient in checks, next to the names of the arguments."""

LINEARITY = {"float64": 1e-13, "float32": 1e-5}
"""How far a backward may be from linear in the upstream gradient, relative to the largest entry of its result."""

KINK = 1e-6
"""If the slope jumps by more than this share of the largest slope, the point is a kink and has no derivative."""

MAX_ENTRIES = {COMPLEX_STEP: 10_000, DIFFERENCES: 200}
"""The largest arrays in which an oracle measures every entry. In larger ones it measures random directions."""

DIRECTIONS = 16
"""The number of random directions."""


@dataclass(frozen=True)
class GradientCase:
    """A forward, the backward that should compute its gradient, and the arrays to check both at."""

    name: str
    arguments: dict[str, NDArray[np.float64]]
    """What the loss is differentiated with respect to, in the order in which `forward` takes it."""
    upstream: NDArray[np.float64]
    """The derivative of the loss with respect to the output. If all entries were 1, a wrong average would go unseen."""
    forward: Callable[..., Array]
    """Takes the arguments and returns the output."""
    backward: Callable[..., Any]
    """The hand-written function to check. If a derivative is wrong, the report shows a line of it."""
    call_backward: Callable[..., Sequence[Array]]
    """Takes `backward`, the upstream gradient and the arguments; returns the derivatives with respect to these."""
    zero: frozenset[str] = frozenset()
    """Arguments whose gradient must be 0. For all others, a gradient of 0 counts as forgotten."""
    chained: bool = False
    """Whether it consists of passes with cases of their own, and so is wrong if one of them is."""

    def gradients(self, upstream: Array, *arguments: Array) -> Sequence[Array]:
        """Return the derivative with respect to each argument, as `backward` computes it."""
        return self.call_backward(self.backward, upstream, *arguments)

    def loss(self, *arguments: Array) -> Array:
        """Return the sum of the output weighted by `upstream`, which is its derivative with respect to the output."""
        output = self.forward(*arguments)
        return array_namespace(output).sum(asarray_like(self.upstream, like=output) * output)

    def lines(self, argument: str, directions: Sequence[NDArray[Any]]) -> list[Line]:
        """Return the loss as functions of one number, each of which moves the argument in one of the directions."""

        def loss(moved: Array) -> Array:
            return self.loss(*({**self.arguments, argument: moved}).values())

        return oracles.lines_through(loss, self.arguments[argument], directions)


@dataclass(frozen=True)
class Check:
    """The result of one check: the error and how large it may be."""

    name: str
    argument: str
    oracle: str
    error: float
    tolerance: float
    kinks: int = 0
    """The number of points that were skipped because the function has no derivative there."""
    observed: float | None = None
    """What was measured, if that is not an error: the order of convergence."""

    @property
    def passed(self) -> bool:
        """Whether the error is within the tolerance. NaN is not."""
        return self.error <= self.tolerance


# A wrong gradient may contain infinity or NaN. The comparison finds them, and a warning would not help.
@np.errstate(all="ignore")
def check(case: GradientCase, backend: Backend, dtypes: Sequence[str] = ("float64", "float32")) -> list[Check]:
    """Return the results of all checks of a case, with its backward running on `backend` in each of the dtypes.

    The oracles run on the host, in float64. The results are the same in every call.
    """
    checks = [result for dtype in dtypes for result in check_contract(case, backend, dtype)]
    by_dtype = {dtype: _gradients(case, backend, dtype, case.upstream) for dtype in dtypes}
    for number, argument in enumerate(case.arguments):
        checks += check_values(case, argument, {dtype: gradients[number] for dtype, gradients in by_dtype.items()})
    return checks


def check_values(case: GradientCase, argument: str, gradients: dict[str, NDArray[Any]]) -> list[Check]:
    """Compare the gradient with respect to one argument, given for each dtype, with what the oracles measure."""
    exact = Probe(case, argument, MAX_ENTRIES[COMPLEX_STEP])
    is_small = case.arguments[argument].size <= MAX_ENTRIES[DIFFERENCES]
    nudged = exact if is_small else Probe(case, argument, MAX_ENTRIES[DIFFERENCES])

    def compare(dtype: str, oracle: str, probe: Probe, expected: NDArray[np.float64]) -> Check:
        slopes = probe.slopes_by(gradients[dtype])
        if argument in case.zero:
            # There is no size to be relative to. A measured slope of 0 differs from 0 by the rounding of the loss.
            error = 1.0 if np.any(slopes != 0) else float(np.max(np.abs(expected), initial=0.0))
        else:
            error = relative_error(slopes, expected)
        return Check(case.name, argument, oracle, error, TOLERANCE[oracle], probe.kinks)

    checks = []
    if "float64" in gradients:
        fourth_order = np.array([oracles.differences(line) for line in nudged.lines])
        checks.append(compare("float64", DIFFERENCES, nudged, fourth_order))
        checks.append(compare("float64", COMPLEX_STEP, exact, exact.slopes))
        order = oracles.observed_order(nudged.lines)
        if order is not None:
            checks.append(Check(case.name, argument, ORDER, abs(order - 2), TOLERANCE[ORDER], nudged.kinks, order))
    if "float32" in gradients:
        checks.append(compare("float32", FLOAT32, exact, exact.slopes))
    return checks


class Probe:
    """Directions in which one argument of a case is moved, and the slopes along them. Kinks are skipped and counted."""

    def __init__(self, case: GradientCase, argument: str, max_entries: int) -> None:
        x = case.arguments[argument]
        directions = oracles.each_entry(x) if x.size <= max_entries else _random_directions(x)
        lines = case.lines(argument, directions)
        slopes = np.array([oracles.complex_step(line) for line in lines])
        steepest = float(np.max(np.abs(slopes), initial=0.0))
        smooth = np.array([oracles.slope_jump(line) <= KINK * steepest for line in lines], dtype=bool)
        self.shape = x.shape
        self.directions = [v for v, is_smooth in zip(directions, smooth, strict=True) if is_smooth]
        self.lines = [line for line, is_smooth in zip(lines, smooth, strict=True) if is_smooth]
        self.slopes = slopes[smooth]
        self.kinks = len(lines) - len(self.lines)

    def slopes_by(self, gradient: NDArray[Any]) -> NDArray[Any]:
        """Return the slope in each direction according to a gradient, or no slopes if it has the wrong shape."""
        if gradient.shape != self.shape:
            return np.empty(0)
        return np.array([np.sum(gradient * v) for v in self.directions])


def check_contract(case: GradientCase, backend: Backend, dtype: str) -> list[Check]:
    """Check what every backward promises besides its values.

    Each gradient has the shape and dtype of its argument; no input is overwritten; the gradient is linear in the
    upstream gradient, and 0 if that is 0; and on a CPU the same call gives the same bits.
    """
    before = [x.astype(dtype) for x in (case.upstream, *case.arguments.values())]
    inputs = [backend.to_device(x.copy()) for x in before]
    first = list(map(to_host, case.gradients(*inputs)))
    after = list(map(to_host, inputs))

    def backward(upstream: NDArray[Any]) -> list[NDArray[Any]]:
        return _gradients(case, backend, dtype, upstream)

    # If a backward is linear, a combination of two upstream gradients gives the same combination of the two results.
    dy = before[0]
    other = dy[..., ::-1] if dy.ndim else dy / 3
    again, zero, combined, of_other = (backward(upstream) for upstream in (dy, 0 * dy, dy / 2 - other * 2, other))

    rows = []
    for name, x, a, b, z, c, o in zip(case.arguments, before[1:], first, again, zero, combined, of_other, strict=True):
        rows += [
            (name, "shape", float(a.shape != x.shape), 0.0),
            (name, "type", float(a.dtype != x.dtype), 0.0),
            (name, "zero for zero", float(np.any(z != 0)), 0.0),
            (name, "linearity", relative_error(c, a / 2 - o * 2, may_be_zero=True), LINEARITY[dtype]),
        ]
        if backend.name == "numpy":
            rows.append((name, "same twice", float(not np.array_equal(a, b)), 0.0))
    for name, old, new in zip((UPSTREAM, *case.arguments), before, after, strict=True):
        rows.append((name, "unchanged", float(not np.array_equal(old, new)), 0.0))
    return [Check(case.name, name, f"{what}, {dtype}", error, tolerance) for name, what, error, tolerance in rows]


def relative_error(actual: NDArray[Any], expected: NDArray[Any], may_be_zero: bool = False) -> float:
    """Return the largest difference, divided by the largest expected entry; or 1 if there is no such number.

    There is none if shapes differ, an entry is not finite, or there are no entries. The error is also 1 if everything
    is 0, unless it may be: a forgotten gradient agrees with a forgotten input.

    >>> relative_error(np.array([1.0, 2.0]), np.array([1.0, 2.5]))
    0.2
    """
    if actual.shape != expected.shape or not expected.size:
        return 1.0
    largest = float(np.max(np.abs(expected)))
    difference = float(np.max(np.abs(actual - expected)))
    if largest == 0:
        return 0.0 if may_be_zero and difference == 0 else 1.0
    return difference / largest if math.isfinite(difference) else 1.0


def source_line(case: GradientCase, argument: str) -> str:
    """Return the line that computes the derivative with respect to an argument, as `file:number: code`."""
    source, first = inspect.getsourcelines(case.backward)
    number = 0
    for node in ast.walk(ast.parse(textwrap.dedent("".join(source)))):
        if isinstance(node, ast.Assign | ast.AugAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = {name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)}
            # The arguments of a network have the numbers of its layers, and the names in its code do not.
            if f"d{argument.rstrip(digits)}" in names:
                number = max(number, node.lineno - 1)
    path = Path(inspect.getsourcefile(case.backward) or "?")
    package = Path(__file__).parents[1]
    shown = path.relative_to(package.parent) if path.is_relative_to(package) else path
    return f"{shown}:{first + number}: {source[number].strip()}"


def _random_directions(x: NDArray[Any]) -> list[NDArray[Any]]:
    """Return directions of length 1. All of them mix all entries, so every entry is measured in each direction."""
    directions = np.random.default_rng(x.size).standard_normal((DIRECTIONS, *x.shape))
    return [v / np.linalg.norm(v) for v in directions]


def _gradients(case: GradientCase, backend: Backend, dtype: str, upstream: NDArray[Any]) -> list[NDArray[Any]]:
    """Return the computed gradients, on the host. The backward gets copies, because it may write to its inputs."""
    inputs = [backend.to_device(x.astype(dtype)) for x in (upstream, *case.arguments.values())]
    return [to_host(gradient) for gradient in case.gradients(*inputs)]
