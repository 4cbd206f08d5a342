"""How a person is told about slow or unusual work: sentences, and bars that move."""

import warnings
from collections.abc import Iterable, Sequence
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

    def bar(self, items: Sequence[Item], name: str) -> Iterable[Item]:  # noqa: ARG002 - for those that show bars
        """Return the items to loop over. A bar with this name moves after each, if bars are shown."""
        return items
