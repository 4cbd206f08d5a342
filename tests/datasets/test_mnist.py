"""MNIST: it is found or downloaded, from mirrors that can fail in many ways, and only the official files are used."""

import errno
import gzip
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.datasets.conftest import Listener
from tinygrad_mnist import files
from tinygrad_mnist.datasets import idx, mnist
from tinygrad_mnist.errors import DataError

Contents = dict[str, bytes]
OneSentence = Callable[[object], None]

FAULTS = {
    "missing": "404 Client Error",
    "truncated": "",
    "wrong": "does not match the known hash",
    "page": "does not match the known hash",
    "length": "abc",
    "elsewhere": "",
    "mail": "",
    "silent": "timed out",
}
"""The ways in which a mirror can fail, and how the error describes those for which it has good words."""


def write(folder: Path, contents: Contents) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return folder


def test_a_download_is_complete_unpacked_and_verified(
    tmp_path: Path, small_mnist: Contents, mirror: str, listener: Listener
) -> None:
    folder = tmp_path / "a" / "mnist"
    data = mnist.read_or_download(folder, [mirror + "good"], listener)
    assert (data.name, data.origin) == ("mnist", f"MNIST in {folder}, verified")
    assert data.training.images.shape == (60, 28, 28)
    assert data.test.labels.shape == (30,)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == small_mnist
    assert listener.sentences == []


@pytest.mark.parametrize("kind", FAULTS)
def test_a_mirror_that_fails_is_named_and_leaves_no_files_and_the_next_is_used(
    tmp_path: Path, mirror: str, kind: str, listener: Listener, one_sentence: OneSentence
) -> None:
    folder = tmp_path / "mnist"
    with pytest.raises(DataError, match=f"{mirror}{kind}/: .*{FAULTS[kind]}") as caught:
        mnist.read_or_download(folder, [mirror + f"{kind}/"], listener)
    one_sentence(caught.value)
    assert not folder.exists()
    data = mnist.read_or_download(folder, [mirror + f"{kind}/", mirror + "good/"], listener)
    assert len(data.training.labels) == 60


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/", "http://[::1/", "http://..../", "http://x:99999/", "file:"])
def test_a_mirror_that_cannot_be_reached_is_an_error_of_one_sentence(
    tmp_path: Path, small_mnist: Contents, address: str, listener: Listener, one_sentence: OneSentence
) -> None:
    with pytest.raises(DataError, match="MNIST cannot be downloaded") as caught:
        mnist.read_or_download(tmp_path, [address], listener)
    one_sentence(caught.value)


def test_a_bar_is_drawn_if_bars_are_shown(
    tmp_path: Path, mirror: str, listener: Listener, capfd: pytest.CaptureFixture[str]
) -> None:
    listener.shows_bars = True
    mnist.read_or_download(tmp_path, [f"{mirror}length", f"{mirror}good"], listener)
    assert "100%" in capfd.readouterr().err


def test_existing_files_are_not_downloaded_again_and_may_be_gzipped(
    tmp_path: Path, small_mnist: Contents, listener: Listener
) -> None:
    name = mnist.TEST[0]
    packed = {f"{name}.gz": gzip.compress(small_mnist.pop(name))}
    write(tmp_path, small_mnist | packed)
    data = mnist.read_or_download(tmp_path, [], listener)
    assert (len(data.training.labels), len(data.test.labels)) == (60, 30)
    assert set(mnist.state(tmp_path).values()) == {"verified"}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda x: x[:-1] + b"\7", "has files with MNIST's names and other content: move them away"),
        (lambda x: x[:-1], f"{mnist.TEST[1]} is not a complete IDX file"),
        (lambda _: b"", f"{mnist.TEST[1]} is not a complete IDX file"),
    ],
)
def test_a_file_that_is_not_mnists_is_never_used_nor_replaced(
    tmp_path: Path,
    small_mnist: Contents,
    mirror: str,
    change: Callable[[bytes], bytes],
    sentence: str,
    listener: Listener,
) -> None:
    name = mnist.TEST[1]
    write(tmp_path, {**small_mnist, name: change(small_mnist[name])})
    with pytest.raises(DataError, match=sentence):
        mnist.read_or_download(tmp_path, [mirror + "good/"], listener)
    assert (tmp_path / name).read_bytes() == change(small_mnist[name])


def test_a_file_beside_those_of_another_data_set_is_not_replaced(
    tmp_path: Path, small_mnist: Contents, mirror: str, listener: Listener
) -> None:
    name = mnist.TRAINING[0]
    others = {f"emnist-digits-{other}": small_mnist[other] for other in mnist.TEST}
    write(tmp_path, {name: b"mine", **others})
    with pytest.raises(DataError):
        mnist.read_or_download(tmp_path, [mirror + "good/"], listener)
    assert (tmp_path / name).read_bytes() == b"mine"


def test_a_folder_that_cannot_be_written_to_and_a_full_disk_are_errors_of_one_sentence(
    tmp_path: Path, mirror: str, listener: Listener, one_sentence: OneSentence, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DataError, match="cannot be written"):
        mnist.read_or_download(tmp_path / "file" / "mnist", [mirror + "good/"], listener)

    def fail_on_full_disk(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files.os, "fsync", fail_on_full_disk)
    with pytest.raises(DataError, match="cannot be written: No space left") as caught:
        mnist.read_or_download(tmp_path / "mnist", [mirror + "good/"], listener)
    one_sentence(caught.value)
    assert list((tmp_path / "mnist").iterdir()) == []


def test_the_state_of_each_file_is_returned(tmp_path: Path, small_mnist: Contents) -> None:
    first, second, third, _ = small_mnist
    changed = small_mnist[second][:-1] + b"\0"
    write(tmp_path, {first: small_mnist[first], second: changed, third: small_mnist[third][:-1]})
    states = dict(zip(small_mnist, ("verified", "not verified", "not verified", "missing"), strict=True))
    assert mnist.state(tmp_path) == states


def test_another_data_set_is_read_but_is_not_official(
    tmp_path: Path, small_mnist: Contents, listener: Listener
) -> None:
    images, labels = mnist.TRAINING
    write(tmp_path, small_mnist)
    idx.write(tmp_path / images, np.zeros((5, 28, 28), np.uint8))
    idx.write(tmp_path / labels, np.zeros(5, np.uint8))
    data = mnist.read(tmp_path, listener)
    assert data.training.images.shape == (5, 28, 28)
    assert (data.name, data.origin) == (str(tmp_path), f"{tmp_path}, which is not the official MNIST")


@pytest.mark.parametrize(
    ("name", "array", "error"),
    [
        (mnist.TRAINING[1], np.zeros(59, np.uint8), r"labels: they hold .*\(60, 28, 28\) and uint8 of shape \(59,\)"),
        (mnist.TRAINING[0], np.zeros((60, 784), np.uint8), "instead of uint8 of shape"),
        (mnist.TRAINING[0], np.zeros((60, 28, 28), np.float32), "float32"),
        (mnist.TEST[1], np.zeros((30, 1), np.uint8), "and whole numbers of shape"),
        (mnist.TEST[1], np.zeros((), np.uint8), "and whole numbers of shape"),
        (mnist.TEST[1], np.zeros(30, np.float32), "float32"),
        (mnist.TEST[0], np.zeros((30, 14, 14), np.uint8), "differ in size"),
        (mnist.TEST[0], np.zeros((30, 0, 0), np.uint8), "instead of"),
    ],
)
def test_files_that_cannot_be_used_together_are_refused(
    tmp_path: Path, small_mnist: Contents, name: str, array: np.ndarray[Any, Any], error: str, listener: Listener
) -> None:
    write(tmp_path, small_mnist)
    idx.write(tmp_path / name, array)
    with pytest.raises(DataError, match=error):
        mnist.read(tmp_path, listener)


def test_the_real_mnist_is_verified_and_one_changed_pixel_is_detected(shared_mnist: Path, listener: Listener) -> None:
    data = mnist.read(shared_mnist, listener)
    assert data.name == "mnist"
    assert (data.training.source.shape, data.test.source.shape) == ((60_000, 28, 28), (10_000, 28, 28))
    images = data.test.source.copy()
    images[1234, 14, 14] ^= 1
    assert not mnist.is_official(mnist.TEST[0], images)
    counts = [[int((part.labels == digit).sum()) for digit in (3, 7)] for part in (data.training, data.test)]
    assert counts == [[6131, 6265], [1010, 1028]], "as the book says"
