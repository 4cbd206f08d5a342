"""data: fetch uses the same folder as train, and drawn digits that are damaged are drawn again."""

from pathlib import Path

import numpy as np
import pytest

from tests.fixtures import Events, Refused, Run
from tinygrad_mnist.datasets import folders, idx, mnist, stroke_cache


def test_fetch_verifies_the_folder_in_the_environment_variable_and_downloads_nothing(
    events: Events, monkeypatch: pytest.MonkeyPatch, shared_mnist: Path
) -> None:
    monkeypatch.setenv(folders.VARIABLE, str(shared_mnist))
    result = events("data", "fetch", "--mirror", "http://127.0.0.1:9/")[-1]
    assert (result["folder"], result["verified"]) == (str(shared_mnist), True)
    assert (result["training"], result["test"]) == (60_000, 10_000)
    assert not Path("data").exists()


@pytest.mark.parametrize("exists", [True, False])
def test_fetch_names_the_environment_variable_if_its_folder_does_not_hold_mnist(
    exists: bool, refused: Refused, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "elsewhere"
    if exists:
        folder.mkdir()
        idx.write(folder / mnist.TEST[1], np.zeros(3, np.uint8))
    monkeypatch.setenv(folders.VARIABLE, str(folder))
    error = refused(1, "data", "fetch")
    assert f"{folders.VARIABLE} names {folder}, " in error
    assert "--data" not in error, "fetch does not have this option"
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("address", ["http://[::1/", f"http://{'a' * 70}.com/", "http://..../", "http://x:99999/"])
def test_an_address_that_cannot_be_parsed_is_bad_usage(refused: Refused, address: str) -> None:
    assert "--mirror" in refused(2, "data", "fetch", "--mirror", address)


def test_damaged_strokes_are_drawn_again_with_a_notice(run: Run) -> None:
    run("data", "strokes")
    path = stroke_cache.path(folders.of_strokes(), 3)
    path.write_bytes(path.read_bytes()[:-1])
    result = run("data", "strokes")
    assert result.stderr == f"{path} was damaged, so the digit 3 was drawn again.\n"
    assert run("data", "strokes").stderr == ""
