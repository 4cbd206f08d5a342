"""The ink in a picture: where it is, what of it is the digit, and the digit as MNIST has it.

    greys --unframed--> greys --flatten--> ink --only_digit--> ink of the digit --normalise--> image

The size, the box and the centre of mass are those of LeCun, Cortes and Burges, The MNIST database. What comes before
is needed for photographs, which have light and shade, noise and specks, and more paper than digit.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.datasets.strokes import BOX, centre

SAMPLES = 128
"""Pixels along the longer side of what the paper is fitted to."""

LEAST = 10.0
"""Greys, of 255, by which ink has to differ from paper: JPEG's own noise is about half of that."""

SMALLEST = 1 / 50
"""Share of the picture's longer side that the digit's longer side has to have, and MNIST's own have 20 / 28."""

SPECK = 0.05
"""Share of the largest stroke's weight below which something is a speck, and no stroke of the digit."""

BETWEEN = 1 / 8
"""Share of its height by which a digit may be in two parts, left and right. Two digits are farther from each other."""

EDGE = 0.25
"""Share of the ink's darkness at which the digit ends. Chosen on MNIST's training digits, enlarged."""

FRAME = 1 / 10
"""Share of the picture's shorter side that a frame takes at most, on each side."""

STEP, SOFT = 32, 8
"""Greys, of 255: more than the first between a frame and the paper within it, less than the second within the paper."""

Floats = NDArray[np.floating[Any]]
Bytes = NDArray[np.uint8]


def border(shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return which pixels of a picture are its border: a twentieth of it on each side, and at least one pixel."""
    inner = np.zeros(shape, bool)
    rows, columns = (max(1, size // 20) for size in shape)
    inner[rows:-rows, columns:-columns] = True
    return ~inner


def unframed(greys: Floats) -> Floats:
    """Return a picture (H, W) without the frame around it, where it has one: rings of one grey about one of another.

    Left in, a thin frame would be taken for the largest stroke, and a wide one for the paper.
    """
    rings = [_ring(greys, depth) for depth in range(int(FRAME * min(greys.shape)) + 1)]
    medians = [float(np.median(ring)) for ring in rings]
    frame = medians[0]
    differ = [float(np.mean(np.abs(ring - frame) > STEP)) for ring in rings]
    within = [depth for depth, share in enumerate(differ) if share > 0.9]
    if differ[0] > 0.1 or not within:
        return greys
    # The edge of a frame may be soft: what is looked for is the first ring of paper alone.
    depth = next(depth for depth in within if abs(medians[depth] - medians[within[-1]]) < SOFT)
    inner = greys[depth:-depth, depth:-depth]
    # A 0 with corners, near the edge, has rings of ink; but most of what is within is as light as the paper without.
    paper = float(np.median(inner))
    return inner if abs(paper - medians[depth]) < abs(paper - frame) else greys


def _ring(greys: Floats, depth: int) -> Floats:
    """Return the pixels (K,) that are so far from the picture's edge."""
    rows, columns = (slice(depth, size - depth) for size in greys.shape)
    inner = greys[rows, columns]
    return np.concatenate([inner[0], inner[-1], inner[:, 0], inner[:, -1]])


def flatten(greys: Floats) -> tuple[Floats, float]:
    """Return ink (H, W), how far each pixel is from the paper, positive where there is ink; and the paper's noise.

    The paper is a surface of second degree, so that light may fall off to any side: at first what fits the border, and
    then what fits all that is like it.
    """
    step = -(-max(greys.shape) // SAMPLES)
    part = greys[::step, ::step]
    terms, rim = _terms(part.shape), border(part.shape)
    paper, limit = rim, np.inf
    # A border says little of what lies within: what is fitted to it is a number and then a plane.
    for known, where in [(1, rim), (3, rim), (3, rim), *[(6, np.ones_like(rim))] * 5]:
        off = np.abs(part - terms[..., :known] @ _weights(terms[paper][:, :known], part[paper]))
        # The limit only falls: one that rose would in the end let the ink of a narrow picture in.
        limit = max(min(limit, 2.5 * _spread(off[where])), 2.0)
        paper = where & (off <= limit)
    weights = _weights(terms[paper], part[paper])
    surface = (_terms(greys.shape) @ weights).astype(np.float32)
    ink = greys - surface
    strong = ink[np.abs(ink) > 2.5 * _spread(np.abs(ink))].astype(np.float64)
    if (strong**3).sum() < 0:
        # Where there is less light, there is less of a difference between paper and ink.
        light = max(float(surface.mean()), 1.0)
        ink *= -light / np.maximum(surface, light / 4)
    return ink, _spread(np.abs(ink))


def _weights(terms: Floats, greys: Floats) -> Floats:
    """Return by how much each term (N, K) counts in the sum that is nearest to the greys (N,)."""
    if terms.shape[1] == 1:
        return np.median(greys, keepdims=True)
    # The normal equations, solved as far as they have a solution: a tiny picture has fewer pixels than terms.
    weights: Floats = np.linalg.lstsq(terms.T @ terms, terms.T @ greys, rcond=None)[0]
    return weights


def _terms(shape: tuple[int, ...]) -> Floats:
    """Return 1, x, y, xx, xy, yy (H, W, 6) for the pixels of a picture, x and y from -1 to 1."""
    y, x = np.meshgrid(*(np.linspace(-1, 1, size, dtype=np.float32) for size in shape), indexing="ij")
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1)


def _spread(distances: Floats) -> float:
    """Return the standard deviation of normal noise, from its distances to 0, to which many larger ones may be added.

    A quarter of a normal distribution is nearer to its middle than 0.3186 standard deviations.
    """
    return float(np.percentile(distances, 25)) / 0.3186


def only_digit(ink: Floats, noise: float) -> Floats | None:
    """Return the ink of the digit alone (H, W), 0 to 1, cut to its box; None where there is no digit."""
    from scipy import ndimage

    side = max(ink.shape)
    smooth = ndimage.gaussian_filter(ink, side / 500)
    strokes = smooth > max(4 * _spread(np.abs(smooth)), LEAST)
    labels, count = ndimage.label(strokes, np.ones((3, 3)))
    if count == 0:
        return None
    weights = ndimage.sum_labels(np.square(smooth), labels, np.arange(1, count + 1))
    main = labels == 1 + np.argmax(weights)
    dark = float(np.percentile(ink[main], 90))
    if dark < LEAST or max(main[_box(main)].shape) < max(SMALLEST * side, 4):
        return None
    kept = np.isin(labels, 1 + np.flatnonzero(weights >= SPECK * weights.max()))
    body = kept & (smooth >= EDGE * dark)
    if not body.any():
        return None
    floor = min(2 * noise, EDGE * dark)
    clean: Floats = ((ink - floor) / (dark - floor)).clip(0, 1) * ndimage.binary_dilation(kept, iterations=2)
    digit = clean[_box(body)]
    return digit if digit.any() else None


def is_one(digit: Floats) -> bool:
    """Return whether the ink (H, W) is that of one digit, and not of two side by side, with paper between them."""
    height = len(digit)
    inked = np.flatnonzero(digit.any(axis=0))
    gaps = np.diff(inked) - 1
    if gaps.size == 0 or gaps.max() <= BETWEEN * height:
        return True
    left, right = np.split(digit, [inked[np.argmax(gaps)] + 1], axis=1)
    # A blot beside a digit is lower, or has less ink.
    heights = [np.ptp(np.flatnonzero(part.any(axis=1))) for part in (left, right)]
    inks = [part.sum() for part in (left, right)]
    return bool(min(heights) < height / 2 or min(inks) < max(inks) / 4)


def _box(mask: NDArray[np.bool_]) -> tuple[slice, slice]:
    """Return the rows and columns of the smallest box (H, W) with all that is true in it; something has to be."""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def normalise(digit: Floats) -> Bytes:
    """Return the image (28, 28) of a digit's ink (H, W), 0 to 1: as large as the box lets it be, mass in the middle.

    Each pixel is the mean of those that it stands for. A pen so thin that no pixel is full is darkened until some are.
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
    image: Bytes = centre(box)[0]
    return image
