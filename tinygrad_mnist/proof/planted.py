"""Planted bugs: mistakes that people make in derivatives, made on purpose for the gradient checker to find.

A checker that misses one of them proves nothing. Each is a change of one line in one of our own functions. `planted`
makes it in the running program, so that everything that calls the function has the bug: its page and every chain.
"""

import ast
import inspect
import linecache
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from operator import attrgetter
from types import CodeType, FunctionType
from typing import NamedTuple

from tinygrad_mnist.proof.planted_pages import PAGE_BUGS


class PlantedBug(NamedTuple):
    """A line of one of our functions, the wrong line to put in its place, and what is wrong with it, in a sentence."""

    function: str
    """Where the line is, such as `passes.linear.backward` or `arrays.examples.Examples.batches`."""
    before: str
    after: str
    description: str

    @property
    def module(self) -> str:
        """The module that the function is in, such as `passes.linear`."""
        return ".".join(name for name in self.function.split(".")[:-1] if name.islower())


@contextmanager
def planted(bug: PlantedBug) -> Iterator[None]:
    """Make the function wrong until the end of the `with` block, for everybody who calls it.

    The function stays the same object and gets other code, so it does not matter who imported it, or when. Its source
    shows the bug as well. Raises ValueError if the function does not contain the line, or contains it twice.
    """
    owner, name = import_module(f"tinygrad_mnist.{bug.module}"), bug.function.rpartition(".")[2]
    function: FunctionType = inspect.unwrap(attrgetter(bug.function.removeprefix(f"{bug.module}."))(owner))
    file, code, state = inspect.getfile(function), function.__code__, dict(vars(function))
    source = _with_bug(bug, "".join(linecache.getlines(file)), name)
    lines = source.splitlines(keepends=True)
    try:
        function.__code__ = _code_of(name, compile(source, file, "exec"))
        # An entry without a time is not compared with the file.
        linecache.cache[file] = (len(source), None, lines, file)
        yield
    finally:
        function.__code__ = code
        vars(function).clear()
        vars(function).update(state)
        linecache.cache.pop(file, None)


def _with_bug(bug: PlantedBug, source: str, name: str) -> str:
    """Return the source of the module with the bug in it."""
    nodes = ast.walk(ast.parse(source))
    function = next(node for node in nodes if isinstance(node, ast.FunctionDef) and node.name == name)
    # The docstring ends in the same lines as the code.
    lines = source.splitlines(keepends=True)
    first, end = function.body[1].lineno - 1, function.end_lineno
    code = "".join(lines[first:end])
    if code.count(bug.before) != 1:
        raise ValueError(f"{bug.function} has {code.count(bug.before)} times, not once: {bug.before}")
    return "".join(lines[:first]) + code.replace(bug.before, bug.after) + "".join(lines[end:])


def _code_of(name: str, module: CodeType) -> CodeType:
    """Return the compiled function of this name, which may be a method of a class."""
    parts = [part for part in module.co_consts if isinstance(part, CodeType)]
    inner = [part for scope in parts for part in scope.co_consts if isinstance(part, CodeType)]
    return next(part for part in [*parts, *inner] if part.co_name == name)


_LINEAR = "passes.linear.backward"

PLANTED_BUGS = {
    "missing-two": PlantedBug(
        "passes.square.backward", "dx = dy * 2 * x", "dx = dy * x", "The factor 2 in the slope of x^2 is missing."
    ),
    "wrong-in-tails": PlantedBug(
        "passes.square.backward", "2 * x", "2 * x * (x < 10)", "The slope is 0 for numbers larger than 10."
    ),
    "wrong-at-zero": PlantedBug(
        "passes.square.backward", "2 * x", "(2 * x + (x == 0))", "The slope is 1 at 0, and right everywhere else."
    ),
    "wrong-sign": PlantedBug(
        _LINEAR, "dw = x.T @ dz", "dw = -x.T @ dz", "The weight gradient has the wrong sign, so training goes uphill."
    ),
    "no-weights": PlantedBug(_LINEAR, "dw = x.T @ dz", "dw = 0 * w", "The weight gradient is always 0."),
    "no-bias": PlantedBug(_LINEAR, "xp.sum(dz, axis=0)", "0 * w[0, :]", "The bias gradient is always 0."),
    "average": PlantedBug(
        _LINEAR,
        "dw = x.T @ dz",
        "dw = x.T @ dz / x.shape[0]",
        "The weight gradient is averaged over the batch, although the loss already takes the mean.",
    ),
    "exchanged": PlantedBug(
        _LINEAR,
        "dx = dz @ w.T",
        "dx = dz @ x.T",
        "The input takes the place of the weights, which fits if both are square.",
    ),
    "transposed": PlantedBug(
        _LINEAR, "dw = x.T @ dz", "dw = dz.T @ x", "The weight gradient is transposed, which fits if it is square."
    ),
    "wrong-axis": PlantedBug(
        _LINEAR, "axis=0", "axis=1", "The bias gradient is summed over the outputs instead of the rows."
    ),
    "slightly-off": PlantedBug(
        _LINEAR, "dw = x.T @ dz", "dw = x.T @ dz * 1.0005", "The weight gradient is too large by 0.05 %."
    ),
    "one-entry": PlantedBug(
        _LINEAR,
        "db = ",
        "dw[0, 0] += 1e-6 * xp.max(xp.abs(dw))\n    db = ",
        "One entry of the weight gradient is off by a millionth of the largest entry.",
    ),
    "first-rows": PlantedBug(
        _LINEAR, "dw = x.T @ dz", "dw = x[:16, :].T @ dz[:16, :]", "Rows beyond the sixteenth are left out."
    ),
    "one-output": PlantedBug(
        _LINEAR,
        "dw = x.T @ dz",
        "dw = x.T @ dz / (2 if w.shape[1] == 1 else 1)",
        "The weight gradient is halved if there is only one output.",
    ),
    "clipped": PlantedBug(
        _LINEAR, "dw = x.T @ dz", "dw = x.T @ xp.clip(dz, -5, 5)", "The upstream gradient is clipped at 5."
    ),
    "overwritten": PlantedBug(
        _LINEAR, "return dx", "dz *= 0\n    return dx", "The upstream gradient is overwritten after it was used."
    ),
    "float64-leak": PlantedBug(
        _LINEAR,
        "xp.sum(dz, axis=0)",
        "xp.sum(xp.astype(dz, xp.float64), axis=0)",
        "The bias gradient is always float64, even if the inputs are float32.",
    ),
    "unscaled": PlantedBug(
        "passes.first_linear.backward",
        "S * dz",
        "dz",
        "The factor 1/255 is missing, as if the weights were those for pixels from 0 to 255.",
    ),
    "scaled-bias": PlantedBug(
        "passes.first_linear.backward",
        "xp.sum(dz, axis=0)",
        "S * xp.sum(dz, axis=0)",
        "The bias gradient is multiplied by 1/255, like the weight gradient.",
    ),
    "missing-slope": PlantedBug(
        "passes.sigmoid.backward", " * (1 - p)", "", "The factor 1 - p in the slope of the sigmoid is missing."
    ),
    "column-times-row": PlantedBug(
        "passes.sigmoid.backward",
        "dp * p",
        "dp[:, 0] * p[:, :1]",
        "A row (N,) is multiplied by a column (N, 1), and the result is (N, N).",
    ),
    "missing-mean": PlantedBug("passes.mean_loss.backward", ") / n", ")", "The factor 1/n of the mean is missing."),
    "wrapped-bytes": PlantedBug(
        "passes.mean_loss.backward",
        "t = xp.astype(t, p.dtype, copy=False)",
        "pass",
        "Targets stay bytes, and 1 - 2 is 255 in bytes.",
    ),
    "same-sign": PlantedBug(
        "losses.mean_of_sigmoid",
        "sigmoid.backward(dp, p)",
        "abs(sigmoid.backward(dp, p))",
        "The gradient has the same sign for both targets, so training lowers all logits.",
    ),
    "relu-ignored": PlantedBug(
        "passes.relu.backward",
        "z > 0",
        "z == z",
        "The relu returns the upstream gradient even if its input was negative.",
    ),
    "relu-of-upstream": PlantedBug(
        "passes.relu.backward", "z > 0", "dh > 0", "The relu looks at the sign of the upstream gradient."
    ),
    "relu-threshold": PlantedBug(
        "passes.relu.backward", "z > 0", "z > -0.05", "The bend of the relu is at -0.05 instead of 0."
    ),
    "remembered-mask": PlantedBug(
        "passes.relu.backward",
        "slope = xp.astype(z > 0, z.dtype)",
        "slope = vars(backward).setdefault((z.shape, z.dtype), xp.astype(z > 0, z.dtype))",
        "The relu keeps its mask for the next array of the same shape.",
    ),
    "shared-memory": PlantedBug(
        "passes.relu.backward",
        "dz = dh * slope",
        "dz = dh if xp.all(z > 0) else dh * slope",
        "The result is the upstream gradient itself if all inputs are positive.",
    ),
    "missing-sigmoid": PlantedBug(
        "passes.cross_entropy.backward", "(p - t)", "(z - t)", "The sigmoid is missing: z - t instead of p - t."
    ),
    "rounded-targets": PlantedBug(
        "passes.cross_entropy.backward",
        "(p - t)",
        "(p - xp.round(t))",
        "Targets between 0 and 1 are rounded to 0 or 1.",
    ),
    "forgotten-pass": PlantedBug(
        "networks.dense.backward",
        "relu.backward(dh, cache[k - 1].z)",
        "dh",
        "The chain of backward passes leaves out the relu.",
    ),
    "wrong-mask": PlantedBug(
        "networks.dense.backward",
        "cache[k - 1].z",
        "cache[0].z",
        "Every relu takes the mask of the first layer, which fits if all hidden layers have the same width.",
    ),
    "second-mean": PlantedBug(
        "networks.dense.backward",
        "gradients = []",
        "gradients = []\n    dz = dz / dz.shape[0]",
        "The gradients are averaged over the batch, although the loss already takes the mean.",
    ),
    "one-layer-of-momentum": PlantedBug(
        "optimizers.momentum",
        "parameters, velocity), velocity",
        "parameters, velocity), (velocity[0], *gradients[1:])",
        "Only the first layer keeps its velocity.",
    ),
    "forgotten-velocity": PlantedBug(
        "train.train",
        "state.parameters, state.velocity",
        "state.parameters, None",
        "Momentum is forgotten between epochs.",
    ),
    "last-batch": PlantedBug(
        "arrays.examples.Examples.batches",
        "range(0, count, size)",
        "range(0, max(count - size, 0) + 1, size)",
        "A last batch that is shorter than the others is left out.",
    ),
    **{name: PlantedBug(*lines) for name, lines in PAGE_BUGS.items()},
}
"""Every planted bug by its name, as in `gradcheck --plant missing-mean`."""
