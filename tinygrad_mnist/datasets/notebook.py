"""Digits and classifiers as a notebook shows them: a line of facts, and pictures."""

import base64
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

PICTURES, ZOOM = 10, 2
"""The largest number of pictures in a row, and the screen pixels of an image pixel."""


def html(title: str, images: NDArray[np.uint8], captions: list[str]) -> str:
    """Return HTML with a title, and up to ten images (N, H, W) with a caption each. It needs no other file."""
    figures = "".join(map(_figure, images[:PICTURES], captions))
    return f'<div><p style="margin:0.3em 0">{title}</p><div style="display:flex;flex-wrap:wrap">{figures}</div></div>'


def shades(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Return numbers as gray: 0 is in the middle, and the largest absolute value is black or white."""
    limit = float(np.max(np.abs(values))) or 1.0
    return np.round(127.5 * (1 + values / limit)).astype(np.uint8)


def _figure(image: NDArray[np.uint8], caption: str) -> str:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    data = base64.b64encode(file.getvalue()).decode()
    height, width = (ZOOM * size for size in image.shape)
    return (
        '<figure style="margin:2px;text-align:center">'
        f'<img alt="{caption}" width="{width}" height="{height}" style="image-rendering:pixelated" '
        f'src="data:image/png;base64,{data}"><figcaption>{caption}</figcaption></figure>'
    )
