"""What the corpus consists of: functions with their backwards, right and wrong, and arguments to check them at."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np


class Entry(NamedTuple):
    """A function and its backward, as somebody might hand them to `verify`."""

    name: str
    forward: Any
    """The forward, or a layer that has both; its backward is then None."""
    backward: Callable[..., Any] | None
    arguments: tuple[Any, ...]
    options: dict[str, Any]
    """What `verify` takes by name, such as wrt or cache."""
    wrong: str
    """What is wrong with the backward, in a sentence. It is empty if the backward is right."""

    def checked_by(self, verify: Callable[..., Any]) -> Any:
        """Return the report of `verify` on fresh copies of the arguments."""
        functions = (self.forward,) if self.backward is None else (self.forward, self.backward)
        arguments = [x.copy(order="K") if isinstance(x, np.ndarray) else x for x in self.arguments]
        return verify(*functions, *arguments, report=True, **self.options)


def right(name: str, forward: Any, backward: Callable[..., Any] | None, *arguments: Any, **options: Any) -> Entry:
    """Return an entry whose backward is right."""
    return Entry(name, forward, backward, arguments, options, wrong="")


def wrong(sentence: str, forward: Any, backward: Callable[..., Any] | None, *arguments: Any, **options: Any) -> Entry:
    """Return an entry whose backward is wrong. Its name is the sentence that says how."""
    return Entry(sentence, forward, backward, arguments, options, wrong=sentence)


def wrong_backwards(
    forward: Any, arguments: tuple[Any, ...], backwards: dict[str, Callable[..., Any]], **options: Any
) -> list[Entry]:
    """Return entries with wrong backwards of one function, by the sentences that say what is wrong with them."""
    return [wrong(sentence, forward, backward, *arguments, **options) for sentence, backward in backwards.items()]


def numbers(*shape: int, seed: int = 0) -> Any:
    """Return random numbers, normally distributed, the same for the same shape and seed."""
    return np.random.default_rng((seed, *shape)).standard_normal(shape)


def positive(*shape: int, seed: int = 0) -> Any:
    """Return random numbers from 0.5 to 2."""
    return np.random.default_rng((seed, *shape)).uniform(0.5, 2, shape)


def named(entries: Iterable[Entry]) -> dict[str, Entry]:
    """Return the entries by their names, which must differ."""
    listed = list(entries)
    found = {entry.name: entry for entry in listed}
    if len(found) < len(listed):
        raise ValueError("two entries have the same name")
    return found
