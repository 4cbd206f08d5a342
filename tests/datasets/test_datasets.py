"""The front door: which data set is taken, and what is said when it is not the best one."""

from pathlib import Path

import pytest

from tinygrad_mnist import datasets
from tinygrad_mnist.datasets import mnist, stroke_cache
from tinygrad_mnist.errors import DataError

Contents = dict[str, bytes]


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder, no mirrors, and few strokes."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(datasets.FOLDER_VARIABLE, raising=False)
    monkeypatch.setattr(mnist, "MIRRORS", ())
    monkeypatch.setattr(stroke_cache, "TRAINING", 20)
    monkeypatch.setattr(stroke_cache, "TEST", 5)


def write(folder: Path, contents: Contents) -> Path:
    folder.mkdir(parents=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return folder


def test_auto_takes_mnist_where_it_is_found_and_says_nothing(small_mnist: Contents) -> None:
    write(Path("data/mnist"), small_mnist)
    told: list[str] = []
    data = datasets.load("auto", (3, 7), told.append)
    assert (data.name, told) == ("mnist", [])


def test_auto_draws_strokes_where_there_is_no_mnist_and_says_why(small_mnist: Contents) -> None:
    told: list[str] = []
    data = datasets.load("auto", (3, 7), told.append)
    assert data.name == "strokes"
    assert len(told) == 1
    assert "strokes" in told[0]
    assert "MNIST cannot be downloaded" in told[0]


def test_auto_never_trains_on_a_spoiled_mnist(small_mnist: Contents) -> None:
    write(Path("data/mnist"), {name: content[:-1] for name, content in small_mnist.items()})
    assert datasets.load("auto", (3, 7)).name == "strokes"


def test_mnist_insists(small_mnist: Contents) -> None:
    with pytest.raises(DataError, match="cannot be downloaded"):
        datasets.load("mnist", (3, 7))


def test_strokes_insist_where_mnist_is_there(small_mnist: Contents) -> None:
    write(Path("data/mnist"), small_mnist)
    assert datasets.load("strokes", (3, 7)).name == "strokes"


@pytest.mark.parametrize("source", ["auto", "mnist"])
def test_the_environment_variable_comes_before_our_own_folder(
    small_mnist: Contents, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    write(Path("elsewhere"), small_mnist)
    monkeypatch.setenv(datasets.FOLDER_VARIABLE, "elsewhere")
    assert datasets.load(source, (3, 7)).origin == "MNIST in elsewhere, verified"


@pytest.mark.parametrize("source", ["auto", "mnist"])
def test_an_environment_variable_that_names_no_folder_is_a_mistake(
    small_mnist: Contents, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    write(Path("data/mnist"), small_mnist)
    monkeypatch.setenv(datasets.FOLDER_VARIABLE, "typing-mistake")
    with pytest.raises(DataError, match="typing-mistake, which TINYGRAD_MNIST_DATA names, is not a folder"):
        datasets.load(source, (3, 7))


@pytest.mark.parametrize("source", ["auto", "mnist"])
def test_an_environment_variable_that_names_other_digits_is_refused(
    small_mnist: Contents, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    write(Path("elsewhere"), small_mnist)
    monkeypatch.setenv(datasets.FOLDER_VARIABLE, "elsewhere")
    monkeypatch.setitem(mnist.SHA256, mnist.TRAINING[0], "0" * 64)
    with pytest.raises(DataError, match="not the official MNIST: try --data elsewhere"):
        datasets.load(source, (3, 7))


def test_a_folder_comes_before_everything(small_mnist: Contents, monkeypatch: pytest.MonkeyPatch) -> None:
    write(Path("mine"), small_mnist)
    monkeypatch.setenv(datasets.FOLDER_VARIABLE, "elsewhere")
    data = datasets.load("mine", (4, 9))
    assert set(data.training.labels) == set(data.test.labels) == {4, 9}


def test_a_folder_with_other_digits_is_said_to_be_unofficial(
    small_mnist: Contents, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(Path("mine"), small_mnist)
    monkeypatch.setitem(mnist.SHA256, mnist.TRAINING[0], "0" * 64)
    data = datasets.load("mine", (3, 7))
    assert data.name == "mine"
    assert "not the official MNIST" in data.origin


@pytest.mark.parametrize("source", ["nowhere", "Mnist", ""])
def test_a_folder_that_is_not_there_is_named(source: str) -> None:
    with pytest.raises(DataError, match=r"not a folder|has neither"):
        datasets.load(source, (3, 7))


def test_the_books_counts_of_threes_and_sevens(shared_mnist: Path) -> None:
    data = datasets.load(str(shared_mnist), (3, 7))
    counts = [[int((part.labels == digit).sum()) for digit in (3, 7)] for part in (data.training, data.test)]
    assert counts == [[6131, 6265], [1010, 1028]]


@pytest.mark.parametrize("kept", [True, False])
def test_where_strokes_are_kept_is_said_where_they_are(kept: bool) -> None:
    if not kept:
        Path("data").write_text("in the way")
    assert ("in data/strokes" in datasets.load("strokes", (3, 7)).origin) == kept
