"""Pictures in SVG: the graph of a pass with its shapes, patches, and max pool. The passes compute their numbers."""

import ast
import inspect
from collections.abc import Sequence
from html import escape
from types import ModuleType

import numpy as np

from book import writing
from tinygrad_mnist.passes import max_pool, patches

ROW, BOX, ARROW, LETTER = 56, 190, 90, 9.1
"""The height of a row in a graph, the widths of the box in the middle and of an arrow, and that of a letter."""

CELL = 34
BLOCK = 2 * CELL
"""The side of a pixel in the drawn images, and that of a block in the image for max pool."""


def graph(module: ModuleType, shapes: dict[str, tuple[list[str], str]]) -> str:
    """Return the computation graph of a pass: what goes in and out, with shapes, and below each name its gradient."""
    inputs = [name for name in inspect.signature(module.forward).parameters if name not in ("size", "stride", "wide")]
    first, *_ = inspect.signature(module.backward).parameters
    output = "L" if first in inputs else first.removeprefix("d")
    returned = _gradients(module)
    name = module.__name__.rpartition(".")[2].replace("_", " ")
    labels = {name: _label(name, shapes) for name in (*inputs, output)}
    start = 10 + LETTER * max(len(labels[name]) for name in inputs)
    left, right = start + ARROW, start + ARROW + BOX
    end, height = right + ARROW, ROW * len(inputs) + 24
    middle = height / 2
    parts = [
        f'<rect x="{left}" y="{middle - 26}" width="{BOX}" height="52" rx="8" class="box"/>',
        _text(left + BOX / 2, middle + 5, name, "middle", "operation"),
        _arrow(right, middle - 7, end, middle - 7),
        _text(end + 8, middle - 3, labels[output]),
        _arrow(end, middle + 9, right, middle + 9, "back"),
        _text(end + 8, middle + 15, "1" if output == "L" else f"d{output}", kind="gradient"),
    ]
    for number, argument in enumerate(inputs):
        y, at = ROW * (number + 0.5) + 12, middle + 8 * (number - (len(inputs) - 1) / 2)
        parts += [_arrow(start, y - 7, left, at - 8), _text(start - 8, y - 3, labels[argument], "end")]
        if f"d{argument}" in returned:
            parts += [
                _arrow(left, at + 8, start, y + 9, "back"),
                _text(start - 8, y + 15, f"d{argument}", "end", "gradient"),
            ]
    width = end + 10 + LETTER * len(labels[output])
    return _svg(width, height, f"{name}: from {', '.join(inputs)} to {output}, and back", parts)


def _gradients(module: ModuleType) -> set[str]:
    """Return the names in what backward returns."""
    returned = [
        node for node in ast.walk(ast.parse(inspect.getsource(module.backward))) if isinstance(node, ast.Return)
    ]
    return {node.id for node in ast.walk(returned[-1]) if isinstance(node, ast.Name)}


def _label(name: str, shapes: dict[str, tuple[list[str], str]]) -> str:
    axes = shapes.get(name, (None, ""))[0]
    return name if axes is None else f"{name} ({', '.join(axes)}{',' * (len(axes) == 1)})"


def of_page(name: str) -> str:
    """Return the picture that only this page has, in Markdown, or nothing."""
    if name in ("patches", "max_pool"):
        return writing.svg({"patches": _patches, "max_pool": _max_pool}[name]())
    return ""


def _patches() -> str:
    """Return an image of 4 by 4 pixels, and the rows that its overlapping patches become."""
    x = np.arange(16).reshape(1, 4, 4, 1)
    rows = patches.forward(x, size=3, stride=1).reshape(-1, 9)
    parts = _grid(x[0, :, :, 0], 10, 34)
    parts.append(f'<rect x="10" y="34" width="{3 * CELL}" height="{3 * CELL}" class="first"/>')
    parts.append(f'<rect x="{10 + CELL}" y="{34 + CELL}" width="{3 * CELL}" height="{3 * CELL}" class="last"/>')
    parts += _grid(rows, 220, 34)
    parts.append(f'<rect x="220" y="34" width="{9 * CELL}" height="{CELL}" class="first"/>')
    parts.append(f'<rect x="220" y="{34 + 3 * CELL}" width="{9 * CELL}" height="{CELL}" class="last"/>')
    parts += [_text(10, 22, "x (4 by 4)"), _text(220, 22, "c: each patch of 3 by 3 is a row")]
    return _svg(540, 184, "The patches of an image, and the rows that they become", parts)


def _max_pool() -> str:
    """Return an image of 4 by 4 pixels with the winner of each block, the pooled image, and where gradients go."""
    x = np.array([[1, 7, 0, 5], [2, 4, 6, 3], [8, 0, 2, 2], [3, 5, 1, 9]], float).reshape(1, 4, 4, 1)
    h = max_pool.forward(x, size=2)
    dh = np.array([[10.0, 20.0], [30.0, 40.0]]).reshape(h.shape)
    dx = max_pool.backward(dh, x, size=2)
    parts = _grid(x[0, :, :, 0], 10, 34, marked=dx[0, :, :, 0] != 0)
    parts += _grid(h[0, :, :, 0], 190, 68)
    parts += _grid(dh[0, :, :, 0], 300, 68, kind="gradient")
    parts += _grid(dx[0, :, :, 0], 410, 34, marked=dx[0, :, :, 0] != 0, kind="gradient")
    parts += [
        _text(10, 22, "x"),
        _text(190, 56, "h"),
        _text(300, 56, "dh", kind="gradient"),
        _text(410, 22, "dx", kind="gradient"),
    ]
    for left in (10, 410):
        parts += [
            f'<rect x="{left + BLOCK * i}" y="{34 + BLOCK * j}" width="{BLOCK}" height="{BLOCK}" class="block"/>'
            for i in (0, 1)
            for j in (0, 1)
        ]
    return _svg(560, 184, "The winners of each block of 2 by 2, and where their gradients go", parts)


def _grid(numbers: np.ndarray, left: float, top: float, marked: np.ndarray | None = None, kind: str = "") -> list[str]:
    """Return the cells of an array, with its numbers."""
    parts = []
    for (row, column), number in np.ndenumerate(numbers):
        x, y = left + CELL * column, top + CELL * row
        shown = "cell marked" if marked is not None and marked[row, column] else "cell"
        parts.append(f'<rect x="{x}" y="{y}" width="{CELL}" height="{CELL}" class="{shown}"/>')
        parts.append(_text(x + CELL / 2, y + CELL / 2 + 5, f"{number:g}", "middle", kind))
    return parts


def _text(x: float, y: float, text: str, anchor: str = "start", kind: str = "") -> str:
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" class="{kind}">{escape(text)}</text>'


def _arrow(x1: float, y1: float, x2: float, y2: float, kind: str = "forth") -> str:
    return f'<line x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}" class="{kind}" marker-end="url(#{kind})"/>'


def _svg(width: float, height: float, title: str, parts: Sequence[str]) -> str:
    heads = "".join(
        f'<marker id="{kind}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        f'<path d="M0 0 L8 4 L0 8 z" class="{kind}-head"/></marker>'
        for kind in ("forth", "back")
    )
    return (
        f'<svg viewBox="0 0 {width:g} {height:g}" role="img" style="max-width: {width:g}px">'
        f"<title>{escape(title)}</title><defs>{heads}</defs>{''.join(parts)}</svg>"
    )
