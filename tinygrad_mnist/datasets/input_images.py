"""Images as a Python program passes them: bytes from 0 to 255 or floats from 0 to 1, in one of three shapes."""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinygrad_mnist.datasets.digits import MAX_PIXEL

FORM = "use whole numbers from 0 to 255 or floats from 0 to 1"


def as_bytes(images: ArrayLike, pixels: int | None = None) -> NDArray[np.uint8]:
    """Return images as bytes (N, H, W), given as (N, H, W), as rows (N, H*W), or as one image (H, W).

    They are whole numbers from 0 to 255 or floats from 0 to 1, and 0 is the background. A row becomes a square image,
    or one of height 1 if its length is not a square. `pixels` is the number of pixels that an image must have; without
    it, (H, W) means rows. Raises TypeError or ValueError, in one sentence, for everything else.

    >>> as_bytes([[0.0, 0.5, 1.0, 0.0]])
    array([[[  0, 128],
            [255,   0]]], dtype=uint8)
    """
    if hasattr(images, "toarray"):
        raise TypeError("the images are a sparse matrix: convert them with toarray()")
    given = np.asarray(images)
    if given.ndim not in (2, 3):
        raise ValueError(f"Reshape your data: images are (N, H, W), (N, H*W), or one (H, W), and not {given.shape}")
    if 0 in given.shape:
        few = "sample" if not len(given) else "feature"
        raise ValueError(f"the images have 0 {few}(s) (shape={given.shape}) while a minimum of 1 is required: add some")
    values = _bytes(given)
    if values.ndim == 2 and values.shape[1] != pixels == values.size:
        values = values[np.newaxis]
    if values.ndim == 2:
        side = math.isqrt(values.shape[1])
        values = values.reshape(len(values), -1, side if side * side == values.shape[1] else values.shape[1])
    if pixels not in (None, values[0].size):
        raise ValueError(
            f"X has {values[0].size} features, but DigitClassifier is expecting {pixels} features as input, one a pixel"
        )
    return values


def _bytes(given: NDArray[Any]) -> NDArray[np.uint8]:
    """Return values from 0 to 255 as they are, and floats from 0 to 1 multiplied by 255 and rounded."""
    if given.dtype == object:
        given = given.astype(np.float64)
    if given.dtype.kind not in "biuf":
        kind = "Complex data not supported" if given.dtype.kind == "c" else f"the images hold {given.dtype}"
        raise ValueError(f"{kind}: {FORM}")
    if not np.all(np.isfinite(given)):
        raise ValueError(f"the images contain NaN or infinity: {FORM}")
    low, high = given.min(), given.max()
    is_share = given.dtype.kind in "bf"
    is_bilevel = high == 1 and not is_share  # which would be almost black
    if low < 0 or high > (1 if is_share else MAX_PIXEL) or is_bilevel:
        raise ValueError(f"the images are {given.dtype} from {low:g} to {high:g}: {FORM}")
    return np.round(given * np.float64(MAX_PIXEL)).astype(np.uint8) if is_share else given.astype(np.uint8)
