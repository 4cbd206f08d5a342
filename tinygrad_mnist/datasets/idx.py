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

TYPES: dict[int, np.dtype[Any]] = {
    0x08: np.dtype("u1"),
    0x09: np.dtype("i1"),
    0x0B: np.dtype(">i2"),
    0x0C: np.dtype(">i4"),
    0x0D: np.dtype(">f4"),
    0x0E: np.dtype(">f8"),
}
"""The element types of the format, by their codes."""

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
            is_packed = file.read(2) == GZIP_MAGIC
            file.seek(0)
            array = _array(file, gzip.GzipFile(fileobj=file) if is_packed else file)
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
    """Write an array as a plain IDX file, completely or not at all. Raises ValueError if IDX does not have its type."""
    with atomic_write(path) as file:
        file.write(header(array))
        file.write(np.ascontiguousarray(array, dtype=array.dtype.newbyteorder(">")).data)


def header(array: NDArray[Any]) -> bytes:
    """Return the bytes before the elements in the IDX file of this array. Raises ValueError if IDX lacks its type.

    >>> header(np.zeros((2, 3), np.uint8)).hex(" ", 4)
    '00000802 00000002 00000003'
    """
    codes = [code for code, dtype in TYPES.items() if dtype == array.dtype.newbyteorder(">")]
    if not codes:
        raise ValueError(f"IDX has no element type for {array.dtype}")
    return bytes([0, 0, codes[0], array.ndim]) + np.array(array.shape, dtype=">u4").tobytes()


def _array(file: BinaryIO, stream: BinaryIO | gzip.GzipFile) -> NDArray[Any]:
    """Return the array in a file, whose unpacked content the stream reads. Raises ValueError if it is not complete."""
    start = stream.read(4)
    if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in TYPES:
        raise ValueError(f"it starts with {start.hex(' ')}" if start else "it is empty")
    sizes = stream.read(4 * start[3])
    if len(sizes) < 4 * start[3]:
        raise ValueError("it ends inside its header")
    dtype, shape = TYPES[start[2]], tuple(np.frombuffer(sizes, ">u4").tolist())
    claimed, size = math.prod(shape) * dtype.itemsize, os.fstat(file.fileno()).st_size
    # NumPy can map neither a packed file nor an empty array nor a single number.
    is_mapped = stream is file and claimed and shape
    # A header can claim any size. Reserve no more memory than a file of this size can fill.
    content = b"" if is_mapped else stream.read(min(claimed, size * GZIP_EXPANSION))
    found = size - file.tell() if is_mapped else len(content) + len(stream.read(1))
    if found != claimed:
        raise ValueError(f"its header claims {claimed:,} bytes, but {found:,} follow")
    if is_mapped:
        return np.memmap(file, dtype=dtype, mode="r", offset=file.tell(), shape=shape)
    return np.frombuffer(content, dtype).reshape(shape)
