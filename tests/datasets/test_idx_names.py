"""MNIST's files under the names that others give them, and labels in other people's forms."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.datasets.conftest import Listener
from tinygrad_mnist import datasets
from tinygrad_mnist.datasets import idx, idx_names, strokes
from tinygrad_mnist.errors import DataError

NAMES = {
    "dotted": tuple(name.replace("-idx", ".idx") for name in idx_names.FILES),
    "upper case": ("TRAIN-IMAGES", "TRAIN-LABELS", "TEST-IMAGES", "TEST-LABELS"),
    "test": tuple(name.replace("t10k", "test") for name in idx_names.FILES),
    "EMNIST": tuple(f"emnist-digits-{name.replace('t10k', 'test')}" for name in idx_names.FILES),
    "Fashion": tuple(f"fashion-mnist_{name}" for name in idx_names.FILES),
    "QMNIST": (
        *("qmnist-train-images-idx3-ubyte", "qmnist-train-labels-idx2-int"),
        *("qmnist-test-images-idx3-ubyte", "qmnist-test-labels-idx2-int"),
    ),
    "raw": tuple(f"MNIST/raw/{name}" for name in idx_names.FILES),
    "a folder each": tuple(f"{name}/{name}" for name in idx_names.FILES),
}

LABELS = np.repeat(np.arange(10, dtype=np.uint8), 2)


def written(path: Path, array: NDArray[np.generic]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(idx.header(array) + array.astype(array.dtype.newbyteorder(">")).tobytes())


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes drawn digits to four files, and returns their folder."""
    images = np.concatenate([strokes.draw(digit, 2, np.random.default_rng(digit)) for digit in range(10)])

    def write(names: tuple[str, ...] = idx_names.FILES, labels: NDArray[np.generic] = LABELS) -> Path:
        for name, array in zip(names, (images, labels) * 2, strict=True):
            written(tmp_path / name, array)
        return tmp_path

    return write


@pytest.mark.parametrize("names", NAMES.values(), ids=NAMES)
def test_files_with_other_names_are_found(
    write: Callable[..., Path], names: tuple[str, ...], listener: Listener
) -> None:
    data = datasets.load(str(write(names)), range(10), listener)
    assert len(listener.sentences) == ("emnist-digits" in names[0])
    np.testing.assert_array_equal(data.training.labels, LABELS)
    np.testing.assert_array_equal(data.test.labels, LABELS)


@pytest.mark.parametrize("flag", [False, True])
def test_emnist_is_transposed_and_so_is_every_data_set_if_that_is_wanted(
    flag: bool, write: Callable[..., Path], listener: Listener
) -> None:
    """A flag that is given for EMNIST changes nothing more."""
    upright = datasets.load(str(write()), range(10), listener).training.images
    if flag:
        wanted = datasets.load(str(write()), range(10), listener, transpose=True).training.images
        np.testing.assert_array_equal(wanted, np.swapaxes(upright, 1, 2))
    for path in write().iterdir():
        path.rename(path.with_name(f"emnist-digits-{path.name}"))
    found = datasets.load(str(write(NAMES["EMNIST"])), range(10), listener, transpose=flag).training.images
    np.testing.assert_array_equal(found, np.swapaxes(upright, 1, 2))
    assert listener.sentences[-1].endswith("the rows and columns of the images are exchanged, as EMNIST needs it.")


def test_labels_may_be_whole_numbers_or_qmnists_table(write: Callable[..., Path], listener: Listener) -> None:
    table = np.zeros((len(LABELS), 8), np.int32)
    table[:, 0], table[:, 1:] = LABELS, 12345
    for labels in (LABELS.astype(np.int32), table):
        data = datasets.load(str(write(labels=labels)), range(10), listener)
        np.testing.assert_array_equal(data.training.labels, LABELS)


def test_labels_that_are_not_digits_are_left_out_with_a_notice(write: Callable[..., Path], listener: Listener) -> None:
    labels = np.where(np.arange(20) < 4, [-1, 10, 255, 256 + 3] * 5, LABELS).astype(np.int32)
    data = datasets.load(str(write(labels=labels)), range(2, 10), listener)
    assert len(data.training.labels) == 16
    assert "with labels other than 0 to 9 are left out" in listener.sentences[0]


def test_the_letters_of_emnist_are_refused(write: Callable[..., Path]) -> None:
    names = tuple(f"emnist-letters-{name}" for name in idx_names.FILES)
    with pytest.raises(DataError, match="EMNIST's letters"):
        datasets.load(str(write(names)), range(1, 10))


def test_a_folder_with_two_data_sets_is_refused(write: Callable[..., Path]) -> None:
    write(tuple(f"emnist-digits-{name}" for name in idx_names.FILES))
    folder = write(tuple(f"emnist-mnist-{name}" for name in idx_names.FILES))
    with pytest.raises(DataError, match=r"has several data sets \(emnist-digits-train-images"):
        datasets.load(str(folder), range(10))
    # MNIST's own names come first.
    assert datasets.load(str(write()), range(10)).training.labels.size == 20


def test_a_missing_file_is_named_beside_those_that_are_there(write: Callable[..., Path]) -> None:
    folder = write(NAMES["dotted"])
    (folder / "train-labels.idx1-ubyte").unlink()
    with pytest.raises(DataError, match=r"has no train-labels-idx1-ubyte, with or without \.gz, beside t10k-images\."):
        datasets.load(str(folder), range(10))


@pytest.mark.parametrize("name", ["train-images.txt.png", "my-train.png", "labels.csv", "train", "images-idx3-ubyte"])
def test_other_names_are_not_taken_for_mnists(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"")
    assert idx_names.data_sets(tmp_path) == {}
