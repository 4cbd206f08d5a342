"""Digits and classifiers as a notebook shows them: a line of facts, and pictures in a row."""

import base64
import html
import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

PICTURES, ZOOM = 10, 2
"""The largest number of pictures in a row, and the screen pixels of an image pixel."""


def row(title: str, images: NDArray[np.uint8], captions: Sequence[object]) -> str:
    """Return HTML with a title, a row of up to ten images (N, H, W), and their captions. It needs no other file."""
    shown, file = np.pad(images[:PICTURES], ((0, 0), (1, 1), (1, 1)), constant_values=128), io.BytesIO()
    Image.fromarray(np.concatenate([*shown], axis=1)).save(file, "PNG")
    data, width = base64.b64encode(file.getvalue()).decode(), ZOOM * len(shown) * shown.shape[2]
    names = html.escape(", ".join(map(str, captions[:PICTURES])))
    style = f"width:{width}px;image-rendering:pixelated"
    picture = f'<img alt="{names}" style="{style}" src="data:image/png;base64,{data}">'
    return f"<p>{html.escape(title)}</p>{picture}<p>{names}</p>"
