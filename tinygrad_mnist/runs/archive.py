"""Reading NumPy's .npz archives without trusting them: no pickle is loaded, and no header can use up the memory."""

import errno
import io
import math
import os
import re
import stat
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.errors import require

MALFORMED = (
    ValueError,
    TypeError,
    KeyError,
    EOFError,
    OverflowError,
    RuntimeError,  # what zipfile raises for an entry that is marked as encrypted
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)
"""The exceptions that `read` may raise if a file is not an archive, or is a damaged one."""

PIPE_LIMIT = 1 << 26
"""The most bytes that are read from a pipe, 64 MiB, because its size is not known in advance."""

MAX_ENTRIES = 1000
"""The largest number of entries: zipfile needs more memory for a short entry than the entry takes in the file."""

ENTRY, LOCAL_HEADER_SIZE = b"PK\1\2", 30
"""The mark of each entry in the directory of a zip archive, and the bytes before the name of an entry."""

HEADER = re.compile(
    rb"\{'descr': '([<>|=]?[a-zA-Z]\d{1,9})', 'fortran_order': (True|False), "
    rb"'shape': \((|\d{1,18},|\d{1,18}(?:, \d{1,18})+)\), \} *\n"
)
"""An array's header as NumPy writes it. NumPy's own reader takes it for Python code, and so accepts much more."""


def read(path: Path) -> dict[str, NDArray[Any]]:
    """Return all the arrays in an uncompressed .npz file, by name. The file may be a pipe of at most PIPE_LIMIT bytes.

    Raises OSError if the file cannot be read, and one of MALFORMED if it is not such an archive.
    """
    content = _content(path)
    require(content.count(ENTRY) <= MAX_ENTRIES, "it has too many entries")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = archive.infolist()
        _require_separate(entries, len(content))
        return {_name(entry): _array(archive.read(entry)) for entry in entries}


def _content(path: Path) -> bytes:
    """Return all bytes in a regular file, or in a pipe. Raises OSError for anything else, before it is opened."""
    _require_readable(path.stat().st_mode)
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        _require_readable(status.st_mode)
        if stat.S_ISREG(status.st_mode):
            return file.read(status.st_size)
        content = file.read(PIPE_LIMIT + 1)
    if len(content) > PIPE_LIMIT:
        raise OSError(errno.EFBIG, "a pipe may hold at most 64 MiB, so save it to a file first")
    return content


def _require_readable(mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, "it is a folder")
    if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode)):
        raise OSError(errno.EINVAL, "it is a device or a socket, not a file")


def _name(entry: zipfile.ZipInfo) -> str:
    return entry.filename.removesuffix(".npy")


def _require_separate(entries: list[zipfile.ZipInfo], size: int) -> None:
    """Raise ValueError unless the entries have different names and are different parts of a file of `size` bytes."""
    require(len({_name(entry) for entry in entries}) == len(entries), "two entries have the same name")
    end = 0
    for entry in sorted(entries, key=lambda entry: entry.header_offset):
        require(entry.compress_type == zipfile.ZIP_STORED, f"{entry.filename!r} is compressed")
        require(entry.compress_size == entry.file_size, f"{entry.filename!r} has two sizes")
        require(entry.header_offset >= end, f"{entry.filename!r} overlaps the entry before it")
        end = entry.header_offset + LOCAL_HEADER_SIZE + len(entry.orig_filename) + entry.file_size
    require(end <= size, "the entries are larger than the file")


def _array(content: bytes) -> NDArray[Any]:
    """Return the array in an entry's content, as a view of it.

    NumPy's own reader allocates whatever shape a header claims, so a short file could make it use up the memory.
    """
    require(content[:8] == b"\x93NUMPY\1\0", "an entry is not an array in format 1.0")
    start = 10 + int.from_bytes(content[8:10], "little")
    header = HEADER.fullmatch(content, 10, start)
    if header is None:
        raise ValueError("the header of an array is not as NumPy writes it")
    dtype = np.dtype(header[1].decode())
    require(dtype.kind in "fiuU" and dtype.itemsize, f"an array has the type {dtype}")
    shape = tuple(int(length) for length in header[3].replace(b",", b" ").split())
    require(math.prod(shape) * dtype.itemsize == len(content) - start, "the shape of an array does not fit its content")
    array = np.frombuffer(content, dtype, offset=start)
    return array.reshape(shape, order="F" if header[2] == b"True" else "C")
