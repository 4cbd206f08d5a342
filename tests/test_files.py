"""Writing whole or not at all: whatever happens on the way, there is the old content or all of the new."""

from pathlib import Path

import pytest

from tinygrad_mnist.files import written_whole


def write_half(path: Path, error: BaseException) -> None:
    """Begin to write, and be interrupted by the error."""
    with written_whole(path) as file:
        file.write(b"half")
        raise error


def test_the_new_content_takes_the_place_of_the_old(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with written_whole(path) as file:
        file.write(b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_the_old_content_stays_until_the_new_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with written_whole(path) as file:
        file.write(b"new" * 100_000)  # more than any buffer holds back
        assert path.read_bytes() == b"old"


@pytest.mark.parametrize("error", [OSError, ValueError, KeyboardInterrupt])
def test_an_exception_in_the_middle_leaves_the_old_content_and_nothing_else(
    error: type[BaseException], tmp_path: Path
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(error):
        write_half(path, error())
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_exception_in_the_middle_of_a_first_writing_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="midway"):
        write_half(tmp_path / "file", ValueError("midway"))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_not_replaced_by_a_file(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    path.mkdir()
    with pytest.raises(OSError, match="folder"), written_whole(path) as file:
        file.write(b"new")
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_folder_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), written_whole(tmp_path / "missing" / "file") as file:
        file.write(b"new")
    assert list(tmp_path.iterdir()) == []
