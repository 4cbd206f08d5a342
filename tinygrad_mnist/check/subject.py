"""The subject of a check: a forward and its backward, however they are written, in one form.

Functions may return an array, several, or an output and a cache; a backward may return an array, a tuple or a
dictionary; both may be methods of a layer. The checker sees outputs as a tuple and gradients as a list, on the host.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.arrays.backend import asarray_like, to_host
from tinygrad_mnist.check.naming import argument_names, kind, name_of, positional_names
from tinygrad_mnist.errors import UsageError

Values = Sequence[Any]
"""The arguments of a forward: arrays on the host, and whatever else it takes."""


class Subject:
    """A forward and its backward, with the arguments to check them at."""

    in_place = False
    """Whether arguments keep their memory when they get new values, so that they also keep their type and shape."""

    def __init__(
        self, forward: Callable[..., Any], backward: Callable[..., Any], arguments: Values, wrt: Any, cache: bool
    ) -> None:
        self.forward, self.backward, self._cache = forward, backward, cache
        self.originals = [np.asarray(value) if isinstance(value, list) else value for value in arguments]
        self.names = self._names()
        self.wrt = self._positions(wrt)
        self.values = [to_host(value) if hasattr(value, "dtype") else value for value in self.originals]
        self.name = name_of(forward)
        self._on_host = not any(hasattr(v, "dtype") and not isinstance(v, np.ndarray) for v in self.originals)

    def outputs(self, values: Values) -> tuple[NDArray[Any], ...]:
        """Return what forward returns for these values."""
        return self._call_forward(values)[0]

    def gradients(self, upstream: Sequence[NDArray[Any]], values: Values) -> list[NDArray[Any]]:
        """Return what backward returns, one gradient for each argument in `wrt`. Raises UsageError if it cannot be."""
        _, cache = self._call_forward(values) if self._cache else ((), None)
        placed = upstream if self._on_host else [self._placed(np.asarray(u), self._device()) for u in upstream]
        given: Any = placed[0] if len(placed) == 1 else tuple(placed)
        rest = [cache] if self._cache else self._all_placed(values)
        return self._listed(self.backward(given, *rest))

    def _call_forward(self, values: Values) -> tuple[tuple[NDArray[Any], ...], Any]:
        returned, cache = self.forward(*self._all_placed(values)), None
        if self._cache:
            if not isinstance(returned, tuple) or len(returned) != 2:
                raise UsageError(f"{name_of(self.forward)} must return an output and a cache, because cache=True")
            returned, cache = returned
        several = isinstance(returned, tuple | list)
        if several and len(returned) == 2 and as_numbers(returned[1]) is None:
            wrong = f"{name_of(self.forward)} returned an output and {kind(returned[1])}"
            raise UsageError(f"{wrong}: pass cache=True if that is what backward needs")
        outputs = tuple(self._output(one) for one in (returned if several else [returned]))
        if not outputs:
            raise UsageError(f"{name_of(self.forward)} returned no output")
        return outputs, cache

    def _output(self, output: Any) -> NDArray[Any]:
        array = as_numbers(output)
        if array is None:
            wrong = f"{name_of(self.forward)} returned {kind(output)}, which is not an array of numbers"
            raise UsageError(wrong)
        return array

    def _listed(self, returned: Any) -> list[NDArray[Any]]:
        """Return gradients as a list in the order of `wrt`."""
        wanted, given = [self.names[position] for position in self.wrt], returned
        if isinstance(returned, dict):
            missing = [name for name in wanted if name not in returned and f"d{name}" not in returned]
            if missing:
                raise UsageError(f"{name_of(self.backward)} returned a dictionary without a gradient for {missing[0]}")
            given = [returned[name] if name in returned else returned[f"d{name}"] for name in wanted]
        found = list(given) if isinstance(given, tuple | list) else [given]
        if len(found) != len(wanted):
            is_array = any(hasattr(one, "dtype") for one in found)
            what = _counted(len(found)) if is_array else f"{kind(returned)} without arrays" if found else "nothing"
            needed = f"{_counted(len(wanted))} {'is' if len(wanted) == 1 else 'are'} needed: for {', '.join(wanted)}"
            raise UsageError(f"{name_of(self.backward)} returned {'None' if returned is None else what}, and {needed}")
        gradients = list[NDArray[Any]]()
        for name, one in zip(wanted, found, strict=True):
            array = as_numbers(one)
            if array is None:
                wrong = f"{name_of(self.backward)} returned {kind(one)} for {name}, which is not an array of numbers"
                raise UsageError(wrong)
            gradients.append(array)
        return gradients

    def _names(self) -> tuple[str, ...]:
        names = argument_names(self.forward, len(self.originals))
        found = positional_names(self.backward)
        if names and names[0].startswith("argument ") and found and len(found[0]) > len(names):
            return found[0][1 : len(names) + 1]
        return names

    def _positions(self, wrt: Any) -> list[int]:
        """Return the positions of the arguments to differentiate with respect to."""
        floats = [n for n, value in enumerate(self.originals) if _is_float(value)]
        if wrt is None:
            if not floats:
                given = [f"{name} is {kind(value)}" for name, value in zip(self.names, self.originals, strict=True)]
                wrong = f"{name_of(self.forward)} was given no array of floats to differentiate with respect to"
                raise UsageError("; ".join([wrong, *given]))
            return floats
        names = list(wrt) if isinstance(wrt, tuple | list | set) else [wrt]
        for name in names:
            if name not in self.names:
                wrong = f"{name_of(self.forward)} has no argument {name!r:.40}: wrt takes {', '.join(self.names)}"
                raise UsageError(wrong)
            if self.names.index(name) not in floats:
                raise UsageError(f"{name} of {name_of(self.forward)} is not an array of floats")
        if not names:
            raise UsageError(f"wrt names no argument of {name_of(self.forward)}")
        return [self.names.index(name) for name in names]

    def _device(self) -> Any:
        return self.originals[self.wrt[0]]

    def _placed(self, value: Any, like: Any) -> Any:
        """Return a host array where the original argument is, or the value itself if it is on the host anyway."""
        if not isinstance(value, np.ndarray) or isinstance(like, np.ndarray | np.generic) or not hasattr(like, "dtype"):
            return value
        return asarray_like(value, like=like)

    def _all_placed(self, values: Values) -> list[Any]:
        if self._on_host:
            return list(values)
        return [self._placed(value, like) for value, like in zip(values, self.originals, strict=True)]


class LayerSubject(Subject):
    """An object with forward, backward and possibly params and grads. Its parameters are arguments after the input."""

    in_place = True

    def __init__(self, layer: Any, arguments: Values) -> None:
        params = getattr(layer, "params", None) or {}
        self.layer = layer
        self._keys = list(params) if isinstance(params, dict) else list(range(len(params)))
        self._params = [params[key] for key in self._keys]
        self._inputs = len(arguments)
        copies = [np.array(to_host(param)) for param in self._params]
        super().__init__(layer.forward, layer.backward, [*arguments, *copies], None, cache=False)
        self.name = type(layer).__name__

    def _names(self) -> tuple[str, ...]:
        names = argument_names(self.layer.forward, self._inputs)
        return (*names, *(key if isinstance(key, str) else f"params[{key}]" for key in self._keys))

    def outputs(self, values: Values) -> tuple[NDArray[Any], ...]:
        """Return what the layer's forward returns for these values."""
        self._set(values)
        returned = self.layer.forward(*self._all_placed(values)[: self._inputs])
        return tuple(self._output(one) for one in (returned if isinstance(returned, tuple | list) else [returned]))

    def gradients(self, upstream: Sequence[NDArray[Any]], values: Values) -> list[NDArray[Any]]:
        """Return the gradients of the input and of the parameters, after a forward with these values."""
        self.outputs(values)
        placed = [self._placed(np.asarray(array), self._device()) for array in upstream]
        returned = self.layer.backward(placed[0] if len(placed) == 1 else tuple(placed))
        of_input = list(returned) if isinstance(returned, tuple | list) else [returned]
        grads = getattr(self.layer, "grads", None)
        of_params = [np.array(to_host(self._grad(grads, key))) for key in self._keys]
        floats = [n for n in range(self._inputs) if n in self.wrt]
        return self._listed([*of_input[: len(floats)], *of_params])

    def _grad(self, grads: Any, key: Any) -> Any:
        try:
            return grads[key]
        except (KeyError, IndexError, TypeError) as error:
            raise UsageError(f"{self.name}.grads has no gradient for {key!r} after backward") from error

    def _set(self, values: Values) -> None:
        """Write the values of the parameters into the arrays that the layer has."""
        for param, value in zip(self._params, values[self._inputs :], strict=True):
            param[...] = self._placed(value, param)


def _is_float(value: Any) -> bool:
    dtype = getattr(value, "dtype", None)
    return dtype is not None and getattr(np.dtype(str(dtype).rpartition(".")[2]), "kind", "") == "f"


def as_numbers(value: Any) -> NDArray[Any] | None:
    """Return an array of numbers on the host, or a number as one, and None for everything else, also for lists."""
    if not hasattr(value, "dtype") and not isinstance(value, int | float | complex):
        return None
    array = to_host(value) if hasattr(value, "dtype") else np.asarray(value)
    return array if array.dtype.kind in "fciub" else None


def _counted(count: int) -> str:
    return f"{count} gradient{'' if count == 1 else 's'}"
