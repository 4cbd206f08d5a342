"""The pages with derivations: for each operation its text and its code, what was checked, and a bug that is found."""

import ast
import inspect
from collections.abc import Iterator, Sequence
from importlib import import_module
from types import ModuleType

from book import pictures, writing
from book.writing import Block
from tinygrad_mnist.arrays.backend import choose_backend
from tinygrad_mnist.check.report import Report
from tinygrad_mnist.derivations import derivations, pagetext
from tinygrad_mnist.proof import summary
from tinygrad_mnist.proof.cases import Case, all_cases
from tinygrad_mnist.proof.planted import named_bugs, planted

ORDER = (
    "square",
    "linear",
    "sigmoid",
    "mean_loss",
    "relu",
    "cross_entropy",
    "first_linear",
    "tanh",
    "squared_error",
    "softmax_cross_entropy",
    "broadcast",
    "patches",
    "max_pool",
    "layer_norm",
    "batch_norm",
)
"""The operations in the order of reading."""


def pages() -> dict[str, str]:
    """Return the page of each operation, and the one that leads to them, by the names of their files."""
    names = [name for name in ORDER if name in derivations.page_names()]
    missing = {*derivations.page_names()} - {*names, "__init__"}
    if missing:
        raise ValueError(f"docs/book/derivation_page.py has no place for {', '.join(sorted(missing))}")
    return {f"{name}.md": _page(name, names) for name in names} | {"derivations.md": _overview(names)}


def _module(name: str) -> ModuleType:
    return import_module(f"tinygrad_mnist.passes.{name}")


def _docstrings(module: ModuleType) -> dict[str, list[Block]]:
    return pagetext.docstrings(inspect.getsource(module))


def title(name: str) -> str:
    """Return the title of a page, which is the beginning of its docstring."""
    return _docstrings(_module(name))[""][0].lines[0].partition(":")[0].partition(",")[0]


def _idea(name: str) -> str:
    """Return what follows the title in the first paragraph of a page, in Markdown."""
    _, _, text = " ".join(_docstrings(_module(name))[""][0].lines).partition(": ")
    first = text.split()[0]
    is_word = first.isalpha() and len(first) > 1
    return writing.prose(text[0].upper() + text[1:] if is_word else text)


def _overview(names: Sequence[str]) -> str:
    """Return the page with the chain rule and with a list of all operations."""
    package = import_module("tinygrad_mnist.passes")
    _, *blocks = _docstrings(package)[""]
    counts = {name: derivations.counts(name) for name in ("__init__", *names)}
    for name, found in counts.items():
        if found["wrong"]:
            raise ValueError(f"{name}.py has a wrong step in {found['wrong'][0]}")
    rows = [
        (f"[{title(name)}]({name}.md)", _idea(name), f"{counts[name]['right']} of {counts[name]['steps']}")
        for name in names
    ]
    head = "| operation | | equals signs checked |\n| :-- | :-- | --: |\n"
    listed = head + "\n".join(f"| {' | '.join(row)} |" for row in rows)
    total = sum(found["steps"] for found in counts.values())
    contents = writing.fence("{toctree}\n:hidden:", "\n".join(names))
    return (
        f"# Derivations\n\nEach operation has a page: what it computes, how its gradient follows, and the code. "
        f"All {total} equals signs on these pages are checked with random numbers whenever this book is built.\n\n"
        f"{listed}\n\n## How to read the pages\n\n{writing.blocks(blocks)}\n\n{contents}\n"
    )


def _page(name: str, names: Sequence[str]) -> str:
    """Return the page of an operation."""
    module = _module(name)
    docstrings = _docstrings(module)
    _, *rest = docstrings[""]
    parts = [
        "---\nhide-toc: true\n---",
        f"# {title(name)}",
        _idea(name),
        writing.svg(pictures.graph(module, pagetext.shapes(docstrings[""]))),
        writing.blocks(rest),
        pictures.of_page(name),
    ]
    for function, blocks in docstrings.items():
        if function and not function.startswith("_"):
            parts.append(f"## {function.capitalize()}\n\n{_beside(blocks, _code(module, function))}")
    parts += ["## What was checked", _checked(name, module), *_planted(name, module), _neighbors(name, names)]
    return "\n\n".join(filter(None, parts)) + "\n"


def _beside(blocks: Sequence[Block], code: str) -> str:
    """Return text with code beside it, or below it on a narrow screen."""
    text = writing.blocks(blocks)
    right = writing.fence("page", code)
    return (
        f":::::{{container}} beside\n::::{{container}} derivation\n{text}\n::::\n"
        f"::::{{container}} code\n{right}\n::::\n:::::"
    )


def _code(module: ModuleType, name: str) -> str:
    """Return the source of a function without its docstring."""
    return without_docstring(inspect.getsource(getattr(module, name)))


def without_docstring(source: str) -> str:
    """Return the source of a function without its docstring."""
    lines = source.splitlines()
    (function,) = ast.parse(source).body
    docstring = function.body[0]  # type: ignore[attr-defined]  # it is a function
    return "\n".join(lines[: docstring.lineno - 1] + lines[docstring.end_lineno :])


def _checked(name: str, module: ModuleType) -> str:
    """Return the table of what was checked, with errors and what is allowed."""
    steps = derivations.check(name)
    right = sum(step.right for step in steps)
    error = max(step.error for step in steps)
    rows = [
        (
            f"equals signs of the derivation, to {derivations.TOLERANCE:.0e}",
            f"{right} of {len(steps)} right",
            f"{error:.0e}",
            "random numbers",
        )
    ]
    for case, report in _reports(module).items():
        rows += [
            (f"`d{one.name}` of {case}, in {one.entries} entries", one.verdict, f"{one.error:.0e}", one.oracle)
            for one in report.arguments
        ]
    return writing.table(("what", "verdict", "largest error", "measured by"), rows)


def _reports(module: ModuleType) -> dict[str, Report]:
    """Return the checker's reports on the cases of a page."""
    cases = [case for case in all_cases().values() if isinstance(case, Case) and case.forward is module.forward]
    return {case.name: case.report(choose_backend("numpy")) for case in cases}


def _planted(name: str, module: ModuleType) -> Iterator[str]:
    """Yield a section with a bug, planted in the page's backward, and how it is found."""
    bugs = [bug for bug in named_bugs().values() if bug.function == f"passes.{name}.backward"]
    for bug in bugs[:1]:
        with planted(bug):
            reports = _reports(module)
        found = writing.without_paths(summary.faults(reports, chained=()))
        change = "\n".join(f"{sign} {line}" for sign, line in (("-", bug.before), ("+", bug.after)))
        yield (
            f"## A planted bug\n\n{writing.escaped(bug.description)}\n\n{writing.fence('diff', change)}\n\n"
            f"`python cli.py gradcheck --plant {bug.name}` finds it:\n\n{writing.fence('text', found)}"
        )


def _neighbors(name: str, names: Sequence[str]) -> str:
    """Return links to the operations before and after this one."""
    place = names.index(name)
    before = [f"Before: [{title(other)}]({other}.md)" for other in names[max(place - 1, 0) : place]]
    after = [f"After: [{title(other)}]({other}.md)" for other in names[place + 1 : place + 2]]
    return " · ".join([*before, *after, f"Source: `tinygrad_mnist/passes/{name}.py`"])
