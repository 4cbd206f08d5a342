"""Reads photos and drawings of digits, and prepares them as MNIST's authors prepared theirs.

    file --load--> grays --prepare--> image

Files are not trusted: they may be broken, or claim to be larger than memory.
"""

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.errors import DataError
from tinygrad_mnist.photos import ink, marks, picture_formats
from tinygrad_mnist.photos.ink import Bytes
from tinygrad_mnist.photos.paper import Floats

BYTE_LIMIT = 1 << 28
"""The largest file: 256 MB. It is read into memory, and a pipe can be endless."""

PIXEL_LIMIT = 50_000_000
"""The largest picture, about the size of one from a good camera. Decoded, it takes 200 MB."""

MAX_PIXELS_PER_BYTE = 8 * 1032
"""Deflate expands one byte to at most 1032 bytes, and a byte holds at most 8 pixels, of 1 bit each.

So a short file cannot claim much memory, no matter what size its header gives.
"""

NO_LOG = logging.NullHandler()
"""Keeps Pillow's log messages off standard error. Our own sentence says what is wrong."""

STANDARD_ERROR = 2
"""The file descriptor of standard error, in every process."""

MAX_SIDE = 512
"""The longest side, in pixels, of the grays. Larger pictures are averaged down."""


@dataclass(frozen=True)
class Reading:
    """A picture of a digit, prepared, and what speaks against trusting it."""

    image: Bytes  # (28, 28), 255 is ink
    doubt: str | None = None  # a short clause, or None if the choice of the digit was clear


def read(source: Path | IO[bytes]) -> Reading:
    """Return the digit in an image file or stream. Raises DataError as `load` and `prepare` do."""
    return _read_grays(load(source), display_name(source))


def display_name(source: Path | IO[bytes]) -> str:
    """Return the name of an image's source for messages."""
    return str(source) if isinstance(source, Path) else "standard input"


def load(source: Path | IO[bytes]) -> NDArray[Any]:
    """Return the upright grays (H, W), from 0 (black) to 255 (white), of an image file or stream.

    They are bytes if the image is gray, and float32 if they were computed from colors, transparency or 16 bits. Sides
    have at most MAX_SIDE pixels. Of several frames, only the first is read. Raises DataError, which names the source,
    if it is unreadable, broken or not an image, or claims more pixels than PIXEL_LIMIT or than its bytes can hold.
    """
    name = display_name(source)
    content = _read_bytes(source, name)
    with _as_data_error(name):
        return _to_grays(_decode(content, name))


def prepare(grays: NDArray[Any], name: str) -> Bytes:
    """Return the image (28, 28) of the digit in a picture's grays (H, W): 0 is paper and 255 is ink.

    Raises DataError, which names the picture, if it does not show exactly one digit.
    """
    return _read_grays(grays, name).image


def _read_grays(grays: NDArray[Any], name: str) -> Reading:
    found = marks.find(grays.astype(np.float32))
    if not found:
        raise DataError(f"{name} has no digit that stands out from the paper: use a picture with more contrast.")
    digit, others = found[0], [mark for mark in found if mark.layer.grays is found[0].layer.grays]
    if any(ink.is_second(mark, digit) for mark in others):
        raise DataError(f"{name} has more than one digit: crop it to one.")
    parts = [mark for mark in others if mark.layer is digit.layer and ink.is_part(mark, digit)]
    return Reading(ink.normalize(ink.cut_out(parts)), str(digit.faults[0]) if digit.faults else None)


def _read_bytes(source: Path | IO[bytes], name: str) -> bytes:
    try:
        if isinstance(source, Path):
            with source.open("rb") as file:
                content = file.read(BYTE_LIMIT + 1)
        else:
            content = source.read(BYTE_LIMIT + 1)
    except OSError as error:
        raise DataError(f"{name} cannot be read: {error.strerror or error}.") from error
    if not content:
        raise DataError(f"{name} is empty: provide an image.")
    if len(content) > BYTE_LIMIT:
        raise DataError(f"{name} is larger than {BYTE_LIMIT >> 20} MB: scale it down.")
    return content


@contextmanager
def _as_data_error(name: str) -> Iterator[None]:
    """Turn every exception that Pillow raises into a DataError, and silence its warnings and log messages."""
    from PIL import Image, UnidentifiedImageError

    logging.getLogger("PIL").addHandler(NO_LOG)  # a second call adds nothing
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # If an image contains another one, only Pillow's own limit sees the size of the inner one in time.
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            yield
        except (DataError, MemoryError):
            raise
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            raise DataError(f"{name} claims more than {PIXEL_LIMIT:,} pixels: scale it down.") from error
        except UnidentifiedImageError as error:
            raise DataError(f"{name} is not an image in a known format, or it is truncated: save it as PNG.") from error
        except Exception as error:
            # Pillow's readers raise many types: OSError, SyntaxError, KeyError, struct.error and others.
            raise DataError(f"{name} is a broken or truncated image: save it again.") from error


def _decode(content: bytes, name: str) -> Any:
    """Return Pillow's image, decoded and upright. Raises DataError before decoding it if it is too large."""
    from PIL import ImageOps

    picture = picture_formats.opened(content, name)
    width, height = picture.size
    if width * height > min(PIXEL_LIMIT, MAX_PIXELS_PER_BYTE * len(content)):
        raise DataError(
            f"{name} claims {width:,} x {height:,} pixels, more than {PIXEL_LIMIT:,} or more than a file of its size "
            "can hold: scale it down."
        )
    picture.draft(None, (MAX_SIDE, MAX_SIDE))  # a JPEG can be decoded at a smaller size
    with _silenced_stderr() if picture.format == "TIFF" else nullcontext():
        picture.load()
    ImageOps.exif_transpose(picture, in_place=True)
    return picture


@contextmanager
def _silenced_stderr() -> Iterator[None]:
    """Silence the process's standard error, because libtiff writes its own messages about a broken TIFF there."""
    try:
        saved = os.dup(STANDARD_ERROR)
    except OSError:
        # It is already closed.
        yield
        return
    with Path(os.devnull).open("wb") as devnull:
        os.dup2(devnull.fileno(), STANDARD_ERROR)
    try:
        yield
    finally:
        os.dup2(saved, STANDARD_ERROR)
        os.close(saved)


def _to_grays(picture: Any) -> NDArray[Any]:
    """Return the grays (H, W) of Pillow's image."""
    has_transparent_color = picture.mode in ("1", "L", "RGB") and "transparency" in picture.info
    if has_transparent_color or picture.mode in ("P", "PA"):
        # Palette indices cannot be averaged, and neither can colors if one of them means transparent.
        picture = picture.convert("RGBA")
    match picture.mode:
        case "1" | "L":
            return np.asarray(_shrink(picture.convert("L")))
        case "F" | "I" | "I;16" | "I;16L" | "I;16B" | "I;16N":
            return _stretch(np.asarray(_shrink(picture.convert("F" if picture.mode == "F" else "I")), np.float64))
        case _:
            return _project(_on_paper(np.asarray(_shrink(picture).convert("RGBA"), np.float32)))


def _shrink(picture: Any) -> Any:
    """Return the picture with sides of at most MAX_SIDE. Each pixel is a mean of the pixels that it replaces."""
    from PIL import Image

    picture.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.BOX, reducing_gap=1.0)
    return picture


def _stretch(numbers: Floats) -> Floats:
    """Return numbers as grays from 0 to 255, as cameras use only a part of 16 bits. Raises ValueError if not finite."""
    if not np.isfinite(numbers).all():
        raise ValueError("a number is not finite")
    grays: Floats = ((numbers - numbers.min()) * (255 / (np.ptp(numbers) or 1))).astype(np.float32)
    return grays


def _on_paper(colors: Floats) -> Floats:
    """Return colors (H, W, 3) from colors with opacity (H, W, 4), drawn on paper.

    The paper has the color of the border. If the border is mostly transparent, the paper is white or black, whichever
    is farther from the opaque colors.
    """
    opacity = colors[..., 3:] / 255
    colors = colors[..., :3] * opacity
    if opacity.min() == 1:
        return colors
    border = ink.border(opacity.shape[:2])
    region = border if opacity[border].mean() > 0.5 else np.ones_like(border)
    color = colors[region].sum(axis=0) / max(opacity[region].sum(), 1e-9)
    paper = color if region is border else np.where(color.mean() < 128, 255, 0)
    on_paper: Floats = (colors + paper * (1 - opacity)).astype(np.float32)
    return on_paper


def _project(colors: Floats) -> Floats:
    """Return grays (H, W) from colors (H, W, 3): their positions along the line on which the colors differ most.

    So red stands out from a green of the same brightness, and gray colors keep their values.
    """
    _, axes = np.linalg.eigh(np.cov(colors.reshape(-1, 3).T, bias=True))
    axis = axes[:, -1] / np.abs(axes[:, -1]).sum()
    grays: Floats = (colors @ (axis if axis.sum() > 0 else -axis)).astype(np.float32)
    return grays
