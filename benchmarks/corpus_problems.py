"""The corpus in the form that other gradient checkers take: functions of float64 arrays, and nothing else."""

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from tests.check.corpus import Entry

Arrays = tuple[Any, ...]


class Problem(NamedTuple):
    """A function of float64 arrays that returns a tuple of arrays, and its backward."""

    forward: Callable[..., Arrays]
    backward: Callable[..., Arrays]
    """Takes the tuple of upstream gradients and the arrays; returns a gradient for each array."""
    arrays: Arrays

    def upstream(self, seed: int = 0) -> Arrays:
        """Return random upstream gradients, one for each output."""
        rng = np.random.default_rng(seed)
        return tuple(rng.standard_normal(out.shape) for out in self.forward(*self.arrays))

    def loss(self, upstream: Arrays, *arrays: Any) -> float:
        """Return the sum of the outputs weighted by the upstream gradients."""
        return float(sum((d * out).sum() for d, out in zip(upstream, self.forward(*arrays), strict=True)))


def problem_of(entry: Entry) -> Problem:
    """Return an entry of the corpus as a problem. Arguments that are not differentiated keep their values.

    All checkers here want float64, so arguments of float32 are cast.
    """
    if entry.backward is None:
        return _of_layer(entry.forward, entry.arguments[0])
    backward, cached = entry.backward, entry.options.get("cache", False)
    positions = _differentiated(entry)

    def filled(arrays: Arrays) -> list[Any]:
        arguments = [x.copy() if isinstance(x, np.ndarray) else x for x in entry.arguments]
        for position, array in zip(positions, arrays, strict=True):
            arguments[position] = array
        return arguments

    def run_forward(*arrays: Any) -> Arrays:
        out = entry.forward(*filled(arrays))
        return _as_arrays(out[0] if cached else out)

    def run_backward(douts: Arrays, *arrays: Any) -> Arrays:
        arguments = filled(arrays)
        rest = (entry.forward(*arguments)[1],) if cached else arguments
        gradients = backward(douts if len(douts) > 1 else douts[0], *rest)
        if isinstance(gradients, dict):
            names = [list(inspect.signature(entry.forward).parameters)[position] for position in positions]
            gradients = tuple(gradients.get(name, gradients.get(f"d{name}")) for name in names)
        return _as_arrays(gradients)

    arrays = tuple(np.array(entry.arguments[position], np.float64) for position in positions)
    return Problem(run_forward, run_backward, arrays)


def _of_layer(layer: Any, x: Any) -> Problem:
    """Return the problem of a layer, whose parameters become arguments."""
    named = isinstance(layer.params, dict) if hasattr(layer, "params") else False
    keys = list(layer.params) if named else list(range(len(getattr(layer, "params", []))))

    def run_forward(x: Any, *parameters: Any) -> Arrays:
        for key, parameter in zip(keys, parameters, strict=True):
            layer.params[key] = parameter
        return _as_arrays(layer.forward(x))

    def run_backward(douts: Arrays, x: Any, *parameters: Any) -> Arrays:
        run_forward(x, *parameters)
        dx = layer.backward(douts[0])
        return _as_arrays((dx, *(layer.grads[key] for key in keys)))

    return Problem(run_forward, run_backward, tuple(np.array(a, float) for a in (x, *(layer.params[k] for k in keys))))


def _differentiated(entry: Entry) -> list[int]:
    """Return the positions of the arguments that are differentiated: those that wrt names, or else all floats."""
    wrt = entry.options.get("wrt")
    if wrt is None:
        return [i for i, x in enumerate(entry.arguments) if isinstance(x, np.ndarray) and x.dtype.kind == "f"]
    names = list(inspect.signature(entry.forward).parameters)
    return [names.index(name) for name in ([wrt] if isinstance(wrt, str) else wrt)]


def _as_arrays(results: Any) -> Arrays:
    """Return one result or several as a tuple of arrays."""
    several = results if isinstance(results, tuple | list) else (results,)
    return tuple(np.asarray(result) for result in several)
