"""Archives that were made to do harm: each is refused before it takes memory, and none of them is executed."""

import io
import os
import socket
import subprocess
import sys
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinygrad_mnist.errors import CheckpointError
from tinygrad_mnist.runs import archive, checkpoint

ROOT = Path(__file__).parents[2]
LENGTH = 100_000


def npy(array: object) -> bytes:
    """Return an array in NumPy's format."""
    file = io.BytesIO()
    np.save(file, np.asarray(array))
    return file.getvalue()


def header(text: bytes, content: bytes = b"") -> bytes:
    """Return an entry with this header."""
    return b"\x93NUMPY\1\0" + len(text).to_bytes(2, "little") + text + content


def zipped(*entries: tuple[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        for name, content in entries:
            made.writestr(name, content)
    return file.getvalue()


def repeated() -> bytes:
    """Return an archive whose directory lists its one large entry 900 times, under different names."""
    content = npy(np.zeros(LENGTH, np.uint8))
    plain = zipped(("w0000.npy", content))
    first, end = plain.index(archive.ENTRY), plain.rindex(b"PK\5\6")
    entry = plain[first:end]
    directory = b"".join(entry.replace(b"w0000", b"w%04d" % number) for number in range(900))
    count = (900).to_bytes(2, "little") * 2
    tail = plain[end : end + 8] + count + len(directory).to_bytes(4, "little") + plain[end + 16 :]
    return plain[:first] + directory + tail


def nested() -> bytes:
    """Return an archive of two entries, of which the first contains the second."""
    inner = zipped(("w2.npy", npy(np.zeros(LENGTH, np.uint8))))
    inner_entry = inner[: inner.index(archive.ENTRY)]
    outer = zipped(("w1.npy", inner_entry))
    first, end = outer.index(archive.ENTRY, len(inner_entry)), outer.rindex(b"PK\5\6")
    offset = outer.index(inner_entry)
    entry = bytearray(inner[inner.index(archive.ENTRY) : inner.rindex(b"PK\5\6")])
    entry[42:46] = offset.to_bytes(4, "little")
    directory = outer[first:end] + bytes(entry)
    count = (2).to_bytes(2, "little") * 2
    return (
        outer[:first]
        + directory
        + outer[end : end + 8]
        + count
        + len(directory).to_bytes(4, "little")
        + outer[end + 16 :]
    )


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (repeated, "overlaps"),
        (nested, "overlaps"),
        (lambda: zipped(("w1.npy", npy([1])), ("w1.npy", npy([2]))), "the same name"),
        (lambda: zipped(("w1.npy", npy([1])), ("w1", npy([2]))), "the same name"),
        (lambda: zipped(*((f"w{number}", b"") for number in range(1001))), "too many entries"),
    ],
)
def test_entries_that_repeat_or_overlap_are_refused_before_one_is_read(
    make: Callable[[], bytes], reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "network.npz"
    path.write_bytes(make())
    monkeypatch.setattr(zipfile.ZipFile, "read", lambda *_: pytest.fail("an entry was read"))
    with pytest.raises(ValueError, match=reason):
        archive.read(path)


@pytest.mark.parametrize(
    "entry",
    [
        header(b"if 1:\n    x\n  y\n"),
        header(b"-" * 9000 + b"1\n"),
        header(b"(" * 9000 + b"1\n"),
        header(b"{'descr':'<f4','fortran_order':False,'shape':(0L,)}\n"),
        header(b"{'descr': '<f4', 'fortran_order': False, 'shape': (0L,), }\n"),
        header(b"{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }\n", bytes(4)),
        header(b"{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n", bytes(4)),
        header(b"{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }\n", bytes(8)),
        header(b"{'descr': '<f4', 'fortran_order': False, 'shape': (" + b"9" * 5000 + b",), }\n", bytes(4)),
        header(b"{'descr': '<f4', 'fortran_order': False, 'shape': (1e9,), }\n", bytes(4)),
        header(b"{'descr': '<f4', 'fortran_order': False, 'shape': (" + b"1, " * 100 + b"1), }\n", bytes(4)),
        header(b"{'descr': '<U999999999', 'fortran_order': False, 'shape': (), }\n", bytes(4)),
        header(b"{'descr': '<U0', 'fortran_order': False, 'shape': (), }\n"),
        header(b"{'descr': '<f3', 'fortran_order': False, 'shape': (), }\n", bytes(3)),
        header(b"{'descr': '|O', 'fortran_order': False, 'shape': (), }\n", bytes(8)),
        header(b"{'descr': '|O8', 'fortran_order': False, 'shape': (), }\n", bytes(8)),
        header(b"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (), }\n", bytes(4)),
        header(b"{'descr': '<f4', 'fortran_order': False, 'shape': (), }")[:-5],
        header(b"\xff\xfe\n"),
        header(b""),
        b"\x93NUMPY\1\0\xff\xff",
        b"\x93NUMPY\1\0",
        b"\x93NUMPY\2\0" + bytes(100),
    ],
)
def test_a_header_that_numpy_does_not_write_is_refused_in_one_sentence(
    entry: bytes, tmp_path: Path, one_sentence: Callable[[object], None]
) -> None:
    path = tmp_path / "network.npz"
    path.write_bytes(zipped(("w1.npy", entry)))
    with pytest.raises(CheckpointError, match="is not a tinygrad_mnist checkpoint") as caught:
        checkpoint.load(path)
    one_sentence(caught.value)


@pytest.mark.parametrize(
    "array",
    [np.float32(1), np.zeros((2, 0, 3)), np.arange(6).reshape(2, 3).T, np.array("text"), np.arange(3, dtype=">u2")],
)
def test_an_array_that_numpy_writes_is_read(array: Any, tmp_path: Path) -> None:
    path = tmp_path / "network.npz"
    np.savez(path, array=array)
    found = archive.read(path)["array"]
    assert found.dtype == array.dtype
    np.testing.assert_array_equal(found, array)


def test_an_archive_that_claims_900_times_its_size_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "network.npz"
    path.write_bytes(repeated())
    tracemalloc.start()
    with pytest.raises(CheckpointError):
        checkpoint.load(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 6 * path.stat().st_size + 5_000_000


def test_a_device_a_folder_and_a_socket_are_refused_before_they_are_read(
    tmp_path: Path, one_sentence: Callable[[object], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # because the name of a socket must be short
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
        for path, reason in ((Path("/dev/zero"), "a device"), (tmp_path, "a folder"), (Path("socket"), "a socket")):
            with pytest.raises(CheckpointError, match=f"cannot be read: it is .*{reason}") as caught:
                checkpoint.load(path)
            one_sentence(caught.value)


def test_a_name_that_means_standard_input_elsewhere_is_refused() -> None:
    with pytest.raises(CheckpointError, match="standard input: name a file"):
        checkpoint.load(Path("-"))


def test_a_pipe_is_read_up_to_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content, path = zipped(("w1.npy", npy(np.arange(5)))), tmp_path / "pipe"
    os.mkfifo(path)
    source = [sys.executable, "-c", "import sys; open(sys.argv[1], 'wb').write(bytes.fromhex(sys.argv[2]))", str(path)]
    for limit in (len(content), len(content) - 1):
        monkeypatch.setattr(archive, "PIPE_LIMIT", limit)
        with subprocess.Popen([*source, content.hex()]) as process:
            if limit == len(content):
                np.testing.assert_array_equal(archive.read(path)["w1"], np.arange(5))
            else:
                with pytest.raises(OSError, match="64 MiB"):
                    archive.read(path)
        assert process.returncode == 0
