"""The subject of a check: a forward and its backward, however they are written, in one form.

Functions may return an array, several, or an output and a cache; a backward may return an array, a tuple or a
dictionary; both may be methods of a layer. The checker sees outputs as a tuple and gradients as a list, on the host.
"""

import functools
import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.arrays.backend import asarray_like, to_host
from tinygrad_mnist.errors import UsageError


def name_of(function: Any) -> str:
    """Return what a person would call a function, also if it has no name of its own.

    >>> name_of(name_of), name_of(functools.partial(pow, exp=2))
    ('name_of', 'partial of pow')
    """
    if isinstance(function, functools.partial):
        return f"partial of {name_of(function.func)}"
    name = getattr(function, "__qualname__", None) or getattr(function, "__name__", None) or type(function).__name__
    name = name.rpartition("<locals>.")[2]
    code = getattr(function, "__code__", None)
    if name == "<lambda>" and code is not None:
        return f"the lambda at {Path(code.co_filename).name}:{code.co_firstlineno}"
    return str(name)


def kind(value: Any) -> str:
    """Return what a value that should be something else is, in words.

    >>> kind([[1.0, 2.0]]), kind(None), kind(3)
    ('a list', 'None', '3')
    """
    if value is None or isinstance(value, str | int | float | complex):
        return repr(value)[:40]
    name = type(value).__name__
    if hasattr(value, "dtype") and hasattr(value, "shape"):
        return f"an array of {value.dtype}"
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"


def positional(function: Any) -> list[inspect.Parameter]:
    """Return the positional parameters of a function, with `*args`, and none if they are unknown."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []
    return [p for p in parameters if p.kind not in (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD)]


def argument_names(function: Any, count: int) -> list[str]:
    """Return the names of the first `count` arguments. Those without a name are called argument 1, 2 and so on."""
    names = [p.name for p in positional(function) if p.kind is not inspect.Parameter.VAR_POSITIONAL]
    return [*names, *(f"argument {number + 1}" for number in range(len(names), count))][:count]


Values = Sequence[Any]


class Subject:
    """A forward and its backward, with the arguments to check them at: arrays on the host, and whatever else it takes.

    `wrt` names the arguments to differentiate with respect to, if not all arrays of floats. `cache` says that forward
    returns an output and a cache, which backward takes. Raises UsageError if there is nothing to differentiate.
    """

    in_place = False
    """Whether arguments keep their memory when they get new values, so that they also keep their type and shape."""

    def __init__(
        self, forward: Any, backward: Any, arguments: Values, names: list[str], wrt: Any = None, cache: bool = False
    ) -> None:
        self.forward, self.backward, self._cache, self.name = forward, backward, cache, name_of(forward)
        self.names = names
        self._originals = [np.asarray(value) if isinstance(value, list) else value for value in arguments]
        self.wrt = self._positions(wrt)
        self.differentiated = [self.names[n] for n in self.wrt]
        self.values = [to_host(value) if hasattr(value, "dtype") else value for value in self._originals]

    def outputs(self, values: Values) -> tuple[NDArray[Any], ...]:
        """Return what forward returns for these values."""
        return self._outputs_and_cache(values)[0]

    def gradients(self, upstream: Sequence[NDArray[Any]], values: Values) -> list[NDArray[Any]]:
        """Return what backward returns, one gradient for each argument in `wrt`. Raises UsageError if it cannot be."""
        dout = [_placed(u, self._originals[self.wrt[0]]) for u in upstream]
        rest = [self._outputs_and_cache(values)[1]] if self._cache else self._all_placed(values)
        return self._in_order(self.backward(dout[0] if len(dout) == 1 else tuple(dout), *rest))

    def arrays(self, values: Values) -> list[tuple[int, NDArray[Any]]]:
        """Return the arrays among arguments, each with its position."""
        return [(n, value) for n, value in enumerate(values) if isinstance(value, np.ndarray)]

    def _outputs_and_cache(self, values: Values) -> tuple[tuple[NDArray[Any], ...], Any]:
        returned, cache = self.forward(*self._all_placed(values)), None
        if self._cache:
            if not isinstance(returned, tuple) or len(returned) != 2:
                raise UsageError(f"{self.name} must return an output and a cache, because cache=True")
            returned, cache = returned
        wanted = "arrays of numbers, or with cache=True an output and a cache"
        return tuple(_arrays(_listed(returned), self.forward, wanted)), cache

    def _in_order(self, returned: Any) -> list[NDArray[Any]]:
        """Return gradients as a list in the order of `wrt`."""
        wanted, found = self.differentiated, _listed(returned)
        if isinstance(returned, dict):
            found = [returned.get(name, returned.get(f"d{name}")) for name in wanted]
        return _arrays(found, self.backward, f"an array of numbers for each of {', '.join(wanted)}", len(wanted))

    def _positions(self, wrt: Any) -> list[int]:
        """Return the positions of the arguments to differentiate with respect to."""
        floats = [n for n, value in enumerate(self._originals) if _is_float(value)]
        if wrt is None and floats:
            return floats
        names = list(wrt) if isinstance(wrt, tuple | list | set) else [wrt]
        if names and {self.names[n] for n in floats}.issuperset(names):
            return [self.names.index(name) for name in names]
        given = [f"{name} is {kind(value)}" for name, value in zip(self.names, self._originals, strict=True)]
        what = "to differentiate with respect to" if wrt is None else f"that wrt={wrt!r:.40} names"
        raise UsageError("; ".join([f"{self.name} was given no array of floats {what}", *given]))

    def _all_placed(self, values: Values) -> Values:
        return [_placed(value, like) for value, like in zip(values, self._originals, strict=True)]


def layer_subject(layer: Any, arguments: Values) -> Subject:
    """Return a layer as a subject: an object with forward and backward, and possibly params and grads.

    Its parameters are arguments after the inputs, and are written into the arrays that the layer has.
    """
    params = getattr(layer, "params", None) or {}
    keys = list(params) if isinstance(params, dict) else list(range(len(params)))
    name, inputs, floats = type(layer).__name__, len(arguments), sum(map(_is_float, arguments))

    @functools.wraps(layer.forward)
    def forward(*values: Any) -> Any:
        for key, value in zip(keys, values[inputs:], strict=True):
            params[key][...] = value
        return layer.forward(*values[:inputs])

    @functools.wraps(layer.backward)
    def backward(dout: Any, *values: Any) -> list[Any]:
        forward(*values)
        of_inputs = _listed(layer.backward(dout))
        return [*of_inputs[:floats], *(np.array(to_host(layer.grads[key])) for key in keys)]

    names = argument_names(layer.forward, len(arguments))
    names += [key if isinstance(key, str) else f"params[{key}]" for key in keys]
    subject = Subject(forward, backward, [*arguments, *(params[key].copy() for key in keys)], names)
    subject.name, subject.in_place = name, True
    return subject


def _placed(value: Any, like: Any) -> Any:
    """Return a host array where another array is, and the value itself if that is on the host, too."""
    on_host = isinstance(like, np.ndarray | np.generic) or not hasattr(like, "dtype")
    if on_host or not isinstance(value, np.ndarray | np.generic):
        return value
    return asarray_like(np.asarray(value), like=like)


def _listed(returned: Any) -> list[Any]:
    return list(returned) if isinstance(returned, tuple | list) else [returned]


def _is_float(value: Any) -> bool:
    dtype = getattr(value, "dtype", None)
    return dtype is not None and getattr(np.dtype(str(dtype).rpartition(".")[2]), "kind", "") == "f"


def _arrays(returned: list[Any], function: Callable[..., Any], wanted: str, count: int = 0) -> list[NDArray[Any]]:
    """Return what a function has returned as arrays of numbers. Raises UsageError if it is not what is wanted.

    `count` is the number of arrays that there must be, or 0 if any but none will do.
    """
    numbers = [value for value in returned if hasattr(value, "dtype") or isinstance(value, int | float | complex)]
    arrays = [to_host(value) if hasattr(value, "dtype") else np.asarray(value) for value in numbers]
    arrays = [array for array in arrays if array.dtype.kind in "fciub"]
    if not arrays or len(arrays) < len(returned) or len(arrays) != (count or len(arrays)):
        what = " and ".join(map(kind, returned)) if 0 < len(returned) <= 3 else f"{len(returned)} values"
        raise UsageError(f"{name_of(function)} returned {what}, and must return {wanted}")
    return arrays
