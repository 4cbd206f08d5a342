"""Tensors: arrays of a regular shape, made from nested sequences of numbers of one kind."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tinygrad_mnist.arrays.backend import Array, array_namespace

KINDS = {"b": "bool", "i": "integer", "u": "integer", "f": "float", "c": "complex"}
"""The kinds of numbers, by NumPy's codes for them."""

Position = tuple[int, ...]
"""The indices of an item or a row in nested data."""


def tensor(data: Any, dtype: Any = None) -> Array:
    """Return a new array made from a number, nested sequences of numbers, or an array.

    Without `dtype`, all the numbers must be of the same kind: all bool, all integer, all float or all complex. With
    `dtype`, integers, floats and complex numbers may be mixed. Plain Python data becomes a NumPy array, and an array
    stays on its device.

    Raises ValueError, naming the first item or row that is wrong, if rows differ in shape, kinds are mixed, or an item
    is not a number. Also raises ValueError if the dtype is not numeric or a number does not fit into it.

    >>> tensor([[1, 2], [3, 4]])
    array([[1, 2],
           [3, 4]])
    >>> tensor([[1, 2], [3]])
    Traceback (most recent call last):
        ...
    ValueError: row 1 has shape (1,), but row 0 has shape (2,): they must be the same
    """
    if hasattr(data, "dtype") and hasattr(data, "shape"):
        _require_number(data)
        source = np.asarray(data) if isinstance(data, np.generic) else data
    else:
        _require_regular(data)
        source = _from_python(data, dtype)
    if dtype is None:
        return array_namespace(source).asarray(source, copy=True)
    return _cast(source, dtype)


def stack(images: Sequence[Any]) -> Array:
    """Return one array (N, H, W) made from N images (H, W) of the same shape and type.

    Raises ValueError if there are no images. Also raises it, naming the image, if one is not a matrix of numbers or
    differs from image 0 in shape or type.

    >>> stack([[[1, 2], [3, 4]], [[5, 6], [7, 8]]]).shape
    (2, 2, 2)
    """
    arrays = []
    for number, image in enumerate(images):
        try:
            arrays.append(tensor(image))
        except ValueError as error:
            raise ValueError(f"image {number} is not an array: {error}") from error
    if not arrays:
        raise ValueError("there are no images to stack")
    first = arrays[0]
    for number, image in enumerate(arrays):
        if len(image.shape) != 2:
            raise ValueError(f"image {number} has shape {tuple(image.shape)}: an image must have two axes")
        for attribute, here, there in (("shape", image.shape, first.shape), ("type", image.dtype, first.dtype)):
            if here != there:
                raise ValueError(f"image {number} has {attribute} {here}, but image 0 has {attribute} {there}")
    return array_namespace(first).stack(arrays)


def _from_python(data: Any, dtype: Any) -> np.ndarray[Any, Any]:
    """Return regular nested numbers as an array that can hold all of them, or as an array of `dtype` if none can."""
    kind = _require_one_kind(data, mixed_numbers=dtype is not None)
    array = np.array(data)
    if _kind_of(array.dtype) is None and dtype is not None:
        try:
            return np.array(data, dtype=dtype)
        except OverflowError as error:
            raise ValueError(f"a number does not fit into {dtype}: {error}") from error
    # NumPy turns integers that do not fit into 64 bits into floats or objects.
    if dtype is None and kind == "integer" and _kind_of(array.dtype) != "integer":
        raise ValueError("an integer does not fit into 64 bits: give a float dtype for numbers this large")
    return array


def _cast(source: Array, dtype: Any) -> Array:
    """Return the array as `dtype`. Raises ValueError if that is not a numeric type or a number does not fit into it."""
    kind, target = _kind_of(source.dtype), _kind_of(dtype)
    if target is None:
        raise ValueError(f"{dtype} is not a numeric type")
    xp = array_namespace(source)
    if kind == "complex" and target != "complex":
        raise ValueError(f"complex numbers do not fit into {dtype}")
    # The checks find any overflow, so NumPy's warning is not needed.
    with np.errstate(over="ignore", invalid="ignore"):
        if (kind, target) == ("float", "integer") and not bool(xp.all(_in_range(source, dtype))):
            raise ValueError(f"a number does not fit into {dtype}")
        array = xp.astype(source, dtype)
        if target in ("bool", "integer"):
            fits = (xp.astype(array, source.dtype) == source) & ((array < 0) == (source < 0))
        else:
            fits = xp.isfinite(array) == xp.isfinite(source)
    if not bool(xp.all(fits)):
        raise ValueError(f"a number does not fit into {dtype}")
    return array


def _in_range(source: Array, dtype: Any) -> Array:
    """Return a mask of the floats that an integer type can hold after their fractions are cut off.

    They are compared before the cast, which does not wrap around on every device: on a GPU, 2^63 becomes 2^63 - 1, and
    that becomes 2^63 again as a float. The limits are powers of two, so they are exact as floats.
    """
    xp = array_namespace(source)
    limits, largest = xp.iinfo(dtype), float(xp.finfo(source.dtype).max)
    low, above = float(limits.min), float(limits.max + 1)
    is_below = source < above if above <= largest else xp.isfinite(source)
    return (source >= max(low, -largest)) & is_below


def _require_regular(data: Any, position: Position = ()) -> tuple[int, ...]:
    """Return the shape of nested data. Raises ValueError, naming the first row whose shape differs from row 0."""
    if not _is_nested(data):
        return tuple(np.shape(data)) if hasattr(data, "shape") else ()
    shapes = [_require_regular(item, (*position, i)) for i, item in enumerate(data)]
    for i, shape in enumerate(shapes):
        if shape != shapes[0]:
            raise ValueError(
                f"{_named((*position, i), 'row')} has shape {shape}, but {_named((*position, 0), 'row')} "
                f"has shape {shapes[0]}: they must be the same"
            )
    return (len(data), *(shapes[0] if shapes else ()))


def _require_one_kind(data: Any, mixed_numbers: bool) -> str | None:
    """Return the kind of the first item. Raises ValueError, naming the first item of a different kind.

    With `mixed_numbers`, integers, floats and complex numbers count as the same kind.
    """
    first = None
    for position, value in _leaves(data, ()):
        kind = _require_number(value, position)
        first = first or kind
        if kind != first and not (mixed_numbers and "bool" not in (kind, first)):
            remedy = "do not mix bools with numbers" if "bool" in (kind, first) else "give dtype to convert all of them"
            raise ValueError(
                f"{_named(position, 'item')} has type {kind}, but the first item has type {first}: {remedy}"
            )
    return first


def _require_number(value: Any, position: Position = ()) -> str:
    """Return the kind of a number, or of the numbers in an array. Raises ValueError, naming it, for anything else."""
    if hasattr(value, "dtype"):
        kind, shown = _kind_of(value.dtype), f"has type {value.dtype}"
    else:
        kind = {bool: "bool", int: "integer", float: "float", complex: "complex"}.get(type(value))
        shown = f"is {value!r:.40}"
    if kind is None:
        raise ValueError(f"{_named(position, 'item')} {shown}: all items must be numbers")
    return kind


def _kind_of(dtype: Any) -> str | None:
    """Return the kind of number that a type of any array library stands for, or None if it is not numeric."""
    try:
        return KINDS.get(np.dtype(dtype).kind)
    except TypeError:
        # Other libraries have types of their own, whose names end in NumPy's names.
        return KINDS.get(np.dtype(str(dtype).rpartition(".")[2]).kind)


def _is_nested(data: Any) -> bool:
    return isinstance(data, Sequence) and not isinstance(data, (str, bytes))


def _named(position: Position, noun: str) -> str:
    """Return `row 1/0` for a row at this position, or `the data` for all of it."""
    return f"{noun} {'/'.join(map(str, position))}" if position else "the data"


def _leaves(data: Any, position: Position) -> Iterator[tuple[Position, Any]]:
    """Yield the position and value of everything in nested data that is not nested itself."""
    if _is_nested(data):
        for i, item in enumerate(data):
            yield from _leaves(item, (*position, i))
    else:
        yield position, data
