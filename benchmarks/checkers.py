"""Measures gradient checkers on the same functions: which wrong backwards they catch, and which right ones they accuse.

    python -m benchmarks.checkers

The functions are those of tests/check/corpus. Each checker is used as its documentation says, with its own defaults.
"""

import importlib.metadata
import multiprocessing
import time
import warnings
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np

from benchmarks.corpus_problems import Arrays, Problem, problem_of
from benchmarks.results import machine, table, write_section
from tests.check.corpus import RIGHT, WRONG, Entry

RIGHT_VERDICT, WRONG_VERDICT, INCONCLUSIVE = "right", "wrong", "inconclusive"


def ours(entry: Entry) -> str:
    """Return the verdict of `verify`."""
    from tinygrad_mnist import verify

    return str(entry.checked_by(verify).verdict)


def accepting(check: Callable[[Problem], bool]) -> Callable[[Entry], str]:
    """Return a checker of entries. It rejects those for which `check` returns False or raises anything."""

    def verdict(entry: Entry) -> str:
        try:
            accepted = check(problem_of(entry))
        except Exception:  # whatever a wrong backward raises in somebody else's checker
            accepted = False
        return RIGHT_VERDICT if accepted else WRONG_VERDICT

    return verdict


def torch_gradcheck(problem: Problem) -> bool:
    """Return whether `torch.autograd.gradcheck` accepts a NumPy function, wrapped as an autograd function."""
    import torch

    class Wrapped(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *tensors: Any) -> Any:
            ctx.save_for_backward(*tensors)
            outputs = problem.forward(*(tensor.detach().numpy() for tensor in tensors))
            return tuple(torch.from_numpy(np.array(output)) for output in outputs)

        @staticmethod
        def backward(ctx: Any, *douts: Any) -> Any:
            arrays = [tensor.detach().numpy() for tensor in ctx.saved_tensors]
            gradients = problem.backward(tuple(dout.numpy() for dout in douts), *arrays)
            return tuple(torch.from_numpy(np.ascontiguousarray(gradient)) for gradient in gradients)

    tensors = [torch.from_numpy(array.copy()).requires_grad_() for array in problem.arrays]
    return bool(torch.autograd.gradcheck(Wrapped.apply, tensors))


def jax_check_grads(problem: Problem) -> bool:
    """Return whether `jax.test_util.check_grads` accepts a NumPy function, wrapped with `custom_vjp`."""
    import jax
    from jax.test_util import check_grads

    jax.config.update("jax_enable_x64", True)

    def described(arrays: Arrays) -> Any:
        return tuple(jax.ShapeDtypeStruct(array.shape, np.float64) for array in arrays)

    outputs = described(problem.forward(*problem.arrays))

    def on_host(function: Callable[..., Arrays]) -> Callable[..., Arrays]:
        return lambda *arrays: function(*jax.tree.map(np.asarray, arrays))

    @jax.custom_vjp
    def wrapped(*arrays: Any) -> Any:
        return jax.pure_callback(on_host(problem.forward), outputs, *arrays)

    def backward(arrays: Any, douts: Any) -> Any:
        return jax.pure_callback(on_host(problem.backward), described(problem.arrays), douts, *arrays)

    wrapped.defvjp(lambda *arrays: (wrapped(*arrays), arrays), backward)
    check_grads(wrapped, problem.arrays, order=1, modes=["rev"])
    return True


def scipy_check_grad(problem: Problem) -> bool:
    """Return whether the error that `scipy.optimize.check_grad` measures is small.

    SciPy gives no tolerance. We take a millionth of the gradient's length, or 1e-6 if that is shorter than 1.
    """
    from scipy.optimize import check_grad

    upstream, sizes = problem.upstream(), np.cumsum([array.size for array in problem.arrays])[:-1]

    def arrays(flat: Any) -> Arrays:
        parts = np.split(flat, sizes)
        return tuple(part.reshape(array.shape) for part, array in zip(parts, problem.arrays, strict=True))

    def gradient(flat: Any) -> Any:
        douts = tuple(dout.copy() for dout in upstream)
        return np.concatenate([part.ravel() for part in problem.backward(douts, *arrays(flat))])

    start = np.concatenate([array.ravel() for array in problem.arrays])
    error = check_grad(lambda flat: problem.loss(upstream, *arrays(flat)), gradient, start)
    return bool(error <= 1e-6 * max(1.0, float(np.linalg.norm(gradient(start)))))


def chainer_check_backward(problem: Problem) -> bool:
    """Return whether the rule of `chainer.gradient_check.check_backward` accepts a function.

    Chainer no longer installs beside this NumPy. Its source (chainer/gradient_check.py, version 7) moves all arguments
    along one random direction of length 1, by eps = 1e-3 to both sides, and compares the slope of the weighted sum of
    outputs with the gradients along that direction, with atol = 1e-5 and rtol = 1e-4.
    """
    rng, eps, atol, rtol = np.random.default_rng(0), 1e-3, 1e-5, 1e-4
    upstream = problem.upstream()
    gradients = problem.backward(upstream, *problem.arrays)
    if any(g.shape != x.shape or g.dtype != x.dtype for g, x in zip(gradients, problem.arrays, strict=True)):
        return False  # a variable of Chainer refuses such a gradient
    directions = [rng.standard_normal(array.shape) for array in problem.arrays]
    length = np.sqrt(sum((direction**2).sum() for direction in directions))
    directions = [direction / length for direction in directions]

    def loss(delta: float) -> float:
        moved = (array + delta * direction for array, direction in zip(problem.arrays, directions, strict=True))
        return problem.loss(upstream, *moved)

    numeric = (loss(eps) - loss(-eps)) / (2 * eps)
    ours = sum(float((g * direction).sum()) for g, direction in zip(gradients, directions, strict=True))
    return abs(numeric - ours) <= atol + rtol * abs(ours)


CHECKERS: dict[str, tuple[str, Callable[[Entry], str]]] = {
    "`verify` of this project": ("numpy", ours),
    "`torch.autograd.gradcheck`": ("torch", accepting(torch_gradcheck)),
    "`jax.test_util.check_grads`": ("jax", accepting(jax_check_grads)),
    "`scipy.optimize.check_grad`": ("scipy", accepting(scipy_check_grad)),
    "the rule of `chainer.gradient_check`": ("numpy", accepting(chainer_check_backward)),
}
"""By name: the package that it needs, and the checker."""


@np.errstate(all="ignore")
def measured(name: str) -> list[str]:
    """Return a row of the table. It is called in a process of its own, because some functions remember their calls."""
    package, check = CHECKERS[name]
    try:
        version = importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return [name, f"not measured: {package} is not installed", *[""] * 5]
    warnings.simplefilter("ignore")
    check(next(iter(RIGHT.values())))  # imports
    begun = time.process_time()
    wrong, right = (Counter(check(entry) for entry in entries.values()) for entries in (WRONG, RIGHT))
    seconds = time.process_time() - begun
    shown = name if package == "numpy" else f"{name} {version}"
    undecided = [str(verdicts[INCONCLUSIVE]) for verdicts in (wrong, right)]
    caught, missed, alarms = wrong[WRONG_VERDICT], wrong[RIGHT_VERDICT], right[WRONG_VERDICT]
    return [shown, str(caught), undecided[0], str(missed), str(alarms), undecided[1], f"{seconds:.1f}"]


def main() -> None:
    """Measure every checker and write the section."""
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=fresh, max_tasks_per_child=1) as pool:
        rows = list(pool.map(measured, CHECKERS))
    header = ["checker", "wrong: caught", "inconclusive", "missed", "right: accused", "inconclusive", "CPU seconds"]
    text = (
        f"{machine()}. {len(WRONG)} wrong backwards and {len(RIGHT)} right ones, none of them ours "
        f"(`tests/check/corpus`), in float64. Each checker runs with its own defaults.\n\n{table(header, rows)}\n\n"
        "A wrong backward that is *inconclusive* is not accepted: `verify` raises for it. `check_grad` returns an error"
        " without a verdict; it counts as accepted up to a millionth of the gradient's length. Chainer's rule is"
        " computed from the description in its source."
    )
    write_section("Gradient checkers", text)


if __name__ == "__main__":
    main()
