"""Which files are pictures that can be read, and what to do with those that cannot."""

import io
import re
from pathlib import Path
from typing import Any

from tinygrad_mnist.errors import DataError

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM")
"""The formats that are read, by Pillow's names. Its readers of rarer formats are less tested, and some run programs."""

HEIC_ENDINGS = (".heic", ".heif")

HEIC = re.compile(rb"....ftyp(?:hei[cxms]|hev[cx]|mif1|msf1)", re.DOTALL)
"""How the photos of recent phones begin: a box of type ftyp and a brand of HEIC (ISO/IEC 23008-12)."""

OTHERS = {
    "a PDF document, not a picture": (re.compile(rb"\s*%PDF-"), "save its page as PNG"),
    "an SVG drawing, which has lines instead of pixels": (
        re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml.{0,2000}?)?(?:<!.{0,2000}?)?<svg\b", re.DOTALL),
        "save it as PNG",
    ),
}
"""What people take for pictures: how it is called, how its files begin, and the remedy."""


def has_image_name(path: Path) -> bool:
    """Return whether the ending of a file's name is that of a format that can be read, or of HEIC."""
    from PIL import Image  # slow to import, and only needed for images

    ending = path.suffix.lower()
    return Image.registered_extensions().get(ending) in FORMATS or ending in HEIC_ENDINGS


def opened(content: bytes, name: str) -> Any:
    """Return Pillow's image, not decoded yet. HEIC needs the library pillow-heif.

    Raises DataError, which names the file, its kind and a remedy, if it is of a known kind that cannot be read, and
    Pillow's exceptions otherwise.
    """
    from PIL import Image, UnidentifiedImageError

    if HEIC.match(content):
        return _opened_heic(content, name)
    try:
        return Image.open(io.BytesIO(content), formats=FORMATS)
    except UnidentifiedImageError as error:
        for what, (beginning, remedy) in OTHERS.items():
            if beginning.match(content):
                raise DataError(f"{name} is {what}: {remedy}.") from error
        for kind, (_, accepts) in Image.OPEN.items():
            if kind not in FORMATS and accepts and accepts(content[:16]) is True:
                raise DataError(f"{name} is a file of type {kind}, which is not accepted: save it as PNG.") from error
        raise


def _opened_heic(content: bytes, name: str) -> Any:
    from PIL import Image

    try:
        import pillow_heif
    except ImportError as error:
        raise DataError(
            f"{name} is a HEIC photo, which needs the library pillow-heif: install tinygrad_mnist[heic], or save it as "
            "JPEG or PNG."
        ) from error
    pillow_heif.register_heif_opener()
    return Image.open(io.BytesIO(content), formats=("HEIF",))
