"""Which page is to blame if only a chain is wrong: each pass is checked again at the values that the chain gives it."""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from types import ModuleType
from typing import Any

import numpy as np

from tinygrad_mnist.arrays.backend import Backend
from tinygrad_mnist.check.report import RIGHT, Report
from tinygrad_mnist.check.subject import as_numbers
from tinygrad_mnist.proof.case import Case
from tinygrad_mnist.proof.network_cases import SKIP
from tinygrad_mnist.proof.page_cases import BACKWARDS, page_case

Calls = list[tuple[Any, ...]]
"""The arguments of each call of a function, in their order."""


def replayed(cases: Mapping[str, Any], reports: Mapping[str, Report], backend: Backend) -> dict[str, Report]:
    """Return the reports on passes that are wrong at a chain's values, by names that say whose; empty if there is none.

    Only the first wrong chain is replayed, and only if no function is wrong by itself.
    """
    failed = [cases[name] for name, report in reports.items() if report.verdict != RIGHT]
    if not all(case.chained for case in failed):
        return {}
    chain = next((case for case in failed if isinstance(case, Case)), None)
    found = {case.name: case.report(backend) for case in replays(chain)} if chain else {}
    return {name: report for name, report in found.items() if report.verdict != RIGHT}


def replays(chain: Case) -> Iterator[Case]:
    """Yield a case for each call of a pass in a chain, with the arguments and the upstream gradient that it gets."""
    with ExitStack() as stack:
        forwards = {page: stack.enter_context(_recorded(page, "forward")) for page in BACKWARDS}
        backwards = {page: stack.enter_context(_recorded(page, "backward")) for page in BACKWARDS}
        arguments = [x.copy() if isinstance(x, np.ndarray) else x for x in chain.arguments]
        chain.backward(np.ones(()), *arguments)
    for page in BACKWARDS:
        # A chain goes back in the reverse order, and may not go back as far as its images.
        calls = zip(reversed(forwards[page]), backwards[page], strict=False)
        for number, (given, (upstream, *_)) in enumerate(calls):
            name = f"{page.__name__.rpartition('.')[2]} {len(forwards[page]) - number} in {chain.name}"
            yield page_case(name, page, *given, skip=SKIP, **_upstream(page, given, upstream))


def _upstream(page: ModuleType, given: Sequence[Any], upstream: Any) -> dict[str, Any]:
    """Return the option of `verify` with the upstream gradient that a chain gave a pass, if it fits."""
    array = as_numbers(upstream)
    fits = array is not None and array.shape == page.forward(*given).shape and np.any(array)
    return {"upstream": array} if fits else {}


@contextmanager
def _recorded(page: ModuleType, name: str) -> Iterator[Calls]:
    """Record the arguments of all calls of a page's function in the `with` block."""
    function, calls = getattr(page, name), list[tuple[Any, ...]]()
    parameters = inspect.signature(function)

    def recorded(*given: Any, **named: Any) -> Any:
        calls.append(parameters.bind(*given, **named).args)
        return function(*given, **named)

    setattr(page, name, recorded)
    try:
        yield calls
    finally:
        setattr(page, name, function)
