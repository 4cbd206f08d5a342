"""What an array can be made of: nested sequences of a regular shape, of numbers of one kind."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

KINDS = {"b": "bool", "i": "whole", "u": "whole", "f": "floating", "c": "complex"}
"""NumPy's codes of numeric types, and what they are called here."""

Where = tuple[int, ...]
"""The position of an item or a row in nested data."""


def require_regular(data: Any, where: Where = ()) -> tuple[int, ...]:
    """Return the shape of nested data; raise ValueError that names the first row of another shape."""
    if not _is_nested(data):
        return tuple(np.shape(data)) if hasattr(data, "shape") else ()
    shapes = [require_regular(item, (*where, i)) for i, item in enumerate(data)]
    for i, shape in enumerate(shapes):
        if shape != shapes[0]:
            raise ValueError(
                f"{_name((*where, i), 'row')} has shape {shape}, but {_name((*where, 0), 'row')} "
                f"has shape {shapes[0]}: an array is regular"
            )
    return (len(data), *(shapes[0] if shapes else ()))


def require_one_kind(data: Any, mixed_numbers: bool) -> str | None:
    """Return the kind of the first item; raise ValueError that names the first item of another kind.

    With `mixed_numbers`, whole, floating and complex ones may stand together.
    """
    first = None
    for where, value in _leaves(data, ()):
        kind = require_number(value, where)
        first = first or kind
        if kind != first and not (mixed_numbers and "bool" not in (kind, first)):
            raise ValueError(
                f"{_name(where, 'item')} is {kind}, but the first item is {first}: an array has one "
                "type (give dtype to say which)"
            )
    return first


def require_number(value: Any, where: Where = ()) -> str:
    """Return what kind of number this is, or this array holds; raise ValueError that names it where it is none."""
    if hasattr(value, "dtype"):
        kind, shown = kind_of(value.dtype), value.dtype
    else:
        kind = {bool: "bool", int: "whole", float: "floating", complex: "complex"}.get(type(value))
        shown = f"{value!r:.40}"
    if kind is None:
        raise ValueError(f"{_name(where, 'item')} is {shown}: an array holds numbers only")
    return kind


def kind_of(dtype: Any) -> str | None:
    """Return what kind of number a type stands for, in any array library; None where it stands for none."""
    try:
        return KINDS.get(np.dtype(dtype).kind)
    except TypeError:
        # Other libraries' types are objects of their own, whose names end in NumPy's.
        return KINDS.get(np.dtype(str(dtype).rpartition(".")[2]).kind)


def _is_nested(data: Any) -> bool:
    return isinstance(data, Sequence) and not isinstance(data, (str, bytes))


def _name(where: Where, what: str) -> str:
    return f"{what} {'/'.join(map(str, where))}" if where else "the data"


def _leaves(data: Any, where: Where) -> Iterator[tuple[Where, Any]]:
    """Yield the position and value of everything in nested data that is not itself nested."""
    if _is_nested(data):
        for i, item in enumerate(data):
            yield from _leaves(item, (*where, i))
    else:
        yield where, data
