"""Checkpoints: what is saved comes back, what is broken is refused in a sentence, and nothing in a file is executed."""

import os
import resource
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinygrad_mnist.arrays.layers import Layer
from tinygrad_mnist.errors import CheckpointError
from tinygrad_mnist.networks import dense
from tinygrad_mnist.runs import checkpoint
from tinygrad_mnist.runs.checkpoint import Checkpoint

OneSentence = Callable[[object], None]
Refused = Callable[..., None]

W, B = np.array([[0.5], [-1.5], [2.5]], np.float32), np.array([0.25], np.float32)
SAVED = Checkpoint((Layer(W, B),), digits=(3, 7), seed=42)
STORED: dict[str, Any] = {
    "format": checkpoint.FORMAT,
    "version": 1,
    "digits": (3, 7),
    "layer_sizes": (3, 1),
    "seed": 42,
    "w1": W,
    "b1": B,
}


class Payload:
    """Makes a folder if it is ever unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (str(self.folder),)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a path for a checkpoint, in an empty folder."""
    return tmp_path / "network.npz"


@pytest.fixture
def refused(path: Path, one_sentence: OneSentence) -> Refused:
    """Return a check that the file at `path` is refused in one sentence that names it."""

    def check(match: str | None = None) -> None:
        with pytest.raises(CheckpointError, match=match) as caught:
            checkpoint.load(path)
        assert str(path) in str(caught.value)
        one_sentence(caught.value)

    return check


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("shape", "digits"), [((784, 1), (3, 7)), ((1, 1), (7, 3))])
def test_what_is_saved_comes_back(path: Path, dtype: str, shape: tuple[int, int], digits: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    w, b = rng.standard_normal(shape).astype(dtype), rng.standard_normal(shape[1]).astype(dtype)
    checkpoint.save(path, Checkpoint((Layer(w, b),), digits, seed=2**40))
    loaded = checkpoint.load(path)
    for array, original in zip(loaded.parameters[0], (w, b), strict=True):
        assert array.dtype == original.dtype
        np.testing.assert_array_equal(array, original)
    assert (loaded.digits, loaded.seed, loaded.layer_sizes) == (digits, 2**40, shape)


def test_hidden_layers_and_many_digits_come_back_in_their_order(path: Path) -> None:
    sizes, digits = (6, 5, 4, 3), (0, 9, 4)
    parameters = dense.initialize(sizes, np.random.default_rng(0), "float32")
    checkpoint.save(path, Checkpoint(parameters, digits, seed=0))
    loaded = checkpoint.load(path)
    assert (loaded.digits, loaded.layer_sizes) == (digits, sizes)
    for (w, b), (w_saved, b_saved) in zip(loaded.parameters, parameters, strict=True):
        np.testing.assert_array_equal(w, w_saved)
        np.testing.assert_array_equal(b, b_saved)


def test_the_name_of_the_file_is_not_changed(tmp_path: Path) -> None:
    path = tmp_path / "network"  # NumPy itself would add .npz
    checkpoint.save(path, SAVED)
    assert list(tmp_path.iterdir()) == [path]
    assert checkpoint.load(path).digits == (3, 7)


def test_a_truncated_checkpoint_is_refused(path: Path, refused: Refused) -> None:
    checkpoint.save(path, SAVED)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        refused()


def test_a_changed_byte_changes_nothing_or_is_refused(path: Path, one_sentence: OneSentence) -> None:
    checkpoint.save(path, SAVED)
    whole = path.read_bytes()
    for position in range(len(whole)):
        for flip in (0x01, 0xFF):
            changed = bytearray(whole)
            changed[position] ^= flip
            path.write_bytes(changed)
            try:
                loaded = checkpoint.load(path)
            except CheckpointError as error:
                one_sentence(error)
            else:
                np.testing.assert_array_equal(loaded.parameters[0].w, W)
                np.testing.assert_array_equal(loaded.parameters[0].b, B)
                assert (loaded.digits, loaded.seed) == (SAVED.digits, SAVED.seed)


@pytest.mark.parametrize("content", [b"", b"\0", b"PK\3\4", b"PK\5\6" + bytes(18), b"three or seven\n" * 100])
def test_a_foreign_file_is_refused(content: bytes, path: Path, refused: Refused) -> None:
    path.write_bytes(content)
    refused("is not a")


def test_a_plain_npy_file_is_refused(path: Path, refused: Refused) -> None:
    with path.open("wb") as file:
        np.save(file, W)
    refused("is not a")


def test_an_npz_file_that_is_not_a_checkpoint_is_refused(path: Path, refused: Refused) -> None:
    np.savez(path, w=W, b=B)
    refused("is not a")


def test_a_newer_version_is_refused_with_both_versions(path: Path, refused: Refused) -> None:
    np.savez(path, **{**STORED, "version": 6, "something_new": 1})
    refused("version 6, .*up to 5: update")


@pytest.mark.parametrize("name", STORED)
def test_a_pickled_object_is_refused_and_not_executed(name: str, path: Path, tmp_path: Path, refused: Refused) -> None:
    trap = tmp_path / "trap"
    np.savez(path, **{**STORED, name: np.array([Payload(trap)], dtype=object)})
    refused("is not a")
    assert not trap.exists()


def test_the_stored_arrays_are_accepted_without_a_change(path: Path) -> None:
    np.savez(path, **STORED)  # so that each case of the next test is refused for its one change
    assert checkpoint.load(path).digits == (3, 7)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("layer_sizes", (3, 2)),
        ("layer_sizes", (3,)),
        ("layer_sizes", (3, 4, 1)),
        ("layer_sizes", (3.0, 1.0)),
        ("digits", (3, 3)),
        ("digits", (3,)),
        ("digits", (3, 7, 8)),
        ("digits", (3, 10)),
        ("digits", (-1, 7)),
        ("digits", (3.0, 7.0)),
        ("digits", ((3, 7),)),
        ("digits", ("3", "7")),
        ("seed", (1, 2)),
        ("seed", 0.5),
        ("seed", -1),
        ("version", "1"),
        ("version", (1, 1)),
        ("version", 0),
        ("version", -1),
        ("w1", np.where(W > 1, np.nan, W)),
        ("w1", np.where(W > 1, np.inf, W)),
        ("w1", W.astype(np.float64)),
        ("w1", W.astype(np.int64)),
        ("w1", W[:, 0]),
        ("w1", W.T),
        ("w1", np.zeros((3, 0), np.float32)),
        ("w1", W[:2]),
        ("b1", np.array([np.nan], np.float32)),
        ("b1", np.zeros(2, np.float32)),
        ("b1", np.float32(0)),
        ("b1", np.array(["0"])),
    ],
)
def test_contents_that_do_not_fit_together_are_refused(name: str, value: Any, path: Path, refused: Refused) -> None:
    np.savez(path, **{**STORED, name: value})
    refused("is broken")


@pytest.mark.parametrize("name", sorted(STORED.keys() - {"format"}))
def test_a_checkpoint_that_lacks_an_array_is_refused(name: str, path: Path, refused: Refused) -> None:
    np.savez(path, **{key: value for key, value in STORED.items() if key != name})
    refused("is broken")


def test_a_missing_file_is_refused_with_how_to_write_it(refused: Refused) -> None:
    refused("does not exist: .*--save")


def test_a_folder_is_refused(path: Path, refused: Refused) -> None:
    path.mkdir()
    refused("cannot be read")


@pytest.mark.parametrize("target", ["missing/network.npz", "."])
def test_a_path_that_cannot_be_written_to_is_refused(target: str, tmp_path: Path, one_sentence: OneSentence) -> None:
    with pytest.raises(CheckpointError, match="cannot be written") as caught:
        checkpoint.save(tmp_path / target, SAVED)
    one_sentence(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fills_up_halfway_leaves_the_old_checkpoint_and_nothing_else(
    path: Path, one_sentence: OneSentence
) -> None:
    checkpoint.save(path, SAVED)
    before = path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(CheckpointError, match="File too large") as caught:
            checkpoint.save(path, Checkpoint((Layer(np.ones((784, 1)), np.zeros(1)),), (3, 7), 0))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    one_sentence(caught.value)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def header(shape: str) -> bytes:
    """Return an array's entry that claims this shape and holds four bytes."""
    text = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + bytes(4)


@pytest.mark.parametrize(
    "entry",
    [header(shape) for shape in ("(10**13, 1)", f"({10**13}, 1)", f"({10**30}, 1)", "(-1, 1)", "(1, 1", "(2, 1)")]
    + [b"", b"\x93NUMPY\x02\x00", b"no array at all", header("(1, 1)").replace(b"<f4", b"|O")],
)
def test_an_entry_that_claims_a_wrong_size_takes_no_memory(entry: bytes, path: Path, refused: Refused) -> None:
    np.savez(path, **{key: value for key, value in STORED.items() if key != "w1"})
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("w1.npy", entry)
    refused("only part of one|is broken")


def test_an_entry_without_an_ending_is_an_array_too(path: Path) -> None:
    checkpoint.save(path, SAVED)
    with zipfile.ZipFile(path) as archive:
        entries = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name.removesuffix(".npy"), content)
    assert checkpoint.load(path).digits == SAVED.digits


def test_a_packed_archive_is_refused(path: Path, refused: Refused) -> None:
    np.savez_compressed(path, **STORED)
    refused("only part of one")


@pytest.mark.parametrize(
    ("invalid", "problem"),
    [
        (Checkpoint((Layer(np.full_like(W, np.nan), B),), (3, 7), 0), "w1 has an entry that is not finite"),
        (Checkpoint((Layer(W, B),), (3, 3), 0), "digits names one digit twice"),
        (Checkpoint((Layer(W, B),), (3, 7), 10**30), "seed holds object, not whole numbers"),
        (Checkpoint((Layer(W, B),), (3, 7), -1), "seed is -1"),
    ],
)
def test_a_checkpoint_that_could_not_be_loaded_is_not_saved(path: Path, invalid: Checkpoint, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        checkpoint.save(path, invalid)
    assert not path.exists()


@pytest.mark.parametrize("kind", ["fifo", "device"])
def test_only_regular_files_are_replaced(kind: str, path: Path) -> None:
    target = Path("/dev/null")
    if kind == "fifo":
        os.mkfifo(path)
        target = path
    with pytest.raises(CheckpointError, match="not a regular file"):
        checkpoint.require_writable(target)


def test_a_link_stays_a_link(path: Path) -> None:
    target = path.with_name("target.npz")
    path.symlink_to(target)
    checkpoint.save(path, SAVED)
    assert path.is_symlink()
    assert checkpoint.load(target).digits == SAVED.digits
