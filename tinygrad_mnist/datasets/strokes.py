"""Handwritten-looking digits, made offline: the same seed gives the same images, and no network is needed.

    skeleton --trace--> path --bend--> paths --fit--> paths in the box --ink--> ink --centre--> images

A skeleton is a digit as the copybook has it (skeletons.py). Every image bends it in its own way. The box of 20 x 20
pixels and the centre of mass in the middle of 28 x 28 are those of MNIST's makers (LeCun, Cortes, Burges, The MNIST
database). The spreads below were set beside the statistics of MNIST's training digits: ink, slant, width and greys.
Its test digits had no part in it.
"""

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.datasets.skeletons import WAYS, Way
from tinygrad_mnist.datasets.warp import affine

VERSION = 1
"""Raise it whenever the same seed no longer gives the same images: what was kept on disk is then drawn anew."""

SIDE = 28
"""Pixels along a side of an image."""

BOX = 20
"""Pixels along a side of the box that every digit just fits into."""

SPACING = 0.03
"""From point to point of a path, in digit heights: half a pixel, so that the finest pen leaves no row of dots."""

SAMPLES = 200
"""How finely a curve is followed to find its length."""

IMAGES_AT_ONCE = 64
"""How many images are written together: about 10 MB, whatever the count, and small enough for a processor's cache."""

WOBBLE = 0.05
"""Spread of the longest wave that bends a path, in digit heights."""

SHORTEST = 3
"""Half waves across a digit's height in the shortest wave that bends a path."""

LEAN = (0.1, 0.22)
"""Mean and spread of the slant to the right, sideways over upwards."""

WIDEN = (0.08, 0.16)
"""Mean and spread of the logarithm of the width's factor."""

TURN = 0.06
"""Spread of the rotation, in radians."""

PEN = (np.log(1.3), 0.27)
"""Mean and spread of the logarithm of the pen's radius in pixels."""

EDGE = (0.9, 1.4)
"""Least and greatest width of a line's grey edge, in pixels."""

Floats = NDArray[np.float64]


def draw(digit: int, count: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return images (count, 28, 28) of one digit, each written differently: bytes, 255 is ink and 0 is paper.

    The images depend on the arguments and the state of `rng`, which moves on, and on nothing else.
    Raises ValueError for a digit outside 0 to 9 and for a negative count.
    """
    if not 0 <= digit < len(WAYS):
        raise ValueError(f"digit must be from 0 to 9, not {digit}")
    if count < 0:
        raise ValueError(f"count must not be negative, but it is {count}")
    weights = np.array([way.weight for way in WAYS[digit]])
    chosen = rng.choice(len(weights), count, p=weights / weights.sum())
    images = np.empty((count, SIDE, SIDE), np.uint8)
    for number, way in enumerate(WAYS[digit]):
        rows = np.flatnonzero(chosen == number)
        path = trace(way)
        for first in range(0, len(rows), IMAGES_AT_ONCE):
            part = rows[first : first + IMAGES_AT_ONCE]
            images[part] = _write(path, len(part), rng)
    return images


def _write(path: Floats, count: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return images (count, 28, 28) of one path, in lines of many widths."""
    radius = np.exp(rng.normal(*PEN, count))
    edge = rng.uniform(*EDGE, count)
    paths = fit(bend(path, count, rng), radius)
    return centre(ink(paths, radius, edge))


def trace(way: Way) -> Floats:
    """Return a skeleton's path (S, 2): points x, y in digit heights, at most SPACING apart along each stroke."""
    return np.concatenate([_curve(stroke) for stroke in way.strokes])


def _curve(stroke: str) -> Floats:
    """Return points (S, 2), evenly spaced along the smooth curve through those of a stroke."""
    # Slow to import, and not needed where the strokes are drawn already.
    from scipy.interpolate import CubicSpline

    knots = np.array([point.split(",") for point in stroke.split()], float) / 100
    # Roots of the distances, in place of the distances, keep a curve from swinging out between far points
    # (the centripetal parametrisation: Lee, Choosing nodes in parametric curve interpolation, 1989).
    times = np.cumsum([0.0, *np.sqrt(_distances(knots))])
    ends = "periodic" if (knots[0] == knots[-1]).all() else "natural"
    fine = CubicSpline(times, knots, bc_type=ends)(np.linspace(0, times[-1], SAMPLES))
    travelled = np.cumsum([0.0, *_distances(fine)])
    even = np.linspace(0, travelled[-1], int(np.ceil(travelled[-1] / SPACING)) + 1)
    return np.stack([np.interp(even, travelled, fine[:, axis]) for axis in (0, 1)], axis=1)


def _distances(points: Floats) -> Floats:
    """Return how far each point (S, 2) but the first is from the one before."""
    distances: Floats = np.linalg.norm(np.diff(points, axis=0), axis=1)
    return distances


def bend(path: Floats, count: int, rng: np.random.Generator) -> Floats:
    """Return paths (count, S, 2), each the path (S, 2) with its own waves, width, slant and rotation.

    The waves are a displacement of the whole plane, smooth and random. Strokes that meet before meet after.
    """
    j, k = np.array([(j, k) for j in range(SHORTEST + 1) for k in range(SHORTEST + 1) if 0 < j + k <= SHORTEST]).T
    waves = np.cos(np.pi * j * path[:, :1]) * np.cos(np.pi * k * path[:, 1:])  # (S, M)
    heights = rng.normal(0, WOBBLE / (j + k), (2, count, len(j)))  # (2, count, M)
    x, y = path.T[:, None, :] + heights @ waves.T  # (count, S) each

    lean = rng.normal(*LEAN, (count, 1))
    widen = np.exp(rng.normal(*WIDEN, (count, 1)))
    turn = rng.normal(0, TURN, (count, 1))
    return np.stack(affine(x, y, turn, -lean, widen, 1.0), axis=2)


def fit(paths: Floats, radius: Floats) -> Floats:
    """Return paths (N, S, 2) in pixels from the middle of the box, as large as a pen of radius (N,) lets them be."""
    low, high = paths.min(axis=1, keepdims=True), paths.max(axis=1, keepdims=True)
    room = BOX - 2 * radius[:, None, None]
    fitted: Floats = (paths - (low + high) / 2) * room / (high - low).max(axis=2, keepdims=True)
    return fitted


def ink(paths: Floats, radius: Floats, edge: Floats) -> NDArray[np.uint8]:
    """Return the box (N, 20, 20) in bytes, from paths (N, S, 2), the pen's radius (N,) and the grey edge's width (N,).

    A pixel is as dark as its distance from the nearest point of the path says: half ink at the pen's radius.
    """
    # float32 halves the time. All that follows rounds alike on every machine: no sum has an order of its own.
    x, y = paths.astype(np.float32).transpose(2, 1, 0)  # (S, N) each
    pixels = np.arange(BOX, dtype=np.float32) - (BOX - 1) / 2
    across = np.square(pixels - x[:, :, None])[:, :, None, :]  # (S, N, 1, 20)
    down = np.square(pixels - y[:, :, None])[:, :, :, None]  # (S, N, 20, 1)
    distance = np.sqrt((across + down).min(axis=0))  # (N, 20, 20)
    amount = (radius[:, None, None] - distance) / edge[:, None, None] + 0.5
    boxes: NDArray[np.uint8] = np.rint(255 * amount.clip(0, 1)).astype(np.uint8)
    return boxes


def centre(boxes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return images (N, 28, 28) with boxes (N, 20, 20) placed in them, whole pixels, centre of mass in the middle.

    The middle is 14, counting pixels from 0, as in MNIST. A box that would stick out is moved in.
    """
    rows = _places(boxes.sum(axis=2))[:, :, None]
    columns = _places(boxes.sum(axis=1))[:, None, :]
    images = np.zeros((len(boxes), SIDE, SIDE), np.uint8)
    images[np.arange(len(boxes))[:, None, None], rows, columns] = boxes
    return images


def _places(profiles: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return which 20 of the 28 pixels along an axis a box comes to, from its ink (N, 20) along that axis."""
    within = np.arange(BOX)
    middle = (profiles * within).sum(axis=1) / profiles.sum(axis=1)
    first = np.rint(SIDE / 2 - middle).astype(np.int64).clip(0, SIDE - BOX)
    places: NDArray[np.int64] = first[:, None] + within
    return places
