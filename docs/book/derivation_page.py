"""The pages with derivations: for each operation its text and its code, what was checked, and a bug that is found."""

import ast
import inspect
from collections.abc import Iterator, Sequence
from importlib import import_module
from types import ModuleType

from book import pictures, writing
from book.writing import Block
from tinygrad_mnist.arrays.backend import choose_backend
from tinygrad_mnist.proof import derivations, pagetext
from tinygrad_mnist.proof.cases import all_cases
from tinygrad_mnist.proof.gradcheck import GradientCase, check
from tinygrad_mnist.proof.planted import PLANTED_BUGS

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


def _overview(names: Sequence[str]) -> str:
    """Return the page with the chain rule and with a list of all operations."""
    package = import_module("tinygrad_mnist.passes")
    _, *blocks = _docstrings(package)[""]
    rows = []
    for name in names:
        right, number, _ = derivations.steps(name)
        first = _docstrings(_module(name))[""][0]
        idea = writing.prose(" ".join(first.lines).partition(": ")[2])
        rows.append((f"[{title(name)}]({name}.md)", idea, f"{right} of {number}"))
    head = "| operation | | equals signs checked |\n| :-- | :-- | --: |\n"
    listed = head + "\n".join(f"| {' | '.join(row)} |" for row in rows)
    right, number, _ = derivations.steps("__init__")
    total = sum(derivations.steps(name)[1] for name in names) + number
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
    idea, *rest = docstrings[""]
    _, _, text = " ".join(idea.lines).partition(": ")
    is_word = text.split()[0].isalpha() and len(text.split()[0]) > 1
    text = text[0].upper() + text[1:] if is_word else text
    parts = [
        "---\nhide-toc: true\n---",
        f"# {title(name)}",
        writing.prose(text),
        writing.svg(pictures.graph(module, pagetext.shapes(docstrings[""]))),
        writing.blocks(rest),
        pictures.of_page(name),
    ]
    for function, blocks in docstrings.items():
        if function and not function.startswith("_"):
            parts.append(f"## {function.capitalize()}\n\n{_beside(blocks, _code(module, function))}")
    parts += ["## What was checked", _checked(name, module), *_planted(module), _neighbors(name, names)]
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


def _cases(module: ModuleType) -> dict[str, GradientCase]:
    """Return the gradient cases of a page."""
    return {name: case for name, case in all_cases().items() if case.backward is module.backward}


def _checked(name: str, module: ModuleType) -> str:
    """Return the table of what was checked, with errors and what is allowed."""
    steps = derivations.check(name)
    right = sum(step.right for step in steps)
    tolerance = derivations.EXACT if all(step.exact for step in steps) else derivations.MEASURED
    error = max(step.error for step in steps)
    rows = [("equals signs of the derivation", f"{right} of {len(steps)}", f"{error:.0e}", f"{tolerance:.0e}")]
    for case in _cases(module).values():
        results = check(case, choose_backend("numpy"))
        rows += [
            (
                f"`d{result.argument}` of {case.name}, {result.oracle}",
                "right" if result.passed else "wrong",
                f"{result.error:.0e}",
                f"{result.tolerance:.0e}",
            )
            for result in results
            if result.oracle in ("differences", "complex step", "float32")
        ]
    return writing.table(("what", "result", "largest error", "allowed"), rows)


def _planted(module: ModuleType) -> Iterator[str]:
    """Yield a section with a bug, planted in the page's backward, and how it is found."""
    cases = _cases(module)
    bugs = [(name, bug) for name, bug in PLANTED_BUGS.items() if bug.case in cases]
    if bugs:
        name, bug = bugs[0]
        failed = [
            result for result in check(bug.planted_in(cases)[bug.case], choose_backend("numpy")) if not result.passed
        ]
        yield (
            f"## A planted bug\n\n{writing.escaped(bug.description)}\n\n"
            f"{writing.fence('page', without_docstring(inspect.getsource(bug.wrong)))}\n\n"
            f"`python cli.py gradcheck --plant {name}` finds it:\n\n"
            + writing.table(
                ("what", "error", "allowed"),
                (
                    (f"`d{result.argument}`, {result.oracle}", f"{result.error:.0e}", f"{result.tolerance:.0e}")
                    for result in failed
                ),
            )
        )


def _neighbors(name: str, names: Sequence[str]) -> str:
    """Return links to the operations before and after this one."""
    place = names.index(name)
    before = [f"Before: [{title(other)}]({other}.md)" for other in names[max(place - 1, 0) : place]]
    after = [f"After: [{title(other)}]({other}.md)" for other in names[place + 1 : place + 2]]
    return " · ".join([*before, *after, f"Source: `tinygrad_mnist/passes/{name}.py`"])
