"""datasets.load: which data set it chooses, where data sets are kept, and what is told if that is not MNIST."""

import os
import time
from pathlib import Path

import pytest

from tests.datasets.conftest import Listener
from tinygrad_mnist import datasets
from tinygrad_mnist.datasets import folders, mnist
from tinygrad_mnist.errors import DataError

Contents = dict[str, bytes]

pytestmark = pytest.mark.usefixtures("empty_folder")


def write(folder: Path, contents: Contents) -> Path:
    folder.mkdir(parents=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return folder


def test_auto_uses_mnist_without_a_notice_if_it_is_found(small_mnist: Contents, listener: Listener) -> None:
    write(Path("data/mnist"), small_mnist)
    assert (datasets.load("auto", (3, 7), listener).name, listener.sentences) == ("mnist", [])
    assert datasets.load("strokes", (3, 7), listener).name == "strokes", "which MNIST never replaces"


def test_auto_downloads_mnist(mirror: str, monkeypatch: pytest.MonkeyPatch, listener: Listener) -> None:
    monkeypatch.setattr(mnist, "MIRRORS", (mirror + "page/", mirror + "good/"))
    assert datasets.load("auto", (3, 7), listener).origin == "MNIST in data/mnist, verified"
    assert listener.sentences == []


def test_auto_draws_digits_and_gives_the_reason_if_mnist_cannot_be_downloaded(
    mirror: str, monkeypatch: pytest.MonkeyPatch, listener: Listener
) -> None:
    monkeypatch.setattr(mnist, "MIRRORS", (mirror + "page/",))
    for _ in range(2):
        assert datasets.load("auto", (3, 7), listener).name == "strokes"
    first, second = listener.sentences
    assert first.startswith("Using digits drawn by this program instead of MNIST, because MNIST cannot be downloaded")
    assert second.endswith("because its download failed less than 15 minutes ago.")
    assert not Path("data/mnist").exists()
    with pytest.raises(DataError, match="cannot be downloaded"):
        datasets.load("mnist", (3, 7))
    past = time.time() - 60 * folders.RETRY_MINUTES - 1
    os.utime("data/download-failed.txt", (past, past))
    monkeypatch.setattr(mnist, "MIRRORS", (mirror + "good/",))
    assert datasets.load("auto", (3, 7), listener).name == "mnist"


def test_auto_never_uses_damaged_mnist_files(small_mnist: Contents, listener: Listener) -> None:
    write(Path("data/mnist"), {name: content[:-1] for name, content in small_mnist.items()})
    assert datasets.load("auto", (3, 7), listener).name == "strokes"
    assert "is not a complete IDX file" in listener.sentences[0]


@pytest.mark.parametrize("source", ["auto", "mnist"])
def test_a_folder_of_files_in_the_environment_variable_is_used_or_refused_but_never_replaced(
    small_mnist: Contents, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    folder = write(Path("elsewhere"), small_mnist)
    monkeypatch.setenv(folders.VARIABLE, "elsewhere")
    assert datasets.load(source, (3, 7)).origin == "MNIST in elsewhere, verified"
    with monkeypatch.context() as changed:
        changed.setitem(mnist.SHA256, mnist.TRAINING[0], "0" * 64)
        with pytest.raises(DataError, match="TINYGRAD_MNIST_DATA names elsewhere, which is not the official MNIST: un"):
            datasets.load(source, (3, 7))
    (folder / mnist.TEST[0]).unlink()
    with pytest.raises(DataError, match=f"elsewhere has no {mnist.TEST[0]}"):
        datasets.load(source, (3, 7))


def test_the_environment_variable_may_name_a_folder_that_is_made_when_it_is_needed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(folders.VARIABLE, str(tmp_path / "new"))
    assert (folders.of_mnist(), folders.of_strokes()) == (tmp_path / "new" / "mnist", tmp_path / "new" / "strokes")
    assert datasets.load("strokes", (3,)).origin == f"digits drawn by this program, in {tmp_path / 'new' / 'strokes'}"


def test_outside_of_a_checkout_data_sets_are_in_the_cache_of_the_user(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert folders.home() == Path("data")
    monkeypatch.setattr(folders, "is_checkout", lambda: False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert folders.home().name == "tinygrad_mnist"
    assert folders.home().is_absolute()
    assert not folders.home().exists()
    Path("data/mnist").mkdir(parents=True)
    assert folders.home() == Path("data")


def test_a_folder_comes_before_the_environment_variable(small_mnist: Contents, monkeypatch: pytest.MonkeyPatch) -> None:
    write(Path("mine"), small_mnist)
    monkeypatch.setenv(folders.VARIABLE, "elsewhere")
    data = datasets.load("mine", (4, 9))
    assert set(data.training.labels) == set(data.test.labels) == {4, 9}


@pytest.mark.parametrize("source", ["nowhere", "Mnist", ""])
def test_a_missing_folder_and_one_without_data_are_refused(source: str) -> None:
    with pytest.raises(DataError, match="is not a folder with MNIST's four files or images"):
        datasets.load(source, (3, 7))
