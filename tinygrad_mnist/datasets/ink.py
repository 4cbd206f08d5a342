"""Finds the ink in a picture, isolates the digit, and gives it the form that MNIST's digits have.

    grays --remove_frame--> grays --subtract_paper--> ink --isolate_digit--> ink of the digit --normalize--> image

The size, the box and the center of mass follow LeCun, Cortes and Burges, The MNIST database. The steps before
`normalize` are for photos, which have light and shade, noise and specks, and more paper than digit.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.datasets.strokes import BOX, center

FIT_PIXELS = 128
"""The paper is fitted to a sample with at most this many pixels along its longer side."""

MIN_CONTRAST = 10.0
"""The smallest difference between ink and paper, out of 255. The noise of JPEG itself is about half of that."""

MIN_SIZE = 1 / 50
"""The smallest length of a digit's longer side, as a share of the picture's. MNIST's digits have 20 / 28."""

SPECK = 0.05
"""A part with less than this share of the largest part's weight is a speck, not a part of the digit."""

MAX_GAP = 1 / 8
"""The widest gap between two parts of one digit, as a share of its height. Two digits have a wider gap."""

EDGE = 0.25
"""The digit ends at this share of the ink's darkness. Chosen on enlarged training digits of MNIST."""

MAX_FRAME = 1 / 10
"""The widest frame, on each side, as a share of the picture's shorter side."""

FRAME_CONTRAST, PAPER_CONTRAST = 32, 8
"""In grays, out of 255: a frame and the paper inside it differ by more than the first, two rings of paper by less than
the second."""

Floats = NDArray[np.floating[Any]]
Bytes = NDArray[np.uint8]


def border(shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return a mask of the pixels in a picture's border: a twentieth of it on each side, and at least one pixel."""
    inner = np.zeros(shape, bool)
    rows, columns = (max(1, size // 20) for size in shape)
    inner[rows:-rows, columns:-columns] = True
    return ~inner


def remove_frame(grays: Floats) -> Floats:
    """Return a picture (H, W) without its frame, if it has one: rings of one gray around a ring of a different gray.

    If it stayed, a thin frame would look like the largest stroke, and a wide frame would look like the paper.
    """
    rings = [_ring(grays, depth) for depth in range(int(MAX_FRAME * min(grays.shape)) + 1)]
    medians = [float(np.median(ring)) for ring in rings]
    frame = medians[0]
    different = [float(np.mean(np.abs(ring - frame) > FRAME_CONTRAST)) for ring in rings]
    inside = [depth for depth, share in enumerate(different) if share > 0.9]
    if different[0] > 0.1 or not inside:
        return grays
    # The edge of a frame may be soft, so find the first ring that is only paper.
    depth = next(depth for depth in inside if abs(medians[depth] - medians[inside[-1]]) < PAPER_CONTRAST)
    inner = grays[depth:-depth, depth:-depth]
    # A square 0 near the edge also makes rings of ink. But then the paper inside it is as light as the paper outside.
    paper = float(np.median(inner))
    return inner if abs(paper - medians[depth]) < abs(paper - frame) else grays


def _ring(grays: Floats, depth: int) -> Floats:
    """Return the pixels (K,) at this distance from the picture's edge."""
    rows, columns = (slice(depth, size - depth) for size in grays.shape)
    inner = grays[rows, columns]
    return np.concatenate([inner[0], inner[-1], inner[:, 0], inner[:, -1]])


def subtract_paper(grays: Floats) -> tuple[Floats, float]:
    """Return the ink (H, W), which is the difference from the paper and positive for ink, and the noise of the paper.

    The paper is modeled as a quadratic surface, because light may fade toward any side. It is fitted first to
    the border, and then to all pixels that are similar to the paper found so far.
    """
    step = -(-max(grays.shape) // FIT_PIXELS)
    sample = grays[::step, ::step]
    terms, rim = _terms(sample.shape), border(sample.shape)
    paper, limit = rim, np.inf
    # The border says little about the pixels inside it, so only a constant and then a plane are fitted to it.
    for count, region in [(1, rim), (3, rim), (3, rim), *[(6, np.ones_like(rim))] * 5]:
        residual = np.abs(sample - terms[..., :count] @ _fit(terms[paper][:, :count], sample[paper]))
        # The limit only decreases. If it could increase, the ink of a narrow picture would become paper in the end.
        limit = max(min(limit, 2.5 * _spread(residual[region])), 2.0)
        paper = region & (residual <= limit)
    weights = _fit(terms[paper], sample[paper])
    surface = (_terms(grays.shape) @ weights).astype(np.float32)
    ink = grays - surface
    strong = ink[np.abs(ink) > 2.5 * _spread(np.abs(ink))].astype(np.float64)
    if (strong**3).sum() < 0:
        # Dark ink differs less from the paper where there is less light.
        light = max(float(surface.mean()), 1.0)
        ink *= -light / np.maximum(surface, light / 4)
    return ink, _spread(np.abs(ink))


def _fit(terms: Floats, grays: Floats) -> Floats:
    """Return the weights (K,) of the terms (N, K) whose weighted sum is closest to the grays (N,)."""
    if terms.shape[1] == 1:
        return np.median(grays, keepdims=True)
    # Least squares for the normal equations, because they are singular if a tiny picture has fewer pixels than terms.
    weights: Floats = np.linalg.lstsq(terms.T @ terms, terms.T @ grays, rcond=None)[0]
    return weights


def _terms(shape: tuple[int, ...]) -> Floats:
    """Return 1, x, y, xx, xy, yy (H, W, 6) for each pixel of a picture, with x and y from -1 to 1."""
    y, x = np.meshgrid(*(np.linspace(-1, 1, size, dtype=np.float32) for size in shape), indexing="ij")
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1)


def _spread(distances: Floats) -> float:
    """Return the standard deviation of normal noise, estimated from its distances from 0. Large outliers hardly matter.

    A quarter of a normal distribution is within 0.3186 standard deviations of its mean.
    """
    return float(np.percentile(distances, 25)) / 0.3186


def isolate_digit(ink: Floats, noise: float) -> Floats | None:
    """Return the ink (H, W) of only the digit, from 0 to 1, cropped to its box, or None if there is no digit."""
    from scipy import ndimage

    side = max(ink.shape)
    smooth = ndimage.gaussian_filter(ink, side / 500)
    strong = smooth > max(4 * _spread(np.abs(smooth)), MIN_CONTRAST)
    labels, count = ndimage.label(strong, np.ones((3, 3)))
    if count == 0:
        return None
    weights = ndimage.sum_labels(np.square(smooth), labels, np.arange(1, count + 1))
    largest = labels == 1 + np.argmax(weights)
    darkness = float(np.percentile(ink[largest], 90))
    if darkness < MIN_CONTRAST or max(largest[_box(largest)].shape) < max(MIN_SIZE * side, 4):
        return None
    parts = np.isin(labels, 1 + np.flatnonzero(weights >= SPECK * weights.max()))
    body = parts & (smooth >= EDGE * darkness)
    if not body.any():
        return None
    floor = min(2 * noise, EDGE * darkness)
    clean: Floats = ((ink - floor) / (darkness - floor)).clip(0, 1) * ndimage.binary_dilation(parts, iterations=2)
    digit = clean[_box(body)]
    return digit if digit.any() else None


def is_single_digit(digit: Floats) -> bool:
    """Return whether the ink (H, W) is one digit, and not two digits side by side with paper between them."""
    height = len(digit)
    inked = np.flatnonzero(digit.any(axis=0))
    gaps = np.diff(inked) - 1
    if gaps.size == 0 or gaps.max() <= MAX_GAP * height:
        return True
    left, right = np.split(digit, [inked[np.argmax(gaps)] + 1], axis=1)
    # A blot next to a digit is less tall, or has less ink.
    heights = [np.ptp(np.flatnonzero(part.any(axis=1))) for part in (left, right)]
    inks = [part.sum() for part in (left, right)]
    return bool(min(heights) < height / 2 or min(inks) < max(inks) / 4)


def _box(mask: NDArray[np.bool_]) -> tuple[slice, slice]:
    """Return the rows and columns of the smallest box that contains all true entries (H, W). There must be one."""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def normalize(digit: Floats) -> Bytes:
    """Return the image (28, 28) of a digit's ink (H, W), from 0 to 1: it fills the box and is centered by mass.

    Each pixel is a mean of the pixels that it replaces. One in twenty inked pixels is full, even if the pen is thin.
    """
    from PIL import Image

    height, width = digit.shape
    scale = BOX / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = np.asarray(Image.fromarray(digit).resize(size, Image.Resampling.HAMMING)).clip(0, 1)
    small = (small / np.percentile(small[small > 0], 95)).clip(0, 1)
    box = np.zeros((1, BOX, BOX), np.uint8)
    top, left = ((BOX - length) // 2 for length in small.shape)
    box[0, top : top + small.shape[0], left : left + small.shape[1]] = np.rint(255 * small)
    image: Bytes = center(box)[0]
    return image
