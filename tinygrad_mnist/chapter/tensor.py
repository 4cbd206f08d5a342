"""Tensors: arrays of a regular shape, made from nested sequences of numbers of one kind."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tinygrad_mnist.arrays.backend import Array, array_namespace

KINDS = {"bool": "bool", "integer": "integral", "float": "real floating", "complex": "complex floating"}
"""The kinds of numbers, and the names that the array API standard gives them."""


def tensor(data: Any) -> Array:
    """Return a new array made from a number, nested sequences of numbers, or an array, which stays on its device.

    Raises ValueError if an item is not a number, not all numbers are of the same kind (all bool, all integer, all float
    or all complex), rows differ in shape, or an integer does not fit into 64 bits.

    >>> tensor([[1, 2], [3, 4]])
    array([[1, 2],
           [3, 4]])
    >>> tensor([1, 2.5])
    Traceback (most recent call last):
        ...
    ValueError: item 1 has type float, but the first item has type integer: all must be the same
    """
    kind = _kind_of_all(data)
    if hasattr(data, "dtype"):
        return array_namespace(data).asarray(data, copy=True)
    try:
        array = np.array(data)
    except ValueError as error:
        raise ValueError("the rows differ in shape: all must be the same") from error
    # NumPy turns integers that do not fit into floats or objects.
    if kind == "integer" and _kind(array) != kind:
        raise ValueError("an integer does not fit into 64 bits")
    return array


def stack(images: Sequence[Any]) -> Array:
    """Return one array (N, H, W) made from N images (H, W) of the same shape and type.

    Raises ValueError if there are no images. Also raises it, naming the image, if one is not a matrix, or differs from
    image 0 in shape or type.

    >>> stack([[[1, 2], [3, 4]], [[5, 6], [7, 8]]]).shape
    (2, 2, 2)
    """
    arrays = [tensor(image) for image in images]
    if not arrays:
        raise ValueError("there are no images to stack")
    first, *_ = described = [f"shape {tuple(image.shape)} and type {image.dtype}" for image in arrays]
    for number, (image, shown) in enumerate(zip(arrays, described, strict=True)):
        if len(image.shape) != 2:
            raise ValueError(f"image {number} has shape {tuple(image.shape)}: an image must have two axes")
        if shown != first:
            raise ValueError(f"image {number} has {shown}, but image 0 has {first}: all must be the same")
    return array_namespace(arrays[0]).stack(arrays)


def _kind_of_all(data: Any) -> str | None:
    """Return the kind of all items, or None if there are none. Raises ValueError, naming the first of another kind."""
    first = None
    for position, item in _items(data):
        kind, name = _kind(item), f"item {'/'.join(map(str, position))}" if position else "the data"
        first = first or kind
        if kind is None:
            raise ValueError(f"{name} is {item!r:.40}: all items must be numbers")
        if kind != first:
            raise ValueError(f"{name} has type {kind}, but the first item has type {first}: all must be the same")
    return first


def _items(data: Any, position: tuple[int, ...] = ()) -> Iterator[tuple[tuple[int, ...], Any]]:
    """Yield the position and value of everything in nested data that is not nested itself."""
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        for i, item in enumerate(data):
            yield from _items(item, (*position, i))
    else:
        yield position, data


def _kind(item: Any) -> str | None:
    """Return the kind of a number, or of the numbers in an array, or None for anything else."""
    if type(item) is int:
        return "integer"  # of any size: to NumPy, a large one is an object
    array = item if hasattr(item, "dtype") else np.asarray(item)
    xp = array_namespace(array)
    return next((kind for kind, name in KINDS.items() if xp.isdtype(array.dtype, name)), None)
