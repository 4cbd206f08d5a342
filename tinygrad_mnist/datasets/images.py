"""Pictures of digits, photographed or drawn, made into what MNIST's makers made of theirs.

    file --load--> greys --prepare--> image

A file is not to be trusted: it may be broken, or claim to be larger than memory.
"""

import io
import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.datasets import ink
from tinygrad_mnist.datasets.ink import Bytes, Floats
from tinygrad_mnist.errors import DataError

MOST_BYTES = 1 << 28
"""Of a file: 256 MB. It is read into memory, and a pipe can go on for ever."""

MOST_PIXELS = 50_000_000
"""Of a picture: what large cameras take. Decoded, it is 200 MB."""

PIXELS_PER_BYTE = 8 * 1032
"""At most, in a picture with something in it: deflate makes 1032 bytes out of one, and a byte is 8 pixels of 1 bit.

So a short file cannot claim much memory, whatever sizes its header gives.
"""

QUIET = logging.NullHandler()
"""For what Pillow logs, which Python else writes on standard error: what is wrong is said in our own sentence."""

STANDARD_ERROR = 2
"""The number of its file, in every process."""

WORK = 1024
"""Pixels along the longer side at which ink is looked for. Larger pictures are averaged down to at most that."""


def named(source: Path | IO[bytes]) -> str:
    """Return what to call a source of an image in a sentence."""
    return str(source) if isinstance(source, Path) else "standard input"


def load(source: Path | IO[bytes]) -> NDArray[Any]:
    """Return the greys (H, W) of an image file or stream, 0 is black and 255 is white, as it is meant to be seen.

    Bytes where the image itself is grey, float32 where colours, transparency or 16 bits were turned into greys. Sides
    are at most WORK pixels long. Of several frames it is the first. Raises DataError, naming the source, where it
    cannot be read, is no image, is broken or truncated, or claims more pixels than MOST_PIXELS or than fit in it.
    """
    name = named(source)
    content = _content(source, name)
    with _one_sentence(name):
        return _greys(_decoded(content, name))


def prepare(greys: NDArray[Any], name: str) -> Bytes:
    """Return the image (28, 28) of the digit in the greys (H, W) of a picture: 0 is paper and 255 is ink.

    Which is which is decided by the border, which is paper. Raises DataError, naming the picture, where there is
    nothing to be read in it.
    """
    digit = ink.only_digit(*ink.flatten(ink.unframed(greys.astype(np.float32))))
    if digit is None:
        raise DataError(f"{name} has no digit in it that stands out from its paper: take one with more contrast.")
    if not ink.is_one(digit):
        raise DataError(f"{name} has more than one digit in it: cut out one.")
    return ink.normalise(digit)


def _content(source: Path | IO[bytes], name: str) -> bytes:
    try:
        if isinstance(source, Path):
            with source.open("rb") as file:
                content = file.read(MOST_BYTES + 1)
        else:
            content = source.read(MOST_BYTES + 1)
    except OSError as error:
        raise DataError(f"{name} cannot be read: {error.strerror or error}.") from error
    if not content:
        raise DataError(f"{name} is empty: give an image.")
    if len(content) > MOST_BYTES:
        raise DataError(f"{name} is larger than {MOST_BYTES >> 20} MB: scale it down.")
    return content


@contextmanager
def _one_sentence(name: str) -> Iterator[None]:
    """Turn whatever Pillow raises, warns of or logs into a DataError."""
    from PIL import Image, UnidentifiedImageError

    logging.getLogger("PIL").addHandler(QUIET)  # once, however often it is called
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Where an image has another one within, Pillow's own limit is the first to see the sizes of that.
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            yield
        except (DataError, MemoryError):
            raise
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            raise DataError(f"{name} claims more than {MOST_PIXELS:,} pixels: scale it down.") from error
        except UnidentifiedImageError as error:
            raise DataError(f"{name} is not an image that can be read, or only the start of one.") from error
        except Exception as error:
            # Its readers raise whatever they stumble over: OSError, SyntaxError, KeyError, struct.error and others.
            raise DataError(f"{name} is a broken or truncated image: save it anew.") from error


def _decoded(content: bytes, name: str) -> Any:
    """Return Pillow's image, decoded and upright. Raises DataError before it is decoded, where that takes too much."""
    from PIL import Image, ImageOps

    picture = Image.open(io.BytesIO(content))
    if picture.format == "EPS":
        raise DataError(f"{name} is a program for a printer (EPS): save it as PNG.")
    width, height = picture.size
    if width * height > min(MOST_PIXELS, PIXELS_PER_BYTE * len(content)):
        raise DataError(
            f"{name} claims {width:,} x {height:,} pixels, more than {MOST_PIXELS:,} or than fit in it: scale it down."
        )
    picture.draft(None, (WORK, WORK))  # JPEG can be decoded small
    with _silent() if picture.format == "TIFF" else nullcontext():
        picture.load()
    ImageOps.exif_transpose(picture, in_place=True)
    return picture


@contextmanager
def _silent() -> Iterator[None]:
    """Close standard error to what is not Python: of a broken TIFF, libtiff itself says there what is wrong."""
    try:
        kept = os.dup(STANDARD_ERROR)
    except OSError:
        # It is closed already.
        yield
        return
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), STANDARD_ERROR)
    try:
        yield
    finally:
        os.dup2(kept, STANDARD_ERROR)
        os.close(kept)


def _greys(picture: Any) -> NDArray[Any]:
    """Return the greys (H, W) of Pillow's image."""
    is_keyed = picture.mode in ("1", "L", "RGB") and "transparency" in picture.info
    if is_keyed or picture.mode in ("P", "PA"):
        # Numbers in a palette cannot be averaged, nor colours of which one means transparent.
        picture = picture.convert("RGBA")
    match picture.mode:
        case "1" | "L":
            return np.asarray(_reduced(picture.convert("L")))
        case "I" | "I;16" | "I;16L" | "I;16B" | "I;16N":
            return np.asarray(_reduced(picture.convert("I")), np.float32).clip(0, 65_535) / 257
        case "F":
            return _stretched(np.asarray(_reduced(picture), np.float64))
        case _:
            return _along_widest(_on_paper(np.asarray(_reduced(picture).convert("RGBA"), np.float32)))


def _reduced(picture: Any) -> Any:
    return picture.reduce(-(-max(picture.size) // WORK))


def _stretched(numbers: Floats) -> Floats:
    """Return numbers of any range as greys. Raises ValueError where one is not finite."""
    if not np.isfinite(numbers).all():
        raise ValueError("not a finite number")
    low, high = numbers.min(), numbers.max()
    greys: Floats = ((numbers - low) * (255 / ((high - low) or 1))).astype(np.float32)
    return greys


def _on_paper(colours: Floats) -> Floats:
    """Return colours (H, W, 3) from those with opacity (H, W, 4): what is transparent shows the paper.

    The paper has the colour of the border. Where the border is transparent itself, it is white or black, whichever is
    farther from what is opaque.
    """
    opacity = colours[..., 3:] / 255
    colours = colours[..., :3] * opacity
    if opacity.min() == 1:
        return colours
    border = ink.border(opacity.shape[:2])
    shown = border if opacity[border].mean() > 0.5 else np.ones_like(border)
    colour = colours[shown].sum(axis=0) / max(opacity[shown].sum(), 1e-9)
    paper = colour if shown is border else np.where(colour.mean() < 128, 255, 0)
    on_paper: Floats = (colours + paper * (1 - opacity)).astype(np.float32)
    return on_paper


def _along_widest(colours: Floats) -> Floats:
    """Return greys (H, W) from colours (H, W, 3): how far along the line on which the colours differ most.

    So red on green of the same brightness can be told apart, and greys stay what they are.
    """
    _, axes = np.linalg.eigh(np.cov(colours.reshape(-1, 3).T, bias=True))
    axis = axes[:, -1] / np.abs(axes[:, -1]).sum()
    greys: Floats = (colours @ (axis if axis.sum() > 0 else -axis)).astype(np.float32)
    return greys
