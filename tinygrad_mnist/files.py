"""Writing a file completely or not at all."""

import os
import platform
import re
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

HOST = re.sub(r"[^\w.-]", "_", platform.node())[:64]
"""The name of this machine, as a part of the name of a file."""

RETRY_SECONDS = 2.0
"""How long to try to replace a file that another program holds. On Windows, virus scanners hold each new file."""


@contextmanager
def atomic_write(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary file next to `path`. Once it is complete and on the disk, move it to `path`.

    Even after an error or a crash, `path` has either its old content or all of the new content. A crash may leave the
    temporary file, `.NAME.HOST-PID.part`, and the next call in the same folder on the same machine deletes it. Several
    programs can write to the same path at once: the last one wins. If `path` is a link, the file that it points to is
    replaced, and the link stays. A replaced file keeps its mode, owner and group if the system permits that. The folder
    of `path` must exist. Raises OSError if the file cannot be written, or if it exists and is read-only.
    """
    path = Path(os.path.realpath(path))  # raises no error if links form a loop
    replaced = path.stat() if path.is_file() else None
    if replaced and not replaced.st_mode & stat.S_IWUSR:
        raise PermissionError(f"{path} is read-only")
    _delete_parts_of_dead_processes(path.parent)
    file = _open_part(path)
    part = Path(file.name)
    try:
        with file:
            if replaced and hasattr(os, "chown"):
                # Not every system has owners and modes, and only an administrator may give a file away.
                with suppress(OSError):
                    os.chown(part, replaced.st_uid, replaced.st_gid)
                    part.chmod(replaced.st_mode & 0o777)
            yield file
            file.flush()
            os.fsync(file.fileno())
        _replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _open_part(path: Path) -> BinaryIO:
    """Return a new file next to `path`, under a short name if the usual one is too long or used by another thread."""
    end = f"{HOST}-{os.getpid()}.part"
    try:
        return path.with_name(f".{path.name}.{end}").open("xb")
    except OSError:
        return path.with_name(f".{secrets.token_hex(4)}.{end}").open("xb")


def _delete_parts_of_dead_processes(folder: Path) -> None:
    for part in folder.glob(f".*.{HOST}-*.part"):
        # The name may be no process's, and the file another user's, or deleted by another program meanwhile.
        with suppress(ValueError, OverflowError, OSError):
            # Windows deletes no file that is open, and to ask for a process would end it there.
            if os.name == "nt" or not _is_alive(int(part.stem.rpartition("-")[2])):
                part.unlink()


def _is_alive(process: int) -> bool:
    """Return whether a process exists. Raises OSError if it is another user's."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def _replace(part: Path, path: Path) -> None:
    """Move a file, and try it again for some time if another program does not permit it."""
    deadline = time.monotonic() + RETRY_SECONDS
    while time.monotonic() < deadline:
        with suppress(PermissionError):
            part.replace(path)
            return
        time.sleep(0.05)
    part.replace(path)
