"""How the gradient checker names the functions and the arguments that it was given."""

import functools
import inspect
from collections.abc import Callable
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


def argument_names(function: Any, count: int) -> tuple[str, ...]:
    """Return the names of the first `count` positional arguments. Those without are called argument 1, 2 and so on."""
    found = positional_names(function)
    names, rest = found if found is not None else ((), None)
    unnamed = (f"{rest}[{number}]" if rest else f"argument {len(names) + number + 1}" for number in range(count))
    return (*names, *unnamed)[:count]


def positional_names(function: Any) -> tuple[tuple[str, ...], str | None] | None:
    """Return the names of a function's positional arguments, and that of `*args` if it has one; None if unknown."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    names = tuple(parameter.name for parameter in parameters if parameter.kind in positional)
    rest = next((p.name for p in parameters if p.kind is inspect.Parameter.VAR_POSITIONAL), None)
    return names, rest


def required_names(function: Callable[..., Any]) -> tuple[str, ...] | None:
    """Return the names of the positional arguments without a default, or None if unknown or there is `*args`."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    if any(p.kind is inspect.Parameter.VAR_POSITIONAL for p in parameters):
        return None
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return tuple(p.name for p in parameters if p.kind in positional and p.default is inspect.Parameter.empty)
