"""MNIST: it is found or downloaded, from mirrors that can fail in many ways, and only the official files are used."""

import gzip
import io
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tinygrad_mnist.datasets.bars import MakeBar

from tinygrad_mnist.app import output
from tinygrad_mnist.datasets import download, idx, idx_names, mnist
from tinygrad_mnist.datasets.digits import Digits
from tinygrad_mnist.errors import DataError

Contents = dict[str, bytes]

FAULTS = {
    "missing": "answered with status 404",
    "failing": "answered with status 500",
    "truncated": "broke off the download",
    "half": "broken gzip",
    "wrong": "is not MNIST's",
    "page": "sent a web page",
    "garbled": "broken gzip",
    "silent": "did not answer in time",
}
"""The ways in which a mirror can fail, and how the error describes them."""


@pytest.fixture(autouse=True)
def short_timeouts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "TIMEOUT", (0.3, 0.3))


def write(folder: Path, contents: Contents) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return folder


def read_or_download(folder: Path, mirrors: Sequence[str], make_bar: MakeBar | None = None) -> tuple[Digits, Digits]:
    """Read or download MNIST, and check that there are no notices."""

    def fail(text: str) -> None:
        raise AssertionError(text)

    return mnist.read_or_download(folder, mirrors, fail, make_bar)


def test_a_download_is_complete_unpacked_and_verified(tmp_path: Path, small_mnist: Contents, mirror: str) -> None:
    training, test = read_or_download(tmp_path / "a" / "mnist", [mirror + "good/"])
    assert training.images.shape == (60, 28, 28)
    assert test.labels.shape == (30,)
    for name, content in small_mnist.items():
        assert (tmp_path / "a" / "mnist" / name).read_bytes() == content


def test_a_mirror_may_send_the_files_unpacked(tmp_path: Path, mirror: str) -> None:
    training, _ = read_or_download(tmp_path, [mirror + "plain/"])
    assert len(training.labels) == 60


@pytest.mark.parametrize("kind", FAULTS)
def test_a_mirror_that_fails_is_named_and_leaves_no_files(tmp_path: Path, mirror: str, kind: str) -> None:
    with pytest.raises(DataError, match=FAULTS[kind]) as caught:
        read_or_download(tmp_path, [mirror + f"{kind}/"])
    assert mirror in str(caught.value)
    assert "--data strokes" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", FAULTS)
def test_the_second_mirror_is_used_if_the_first_fails(tmp_path: Path, mirror: str, kind: str) -> None:
    training, _ = read_or_download(tmp_path, [mirror + f"{kind}/", mirror + "good/"])
    assert len(training.labels) == 60
    assert all(address.startswith(mirror + "good/") for address in mnist.origins(tmp_path).values())


def test_a_mirror_that_does_not_exist_cannot_be_reached(tmp_path: Path, small_mnist: Contents) -> None:
    with pytest.raises(DataError, match="cannot be reached"):
        read_or_download(tmp_path, ["http://127.0.0.1:9/"])


def test_existing_files_are_not_downloaded_again(tmp_path: Path, small_mnist: Contents) -> None:
    write(tmp_path, small_mnist)
    training, _ = read_or_download(tmp_path, [])
    assert len(training.labels) == 60
    assert mnist.origins(tmp_path) == {}


@pytest.mark.parametrize("cut", [1, 100, 10**6])
def test_a_broken_file_is_downloaded_again(tmp_path: Path, small_mnist: Contents, mirror: str, cut: int) -> None:
    name = mnist.TRAINING[0]
    write(tmp_path, {**small_mnist, name: small_mnist[name][:-cut]})
    read_or_download(tmp_path, [mirror + "good/"])
    assert (tmp_path / name).read_bytes() == small_mnist[name]
    assert {path.name for path in tmp_path.iterdir()} == {*mnist.FILES, name + mnist.ORIGIN}


def test_another_data_sets_file_of_the_same_name_is_renamed(tmp_path: Path, small_mnist: Contents, mirror: str) -> None:
    name = mnist.TRAINING[0]
    other = small_mnist[name][:-1] + b"\0"
    write(tmp_path, {**small_mnist, name: other})
    notices: list[str] = []
    mnist.read_or_download(tmp_path, [mirror + "good/"], notices.append)
    assert (tmp_path / name).read_bytes() == small_mnist[name]
    assert (tmp_path / f"{name}.not-mnist").read_bytes() == other
    assert [f"{name}.not-mnist" in text for text in notices] == [True]


def test_a_good_gzip_file_is_read_if_the_plain_file_is_broken(tmp_path: Path, small_mnist: Contents) -> None:
    name = mnist.TEST[0]
    write(tmp_path, {**small_mnist, name: b"", f"{name}.gz": gzip.compress(small_mnist[name])})
    assert len(read_or_download(tmp_path, [])[1].labels) == 30


def test_a_file_that_is_not_mnists_is_never_used(tmp_path: Path, small_mnist: Contents) -> None:
    write(tmp_path, {**small_mnist, mnist.TEST[1]: small_mnist[mnist.TEST[1]][:-1] + b"\7"})
    with pytest.raises(DataError, match="cannot be downloaded"):
        read_or_download(tmp_path, [])


def test_gzipped_files_are_accepted(tmp_path: Path, small_mnist: Contents) -> None:
    write(tmp_path, {f"{name}.gz": gzip.compress(content) for name, content in small_mnist.items()})
    assert mnist.read(tmp_path)[2] is True
    assert len(read_or_download(tmp_path, [])[0].labels) == 60


def test_a_progress_bar_is_filled_and_closed(tmp_path: Path, small_mnist: Contents, mirror: str) -> None:
    class Bar:
        total = 0
        done = 0
        closed = False

        def start(self, total: int) -> None:
            self.total = total

        def update(self, count: int) -> None:
            self.done += count

        def close(self) -> None:
            self.closed = True

    bars: dict[str, Any] = {}
    read_or_download(tmp_path, [mirror + "good/"], lambda name: bars.setdefault(name, Bar()))
    assert set(bars) == set(small_mnist)
    assert all(bar.closed and bar.done == bar.total > 0 for bar in bars.values())


@pytest.mark.parametrize("kind", ["good", "unsized"])
def test_a_bar_is_drawn_on_a_terminal_if_the_mirror_sends_the_length(
    kind: str, tmp_path: Path, small_mnist: Contents, mirror: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(stream, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stderr", stream)
    assert len(read_or_download(tmp_path, [f"{mirror}{kind}/"], output.Bar)[0].labels) == 60
    assert (mnist.TRAINING[0] in stream.getvalue()) == (kind == "good")


def test_an_error_in_the_setup_of_requests_is_not_blamed_on_the_disk(
    tmp_path: Path, small_mnist: Contents, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/bundle.pem")
    with pytest.raises(DataError, match=r"was not contacted \(.*/nowhere/bundle.pem\)"):
        read_or_download(tmp_path, ["https://127.0.0.1:9/"])


def test_a_folder_that_cannot_be_written_to_is_refused(tmp_path: Path, small_mnist: Contents, mirror: str) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DataError, match="cannot be written to"):
        read_or_download(tmp_path / "file" / "mnist", [mirror + "good/"])


def test_the_state_of_each_file_is_returned(tmp_path: Path, small_mnist: Contents) -> None:
    first, second, third, fourth = mnist.FILES
    changed = small_mnist[second][:-1] + b"\0"
    write(tmp_path, {first: small_mnist[first], second: changed, third: small_mnist[third][:-1]})
    assert mnist.state(tmp_path) == {
        first: "verified",
        second: "not verified",
        third: "broken",
        fourth: "missing",
    }


def test_a_good_gzip_file_next_to_a_broken_file_is_verified(tmp_path: Path, small_mnist: Contents) -> None:
    name = mnist.TEST[0]
    write(tmp_path, {**small_mnist, name: b"", f"{name}.gz": gzip.compress(small_mnist[name])})
    assert set(mnist.state(tmp_path).values()) == {"verified"}


def test_another_data_set_is_read_but_is_not_official(tmp_path: Path, small_mnist: Contents) -> None:
    images, labels = mnist.TRAINING
    write(tmp_path, small_mnist)
    idx.write(tmp_path / images, np.zeros((5, 28, 28), np.uint8))
    idx.write(tmp_path / labels, np.zeros(5, np.uint8))
    training, _, verified = mnist.read(tmp_path)
    assert training.images.shape == (5, 28, 28)
    assert not verified


@pytest.mark.parametrize(
    ("name", "array", "error"),
    [
        (mnist.TRAINING[1], np.zeros(59, np.uint8), "60 images, but train-labels-idx1-ubyte has 59 labels"),
        (mnist.TRAINING[0], np.zeros((60, 784), np.uint8), "rank 2"),
        (mnist.TRAINING[0], np.zeros((60, 28, 28), np.float32), "float32"),
        (mnist.TEST[1], np.zeros((30, 1), np.uint8), "rank 2"),
        (mnist.TEST[1], np.zeros(30, np.float32), "float32"),
        (mnist.TEST[1], np.full(30, 256, np.int32), "labels from 256 to 256"),
        (mnist.TEST[0], np.zeros((30, 14, 14), np.uint8), "differ in size"),
        (mnist.TEST[0], np.zeros((30, 0, 0), np.uint8), "which are empty"),
    ],
)
def test_files_that_cannot_be_used_together_are_refused(
    tmp_path: Path, small_mnist: Contents, name: str, array: np.ndarray[Any, Any], error: str
) -> None:
    write(tmp_path, small_mnist)
    idx.write(tmp_path / name, array)
    with pytest.raises(DataError, match=error):
        mnist.read(tmp_path)


@pytest.mark.parametrize("name", mnist.FILES)
def test_a_missing_file_is_refused(tmp_path: Path, small_mnist: Contents, name: str) -> None:
    write(tmp_path, {other: content for other, content in small_mnist.items() if other != name})
    with pytest.raises(DataError, match=name):
        mnist.read(tmp_path)


def test_the_real_mnist_is_verified(shared_mnist: Path) -> None:
    training, test, verified = mnist.read(shared_mnist)
    assert verified
    assert training.images.shape == (60_000, 28, 28)
    assert test.images.shape == (10_000, 28, 28)


def test_one_changed_pixel_of_the_real_mnist_is_detected(shared_mnist: Path) -> None:
    path = idx_names.find(shared_mnist, "t10k-images-idx3-ubyte")
    assert path is not None
    images = idx.read(path).copy()
    images[1234, 14, 14] ^= 1
    assert not mnist.is_official("t10k-images-idx3-ubyte", images)
