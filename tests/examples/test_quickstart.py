"""The notebook runs from the first cell to the last, and shows what it promises."""

from pathlib import Path
from typing import Any

import pytest

from tinygrad_mnist.datasets import folders

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")
pytest.importorskip("matplotlib")

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """Return the cells of the notebook after it has run on digits that this project draws."""
    notebook = nbformat.read(ROOT / "examples" / "quickstart.ipynb", as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells), "the notebook is kept without outputs"
    home = tmp_path_factory.mktemp("home")
    (home / "download-failed.txt").touch()  # so that nothing is downloaded
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(folders.VARIABLE, str(home))
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
