"""The IDX file format of MNIST: arrays of any rank, one element type, big-endian.

    00 00 type rank | size of axis 0 (4 bytes) | size of axis 1 | ... | the elements, last axis fastest

The source is the page of MNIST's makers (LeCun, Cortes, Burges, The MNIST database, "file format").
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
from tinygrad_mnist.files import written_whole

TYPES: dict[int, np.dtype[Any]] = {
    0x08: np.dtype("u1"),
    0x09: np.dtype("i1"),
    0x0B: np.dtype(">i2"),
    0x0C: np.dtype(">i4"),
    0x0D: np.dtype(">f4"),
    0x0E: np.dtype(">f8"),
}
"""The format's element types, by their code."""

MOST_AXES = 64
"""What a NumPy array can have. The format itself allows 255."""

GZIP_MAGIC = b"\x1f\x8b"
GZIP_EXPANSION = 1032
"""Deflate cannot make more than 1032 bytes out of one (zlib's technical notes, "maximum compression factor")."""


def read(path: Path) -> NDArray[Any]:
    """Return the array in an IDX file, gzipped or plain; what decides is the content, not the name.

    A plain file is memory-mapped, so that it may be larger than memory. The array cannot be written to,
    and keeps the file's big-endian type. Raises DataError, naming the file, for any that is missing,
    cannot be read, is truncated or padded, or does not start as an IDX file does.
    """
    try:
        with path.open("rb") as file:
            packed = file.read(2) == GZIP_MAGIC
            file.seek(0)
            return _read_gzip(path, file) if packed else _map_plain(path, file)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path} is a broken gzip file ({error}): fetch it again.") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from error


def read_or_none(path: Path) -> NDArray[Any] | None:
    """Return the array in an IDX file, or None for a file that is missing or broken."""
    try:
        return read(path)
    except DataError:
        return None


def write(path: Path, array: NDArray[Any]) -> None:
    """Write an array as a plain IDX file, whole or not at all. Raises ValueError for a type that IDX lacks."""
    with written_whole(path) as file:
        file.write(header(array))
        file.write(np.ascontiguousarray(array, dtype=array.dtype.newbyteorder(">")).data)


def header(array: NDArray[Any]) -> bytes:
    """Return the first bytes of the IDX file that holds this array.

    >>> header(np.zeros((2, 3), np.uint8)).hex(" ", 4)
    '00000802 00000002 00000003'
    """
    codes = [code for code, dtype in TYPES.items() if dtype == array.dtype.newbyteorder(">")]
    if not codes:
        raise ValueError(f"IDX has no element type for {array.dtype}")
    sizes = np.array(array.shape, dtype=">u4").tobytes()
    return bytes([0, 0, codes[0], array.ndim]) + sizes


def _read_header(path: Path, file: BinaryIO | gzip.GzipFile) -> tuple[np.dtype[Any], tuple[int, ...]]:
    """Return the element type and the shape, leaving the file at its first element."""
    start = file.read(4)
    if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in TYPES:
        raise DataError(f"{path} is not an IDX file: it starts with {start.hex(' ') or 'nothing'}.")
    rank = start[3]
    sizes = file.read(4 * rank)
    if len(sizes) < 4 * rank:
        raise DataError(f"{path} is truncated: it ends within its header.")
    dtype, shape = TYPES[start[2]], tuple(np.frombuffer(sizes, ">u4").tolist())
    # Sizes of 0 are left out, as NumPy does when it asks whether an array can be addressed.
    if rank > MOST_AXES or math.prod(filter(None, shape)) * dtype.itemsize > sys.maxsize:
        raise DataError(f"{path} is not an IDX file that can be held: its header says {rank} axes, {_shown(shape)}.")
    return dtype, shape


def _map_plain(path: Path, file: BinaryIO) -> NDArray[Any]:
    dtype, shape = _read_header(path, file)
    first = file.tell()
    expected, found = math.prod(shape) * dtype.itemsize, os.fstat(file.fileno()).st_size - first
    _require_size(path, shape, expected, found)
    if expected == 0 or not shape:
        # Neither nothing nor a single number can be memory-mapped.
        return _frozen(np.frombuffer(file.read(), dtype).reshape(shape))
    return np.memmap(file, dtype=dtype, mode="r", offset=first, shape=shape)


def _read_gzip(path: Path, file: BinaryIO) -> NDArray[Any]:
    with gzip.GzipFile(fileobj=file) as unpacked:
        dtype, shape = _read_header(path, unpacked)
        expected = math.prod(shape) * dtype.itemsize
        # A header can claim anything. Memory is only taken for what a file of this size can hold.
        most = os.fstat(file.fileno()).st_size * GZIP_EXPANSION
        if expected > most:
            raise DataError(f"{path} is truncated: its header says {_shown(shape)}, which cannot be in it.")
        data = unpacked.read(expected)
        _require_size(path, shape, expected, len(data) + len(unpacked.read(1)))
    return _frozen(np.frombuffer(data, dtype).reshape(shape))


def _require_size(path: Path, shape: tuple[int, ...], expected: int, found: int) -> None:
    if found != expected:
        what = "truncated" if found < expected else "padded"
        amount = f"{found:,} bytes" if found < expected else "more"
        raise DataError(
            f"{path} is {what}: its header says {_shown(shape)}, {expected:,} bytes, but it holds {amount}."
        )


def _shown(shape: tuple[int, ...]) -> str:
    sizes = [*map(str, shape[:4]), "..."] if len(shape) > 4 else map(str, shape)
    return " x ".join(sizes) or "one number"


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    array.flags.writeable = False
    return array
