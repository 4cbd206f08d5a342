"""Writing a file whole or not at all."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def written_whole(path: Path) -> Iterator[BinaryIO]:
    """Open a file beside `path`; once it is complete and on the disk, move it onto `path`.

    Whatever happens on the way, `path` holds either what it held before or all of the new content. A link is followed,
    and stays a link. The folder of `path` must exist; raises OSError where it cannot be written.
    """
    path = Path(os.path.realpath(path))  # which has no error for links that lead in a circle
    beside = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with beside.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
