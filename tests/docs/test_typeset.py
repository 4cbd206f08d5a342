"""Formulas in LaTeX."""

import inspect
import re
from importlib import import_module
from pathlib import Path
from runpy import run_path
from types import SimpleNamespace

import pytest

from tinygrad_mnist.derivations import derivations, pagetext
from tinygrad_mnist.derivations.pagetext import FORMULA, Formula

# The package of the book imports Sphinx, which the tests need not have.
FILE = Path(__file__).parents[2] / "docs" / "book" / "typeset.py"
typeset = SimpleNamespace(**run_path(str(FILE)))


def latex(text: str) -> str:
    """Return a formula on lines of its own, without the environment around it."""
    return typeset.latex(derivations.parse(Formula(text, 0)))[len(r"\begin{aligned}") : -len(r"\end{aligned}")]


def inline(text: str) -> str:
    """Return a formula in a line of text."""
    return typeset.inline(derivations.parse(Formula(text, 0)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "dw[i,o] = sum_m x.T[i,m] dz[m,o]",
            r"\mathit{dw}_{i,o} &= \sum_{m} x^{\mathsf{T}}_{i,m} \, \mathit{dz}_{m,o}",
        ),
        ("z = x @ w = y", r"z &= x \, w \\ &= y"),
        ("z = x,  (N, I) @ (I, O) = (N, O)", r"z &= x \qquad (N, I) \, (I, O) = (N, O)"),
        ("L = u,  let u = 2 x", r"L &= u \\ \text{let } u &= 2 \, x"),
        ("∂L/∂w[i,o] = 6 * 4", r"\frac{\partial L}{\partial w_{i,o}} &= 6 \cdot 4"),
        ("p = (1 + e^-z) / (x y)", r"p &= \frac{1 + e^{-z}}{x \, y}"),
        ("dx = u * 1/N sum_m x[m]", r"\mathit{dx} &= u \cdot \frac{1}{N} \, \sum_{m} x_{m}"),
        ("s = (v + ε)^(-1/2)", r"s &= \left(v + \varepsilon\right)^{-\frac{1}{2}}"),
        ("w12 = gamma", r"w_{12} &= \gamma"),
        (
            "h = |z| if z ≥ 0, 0 otherwise",
            r"h &= \begin{cases}\left| z \right| & \text{if } z \ge 0 \\ 0 & \text{otherwise}\end{cases}",
        ),
        (
            "h = a (1 if z > 0 and j = i, 0 otherwise)",
            r"h &= a \, \begin{cases}1 & \text{if } z > 0 \text{ and } j = i \\ 0 & \text{otherwise}\end{cases}",
        ),
        (
            "L = log p + max(z, 0) + sigmoid(z)",
            r"L &= \log p + \max \left(z, 0\right) + \operatorname{sigmoid} \left(z\right)",
        ),
        (
            "dw = ⟦x11, x21; x12, x22⟧ @ x.T",
            r"\mathit{dw} &= \begin{pmatrix}x_{11} & x_{21} \\ x_{12} & x_{22}\end{pmatrix} \, x^{\mathsf{T}}",
        ),
        ("c[n,(u,v)] = x[n,2 p + u]", r"c_{n,(u, v)} &= x_{n,2 \, p + u}"),
        ("let u < size", r"\text{let } u &< \mathit{size}"),
        ("x.shape = (N, I)", r"\mathrm{shape}(x) &= (N, I)"),
    ],
)
def test_a_formula_in_latex(text: str, expected: str) -> None:
    assert latex(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "∂z[m,k]/∂w[i,o] = x[m,i] if k = o, 0 otherwise",
            r"\partial z_{m,k} / \partial w_{i,o} = x_{m,i} \text{ if } k = o, 0 \text{ otherwise}",
        ),
        ("p = 1 / (1 + e^-z) = q", r"p = 1 / \left(1 + e^{-z}\right) = q"),
        ("e = p if t = 0, 1 - p if t = 1", r"e = p \text{ if } t = 0, 1 - p \text{ if } t = 1"),
        ("let s = 1/255", r"\text{let } s = 1 / 255"),
        ("let u < size", r"\text{let } u < \mathit{size}"),
    ],
)
def test_a_formula_in_a_line_of_text_has_no_tall_parts(text: str, expected: str) -> None:
    assert inline(text) == expected


@pytest.mark.parametrize("page", derivations.page_names())
def test_every_formula_of_every_page_can_be_typeset(page: str) -> None:
    name = "tinygrad_mnist.passes" if page == "__init__" else f"tinygrad_mnist.passes.{page}"
    for blocks in pagetext.docstrings(inspect.getsource(import_module(name))).values():
        for formula in pagetext.formulas(blocks):
            if formula.kind == FORMULA:
                for text in (latex(formula.text), inline(formula.text)):
                    assert text.count("{") == text.count("}")
                    assert text.count(r"\left") == text.count(r"\right")
                    assert sorted(re.findall(r"\\begin{(\w+)}", text)) == sorted(re.findall(r"\\end{(\w+)}", text))
                    assert not re.search(r"[∂δε≤≥≠⟦⟧]|(?<!\\)sum_", text)
