"""Atomic writes: no matter what happens, a file has either its old content or all of its new content."""

import errno
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tinygrad_mnist import files
from tinygrad_mnist.files import atomic_write


def write_half(path: Path, error: BaseException) -> None:
    """Start to write, and raise the error in the middle."""
    with atomic_write(path) as file:
        file.write(b"half")
        raise error


def test_new_content_replaces_old_content(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with atomic_write(path) as file:
        file.write(b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_the_old_content_stays_until_the_new_content_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with atomic_write(path) as file:
        file.write(b"new" * 100_000)  # more than any buffer holds
        assert path.read_bytes() == b"old"


@pytest.mark.parametrize("error", [OSError, ValueError, KeyboardInterrupt])
def test_after_an_exception_the_old_content_is_left_and_nothing_else(
    error: type[BaseException], tmp_path: Path
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(error):
        write_half(path, error())
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_after_an_exception_a_new_file_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="midway"):
        write_half(tmp_path / "file", ValueError("midway"))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_not_replaced_by_a_file(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    path.mkdir()
    with pytest.raises(OSError, match="folder"), atomic_write(path) as file:
        file.write(b"new")
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_folder_is_not_created(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), atomic_write(tmp_path / "missing" / "file") as file:
        file.write(b"new")
    assert list(tmp_path.iterdir()) == []


def test_a_temporary_file_that_a_killed_program_left_is_replaced(tmp_path: Path) -> None:
    path, left = tmp_path / "file", tmp_path / ".file.part"
    left.write_bytes(b"a long and incomplete content")
    left.chmod(0o666)
    with atomic_write(path) as file:
        file.write(b"new")
        assert sorted(tmp_path.iterdir()) == [left]
        assert left.stat().st_mode & 0o777 == 0o666 & ~umask()
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o755, 0o666])
def test_a_replaced_file_keeps_its_mode_even_while_it_is_written(mode: int, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(mode)
    with atomic_write(path) as file:
        assert os.fstat(file.fileno()).st_mode & 0o777 == mode
        file.write(b"new")
    assert path.stat().st_mode & 0o777 == mode
    assert path.read_bytes() == b"new"


def test_a_replaced_file_keeps_its_owner_and_group(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    try:
        os.chown(path, 12345, 23456)
    except OSError:
        pytest.skip("only an administrator may give a file away")
    with atomic_write(path) as file:
        file.write(b"new")
    assert (path.stat().st_uid, path.stat().st_gid) == (12345, 23456)


def test_if_the_group_cannot_be_kept_its_permissions_are_not_kept_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(0o664)
    try:
        os.chown(path, -1, 23456)
    except OSError:
        pytest.skip("only an administrator may give a file away")

    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, "not permitted")

    monkeypatch.setattr(files.os, "fchown", refuse)
    with atomic_write(path) as file:
        file.write(b"new")
    assert path.stat().st_mode & 0o777 == 0o604


def test_a_read_only_file_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(0o444)
    with pytest.raises(PermissionError), atomic_write(path) as file:
        file.write(b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("kind", ["link", "folder", "name that is too long"])
def test_if_the_temporary_name_cannot_be_used_a_different_one_is(kind: str, tmp_path: Path) -> None:
    path, temporary, precious = tmp_path / "file", tmp_path / ".file.part", tmp_path / "precious"
    precious.write_bytes(b"precious")
    match kind:
        case "link":
            temporary.symlink_to(precious)
        case "folder":
            temporary.mkdir()
        case _:
            path = tmp_path / ("f" * 255)
    before = set(tmp_path.iterdir())
    with atomic_write(path) as file:
        file.write(b"new")
    assert path.read_bytes() == b"new"
    assert precious.read_bytes() == b"precious"
    assert set(tmp_path.iterdir()) == before | {path}


def test_a_second_name_of_a_temporary_file_keeps_its_content(tmp_path: Path) -> None:
    path, precious = tmp_path / "file", tmp_path / "precious"
    precious.write_bytes(b"precious")
    os.link(precious, tmp_path / ".file.part")
    with atomic_write(path) as file:
        file.write(b"new")
    assert precious.read_bytes() == b"precious"
    assert sorted(tmp_path.iterdir()) == [path, precious]


def test_threads_that_write_the_same_file_at_once_each_write_all_of_it(tmp_path: Path) -> None:
    path, seen = tmp_path / "file", set[bytes]()

    def write(letter: bytes) -> None:
        for _ in range(20):
            with atomic_write(path) as file:
                for _ in range(100):
                    file.write(letter * 1000)
            seen.add(path.read_bytes())

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, (b"a", b"b", b"c", b"d")))
    assert seen <= {letter * 100_000 for letter in (b"a", b"b", b"c", b"d")}
    assert list(tmp_path.iterdir()) == [path]


def test_a_program_that_holds_the_temporary_file_for_long_does_not_block_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "LOCK_SECONDS", 0.1)
    path = tmp_path / "file"
    with atomic_write(path) as slow:
        slow.write(b"slow")
        with atomic_write(path) as fast:
            fast.write(b"fast")
        assert path.read_bytes() == b"fast"
    assert path.read_bytes() == b"slow"
    assert list(tmp_path.iterdir()) == [path]


def test_files_are_complete_on_a_system_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "fcntl", None)
    test_a_temporary_file_that_a_killed_program_left_is_replaced(tmp_path)
    with pytest.raises(ValueError, match="midway"):
        write_half(tmp_path / "file", ValueError("midway"))
    assert (tmp_path / "file").read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


def test_the_file_is_on_the_disk_before_it_is_moved_and_its_folder_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, synced = tmp_path / "file", list[tuple[bool, bool]]()

    def record(descriptor: int) -> None:
        synced.append((stat.S_ISDIR(os.fstat(descriptor).st_mode), path.exists()))

    monkeypatch.setattr(files.os, "fsync", record)
    with atomic_write(path) as file:
        file.write(b"new")
    assert synced == [(False, False), (True, True)]
