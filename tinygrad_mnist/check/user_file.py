"""Somebody's own file: find its forward and backward, and draw arguments of the shapes that its docstrings name."""

import re
import runpy
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tinygrad_mnist.check.subject import positional
from tinygrad_mnist.errors import UsageError

SIZES = {"N": 5, "H": 8, "W": 6, "K": 3}
"""The lengths of axes with well-known letters: rows, the height and width of images, and the side of a kernel."""

OTHER_SIZES = (4, 3, 2, 7, 9, 10, 11, 12)
"""The lengths of the other axes, in the order in which the docstrings name them. They differ, as a transpose must."""

BETWEEN = r"(?:[\s`:,]|\b(?:an?|np\.|(?:nd)?arrays?|of|with|shape)\b)*"
"""What may stand between the name of an argument and its shape."""

Shape = tuple[int, ...]
Function = Callable[..., Any]


def shapes(texts: Sequence[str]) -> dict[str, Shape]:
    """Return `x=5,4` as {"x": (5, 4)}. A number that is not in an array has no lengths. Raises UsageError.

    >>> shapes(["x=5,4", "t="])
    {'x': (5, 4), 't': ()}
    """
    found = {}
    for text in texts:
        name, _, lengths = text.partition("=")
        if not re.fullmatch(r"[^\W\d]\w*=([0-9]{1,4},?)*", text):
            raise UsageError(f"{text!r} is not the shape of an argument, like x=5,4")
        found[name] = tuple(int(length) for length in lengths.split(",") if length)
    return found


def read(
    path: Path, forward: str | None, backward: str | None, shapes: Mapping[str, Shape], seed: int = 0
) -> tuple[Function, Function, tuple[Any, ...], bool]:
    """Run a file and return its forward, its backward, arguments for them, and whether backward takes a cache.

    The functions have the given names, or are called `forward` and `backward`, or end in `_forward` and `_backward` if
    there is one such pair. An argument that has the name of something in the file, such as `labels = np.array([0, 2])`,
    is that thing; the others are random numbers of the given `shapes`, or of those in the docstrings. A backward that
    takes `(dout, cache)` gets the cache that the forward returns with its output. Raises UsageError if the file cannot
    be run, a function is missing, or a shape is not known.
    """
    defined = _run(path)
    stems = [name.removesuffix("forward") for name in defined if name.endswith("forward")]
    pairs = [stem for stem in stems if f"{stem}backward" in defined]
    stem = pairs[0] if len(pairs) == 1 else ""
    chosen = (forward or f"{stem}forward", backward or f"{stem}backward")
    for name in chosen:
        if not callable(defined.get(name)):
            raise UsageError(f"{path.name} has no function {name!r}", "no function")
    functions = [defined[name] for name in chosen]
    names, taken = map(_required_names, functions)
    if unknown := shapes.keys() - set(names):
        raise UsageError(f"{chosen[0]} in {path.name} has no argument {min(unknown)!r}")
    text = "\n".join(filter(None, [*(function.__doc__ for function in functions), defined["__doc__"]]))
    known, arguments, rng = {**_documented(text, names), **shapes}, list[Any](), np.random.default_rng(seed)
    for name in names:
        if defined.get(name) is None or callable(defined[name]) or name in shapes:
            if name not in known:
                raise UsageError(f"the shape of {name!r} in {path.name} is not known", "no shape")
            arguments.append(np.asarray(rng.standard_normal(known[name])))
        else:
            arguments.append(defined[name])
    return functions[0], functions[1], tuple(arguments), taken[1:] == ["cache"] and "cache" not in names


def _run(path: Path) -> dict[str, Any]:
    """Run a file, which can import its neighbors, and return what it defines."""
    folder = str(path.resolve().parent)
    sys.path.insert(0, folder)
    try:
        return runpy.run_path(str(path), run_name=f"checked_{path.stem}")
    except (Exception, SystemExit) as error:
        raise UsageError(f"{path.name} cannot be run: {type(error).__name__}: {error}") from error
    finally:
        sys.path.remove(folder)


def _documented(text: str, names: Sequence[str]) -> dict[str, Shape]:
    """Return the shapes in docstrings, such as `x (N, I)` or `x: array of shape (N, I)`.

    >>> _documented("the product of x (N, I) and w, an array of shape (I, 2)", ["x", "w", "b"])
    {'x': (5, 4), 'w': (4, 2)}
    """
    sizes, others, found = dict(SIZES), iter(OTHER_SIZES), dict[str, Shape]()
    for name, axes in re.findall(rf"\b({'|'.join(names)})\b{BETWEEN}\(((?:\w+,\s*)*\w*)\)", text):
        letters = re.findall(r"\w+", axes)
        for letter in letters:
            if letter not in sizes:
                sizes[letter] = int(letter) if letter.isdecimal() else next(others, 5)
        found.setdefault(name, tuple(sizes[letter] for letter in letters))
    return found


def _required_names(function: Function) -> list[str]:
    """Return the names of the positional arguments without a default."""
    return [parameter.name for parameter in positional(function) if parameter.default is parameter.empty]
