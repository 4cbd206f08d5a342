"""The notebook runs from the first cell to the last, and shows what it promises."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinygrad_mnist.datasets import idx, mnist, strokes

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")
pytest.importorskip("matplotlib")

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """Return the cells of the notebook after it has run on a few digits that this project draws."""
    notebook = nbformat.read(ROOT / "examples" / "quickstart.ipynb", as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells), "the notebook is kept without outputs"
    folder = tmp_path_factory.mktemp("digits")
    for files, count in ((mnist.TRAINING, 600), (mnist.TEST, 150)):
        images = [strokes.draw(digit, count, np.random.default_rng((digit, count))) for digit in (3, 7)]
        idx.write(folder / files[0], np.concatenate(images))
        idx.write(folder / files[1], np.repeat(np.array([3, 7], np.uint8), count))
    for cell in notebook.cells:
        cell.source = cell.source.replace('"auto"', repr(str(folder)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        nbclient.NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def text(cell: Any) -> str:
    """Return all text that a cell shows."""
    return "\n".join(output.get("text", "") + str(output.get("data", "")) for output in cell.outputs)


def test_it_trains_and_predicts_well(cells: list[Any]) -> None:
    table, (score,) = text(cells[3]), [cell for cell in cells if "model.score" in cell.source]
    assert "valid loss" in table
    assert "19" in table
    assert float(text(score).split("'")[-2].partition("%")[0]) > 95


def test_it_shows_pictures_of_the_digits_the_model_and_the_mistakes(cells: list[Any]) -> None:
    assert sum("image/png" in text(cell) for cell in cells) >= 4


def test_it_finds_the_forgotten_factor(cells: list[Any]) -> None:
    right, wrong = (text(cell) for cell in cells if "tm.verify" in cell.source)
    assert "right" in right
    assert "wrong" in wrong
    assert "2" in wrong
