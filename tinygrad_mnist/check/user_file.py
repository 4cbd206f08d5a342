"""Somebody's own file: find its forward and backward, and draw arguments of the shapes that its docstrings name."""

import inspect
import re
import sys
import traceback
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tinygrad_mnist.check.naming import positional
from tinygrad_mnist.errors import UsageError

SIZES = {"N": 5, "H": 8, "W": 6, "K": 3}
"""The lengths of axes with well-known letters: rows, the height and width of images, and the side of a kernel."""

OTHER_SIZES = (4, 3, 2, 7, 9, 10, 11, 12)
"""The lengths of the other axes, in the order in which the docstrings name them. They differ, as a transpose must."""

Shape = tuple[int, ...]
Function = Callable[..., Any]


@dataclass(frozen=True)
class UserFile:
    """A file and, if they cannot be found or should be different, the names and shapes to use."""

    path: Path
    forward: str | None = None
    backward: str | None = None
    shapes: Mapping[str, Shape] = field(default_factory=dict)
    wrt: tuple[str, ...] = ()


def shapes(texts: Sequence[str]) -> dict[str, Shape]:
    """Return `x=5,4` as {"x": (5, 4)}. A number that is not in an array has no lengths. Raises ValueError.

    >>> shapes(["x=5,4", "t="])
    {'x': (5, 4), 't': ()}
    """
    found = {}
    for text in texts:
        name, equals, lengths = text.partition("=")
        parts = lengths.replace(",", " ").split()
        if not (equals and name.isidentifier() and all(re.fullmatch("[0-9]{1,4}", part) for part in parts)):
            raise ValueError(f"{text!r} is not the shape of an argument, like x=5,4")
        found[name] = tuple(map(int, parts))
    return found


def read(file: UserFile, seed: int = 0) -> tuple[Function, Function, tuple[Any, ...], dict[str, Any]]:
    """Run a file and return what `verify` is to be called with: forward, backward, their arguments, and options.

    The functions are called `forward` and `backward`, or end in `_forward` and `_backward` if there is one such pair.
    An argument that has the name of something in the file, such as `labels = np.array([0, 2, 1])`, is that thing; the
    others are random numbers. A backward that takes `(dout, cache)` gets the cache that the forward returns with its
    output. Raises UsageError if the file cannot be run, a function is missing, or a shape is not known.
    """
    module = _run(file.path)
    forward, backward = _functions(module, file)
    names = _required_names(forward)
    if not names:
        raise UsageError(f"{file.forward or 'forward'} in {file.path.name} takes no arguments with names")
    for name in (*file.shapes, *file.wrt):
        if name not in names:
            wrong = f"{forward.__name__} in {file.path.name} has no argument {name!r}"
            raise UsageError(f"{wrong}: it has {', '.join(names)}")
    text = "\n".join(inspect.getdoc(one) or "" for one in (forward, backward, module))
    shapes, rng = {**_documented(text, names), **file.shapes}, np.random.default_rng(seed)
    arguments = {name: getattr(module, name, None) for name in names}
    for name, defined in arguments.items():
        if defined is None or callable(defined) or name in file.shapes:
            if name not in shapes:
                raise UsageError(f"the shape of {name!r} in {file.path.name} is not known", "no shape")
            arguments[name] = np.asarray(rng.standard_normal(shapes[name]))
    takes_cache = _required_names(backward)[1:] == ["cache"] and "cache" not in names
    return forward, backward, tuple(arguments.values()), {"cache": takes_cache, "wrt": file.wrt or None}


def _run(path: Path) -> types.ModuleType:
    """Return the file as a module. It is compiled anew in each call, so that a change within a second is seen."""
    module = types.ModuleType(f"checked_{path.stem}")
    module.__file__ = str(path)
    folder = str(path.resolve().parent)
    sys.modules[module.__name__] = module  # what it defines can find its module
    sys.path.insert(0, folder)  # and it can import its neighbors
    try:
        exec(compile(path.read_bytes(), path, "exec"), vars(module))  # noqa: S102 - it is the user's own file
    except (Exception, SystemExit) as error:
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
        number = getattr(error, "lineno", None) or (frames[-1].lineno if frames else None)
        place = f" in line {number}" if number else ""
        what = getattr(error, "msg", None) or str(error)
        wrong = f"{path.name} cannot be run: {type(error).__name__}{place}"
        raise UsageError(f"{wrong}, {what}" if what else wrong) from error
    finally:
        sys.path.remove(folder)
    return module


def _functions(module: types.ModuleType, file: UserFile) -> tuple[Function, Function]:
    """Return the forward and the backward."""
    defined = {name: value for name, value in vars(module).items() if callable(value)}
    stems = [name.removesuffix("_forward") for name in defined if name.endswith("_forward")]
    stems = [stem for stem in stems if f"{stem}_backward" in defined]
    names = [file.forward or "forward", file.backward or "backward"]
    if file.forward is None and file.backward is None and not {"forward", "backward"} <= defined.keys():
        if len(stems) > 1:
            pairs = ", ".join(f"{stem}_forward" for stem in stems)
            raise UsageError(f"{file.path.name} has more than one pair ({pairs})", "several pairs")
        names = [f"{stem}_{part}" for stem in stems for part in ("forward", "backward")] or names
    for name in names:
        if name not in defined:
            raise UsageError(f"{file.path.name} has no function {name!r}", "no function")
    return defined[names[0]], defined[names[1]]


def _documented(text: str, names: Sequence[str]) -> dict[str, Shape]:
    """Return the shapes in docstrings, such as `x (N, I)` or `x: array of shape (N, I)`.

    >>> _documented("the product of x (N, I) and w, an array of shape (I, 2)", ["x", "w", "b"])
    {'x': (5, 4), 'w': (4, 2)}
    """
    before = r"`*\s*[:,]?\s*(?:an?\s+)?(?:(?:np\.)?(?:nd)?arrays?\s*,?\s*)?(?:(?:of|with)\s+)?(?:shape\s*)?:?\s*"
    sizes, others, found = dict(SIZES), iter(OTHER_SIZES), {}
    shapes = re.finditer(rf"\b({'|'.join(map(re.escape, names))})\b{before}\(([\w\s,]*)\)", text)
    for name, axes in (match.groups() for match in shapes):
        letters = [axis.strip() for axis in axes.split(",") if axis.strip()]
        if name not in found and all(letter.isdigit() or letter.isidentifier() for letter in letters):
            for letter in letters:
                if not letter.isdigit() and letter not in sizes:
                    sizes[letter] = next(others, 5)
            found[name] = tuple(int(letter) if letter.isdigit() else sizes[letter] for letter in letters)
    return found


def _required_names(function: Function) -> list[str]:
    """Return the names of the positional arguments without a default, and none if they are unknown."""
    found = positional(function)
    if any(p.kind is inspect.Parameter.VAR_POSITIONAL for p in found):
        return []
    return [p.name for p in found if p.default is inspect.Parameter.empty]
