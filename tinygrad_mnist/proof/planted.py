"""Planted bugs: mistakes that people make in derivatives, made on purpose for the gradient checker to find.

A checker that misses one of them proves nothing. Each is a change of one place in one of our own functions; all of them
are in `plants.toml`. `planted` makes it in the running program, so that everything that calls the function has the bug.
"""

import inspect
import linecache
import textwrap
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.resources import files
from operator import attrgetter
from types import FunctionType
from typing import Any, NamedTuple


class PlantedBug(NamedTuple):
    """Code of one of our functions, the wrong code to put in its place, and what is wrong with it, in a sentence."""

    function: str
    """Where the code is, such as `passes.linear.backward` or `arrays.examples.Examples.batches`."""
    description: str
    before: str
    after: str
    name: str = ""
    """The name for `gradcheck --plant`; empty if only the tests plant it."""

    @property
    def module(self) -> str:
        """The module that the function is in, such as `passes.linear`."""
        return ".".join(name for name in self.function.split(".")[:-1] if name.islower())


def all_bugs() -> list[PlantedBug]:
    """Return every planted bug."""
    functions = tomllib.loads(files("tinygrad_mnist.proof").joinpath("plants.toml").read_text("utf-8"))
    return [PlantedBug(function, wrong, **code) for function, bugs in functions.items() for wrong, code in bugs.items()]


def named_bugs() -> dict[str, PlantedBug]:
    """Return the planted bugs that have a name, by their names."""
    return {bug.name: bug for bug in all_bugs() if bug.name}


@contextmanager
def planted(bug: PlantedBug) -> Iterator[None]:
    """Make the function wrong until the end of the `with` block, for everybody who calls it.

    The function stays the same object and gets other code, so it does not matter who imported it, or when. Its source
    shows the bug as well. Raises ValueError if the function does not contain the code, or contains it twice.
    """
    owner = import_module(f"tinygrad_mnist.{bug.module}")
    function: FunctionType = inspect.unwrap(attrgetter(bug.function.removeprefix(f"{bug.module}."))(owner))
    file, right, state = inspect.getfile(function), function.__code__, dict(vars(function))
    lines, first = inspect.getsourcelines(function)
    # The docstring ends in the same lines as the code.
    head, quotes, code = "".join(lines).rpartition('"""')
    if code.count(bug.before) != 1:
        raise ValueError(f"{bug.function} has {code.count(bug.before)} times, not once: {bug.before}")
    wrong = head + quotes + code.replace(bug.before, bug.after)
    space: dict[str, Any] = dict(function.__globals__)
    exec(compile("\n" * (first - 1) + textwrap.dedent(wrong), file, "exec"), space)  # noqa: S102  # our own source
    source = linecache.getlines(file)
    source[first - 1 : first - 1 + len(lines)] = wrong.splitlines(keepends=True)
    try:
        function.__code__ = inspect.unwrap(space[function.__name__]).__code__
        # An entry without a time is not compared with the file.
        linecache.cache[file] = (len("".join(source)), None, source, file)
        yield
    finally:
        function.__code__ = right
        vars(function).clear()
        vars(function).update(state)
        linecache.cache.pop(file, None)
