"""Writing a file completely or not at all."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def atomic_write(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary file next to `path`. Once it is complete and on the disk, move it to `path`.

    Even after an error or a crash, `path` has either its old content or all of the new content. If `path` is a link,
    the file that it points to is replaced, and the link stays. The folder of `path` must exist. Raises OSError if the
    file cannot be written.
    """
    path = Path(os.path.realpath(path))  # raises no error if links form a loop
    temporary = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with temporary.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
