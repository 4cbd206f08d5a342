"""Atomic writes: no matter what happens, a file has either its old content or all of its new content."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path

import pytest

from tinygrad_mnist import files
from tinygrad_mnist.files import HOST, atomic_write


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the path of a file with old content, alone in its folder."""
    path = tmp_path / "file"
    path.write_bytes(b"old")
    return path


def write(path: Path, content: bytes = b"new", error: type[BaseException] | None = None) -> None:
    with atomic_write(path) as file:
        file.write(content)
        if error:
            raise error


def test_the_old_content_stays_until_the_new_content_is_complete(path: Path) -> None:
    with atomic_write(path) as file:
        file.write(b"new" * 100_000)  # more than any buffer holds
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new" * 100_000
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("error", [OSError, ValueError, KeyboardInterrupt])
def test_after_an_exception_the_old_content_is_left_and_nothing_else(error: type[BaseException], path: Path) -> None:
    for one in (path, path.with_name("new")):
        with pytest.raises(error):
            write(one, b"half", error)
    assert path.read_bytes() == b"old"
    assert list(path.parent.iterdir()) == [path]


def test_a_folder_is_not_replaced_and_a_missing_one_is_not_created(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for one in (tmp_path / "folder", tmp_path / "missing" / "file"):
        with pytest.raises(OSError, match=r"folder|missing"):
            write(one)
    assert [one.name for one in tmp_path.iterdir()] == ["folder"]


def test_the_next_write_deletes_the_parts_of_dead_processes_of_this_machine_only(path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    kept = [f".file.{HOST}-{os.getppid()}.part", f".file.elsewhere-{dead.pid}.part", f".file.{HOST}-x.part"]
    for name in (*kept, f".file.{HOST}-{dead.pid}.part", f".1f2e.{HOST}-{dead.pid}.part"):
        path.with_name(name).touch()
    write(path)
    assert {one.name for one in path.parent.iterdir()} == {"file", *kept}


@pytest.mark.parametrize("name", ["f" * 255, "\u00e9" * 120])
def test_a_name_that_is_too_long_for_a_prefix_is_written(name: str, tmp_path: Path) -> None:
    write(tmp_path / name)
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == [(name, b"new")]


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o755, 0o666])
def test_a_replaced_file_keeps_its_mode_even_while_it_is_written(mode: int, path: Path) -> None:
    path.chmod(mode)
    with atomic_write(path) as file:
        assert os.fstat(file.fileno()).st_mode & 0o777 == mode
    assert path.stat().st_mode & 0o777 == mode


def test_a_system_that_refuses_modes_and_owners_is_no_obstacle(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError("not permitted")

    monkeypatch.setattr(files.os, "chown", refuse)
    monkeypatch.setattr(files.os, "chmod", refuse)
    write(path)
    assert path.read_bytes() == b"new"


def test_a_read_only_file_is_not_replaced(path: Path) -> None:
    path.chmod(0o444)
    with pytest.raises(PermissionError):
        write(path)
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize("seconds", [0.2, 60])
def test_a_file_that_another_program_holds_is_tried_again(
    seconds: float, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, until = os.replace, files.time.monotonic() + seconds

    def held(*paths: object) -> None:
        if files.time.monotonic() < until:
            raise PermissionError("the file is used by another process")
        original(*paths)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "replace", held)
    monkeypatch.setattr(files, "RETRY_SECONDS", 0.5)
    with nullcontext() if seconds < 1 else pytest.raises(PermissionError):
        write(path)
    assert [one.read_bytes() for one in path.parent.iterdir()] == [b"new" if seconds < 1 else b"old"]


def test_threads_that_write_the_same_file_at_once_each_write_all_of_it(path: Path) -> None:
    seen = set[bytes]()

    def write_often(letter: bytes) -> None:
        for _ in range(20):
            write(path, letter * 100_000)
            seen.add(path.read_bytes())

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write_often, (b"a", b"b", b"c", b"d")))
    assert seen <= {letter * 100_000 for letter in (b"a", b"b", b"c", b"d")}
    assert list(path.parent.iterdir()) == [path]
