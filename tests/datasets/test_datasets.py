"""datasets.load: which data set it chooses, and what it reports if that is not MNIST."""

from pathlib import Path

import pytest

from tinygrad_mnist import datasets
from tinygrad_mnist.datasets import folders, mnist, stroke_cache
from tinygrad_mnist.errors import DataError

Contents = dict[str, bytes]


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in an empty folder, without mirrors, and with few drawn digits."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(folders, "is_checkout", lambda: True)
    monkeypatch.delenv(folders.VARIABLE, raising=False)
    monkeypatch.setattr(mnist, "MIRRORS", ())
    monkeypatch.setattr(stroke_cache, "TRAINING", 20)
    monkeypatch.setattr(stroke_cache, "TEST", 5)


def write(folder: Path, contents: Contents) -> Path:
    folder.mkdir(parents=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return folder


def test_auto_uses_mnist_without_a_notice_if_it_is_found(small_mnist: Contents) -> None:
    write(Path("data/mnist"), small_mnist)
    notices: list[str] = []
    data = datasets.load("auto", (3, 7), notices.append)
    assert (data.name, notices) == ("mnist", [])


def test_auto_draws_digits_and_gives_the_reason_if_there_is_no_mnist(small_mnist: Contents) -> None:
    notices: list[str] = []
    data = datasets.load("auto", (3, 7), notices.append)
    assert data.name == "strokes"
    assert len(notices) == 1
    assert "Using digits drawn by this program instead of MNIST" in notices[0]
    assert "because MNIST cannot be downloaded" in notices[0]


def test_auto_never_uses_damaged_mnist_files(small_mnist: Contents) -> None:
    write(Path("data/mnist"), {name: content[:-1] for name, content in small_mnist.items()})
    assert datasets.load("auto", (3, 7)).name == "strokes"


def test_mnist_is_not_replaced_by_drawn_digits(small_mnist: Contents) -> None:
    with pytest.raises(DataError, match="cannot be downloaded"):
        datasets.load("mnist", (3, 7))


def test_strokes_are_not_replaced_by_mnist(small_mnist: Contents) -> None:
    write(Path("data/mnist"), small_mnist)
    assert datasets.load("strokes", (3, 7)).name == "strokes"


@pytest.mark.parametrize("source", ["auto", "mnist"])
def test_the_folder_in_the_environment_variable_comes_before_data_mnist(
    small_mnist: Contents, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    write(Path("elsewhere"), small_mnist)
    monkeypatch.setenv(folders.VARIABLE, "elsewhere")
    assert datasets.load(source, (3, 7)).origin == "MNIST in elsewhere, verified"


@pytest.mark.parametrize("source", ["auto", "mnist"])
def test_an_environment_variable_with_a_missing_folder_is_refused(
    small_mnist: Contents, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    write(Path("data/mnist"), small_mnist)
    monkeypatch.setenv(folders.VARIABLE, "typing-mistake")
    with pytest.raises(DataError, match="TINYGRAD_MNIST_DATA names typing-mistake, which is not a folder"):
        datasets.load(source, (3, 7))


@pytest.mark.parametrize("source", ["auto", "mnist"])
def test_an_environment_variable_with_another_data_set_is_refused(
    small_mnist: Contents, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    write(Path("elsewhere"), small_mnist)
    monkeypatch.setenv(folders.VARIABLE, "elsewhere")
    monkeypatch.setitem(mnist.SHA256, mnist.TRAINING[0], "0" * 64)
    with pytest.raises(DataError, match="not the official MNIST: unset it, or use --data elsewhere"):
        datasets.load(source, (3, 7))


@pytest.mark.parametrize("source", ["auto", "mnist"])
def test_a_folder_in_the_environment_variable_that_lacks_a_file_is_refused(
    small_mnist: Contents, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    (write(Path("elsewhere"), small_mnist) / mnist.TEST[0]).unlink()
    monkeypatch.setenv(folders.VARIABLE, "elsewhere")
    with pytest.raises(DataError, match=f"TINYGRAD_MNIST_DATA names elsewhere, but elsewhere has no {mnist.TEST[0]}"):
        datasets.load(source, (3, 7))


def test_a_folder_comes_before_the_environment_variable(small_mnist: Contents, monkeypatch: pytest.MonkeyPatch) -> None:
    write(Path("mine"), small_mnist)
    monkeypatch.setenv(folders.VARIABLE, "elsewhere")
    data = datasets.load("mine", (4, 9))
    assert set(data.training.labels) == set(data.test.labels) == {4, 9}


def test_a_folder_with_another_data_set_is_called_unofficial(
    small_mnist: Contents, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(Path("mine"), small_mnist)
    monkeypatch.setitem(mnist.SHA256, mnist.TRAINING[0], "0" * 64)
    data = datasets.load("mine", (3, 7))
    assert data.name == "mine"
    assert "not the official MNIST" in data.origin


@pytest.mark.parametrize("source", ["nowhere", "Mnist", ""])
def test_a_missing_folder_is_refused(source: str) -> None:
    with pytest.raises(DataError, match=r"not a folder|has neither"):
        datasets.load(source, (3, 7))


def test_mnist_has_as_many_threes_and_sevens_as_the_book_says(shared_mnist: Path) -> None:
    data = datasets.load(str(shared_mnist), (3, 7))
    counts = [[int((part.labels == digit).sum()) for digit in (3, 7)] for part in (data.training, data.test)]
    assert counts == [[6131, 6265], [1010, 1028]]


@pytest.mark.parametrize("saved", [True, False])
def test_the_origin_of_drawn_digits_names_their_folder_if_they_are_saved(saved: bool) -> None:
    if not saved:
        Path("data").write_text("in the way")
    assert ("in data/strokes" in datasets.load("strokes", (3, 7)).origin) == saved
