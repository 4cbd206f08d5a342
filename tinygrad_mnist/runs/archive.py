"""Reading NumPy's .npz archives without trusting them: no pickle is loaded, and no header can claim too much memory."""

import io
import os
import tokenize
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
    tokenize.TokenError,  # what NumPy raises for a header that ends in the middle
    zipfile.BadZipFile,
    zlib.error,
)
"""What `read` may raise for a file that is no archive, or is a damaged one."""


def read(path: Path) -> dict[str, NDArray[Any]]:
    """Return all the arrays in an uncompressed .npz file, by name.

    Raises OSError if the file cannot be read, and one of MALFORMED if it is not such an archive.
    """
    with path.open("rb") as file, zipfile.ZipFile(file) as archive:
        size = os.fstat(file.fileno()).st_size
        return {entry.filename.removesuffix(".npy"): _array(archive, entry, size) for entry in archive.infolist()}


def _array(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, size: int) -> NDArray[Any]:
    """Return the array in an entry of a file of `size` bytes.

    NumPy's own reader allocates whatever shape a header claims, so a short file could make it fill the memory.
    """
    require(entry.compress_type == zipfile.ZIP_STORED, f"{entry.filename} is compressed")
    require(entry.compress_size == entry.file_size <= size, f"{entry.filename} is larger than its file")
    content = archive.read(entry)
    file = io.BytesIO(content)
    require(np.lib.format.read_magic(file) == (1, 0), f"{entry.filename} is not an array in format 1.0")
    shape, by_column, dtype = np.lib.format.read_array_header_1_0(file)
    array = np.frombuffer(content, dtype, offset=file.tell())
    return array.reshape(shape, order="F" if by_column else "C")
