"""Decodes image files to grays: photos and drawings for `predict`, and the images of a folder.

Files are not trusted: they may be broken, or claim to be larger than memory. Pillow refuses those that claim too many
pixels.
"""

import io
import logging
import warnings
from contextlib import nullcontext
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.errors import DataError

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM")
"""The formats that are read, by Pillow's names. Its readers of rarer formats are less tested, and some run programs."""

BYTE_LIMIT = 1 << 28
"""The largest file: 256 MB. It is read into memory, and a pipe can be endless."""

MAX_SIDE = 512
"""The longest side, in pixels, of the grays. Larger pictures are averaged down."""

# Keeps Pillow's log messages off standard error. Our own sentence says what is wrong.
logging.getLogger("PIL").addHandler(logging.NullHandler())

Floats = NDArray[Any]


def has_image_name(path: Path) -> bool:
    """Return whether the ending of a file's name is that of a format that can be read."""
    from PIL import Image  # slow to import, and only needed for images

    accepted = _formats()  # which may register an ending
    return Image.registered_extensions().get(path.suffix.lower()) in accepted


def display_name(source: Path | IO[bytes]) -> str:
    """Return the name of an image's source for messages."""
    return str(source) if isinstance(source, Path) else "standard input"


def load(source: Path | IO[bytes]) -> NDArray[Any]:
    """Return the upright grays (H, W), from 0 (black) to 255 (white), of an image file or stream.

    They are bytes if the image is gray, and float32 if they were computed from colors, transparency or 16 bits. Sides
    have at most MAX_SIDE pixels. Of several frames, only the first is read. Raises DataError, which names the source,
    if it is unreadable, broken, not an image, or larger than BYTE_LIMIT or Pillow's limit of pixels.
    """
    from PIL import Image

    name = display_name(source)
    try:
        with source.open("rb") if isinstance(source, Path) else nullcontext(source) as file:
            content = file.read(BYTE_LIMIT)
    except OSError as error:
        raise DataError(f"{name} cannot be read: {error.strerror or error}.") from error
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            return _grays(_upright(content))
        except MemoryError:
            raise
        except Exception as error:
            # Pillow's readers raise many types: OSError, SyntaxError, KeyError, struct.error and others.
            raise DataError(
                f"{name} is not an image that can be read: it is empty, broken, too large, or of a format that is not "
                "accepted (HEIC needs the library pillow-heif); save it as PNG or JPEG."
            ) from error


def _formats() -> tuple[str, ...]:
    """Return the formats that are read, with HEIC, in which phones save photos, if pillow-heif is installed."""
    try:
        import pillow_heif
    except ImportError:
        return FORMATS
    pillow_heif.register_heif_opener()
    return (*FORMATS, "HEIF")


def _upright(content: bytes) -> Any:
    """Return Pillow's image, decoded, and turned as its camera says."""
    from PIL import Image, ImageOps

    picture = Image.open(io.BytesIO(content), formats=_formats())
    picture.draft(None, (MAX_SIDE, MAX_SIDE))  # a JPEG can be decoded at a smaller size
    picture.load()
    ImageOps.exif_transpose(picture, in_place=True)
    return picture


def _grays(picture: Any) -> NDArray[Any]:
    """Return the grays (H, W) of Pillow's image. Raises ValueError if a pixel is not a finite number."""
    from PIL import Image

    is_gray = picture.mode in ("1", "L") and "transparency" not in picture.info
    is_number = picture.mode.startswith(("F", "I"))  # of 16 or 32 bits
    # Palette indices cannot be averaged, and neither can colors if one of them means transparent.
    picture = picture.convert("L" if is_gray else "F" if is_number else "RGBA")
    # Each pixel is a mean of the pixels that it replaces.
    picture.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.BOX, reducing_gap=1.0)
    pixels = np.asarray(picture)
    if is_gray:
        return pixels
    return _stretched(pixels.astype(np.float64)) if is_number else _projected(_on_paper(pixels.astype(np.float32)))


def _stretched(numbers: Floats) -> Floats:
    """Return numbers as grays from 0 to 255, as cameras use only a part of 16 bits. Raises ValueError if not finite."""
    if not np.isfinite(numbers).all():
        raise ValueError("a number is not finite")
    return np.asarray((numbers - numbers.min()) * (255 / (np.ptp(numbers) or 1)), np.float32)


def _on_paper(colors: Floats) -> Floats:
    """Return colors (H, W, 3) from colors with opacity (H, W, 4), drawn on paper.

    The paper is white or black, whichever is farther from the opaque colors.
    """
    opacity = colors[..., 3:] / 255
    colors = colors[..., :3] * opacity
    paper = 255 if colors.sum() / 3 < 128 * opacity.sum() else 0
    return np.asarray(colors + paper * (1 - opacity), np.float32)


def _projected(colors: Floats) -> Floats:
    """Return grays (H, W) from colors (H, W, 3): their positions along the line on which the colors differ most.

    So red stands out from a green of the same brightness, and gray colors keep their values.
    """
    _, axes = np.linalg.eigh(np.cov(colors.reshape(-1, 3).T, bias=True))
    axis = axes[:, -1] / np.abs(axes[:, -1]).sum()
    return np.asarray(colors @ (axis if axis.sum() > 0 else -axis), np.float32)
