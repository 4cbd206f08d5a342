"""IDX, the file format of MNIST: an array of any rank, with elements of one type, big-endian.

    00 00 type rank | size of axis 0 (4 bytes) | size of axis 1 | ... | the elements, last axis fastest

Source: the web page of MNIST's authors (LeCun, Cortes, Burges, The MNIST database, "file format").
"""

import gzip
import math
import os
import zlib
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.errors import DataError
from tinygrad_mnist.files import atomic_write

TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
"""NumPy's names of the element types, by their codes."""

GZIP_MAGIC = b"\x1f\x8b"
GZIP_EXPANSION = 1032
"""The most bytes that one compressed byte can expand to (zlib's technical notes, "maximum compression factor")."""


def read(path: Path) -> NDArray[Any]:
    """Return the array in an IDX file, which may be gzipped. The content decides that, not the name.

    A plain file is memory-mapped, so it may be larger than memory. The array is read-only and has the file's big-endian
    type. Raises DataError, which names the file, if it is missing or unreadable, truncated or padded, or not an IDX
    file.
    """
    try:
        with path.open("rb") as file:
            array = _read(file)
    except (EOFError, ValueError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path} is not a complete IDX file ({error}): replace it.") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from error
    array.flags.writeable = False
    return array


def read_or_none(path: Path) -> NDArray[Any] | None:
    """Return the array in an IDX file, or None if the file is missing or broken."""
    try:
        return read(path)
    except DataError:
        return None


def write(path: Path, array: NDArray[Any]) -> None:
    """Write an array as a plain IDX file, completely or not at all. The folder is made if it is missing.

    Raises DataError if the file cannot be written, and ValueError if IDX does not have the array's type.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path) as file:
            file.write(header(array))
            file.write(np.ascontiguousarray(array, dtype=array.dtype.newbyteorder(">")).data)
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error.strerror or error}.") from error


def header(array: NDArray[Any]) -> bytes:
    """Return the bytes before the elements in the IDX file of this array. Raises ValueError if IDX lacks its type.

    >>> header(np.zeros((2, 3), np.uint8)).hex(" ", 4)
    '00000802 00000002 00000003'
    """
    codes = [code for code, name in TYPES.items() if np.dtype(name) == array.dtype.newbyteorder(">")]
    if not codes:
        raise ValueError(f"IDX has no element type for {array.dtype}")
    return bytes([0, 0, codes[0], array.ndim]) + np.array(array.shape, dtype=">u4").tobytes()


def _read(file: BinaryIO) -> NDArray[Any]:
    """Return the array in a plain or gzipped file. Raises ValueError, or what gzip raises, if it is broken."""
    is_packed = file.read(len(GZIP_MAGIC)) == GZIP_MAGIC
    file.seek(0)
    unpacked = gzip.GzipFile(fileobj=file) if is_packed else file
    dtype, shape = _read_header(unpacked)
    size = math.prod(shape) * dtype.itemsize
    if is_packed:
        # A header can claim any size. Reserve no more memory than a file of this size can fill.
        most = os.fstat(file.fileno()).st_size * GZIP_EXPANSION
        content = np.frombuffer(unpacked.read(min(size, most) + 1), np.uint8)
    else:
        content = np.memmap(file, mode="r", offset=file.tell())
    if len(content) != size:
        raise ValueError(f"its header claims {size:,} bytes, but {len(content):,} follow")
    return content.view(dtype).reshape(shape)


def _read_header(file: BinaryIO | gzip.GzipFile) -> tuple[np.dtype[Any], list[int]]:
    """Return the element type and the shape. Raises ValueError if the file does not start with a header."""
    start = file.read(4)
    if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in TYPES:
        raise ValueError(f"it starts with {start.hex(' ')}" if start else "it is empty")
    sizes = file.read(4 * start[3])
    if len(sizes) < 4 * start[3]:
        raise ValueError("it ends inside its header")
    return np.dtype(TYPES[start[2]]), np.frombuffer(sizes, ">u4").tolist()
