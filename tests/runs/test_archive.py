"""Archives that were made to do harm: each is refused before it takes memory, and none of them is executed."""

import io
import os
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tinygrad_mnist.errors import CheckpointError
from tinygrad_mnist.runs import archive, checkpoint

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
    first, end = plain.index(b"PK\1\2"), plain.rindex(b"PK\5\6")
    entry = plain[first:end]
    directory = b"".join(entry.replace(b"w0000", b"w%04d" % number) for number in range(900))
    count = (900).to_bytes(2, "little") * 2
    tail = plain[end : end + 8] + count + len(directory).to_bytes(4, "little") + plain[end + 16 :]
    return plain[:first] + directory + tail


def described(dtype: str, shape: str, size: int = 4) -> bytes:
    """Return an entry of so many bytes whose header has this type and shape."""
    return header(f"{{'descr': {dtype}, 'fortran_order': False, 'shape': ({shape}), }}\n".encode(), bytes(size))


@pytest.mark.parametrize(
    "entry",
    [
        *map(header, (b"", b"\xff\xfe\n", b"if 1:\n    x\n  y\n", b"-" * 9000 + b"1\n", b"-" * 190 + b"x\n")),
        *[
            described("'<f4'", shape)
            for shape in ("0L,", "-1,", "-2, -2", "2,", "1, 2", "1e9,", "9" * 5000, "1, " * 99)
        ],
        *[described("'<f4'", shape, 0) for shape in ("0L,", "0, -1", "0, 9" + "9" * 99)],
        *[described(dtype, "") for dtype in ("'<U999999999'", "'<U1'[", "'|V4'", "[('a', '<f4')]", "'<f3'", "5")],
        described("'<U0'", "", 0),
        described("'|O'", "", 8),
        b"\x93NUMPY\1\0\xff\xff",
        b"\x93NUMPY\1\0",
        b"\x93NUMPY\2\0" + bytes(100),
        b"\x93NUMPY\3\0" + npy([1])[8:],
    ],
)
def test_a_header_that_is_not_that_of_an_array_is_refused(entry: bytes, path: Path) -> None:
    path.write_bytes(zipped(("w1.npy", entry)))
    with pytest.raises(archive.MALFORMED):
        archive.read(path)


def test_arrays_that_numpy_writes_are_read(path: Path) -> None:
    arrays = [np.float32(1), np.zeros((2, 0, 3)), np.eye(2, 3).T, np.array("text"), np.arange(3, dtype=">u2")]
    np.savez(path, *arrays)
    for found, array in zip(archive.read(path).values(), arrays, strict=True):
        assert found.dtype == array.dtype
        np.testing.assert_array_equal(found, array)


def test_entries_that_are_the_same_part_of_the_file_are_refused_before_one_is_read(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_bytes(repeated())
    monkeypatch.setattr(zipfile.ZipFile, "read", lambda *_: pytest.fail("an entry was read"))
    with pytest.raises(ValueError, match="the entries are larger than the file"):
        archive.read(path)


def test_a_device_is_refused_before_it_is_read(one_sentence: Callable[[object], None]) -> None:
    with pytest.raises(CheckpointError, match="cannot be read: it is a device") as caught:
        checkpoint.load(Path("/dev/zero"))
    one_sentence(caught.value)


def test_a_name_that_means_standard_input_elsewhere_is_refused() -> None:
    with pytest.raises(CheckpointError, match="standard input: name a file"):
        checkpoint.load(Path("-"))


def test_a_pipe_is_read_up_to_a_limit(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = zipped(("w1.npy", npy(np.arange(5))))
    os.mkfifo(path)
    for limit in (len(content), len(content) - 1):
        monkeypatch.setattr(archive, "PIPE_LIMIT", limit)
        writer = threading.Thread(target=path.write_bytes, args=(content,))
        writer.start()
        if limit == len(content):
            np.testing.assert_array_equal(archive.read(path)["w1"], np.arange(5))
        else:
            with pytest.raises(OSError, match="64 MiB"):
                archive.read(path)
        writer.join()
