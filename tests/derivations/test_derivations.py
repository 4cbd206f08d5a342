"""The derivation checker: every equals sign of every page is checked, and wrong derivations are found at their step."""

import inspect
import re
from collections import Counter
from importlib import import_module

import pytest

from tests.derivations.wrong_derivations import WRONG_DERIVATIONS
from tinygrad_mnist.derivations import derivations, pagetext
from tinygrad_mnist.derivations.derivations import Step

PAGES = derivations.page_names()


def source_of(page: str) -> str:
    """Return the source of a page."""
    name = "tinygrad_mnist.passes" if page == "__init__" else f"tinygrad_mnist.passes.{page}"
    return inspect.getsource(import_module(name))


def steps_of(text: str, page: str = "linear") -> list[Step]:
    """Return the steps of formulas that stand in a page's docstring in place of its own."""
    table = "    x  (N, I)\n    w  (I, O)\n    b  (O,)\n    z  (N, O)\n"
    return derivations.check(page, f'"""A page.\n\n{table}\nIts formulas:\n\n{text}\n"""')


@pytest.mark.parametrize("page", PAGES)
def test_every_step_of_every_page_is_right(page: str) -> None:
    counts = derivations.counts(page)
    assert counts["wrong"] == []
    assert counts["right"] == counts["steps"] > 0


@pytest.mark.parametrize("page", PAGES)
def test_every_equals_sign_of_a_page_is_a_step_a_definition_or_a_condition(page: str) -> None:
    source = source_of(page)
    blocks = [block for blocks in pagetext.docstrings(source).values() for block in blocks]
    written = sum(line.count("=") for block in blocks if block.kind not in ("doctest", "code") for line in block.lines)
    counts: Counter[str] = Counter()
    for formula in pagetext.formulas(blocks):
        if formula.kind == "formula":
            for tree in derivations.parse(formula):
                counts["definitions"] += tree.data == "definition"
                nodes = [*tree.iter_subtrees()]
                counts["steps"] += sum(node.children[1::2].count("=") for node in nodes if node.data == "chain")
                counts["conditions"] += sum(node.children.count("=") for node in nodes if node.data == "comparison")
    assert written == counts.total()


@pytest.mark.parametrize(
    ("page", "old", "new"),
    [pytest.param(*wrong, marks=pytest.mark.exhaustive if n % 5 else ()) for n, wrong in enumerate(WRONG_DERIVATIONS)],
)
def test_a_wrong_derivation_is_found_at_its_step(page: str, old: str, new: str) -> None:
    source = source_of(page)
    assert source.count(old) == 1
    line = source[: source.index(old)].count("\n") + 1
    wrong = [step for step in derivations.check(page, source.replace(old, new)) if not step.right]
    assert wrong
    # The second row of a matrix, or the second of several cases, belongs to the line above it.
    is_second_row = "=" not in source.splitlines()[line - 1]
    assert wrong[0].line == line - is_second_row
    planted = re.split(r"\s{2,}", new.strip("`)( \n"))[0]
    assert " ".join(planted.split()) in wrong[0].text or wrong[0].line == line


def test_there_are_at_least_50_wrong_derivations_for_all_pages() -> None:
    assert len(set(WRONG_DERIVATIONS)) >= 50
    assert {page for page, _, _ in WRONG_DERIVATIONS} == set(PAGES)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("    z[n,o = 1", "it cannot be read"),
        ("    z[n,o] == 1", "it cannot be read"),
        ("    x + w", "it cannot be read"),
        ("z = x @ w + b, without backticks", "in no formula"),
        ("Let `u = 2`.", "nothing uses u"),
        ("Let `z = 2`, so that `z = 2`.", "z has a meaning already"),
        ("Let `dw = x.T @ dz`: `dw = x.T @ dz`.", "dw has a meaning already"),
        ("Let `u = 2`, let `u = 3`, and `u = 3`.", "u has a meaning already"),
        ("    let m < N, and more", "it cannot be read"),
        ("    x[n,i] = w[i,n]", "n runs over axes of different sizes"),
        ("    x[n,i,o] = 1", "3 indices for 2 axes"),
        ("    x[n,i] = x", "x needs an index for each of its 2 axes"),
        ("    x[n,i] = sum_q x[n,i]", "nothing says what q runs over"),
        ("    x[n,i] = x[n + 1,i]", "an index leaves its axis"),
        ("    x[n,i] = (x[n,i] if n = n)", "it cannot be read"),
        ("    ∂x[n,i]/∂w[i,o] = 0", "does not depend on it"),
        ("    ∂z[n,o]/∂w = 0", "each axis in a derivative needs an index"),
        ("    z = x.T @ w", "matmul"),
        ("    z = b", "the shapes of the sides are"),
        ("    (N, I) @ (O, I) = (N, I)", "matmul"),
        ("    x[n,i] = 0 if N < 2", "one of its cases never holds"),
        ("    x[n,i] = x[n,i] if N > 2, 0 if N < 2", "one of its cases never holds"),
        ("    x[n,i] = 2 x[n,i] * (0.5 if N > 2, 1 if N < 2, 0 otherwise)", "one of its cases never holds"),
        ("    x[n,i] = tan(x[n,i])", "No module named"),
        ("    let u[n] = x[n,i],    u[n] = u[n]", "different indices"),
        ("In arrays:\n\n    dw = x.T @", "invalid syntax"),
        ("In arrays:\n\n    dw = x.T @ upstream", "name 'upstream' is not defined"),
        ("In arrays:\n\n    dw = dw", "name 'dw' is not defined"),
    ],
)
def test_what_cannot_be_checked_is_wrong_and_says_why(text: str, reason: str) -> None:
    assert any(reason in step.reason for step in steps_of(text) if not step.right)


@pytest.mark.parametrize(
    "text",
    [
        "    z[n,o] = sum_i x[n,i] w[i,o] + b[o] = (x @ w)[n,o] + b[o],    (N, I) @ (I, O) = (N, O)",
        "    x[n,i] = x.T[i,n] = 2 x[n,i] / 2,    x.shape = (N, I)",
        "    x[n,i] = |x[n,i]| if x[n,i] > 0, -|x[n,i]| if x[n,i] ≤ 0",
        "    max_i x[n,i] ≥ x[n,i]",
        "    sum_i δ[i,j] x[n,i] = x[n,j],    x[n,j] = x[n,j] if x[n,i] = x[n,j]",
        "    ∂(e^u)/∂u = e^u,    ∂(log u)/∂u = 1/u if u > 0,    ∂(sqrt u)/∂u = 1 / (2 sqrt u) if u > 0",
        "Let `s[n] = sum_i x[n,i]^2`. Then `∂s[n]/∂x[m,i] = 2 x[m,i] δ[n,m]`.",
        "    let q < 4,    sum_q x[n,q] = sum_i x[n,i]",
        "    -x = 0 - x,    x (1 + 1) = 2x,    1 / 2 x = x / 2",
        "In arrays:\n\n    dw = 0 * w\n    for n in range(3):\n        dw[:, :] += x[n, :, None] * dz[n]",
    ],
)
def test_right_formulas_are_right(text: str) -> None:
    found = steps_of(text)
    assert found
    assert [step for step in found if not step.right] == []


def test_a_forward_whose_slope_the_complex_step_does_not_find_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    square = import_module("tinygrad_mnist.passes.square")
    monkeypatch.setattr(square, "forward", lambda x: abs(x) ** 2)  # of a complex number, not its square
    assert any(
        "the complex step with respect to x differs from" in one for one in derivations.counts("square")["wrong"]
    )


def test_a_wrong_forward_makes_the_derivation_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    square = import_module("tinygrad_mnist.passes.square")
    monkeypatch.setattr(square, "forward", lambda x: x * x * x)
    counts = derivations.counts("square")
    assert len(counts["wrong"]) == counts["steps"] - counts["right"] >= 4
    assert counts["wrong"][0].startswith("line ")
