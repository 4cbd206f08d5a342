"""The guide to `verify`: three examples, run when the book is built, and what each verdict means."""

import inspect
from types import ModuleType

from book import writing
from book.examples import forgotten_path, random_numbers, softplus

EXAMPLES = (softplus, forgotten_path, random_numbers)


def pages() -> dict[str, str | bytes]:
    """Return the examples with their reports, by the names of their files."""
    return {f"{example.__name__.rpartition('.')[2]}.inc": _example(example) for example in EXAMPLES}


def _example(example: ModuleType) -> str:
    """Return the source of an example, and its report."""
    report = writing.without_paths(str(example.report))
    return f"{writing.fence('page', inspect.getsource(example).strip())}\n\n{writing.fence('text', report)}"
