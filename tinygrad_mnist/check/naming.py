"""How the gradient checker names the functions and the arguments that it was given."""

import functools
import inspect
from pathlib import Path
from typing import Any


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
