"""Atomic writes: no matter what happens, a file has either its old content or all of its new content."""

from pathlib import Path

import pytest

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
