"""Reading NumPy's .npz archives without trusting them: no pickle is loaded, and no header can use up the memory."""

import errno
import io
import math
import os
import stat
import struct
import tokenize
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from tinygrad_mnist.errors import require

MALFORMED = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    EOFError,
    OverflowError,
    RuntimeError,  # zipfile raises it for an entry that is marked as encrypted, Python for one that nests too deeply
    SyntaxError,  # NumPy reads a header as Python code
    tokenize.TokenError,
    UserWarning,
    struct.error,
    zipfile.BadZipFile,
)
"""The exceptions that reading an archive, and what is in it, raises if it is not one or is damaged."""

PIPE_LIMIT = 1 << 26
"""The most bytes that are read from a pipe, 64 MiB, because its size is not known in advance."""

MAX_HEADER = 200
"""The most characters of an array's header. NumPy writes fewer than 128 for the arrays of a network."""


def read(path: Path) -> dict[str, NDArray[Any]]:
    """Return all the arrays in an uncompressed .npz file, by name. The file may be a pipe of at most PIPE_LIMIT bytes.

    Raises OSError if the file cannot be read, and one of MALFORMED if it is not such an archive.
    """
    content = _content(path)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = archive.infolist()
        require(all(entry.compress_type == zipfile.ZIP_STORED for entry in entries), "an entry is compressed")
        # Entries that overlap would make the arrays larger than the file.
        require(sum(entry.file_size for entry in entries) <= len(content), "the entries are larger than the file")
        return {entry.filename.removesuffix(".npy"): _array(archive.read(entry)) for entry in entries}


def _content(path: Path) -> bytes:
    """Return all bytes of a file, or of a pipe. Raises OSError for anything else."""
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        if not (stat.S_ISREG(status.st_mode) or stat.S_ISFIFO(status.st_mode)):
            raise OSError(errno.EINVAL, "it is a device or a socket, not a file")
        limit = status.st_size if stat.S_ISREG(status.st_mode) else PIPE_LIMIT
        content = file.read(limit + 1)
    if len(content) > limit:
        raise OSError(errno.EFBIG, "a pipe may hold at most 64 MiB, so save it to a file first")
    return content


def _array(content: bytes) -> NDArray[Any]:
    """Return the array in an entry's content, as a view of it.

    `np.load` allocates whatever shape a header claims, so a short file could make it use up the memory.
    """
    file = io.BytesIO(content)
    read_header = {1: npy.read_array_header_1_0, 2: npy.read_array_header_2_0}[npy.read_magic(file)[0]]
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # NumPy warns of a header that Python 2 wrote
        shape, is_fortran, dtype = read_header(file, MAX_HEADER)
    require(dtype.kind in "fiuU", f"an array has the type {dtype}")
    require(math.prod(shape) * dtype.itemsize == len(content) - file.tell(), "a shape does not fit its content")
    return np.frombuffer(content, dtype, offset=file.tell()).reshape(shape, order="F" if is_fortran else "C")
