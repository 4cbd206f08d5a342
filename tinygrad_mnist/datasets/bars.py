"""Progress bars for slow work. The caller makes the bar, because it knows whether there is a terminal."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

MakeBar = Callable[[str], Any]
"""Makes a bar with this name. The bar has the methods start(total), update(count) and close()."""

Item = TypeVar("Item")


def track(items: Sequence[Item], name: str, make_bar: MakeBar | None) -> Iterator[Item]:
    """Yield the items, and advance a bar after each. There is no bar if make_bar is None or there are no items."""
    if make_bar is None or not items:
        yield from items
        return
    bar = make_bar(name)
    bar.start(len(items))
    try:
        for item in items:
            yield item
            bar.update(1)
    finally:
        bar.close()
