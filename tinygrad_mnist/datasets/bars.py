"""Progress bars for what lasts: made by whoever has a terminal, moved along by whoever does the work."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

Bars = Callable[[str], Any]
"""Makes a bar with this name, as pooch wants one: total, update(count), reset(), close()."""

Thing = TypeVar("Thing")


def shown(things: Sequence[Thing], name: str, bars: Bars | None) -> Iterator[Thing]:
    """Yield the things, and move a bar along as each is done with. Without bars, and without things, there is none."""
    if bars is None or not things:
        yield from things
        return
    bar = bars(name)
    bar.total = len(things)
    try:
        for thing in things:
            yield thing
            bar.update(1)
    finally:
        bar.close()
