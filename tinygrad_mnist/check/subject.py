"""The subject of a check: a forward and its backward, however they are written, in one form.

Functions may return an array, several, or an output and a cache; a backward may return an array, a tuple or a
dictionary; both may be methods of a layer. The checker sees outputs as a tuple and gradients as a list, on the host.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.arrays.backend import asarray_like, to_host
from tinygrad_mnist.check.naming import argument_names, kind, name_of
from tinygrad_mnist.errors import UsageError

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
        self._on_host = all(isinstance(v, np.ndarray) or not hasattr(v, "dtype") for v in self._originals)
        self.wrt = self._positions(wrt)
        self.differentiated = [self.names[n] for n in self.wrt]
        self.values = [to_host(value) if hasattr(value, "dtype") else value for value in self._originals]

    def outputs(self, values: Values) -> tuple[NDArray[Any], ...]:
        """Return what forward returns for these values."""
        return self._outputs_and_cache(values)[0]

    def gradients(self, upstream: Sequence[NDArray[Any]], values: Values) -> list[NDArray[Any]]:
        """Return what backward returns, one gradient for each argument in `wrt`. Raises UsageError if it cannot be."""
        like = self._originals[self.wrt[0]]
        dout = upstream if self._on_host else [_placed(u, like) for u in upstream]
        rest = [self._outputs_and_cache(values)[1]] if self._cache else self._all_placed(values)
        return self._in_order(self.backward(dout[0] if len(dout) == 1 else tuple(dout), *rest))

    def arrays(self, values: Values) -> list[tuple[int, NDArray[Any]]]:
        """Return the arrays among arguments, each with its position."""
        return [(n, value) for n, value in enumerate(values) if isinstance(value, np.ndarray)]

    def _outputs_and_cache(self, values: Values) -> tuple[tuple[NDArray[Any], ...], Any]:
        returned, cache = self.forward(*self._all_placed(values)), None
        if self._cache:
            if not isinstance(returned, tuple) or len(returned) != 2:
                raise UsageError(f"{name_of(self.forward)} must return an output and a cache, because cache=True")
            returned, cache = returned
        outputs = _listed(returned)
        if len(outputs) == 2 and as_numbers(outputs[1]) is None:
            remedy = "pass cache=True if that is what backward needs"
            raise UsageError(f"{name_of(self.forward)} returned an output and {kind(outputs[1])}: {remedy}")
        if not outputs:
            raise UsageError(f"{name_of(self.forward)} returned no output")
        return tuple(_numbers(output, self.forward) for output in outputs), cache

    def _in_order(self, returned: Any) -> list[NDArray[Any]]:
        """Return gradients as a list in the order of `wrt`."""
        wanted, found = self.differentiated, _listed(returned)
        if isinstance(returned, dict):
            missing = [one for one in wanted if one not in returned and f"d{one}" not in returned]
            if missing:
                raise UsageError(f"{name_of(self.backward)} returned a dictionary without a gradient for {missing[0]}")
            found = [returned[one] if one in returned else returned[f"d{one}"] for one in wanted]
        if len(found) != len(wanted):
            what = f"{kind(returned)} of {len(found)}" if isinstance(returned, tuple | list) else kind(returned)
            raise UsageError(
                f"{name_of(self.backward)} returned {what}, and must return gradients for {', '.join(wanted)}"
            )
        pairs = zip(found, wanted, strict=True)
        return [_numbers(one, self.backward, f" for {argument}") for one, argument in pairs]

    def _positions(self, wrt: Any) -> list[int]:
        """Return the positions of the arguments to differentiate with respect to."""
        floats, function = [n for n, value in enumerate(self._originals) if _is_float(value)], name_of(self.forward)
        if wrt is None:
            if not floats:
                given = [f"{name} is {kind(value)}" for name, value in zip(self.names, self._originals, strict=True)]
                wrong = f"{function} was given no array of floats to differentiate with respect to"
                raise UsageError("; ".join([wrong, *given]))
            return floats
        names = list(wrt) if isinstance(wrt, tuple | list | set) else [wrt]
        for name in names:
            if name not in self.names:
                raise UsageError(f"{function} has no argument {name!r:.40}: wrt takes {', '.join(self.names)}")
            if self.names.index(name) not in floats:
                raise UsageError(f"{name} of {function} is not an array of floats")
        if not names:
            raise UsageError(f"wrt names no argument of {function}")
        return [self.names.index(name) for name in names]

    def _all_placed(self, values: Values) -> Values:
        if self._on_host:
            return values
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
        of_inputs, of_params = _listed(layer.backward(dout)), list[NDArray[Any]]()
        for key in keys:
            try:
                of_params.append(np.array(to_host(layer.grads[key])))
            except (AttributeError, KeyError, IndexError, TypeError) as error:
                raise UsageError(f"{name}.grads has no gradient for {key!r} after backward") from error
        return [*of_inputs[:floats], *of_params]

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


def as_numbers(value: Any) -> NDArray[Any] | None:
    """Return an array of numbers on the host, or a number as one, and None for everything else, also for lists."""
    if not hasattr(value, "dtype") and not isinstance(value, int | float | complex):
        return None
    array = value if isinstance(value, np.ndarray) else to_host(value) if hasattr(value, "dtype") else np.asarray(value)
    return array if array.dtype.kind in "fciub" else None


def _numbers(value: Any, function: Callable[..., Any], what: str = "") -> NDArray[Any]:
    """Return an array of numbers that a function has returned. Raises UsageError if it is none."""
    array = as_numbers(value)
    if array is None:
        raise UsageError(f"{name_of(function)} returned {kind(value)}{what}, which is not an array of numbers")
    return array
