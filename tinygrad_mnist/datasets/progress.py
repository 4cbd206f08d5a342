"""How a person is told about slow or unusual work: sentences, and bars that move."""

import warnings
from collections.abc import Iterable
from typing import TypeVar

Item = TypeVar("Item")


class Progress:
    """Tells about work in a Python program: sentences become warnings, and there are no bars.

    The command line has a Progress of its own, which prints both.
    """

    shows_bars = False

    def say(self, sentence: str) -> None:
        """Tell what has happened, for example that MNIST cannot be downloaded."""
        warnings.warn(sentence, stacklevel=3)

    def bar(self, items: Iterable[Item], name: str, count: int | None = None) -> Iterable[Item]:  # noqa: ARG002 - no bar
        """Return the items to loop over. A bar with this name moves after each, if bars are shown.

        `count` is the number of items, if they have no length.
        """
        return items
