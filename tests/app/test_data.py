"""data: fetch uses the same folder as train; and options about data that several commands share."""

from pathlib import Path

import numpy as np
import pytest

from tests.fixtures import Events, Refused, Run
from tinygrad_mnist.datasets import folders, idx, mnist


def test_fetch_verifies_the_folder_in_the_environment_variable_and_downloads_nothing(
    events: Events, monkeypatch: pytest.MonkeyPatch, shared_mnist: Path
) -> None:
    monkeypatch.setenv(folders.VARIABLE, str(shared_mnist))
    result = events("data", "fetch", "--mirror", "http://127.0.0.1:9/")[-1]
    assert (result["folder"], result["verified"]) == (str(shared_mnist), True)
    assert (result["training"], result["test"]) == (60_000, 10_000)
    assert not Path("data").exists()


def test_fetch_names_the_environment_variable_if_its_folder_has_other_files(
    refused: Refused, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    for images, labels in (mnist.TRAINING, mnist.TEST):
        idx.write(folder / images, np.zeros((3, 28, 28), np.uint8))
        idx.write(folder / labels, np.zeros(3, np.uint8))
    monkeypatch.setenv(folders.VARIABLE, str(folder))
    assert f"{folders.VARIABLE} names {folder}, " in refused(1, "data", "fetch")
    assert not (tmp_path / "data").exists()


def test_data_shows_the_names_and_the_states_of_the_files_that_are_there(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "data" / "mnist"
    folder.mkdir(parents=True)
    idx.write(folder / "train-labels.idx1-ubyte", np.zeros(3, np.uint8))
    assert "train-labels.idx1-ubyte     not verified\n" in run("data").stdout
    assert "t10k-labels-idx1-ubyte      missing\n" in run("data").stdout


@pytest.mark.parametrize("words", [("train", "-q", "--epochs", 1), ("baseline",), ("show",), ("show", "ideal")])
def test_images_are_transposed_on_demand(words: tuple[object, ...], run: Run) -> None:
    result = run(*words, "--data", "strokes", "--transpose")
    assert result.exit_code == 0, result.output
    assert "rows and columns of the images are exchanged" in result.stderr


def test_data_shows_what_is_missing_and_how_to_get_it(run: Run, events: Events) -> None:
    for expected in ("MNIST in data/mnist", "missing", "data fetch", "none yet", "data strokes"):
        assert expected in run("data").stdout
    drawn = events("data", "strokes")[-1]
    assert events("data")[-1]["strokes"]["digits"] == list(range(10))
    assert drawn["folder"] == "data/strokes"


def test_what_cannot_be_saved_or_downloaded_is_an_error_of_one_sentence(refused: Refused) -> None:
    assert "Connection refused" in refused(1, "data", "fetch", "--mirror", "http://127.0.0.1:9/")
    assert "MNIST cannot be downloaded" in refused(1, "data", "fetch", "--mirror", "ftp://example.org/")
    Path("data").write_text("a file in the way")
    assert "cannot be saved in data/strokes" in refused(1, "data", "strokes")
