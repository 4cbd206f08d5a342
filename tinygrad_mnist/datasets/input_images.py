"""Images as a Python program passes them: bytes from 0 to 255 or floats from 0 to 1, in one of three shapes."""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinygrad_mnist.datasets.digits import MAX_PIXEL

FORM = "use whole numbers from 0 to 255 or floats from 0 to 1, without NaN or infinity"


def as_bytes(images: ArrayLike, pixels: int | None = None) -> NDArray[np.uint8]:
    """Return images as bytes (N, H, W), given as (N, H, W), as rows (N, H*W), or as one image (H, W).

    They are whole numbers from 0 to 255 or floats from 0 to 1, and 0 is the background. A row becomes a square image,
    or one of height 1 if its length is not a square. `pixels` is the number of pixels that an image must have; without
    it, (H, W) means rows. Raises TypeError or ValueError, in one sentence, for everything else.

    >>> as_bytes([[0.0, 0.5, 1.0, 0.0]])
    array([[[  0, 128],
            [255,   0]]], dtype=uint8)
    """
    given = np.asarray(images)
    if given.ndim not in (2, 3):
        raise ValueError(f"Reshape your data to (N, H, W), (N, H*W) or (H, W): it is sparse, or of shape {given.shape}")
    if 0 in given.shape:
        raise ValueError(f"no image or 0 feature(s) (shape={given.shape}) while a minimum of 1 is required: add some")
    values = _bytes(given)
    if values.ndim == 2 and values.shape[1] != pixels == values.size:
        values = values[np.newaxis]
    if values.ndim == 2:
        side = math.isqrt(values.shape[1])
        values = values.reshape(len(values), -1, side if side * side == values.shape[1] else values.shape[1])
    size = values[0].size
    if pixels not in (None, size):
        raise ValueError(f"X has {size} features, but DigitClassifier is expecting {pixels} features as input")
    return values


def _bytes(given: NDArray[Any]) -> NDArray[np.uint8]:
    """Return values from 0 to 255 as they are, and floats from 0 to 1 multiplied by 255 and rounded."""
    if given.dtype == object:
        given = given.astype(np.float64)
    if given.dtype.kind not in "biuf":
        raise ValueError(f"the images hold {given.dtype}: {FORM} (Complex data not supported)")
    low, high = given.min(), given.max()
    is_share = given.dtype.kind in "bf"
    is_bilevel = high == 1 and not is_share  # which would be almost black
    if not 0 <= low <= high <= (1 if is_share else MAX_PIXEL) or is_bilevel:
        raise ValueError(f"the images are {given.dtype} from {low:g} to {high:g}: {FORM}")
    return np.round(given * np.float64(MAX_PIXEL)).astype(np.uint8) if is_share else given.astype(np.uint8)
