"""The IDX format: arrays of every type and rank are read as they were written, and broken files are refused."""

import gzip
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinygrad_mnist.datasets import idx
from tinygrad_mnist.errors import DataError

CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}

Pack = Callable[[bytes], bytes]
Refused = Callable[..., None]
packings = pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])

SMALL = np.arange(6, dtype=np.uint8).reshape(2, 3)
SMALL_FILE = bytes([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 0, 1, 2, 3, 4, 5])


def header(code: int, *sizes: int) -> bytes:
    """Return the first bytes of a file, written here according to the format's definition."""
    return struct.pack(f">BBBB{len(sizes)}I", 0, 0, code, len(sizes), *sizes)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a path for an IDX file."""
    return tmp_path / "images-idx3-ubyte"


@pytest.fixture
def refused(path: Path, one_sentence: Callable[[object], None]) -> Refused:
    """Return a check that the file at `path` is refused in one sentence that names it."""

    def check(match: str | None = None) -> None:
        with pytest.raises(DataError, match=match) as caught:
            idx.read(path)
        assert str(path) in str(caught.value)
        one_sentence(caught.value)

    return check


@packings
def test_the_bytes_of_the_definition_are_read(path: Path, pack: Pack) -> None:
    path.write_bytes(pack(SMALL_FILE))
    array = idx.read(path)
    assert array.dtype == np.uint8
    assert isinstance(array, np.memmap) == (pack is bytes)
    assert not array.flags.writeable
    np.testing.assert_array_equal(array, SMALL)
    idx.write(path, SMALL)
    assert path.read_bytes() == SMALL_FILE


@packings
@pytest.mark.parametrize(("dtype", "code"), CODES.items())
def test_elements_are_big_endian_in_every_type(path: Path, pack: Pack, dtype: str, code: int) -> None:
    formats = {"u1": "B", "i1": "b", "i2": "h", "i4": "i", "f4": "f", "f8": "d"}
    path.write_bytes(pack(header(code, 3) + struct.pack(f">3{formats[dtype]}", 1, 2, 100)))
    array = idx.read(path)
    assert array.dtype == np.dtype(f">{dtype}")
    np.testing.assert_array_equal(array, [1, 2, 100])


def test_every_array_is_read_as_it_was_written(path: Path) -> None:
    hypothesis = pytest.importorskip("hypothesis")
    numpy_strategies = pytest.importorskip("hypothesis.extra.numpy")
    dtypes = hypothesis.strategies.sampled_from([order + dtype for order in "<>" for dtype in CODES]).map(np.dtype)
    shapes = numpy_strategies.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=4)

    @hypothesis.settings(max_examples=30)
    @hypothesis.given(
        numpy_strategies.arrays(dtypes, shapes), hypothesis.strategies.sampled_from([bytes, gzip.compress])
    )
    def check(array: Any, pack: Pack) -> None:
        array = array.T
        idx.write(path, array)
        path.write_bytes(pack(path.read_bytes()))
        result = idx.read(path)
        assert result.shape == array.shape
        assert result.dtype == array.dtype.newbyteorder(">")
        assert result.tobytes() == array.astype(result.dtype).tobytes()  # as bytes, NaN is equal to itself

    check()


@packings
def test_a_file_that_ends_early_is_refused(path: Path, pack: Pack, refused: Refused) -> None:
    content = pack(SMALL_FILE)
    for length in range(len(content)):
        path.write_bytes(content[:length])
        refused()


@packings
@pytest.mark.parametrize("more", [b"\0", b"more" * 100])
def test_content_that_is_too_long_is_refused(path: Path, pack: Pack, more: bytes, refused: Refused) -> None:
    path.write_bytes(pack(SMALL_FILE + more))
    refused("its header claims 6 bytes, but")


def test_a_gzip_file_followed_by_something_else_is_refused(path: Path, refused: Refused) -> None:
    path.write_bytes(gzip.compress(SMALL_FILE) + b"something else")
    refused("not a complete IDX file")


@packings
@pytest.mark.parametrize(
    "start",
    [b"\1\0\x08\1", b"\0\1\x08\1", b"\0\0\0\1", b"\0\0\x0a\1", b"\0\0\x0f\1", b"\x08\1\0\0", b"<!DOCTYPE html>"],
)
def test_a_file_with_a_wrong_start_is_refused(path: Path, pack: Pack, start: bytes, refused: Refused) -> None:
    path.write_bytes(pack(start + SMALL_FILE))
    refused("it starts with")


def test_a_changed_gzip_file_is_refused_or_read_correctly(path: Path, one_sentence: Callable[[object], None]) -> None:
    content = gzip.compress(SMALL_FILE, mtime=0)
    for position in range(len(content)):
        changed = bytearray(content)
        changed[position] ^= 0xFF
        path.write_bytes(changed)
        try:
            array = idx.read(path)
        except DataError as error:
            one_sentence(error)
        else:
            np.testing.assert_array_equal(array, SMALL)


@packings
@pytest.mark.parametrize("sizes", [(2**32 - 1,), (2**20, 2**20), (60_000, 28, 28), (2**32 - 1,) * 3, (2**32 - 1,) * 64])
def test_a_header_that_claims_terabytes_takes_no_memory(
    path: Path, pack: Pack, sizes: tuple[int, ...], refused: Refused
) -> None:
    path.write_bytes(pack(header(0x0E, *sizes) + bytes(100)))
    refused("is not a complete IDX file")


@packings
@pytest.mark.parametrize("size", [0, 1])
def test_more_axes_than_numpy_has_are_refused(path: Path, pack: Pack, size: int, refused: Refused) -> None:
    path.write_bytes(pack(header(8, *[size] * 255) + bytes(size)))
    refused("is not a complete IDX file")


def test_a_missing_file_and_a_folder_are_refused(path: Path, refused: Refused) -> None:
    refused("No such file")
    path.mkdir()
    refused("cannot be read")


@pytest.mark.parametrize("dtype", ["bool", "u2", "u4", "i8", "f2", "c8", "U1"])
def test_a_type_that_idx_lacks_is_refused_and_nothing_is_written(path: Path, dtype: str) -> None:
    path.write_bytes(SMALL_FILE)
    with pytest.raises(ValueError, match="IDX has no element type"):
        idx.write(path, np.zeros(3, dtype))
    assert path.read_bytes() == SMALL_FILE
    assert list(path.parent.iterdir()) == [path]
