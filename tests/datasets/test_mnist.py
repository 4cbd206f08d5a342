"""MNIST is found, or downloaded from mirrors that may fail in every way, and never trained on unless it is MNIST."""

import gzip
import io
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinygrad_mnist.commands import report
from tinygrad_mnist.datasets import idx, mnist
from tinygrad_mnist.datasets.bars import Bars
from tinygrad_mnist.datasets.digits import Digits
from tinygrad_mnist.errors import DataError

Contents = dict[str, bytes]

BAD = {
    "missing": "answered 404",
    "failing": "answered 500",
    "truncated": "broke off|cannot be reached|broken gzip",
    "half": "broken gzip",
    "wrong": "is not MNIST's",
    "page": "is not MNIST's",
    "garbled": "broken gzip",
    "silent": "did not answer in time",
}
"""How a mirror can fail, and what is then said of it."""


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mnist, "TIMEOUT", (0.3, 0.3))


def write(folder: Path, contents: Contents) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return folder


def read_own(folder: Path, mirrors: Sequence[str], bars: Bars | None = None) -> tuple[Digits, Digits]:
    """Read our own folder; nothing is to be told to the user."""

    def never(text: str) -> None:
        raise AssertionError(text)

    return mnist.read_own(folder, mirrors, never, bars)


def test_a_download_arrives_whole_unpacked_and_verified(tmp_path: Path, small_mnist: Contents, mirror: str) -> None:
    training, test = read_own(tmp_path / "a" / "mnist", [mirror + "good/"])
    assert training.images.shape == (60, 28, 28)
    assert test.labels.shape == (30,)
    for name, content in small_mnist.items():
        assert (tmp_path / "a" / "mnist" / name).read_bytes() == content


def test_a_mirror_that_sends_the_files_unpacked_is_good_too(tmp_path: Path, mirror: str) -> None:
    training, _ = read_own(tmp_path, [mirror + "plain/"])
    assert len(training.labels) == 60


@pytest.mark.parametrize("how", BAD)
def test_a_mirror_that_fails_leaves_nothing_behind_and_is_named(tmp_path: Path, mirror: str, how: str) -> None:
    with pytest.raises(DataError, match=BAD[how]) as refusal:
        read_own(tmp_path, [mirror + f"{how}/"])
    assert mirror in str(refusal.value)
    assert "--data strokes" in str(refusal.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("how", BAD)
def test_the_second_mirror_is_asked_where_the_first_fails(tmp_path: Path, mirror: str, how: str) -> None:
    training, _ = read_own(tmp_path, [mirror + f"{how}/", mirror + "good/"])
    assert len(training.labels) == 60
    assert all(address.startswith(mirror + "good/") for address in mnist.origins(tmp_path).values())


def test_a_mirror_that_nobody_answers_at_is_said_to_be_out_of_reach(tmp_path: Path, small_mnist: Contents) -> None:
    with pytest.raises(DataError, match="cannot be reached"):
        read_own(tmp_path, ["http://127.0.0.1:9/"])


def test_files_that_are_there_are_not_downloaded_again(tmp_path: Path, small_mnist: Contents) -> None:
    write(tmp_path, small_mnist)
    training, _ = read_own(tmp_path, [])
    assert len(training.labels) == 60
    assert mnist.origins(tmp_path) == {}


@pytest.mark.parametrize("cut", [1, 100, 10**6])
def test_our_own_broken_file_is_downloaded_again(tmp_path: Path, small_mnist: Contents, mirror: str, cut: int) -> None:
    name = mnist.TRAINING[0]
    write(tmp_path, {**small_mnist, name: small_mnist[name][:-cut]})
    read_own(tmp_path, [mirror + "good/"])
    assert (tmp_path / name).read_bytes() == small_mnist[name]
    assert {path.name for path in tmp_path.iterdir()} == {*mnist.FILES, name + mnist.ORIGIN}


def test_another_data_set_of_the_same_name_is_kept_aside(tmp_path: Path, small_mnist: Contents, mirror: str) -> None:
    name = mnist.TRAINING[0]
    other = small_mnist[name][:-1] + b"\0"
    write(tmp_path, {**small_mnist, name: other})
    told: list[str] = []
    mnist.read_own(tmp_path, [mirror + "good/"], told.append)
    assert (tmp_path / name).read_bytes() == small_mnist[name]
    assert (tmp_path / f"{name}.not-mnist").read_bytes() == other
    assert [f"{name}.not-mnist" in text for text in told] == [True]


def test_a_good_gzip_is_read_where_the_plain_file_beside_it_is_broken(tmp_path: Path, small_mnist: Contents) -> None:
    name = mnist.TEST[0]
    write(tmp_path, {**small_mnist, name: b"", f"{name}.gz": gzip.compress(small_mnist[name])})
    assert len(read_own(tmp_path, [])[1].labels) == 30


def test_our_own_file_that_is_not_mnists_is_never_trained_on(tmp_path: Path, small_mnist: Contents) -> None:
    write(tmp_path, {**small_mnist, mnist.TEST[1]: small_mnist[mnist.TEST[1]][:-1] + b"\7"})
    with pytest.raises(DataError, match="cannot be downloaded"):
        read_own(tmp_path, [])


def test_gzipped_files_put_there_by_hand_are_as_good(tmp_path: Path, small_mnist: Contents) -> None:
    write(tmp_path, {f"{name}.gz": gzip.compress(content) for name, content in small_mnist.items()})
    assert mnist.read(tmp_path)[2] is True
    assert len(read_own(tmp_path, [])[0].labels) == 60


def test_a_progress_bar_is_filled_and_closed(tmp_path: Path, small_mnist: Contents, mirror: str) -> None:
    class Bar:
        total = 0
        seen = 0
        closed = False

        def update(self, count: int) -> None:
            self.seen += count

        def reset(self) -> None:
            self.seen = 0

        def close(self) -> None:
            self.closed = True

    bars: dict[str, Any] = {}
    read_own(tmp_path, [mirror + "good/"], lambda name: bars.setdefault(name, Bar()))
    assert set(bars) == set(small_mnist)
    assert all(bar.closed and bar.seen == bar.total > 0 for bar in bars.values())


@pytest.mark.parametrize("how", ["good", "unsized"])
def test_a_bar_on_a_terminal_is_drawn_where_the_mirror_says_how_much_is_to_come(
    how: str, tmp_path: Path, small_mnist: Contents, mirror: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(stream, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stderr", stream)
    assert len(read_own(tmp_path, [f"{mirror}{how}/"], report.Bar)[0].labels) == 60
    assert (mnist.TRAINING[0] in stream.getvalue()) == (how == "good")


def test_what_requests_says_of_its_own_set_up_is_not_blamed_on_the_disk(
    tmp_path: Path, small_mnist: Contents, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/bundle.pem")
    with pytest.raises(DataError, match=r"was not asked \(.*/nowhere/bundle.pem\)"):
        read_own(tmp_path, ["https://127.0.0.1:9/"])


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path, small_mnist: Contents, mirror: str) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DataError, match="cannot be written to"):
        read_own(tmp_path / "file" / "mnist", [mirror + "good/"])


def test_the_state_of_each_file_is_told(tmp_path: Path, small_mnist: Contents) -> None:
    first, second, third, fourth = mnist.FILES
    spoiled = small_mnist[second][:-1] + b"\0"
    write(tmp_path, {first: small_mnist[first], second: spoiled, third: small_mnist[third][:-1]})
    assert mnist.state(tmp_path) == {
        first: "verified",
        second: "not verified",
        third: "broken",
        fourth: "missing",
    }


def test_a_good_gzip_beside_a_broken_file_is_said_to_be_good(tmp_path: Path, small_mnist: Contents) -> None:
    name = mnist.TEST[0]
    write(tmp_path, {**small_mnist, name: b"", f"{name}.gz": gzip.compress(small_mnist[name])})
    assert set(mnist.state(tmp_path).values()) == {"verified"}


def test_a_users_data_set_of_other_digits_is_read_and_said_to_be_unofficial(
    tmp_path: Path, small_mnist: Contents
) -> None:
    images, labels = mnist.TRAINING
    write(tmp_path, small_mnist)
    idx.write(tmp_path / images, np.zeros((5, 28, 28), np.uint8))
    idx.write(tmp_path / labels, np.zeros(5, np.uint8))
    training, _, verified = mnist.read(tmp_path)
    assert training.images.shape == (5, 28, 28)
    assert not verified


@pytest.mark.parametrize(
    ("name", "array", "said"),
    [
        (mnist.TRAINING[1], np.zeros(59, np.uint8), "60 images, but train-labels-idx1-ubyte has 59 labels"),
        (mnist.TRAINING[0], np.zeros((60, 784), np.uint8), "rank 2"),
        (mnist.TRAINING[0], np.zeros((60, 28, 28), np.float32), "float32"),
        (mnist.TEST[1], np.zeros((30, 1), np.uint8), "rank 2"),
        (mnist.TEST[1], np.zeros(30, np.int32), "int32"),
        (mnist.TEST[0], np.zeros((30, 14, 14), np.uint8), "differ in size"),
        (mnist.TEST[0], np.zeros((30, 0, 0), np.uint8), "no ink"),
    ],
)
def test_files_that_do_not_belong_together_are_refused(
    tmp_path: Path, small_mnist: Contents, name: str, array: np.ndarray[Any, Any], said: str
) -> None:
    write(tmp_path, small_mnist)
    idx.write(tmp_path / name, array)
    with pytest.raises(DataError, match=said):
        mnist.read(tmp_path)


@pytest.mark.parametrize("name", mnist.FILES)
def test_a_missing_file_is_named(tmp_path: Path, small_mnist: Contents, name: str) -> None:
    write(tmp_path, {other: content for other, content in small_mnist.items() if other != name})
    with pytest.raises(DataError, match=name):
        mnist.read(tmp_path)


def test_the_real_mnist_is_verified(shared_mnist: Path) -> None:
    training, test, verified = mnist.read(shared_mnist)
    assert verified
    assert training.images.shape == (60_000, 28, 28)
    assert test.images.shape == (10_000, 28, 28)


def test_one_changed_pixel_of_the_real_mnist_is_noticed(shared_mnist: Path) -> None:
    path = mnist.find(shared_mnist, "t10k-images-idx3-ubyte")
    assert path is not None
    images = idx.read(path).copy()
    images[1234, 14, 14] ^= 1
    assert not mnist.is_official("t10k-images-idx3-ubyte", images)
