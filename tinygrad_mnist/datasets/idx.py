"""IDX, the file format of MNIST: an array of any rank, with elements of one type, big-endian.

    00 00 type rank | size of axis 0 (4 bytes) | size of axis 1 | ... | the elements, last axis fastest

Source: the web page of MNIST's authors (LeCun, Cortes, Burges, The MNIST database, "file format").
"""

import gzip
import math
import os
import sys
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

MAX_AXES = 64
"""The largest number of axes that a NumPy array can have. The format itself allows 255."""

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
            packed = file.read(2) == GZIP_MAGIC
            file.seek(0)
            return _read_gzip(path, file) if packed else _map_plain(path, file)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path} is a broken gzip file ({error}): download it again.") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from error


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
    sizes = np.array(array.shape, dtype=">u4").tobytes()
    return bytes([0, 0, codes[0], array.ndim]) + sizes


def _read_header(path: Path, file: BinaryIO | gzip.GzipFile) -> tuple[np.dtype[Any], tuple[int, ...]]:
    """Return the element type and the shape. The file is then positioned at its first element."""
    start = file.read(4)
    if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in TYPES:
        found = f"starts with {start.hex(' ')}" if start else "is empty"
        raise DataError(f"{path} is not an IDX file: it {found}; replace it.")
    rank = start[3]
    sizes = file.read(4 * rank)
    if len(sizes) < 4 * rank:
        raise DataError(f"{path} is truncated: it ends inside its header; replace it.")
    dtype, shape = TYPES[start[2]], tuple(np.frombuffer(sizes, ">u4").tolist())
    # Leave out sizes of 0, as NumPy does when it checks whether it can address an array.
    if rank > MAX_AXES or math.prod(filter(None, shape)) * dtype.itemsize > sys.maxsize:
        raise DataError(f"{path} cannot be held in memory: its header claims {rank} axes, {_format_shape(shape)}.")
    return dtype, shape


def _map_plain(path: Path, file: BinaryIO) -> NDArray[Any]:
    dtype, shape = _read_header(path, file)
    first = file.tell()
    expected, found = math.prod(shape) * dtype.itemsize, os.fstat(file.fileno()).st_size - first
    _require_size(path, shape, expected, found)
    if expected == 0 or not shape:
        # NumPy can map neither an empty array nor a single number.
        return _read_only(np.frombuffer(file.read(), dtype).reshape(shape))
    return np.memmap(file, dtype=dtype, mode="r", offset=first, shape=shape)


def _read_gzip(path: Path, file: BinaryIO) -> NDArray[Any]:
    with gzip.GzipFile(fileobj=file) as unpacked:
        dtype, shape = _read_header(path, unpacked)
        expected = math.prod(shape) * dtype.itemsize
        # A header can claim any size. Reserve no more memory than a file of this size can fill.
        if expected > os.fstat(file.fileno()).st_size * GZIP_EXPANSION:
            raise DataError(f"{path} is truncated: it cannot hold {_format_shape(shape)} elements; replace it.")
        data = unpacked.read(expected)
        _require_size(path, shape, expected, len(data) + len(unpacked.read(1)))
    return _read_only(np.frombuffer(data, dtype).reshape(shape))


def _require_size(path: Path, shape: tuple[int, ...], expected: int, found: int) -> None:
    if found != expected:
        problem, amount = ("truncated", f"{found:,} bytes") if found < expected else ("padded", "more")
        raise DataError(
            f"{path} is {problem}: its header claims {_format_shape(shape)}, {expected:,} bytes, "
            f"but it holds {amount}; replace it."
        )


def _format_shape(shape: tuple[int, ...]) -> str:
    sizes = [*map(str, shape[:4]), "..."] if len(shape) > 4 else map(str, shape)
    return " x ".join(sizes) or "one number"


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    array.flags.writeable = False
    return array
