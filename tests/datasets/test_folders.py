"""Where data sets are kept, and how long a failed download is remembered."""

import os
import time
from pathlib import Path

import numpy as np
import pytest

from tinygrad_mnist import datasets
from tinygrad_mnist.datasets import folders, idx, mnist, stroke_cache


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(folders.VARIABLE, raising=False)
    monkeypatch.setattr(stroke_cache, "TRAINING", 3)
    monkeypatch.setattr(stroke_cache, "TEST", 2)


def test_outside_of_a_checkout_it_is_the_users_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert folders.home().name == "tinygrad_mnist"
    assert folders.home().is_absolute()
    assert not folders.home().exists()


def test_in_a_checkout_it_is_the_folder_data(tmp_path: Path) -> None:
    (tmp_path / "tinygrad_mnist").mkdir()
    (tmp_path / "cli.py").touch()
    assert (folders.of_mnist(), folders.of_strokes()) == (Path("data/mnist"), Path("data/strokes"))


def test_data_sets_of_an_earlier_version_are_found() -> None:
    Path("data/mnist").mkdir(parents=True)
    assert folders.home() == Path("data")


def test_one_variable_changes_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(folders.VARIABLE, str(tmp_path))
    assert (folders.of_mnist(), folders.of_strokes()) == (tmp_path / "mnist", tmp_path / "strokes")
    assert datasets.load("strokes", (3,)).origin == f"digits drawn by this program, in {tmp_path / 'strokes'}"


def test_the_variable_may_name_mnists_own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    idx.write(tmp_path / mnist.TEST[1], np.zeros(3, np.uint8))
    monkeypatch.setenv(folders.VARIABLE, str(tmp_path))
    assert folders.of_mnist() == tmp_path
    assert tmp_path not in folders.of_strokes().parents


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let every download fail, and return the addresses that are tried."""
    from tinygrad_mnist.datasets import download

    addresses: list[str] = []

    def fail(address: str, *_: object) -> bytes:
        addresses.append(address)
        raise download.MirrorError("cannot be reached")

    monkeypatch.setattr(download, "download", fail)
    monkeypatch.setattr(mnist, "MIRRORS", ("http://127.0.0.1:9/",))
    monkeypatch.setattr(folders, "is_checkout", lambda: True)
    return addresses


def test_a_failed_download_is_not_tried_again_for_a_while(tried: list[str]) -> None:
    notices: list[str] = []
    for _ in range(3):
        assert datasets.load("auto", (3,), notices.append).name == "strokes"
    assert len(tried) == 1
    assert "cannot be reached" in notices[0]
    assert "failed 0 minutes ago" in notices[1]
    past = time.time() - 60 * folders.RETRY_MINUTES - 1
    os.utime("data/download-failed.txt", (past, past))
    datasets.load("auto", (3,))
    assert len(tried) == 2


def test_a_failed_download_leaves_no_empty_folder(tried: list[str]) -> None:
    datasets.load("auto", (3,))
    assert not Path("data/mnist").exists()
    assert all(any(path.iterdir()) for path in Path().rglob("*") if path.is_dir())


def test_asking_for_mnist_always_tries_again(tried: list[str]) -> None:
    datasets.load("auto", (3,))
    with pytest.raises(datasets.DataError, match="cannot be reached"):
        datasets.load("mnist", (3,))
    assert len(tried) == 2
