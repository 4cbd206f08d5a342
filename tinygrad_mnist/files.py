"""Writing a file completely or not at all."""

import errno
import os
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

try:
    import fcntl
except ImportError:  # on Windows, which has no such locks, but deletes no file that is open
    fcntl = None  # type: ignore[assignment]

LOCK_SECONDS = 5.0
"""How long to wait for another program that is writing the same file."""


@contextmanager
def atomic_write(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary file next to `path`. Once it is complete and on the disk, move it to `path`.

    Even after an error or a crash, `path` has either its old content or all of the new content. A crash may leave the
    temporary file, `.NAME.part`, and the next call for the same path replaces it. Several programs can write to the
    same path at once: the last one wins. If `path` is a link, the file that it points to is replaced, and the link
    stays. A replaced file keeps its mode, and its owner and group as far as the system permits. The folder of `path`
    must exist. Raises OSError if the file cannot be written, or if it exists and is read-only.
    """
    path = Path(os.path.realpath(path))  # raises no error if links form a loop
    replaced = _status(path)
    if replaced and not replaced.st_mode & stat.S_IWUSR:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    temporary, file = _open_temporary(path)
    try:
        if replaced and hasattr(os, "fchmod"):
            _copy_mode_and_owner(replaced, file.fileno())
        yield file
        file.flush()
        os.fsync(file.fileno())
        if not fcntl:
            file.close()  # because Windows does not move an open file
        temporary.replace(path)
    except BaseException:
        if not fcntl:
            file.close()
        # Delete the file while it is locked: once it is not, another program may use its name.
        if not fcntl or _is_at(temporary, file.fileno()):
            temporary.unlink(missing_ok=True)
        raise
    finally:
        file.close()
    _sync_folder(path.parent)


def _status(path: Path) -> os.stat_result | None:
    """Return the status of a regular file, or None if there is none at `path`."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return None
    return status if stat.S_ISREG(status.st_mode) else None


def _open_temporary(path: Path) -> tuple[Path, BinaryIO]:
    """Return a new and locked file next to `path`. Its name is always the same, unless that name cannot be used."""
    temporary = path.with_name(f".{path.name}.part")
    deadline = time.monotonic() + LOCK_SECONDS
    while time.monotonic() < deadline:
        try:
            file = _create(temporary)
        except OSError:
            # The name is too long, a link or another user's file has it, or the file system has no locks.
            break
        if file:
            return temporary, file
        time.sleep(0.01)
    temporary = path.with_name(f".{secrets.token_hex(8)}.part")
    return temporary, temporary.open("xb")


def _create(temporary: Path) -> BinaryIO | None:
    """Create and lock a file. If a killed program has left it, delete it and return None.

    Returns None, too, if another program is writing to it. Raises OSError if it cannot be created or locked.
    """
    if not fcntl:
        temporary.unlink(missing_ok=True)
        return temporary.open("xb")
    flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor, is_new = os.open(temporary, flags | os.O_EXCL, 0o666), True
    except FileExistsError:
        descriptor, is_new = os.open(temporary, flags, 0o666), False
    file = os.fdopen(descriptor, "wb")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Before it was locked, another program may have deleted or moved it.
        is_locked = _is_at(temporary, descriptor)
        if is_locked and is_new:
            return file
        if is_locked:
            temporary.unlink()
    except BlockingIOError:
        pass
    except OSError:
        file.close()
        raise
    file.close()
    return None


def _is_at(path: Path, descriptor: int) -> bool:
    """Return whether the open file is the one at `path`."""
    try:
        return os.path.samestat(path.lstat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _copy_mode_and_owner(replaced: os.stat_result, descriptor: int) -> None:
    """Give an open file the mode of a replaced file, and its owner and group if the system permits that."""
    for owner, group in ((-1, replaced.st_gid), (replaced.st_uid, -1)):
        with suppress(OSError):  # only an administrator may give a file away
            os.fchown(descriptor, owner, group)
    status, mode = os.fstat(descriptor), replaced.st_mode & 0o777
    if status.st_gid != replaced.st_gid:
        mode &= ~stat.S_IRWXG  # these permissions were for the members of a different group
    if mode != status.st_mode & 0o777:
        os.fchmod(descriptor, mode)


def _sync_folder(folder: Path) -> None:
    """Write a folder's list of files to the disk, if the system can do that."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return  # Windows cannot open a folder, and a folder may be writable but not readable
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)
