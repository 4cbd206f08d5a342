"""Shape checks of a function's arguments. The errors name the arguments whose shapes are wrong."""

from tinygrad_mnist.arrays.backend import Array


def require_same_shape(**arrays: Array) -> None:
    """Raise ValueError, naming both, unless the two arrays (or numbers) have the same shape.

    (64, 1) minus (64,) would broadcast to (64, 64), and a network would train on that without an error.
    """
    (name, array), (other_name, other) = arrays.items()
    shape, other_shape = _shape(array), _shape(other)
    if shape != other_shape:
        raise ValueError(f"{name} has shape {shape} and {other_name} has shape {other_shape}: they must be the same")


def require_fit(**arrays: tuple[Array, str]) -> None:
    """Raise ValueError, naming all arrays, unless each letter has one size throughout: x=(x, "NI"), w=(w, "IO")."""
    sizes: dict[str, int] = {}
    for array, axes in arrays.values():
        shape = array.shape
        if len(shape) != len(axes):
            raise _misfit(arrays)
        # Indexing takes half as long as a strict zip, and every batch is checked several times.
        for number, axis in enumerate(axes):
            if sizes.setdefault(axis, shape[number]) != shape[number]:
                raise _misfit(arrays)


def require_entries(**arrays: Array) -> None:
    """Raise ValueError, naming the array, if one has no entries."""
    for name, array in arrays.items():
        if 0 in array.shape:
            raise ValueError(f"{name} has shape {tuple(array.shape)}: an empty array has no mean")


def _misfit(arrays: dict[str, tuple[Array, str]]) -> ValueError:
    described = (f"{name} {tuple(array.shape)} as ({', '.join(axes)})" for name, (array, axes) in arrays.items())
    return ValueError(f"the shapes do not fit: {'; '.join(described)}")


def _shape(array: Array) -> tuple[int, ...]:
    shape: tuple[int, ...] = getattr(array, "shape", ())
    return shape
