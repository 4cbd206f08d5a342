"""Functions with right and with wrong backwards, none of which are ours, for `verify` to tell apart.

RIGHT and WRONG are what a gradient checker is measured by: it must accept the first and reject the second. An entry
says how its function is called and, if the backward is wrong, what is wrong with it, in a sentence.
"""

from importlib import import_module
from typing import Any

from tests.check.corpus.entry import Entry, named


def modules(kind: str, names: str) -> list[Any]:
    """Return the modules of the corpus with entries of a kind, right or wrong."""
    return [import_module(f"tests.check.corpus.{kind}_{name}") for name in names.split()]


RIGHT_MODULES = modules("right", "elementwise kinks reductions products losses scales interfaces models numerics")
WRONG_MODULES = modules("wrong", "regions factors terms kinks shapes contracts interfaces details others")

RIGHT = named(entry for module in RIGHT_MODULES for entry in module.ENTRIES)
WRONG = named(entry for module in WRONG_MODULES for entry in module.ENTRIES)

__all__ = ["RIGHT", "WRONG", "Entry"]
