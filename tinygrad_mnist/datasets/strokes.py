"""Draws digits that look handwritten. The same seed gives the same images.

    skeleton --trace--> path --bend--> paths --fit_to_box--> paths in the box --rasterize--> boxes --center--> images

A skeleton is one way to write a digit (skeletons.toml), and every image bends it differently. The box of 20 x 20
pixels, and its center of mass in the middle of 28 x 28 pixels, follow MNIST's authors (LeCun, Cortes, Burges, The MNIST
database). The constants below were chosen to match statistics of MNIST's training digits: ink, slant, width and grays.
Its test digits were not used. The digits are drawn once and saved, and then read as fast as MNIST.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.datasets import idx
from tinygrad_mnist.datasets.augment import affine
from tinygrad_mnist.datasets.digits import Digits
from tinygrad_mnist.datasets.progress import Progress
from tinygrad_mnist.errors import DataError, require

VERSION, SEED = 1, 0
"""Increase VERSION whenever the same seed no longer gives the same images. Saved images are then drawn again."""

TRAINING, TEST = 6000, 1000
"""The number of training and test images of each digit, about the same as in MNIST."""

SIDE = 28
"""Pixels along a side of an image."""

BOX = 20
"""Pixels along a side of the box that every digit fills in its longer direction."""

SPACING = 0.03
"""Distance between points of a path, in digit heights: half a pixel, so that even the finest pen draws a solid line."""

CURVE_SAMPLES = 200
"""The number of points that approximate a curve when its length is measured."""

IMAGES_AT_ONCE = 64
"""The number of images that are drawn together. They take about 10 MB, which fits in a processor's cache."""

WAVE = 0.05
"""Standard deviation of the longest wave that bends a path, in digit heights."""

HALF_WAVES = 3
"""The shortest wave that bends a path has this many half waves in a digit's height."""

SLANT = (0.1, 0.22)
"""Mean and standard deviation of the slant: the shift to the right per unit of height."""

LOG_WIDTH = (0.08, 0.16)
"""Mean and standard deviation of the logarithm of the factor of the width."""

ANGLE = 0.06
"""Standard deviation of the rotation, in radians."""

LOG_RADIUS = (np.log(1.3), 0.27)
"""Mean and standard deviation of the logarithm of the pen's radius in pixels."""

EDGE = (0.9, 1.4)
"""The smallest and the largest width of a line's gray edge, in pixels."""

Floats = NDArray[np.float64]


def load(folder: Path, digits: Sequence[int], progress: Progress) -> tuple[Digits, Digits]:
    """Return the training digits and the test digits. Digits that are not in `folder` are drawn and saved there.

    If digits cannot be saved, `progress` says the reason, and they are drawn again next time.
    """
    images = {digit: read for digit in digits if (read := _read(path(folder, digit))) is not None}
    failure = ""
    for digit in progress.bar([digit for digit in digits if digit not in images], "strokes"):
        images[digit] = draw_all(digit)
        try:
            idx.write(path(folder, digit), images[digit])
        except DataError as error:
            failure = error.wrong  # they can still be used for training
    if failure:
        progress.say(f"The drawn digits cannot be saved, because {failure}.")
    stacked, names = np.stack([images[digit] for digit in digits]), np.array(digits, np.uint8)
    training, test = stacked[:, :TRAINING].reshape(-1, SIDE, SIDE), stacked[:, TRAINING:].reshape(-1, SIDE, SIDE)
    return Digits.of(training, np.repeat(names, TRAINING)), Digits.of(test, np.repeat(names, TEST))


def saved(folder: Path) -> list[int]:
    """Return the digits that are saved in a folder."""
    return [digit for digit in range(10) if path(folder, digit).is_file()]


def path(folder: Path, digit: int) -> Path:
    """Return the file for a digit's images. Its name changes whenever their content changes."""
    return folder / f"strokes-v{VERSION}-seed{SEED}-digit{digit}-idx3-ubyte"


def draw_all(digit: int) -> NDArray[np.uint8]:
    """Return images (TRAINING + TEST, 28, 28). The test images come from a separate random generator."""
    parts = enumerate((TRAINING, TEST))
    return np.concatenate([draw(digit, count, np.random.default_rng((SEED, digit, part))) for part, count in parts])


def _read(path: Path) -> NDArray[np.uint8] | None:
    """Return the images in a file, or None if it is missing or broken, or has images of another size or number."""
    images = idx.read_or_none(path)
    fits = images is not None and images.shape == (TRAINING + TEST, SIDE, SIDE) and images.dtype == np.uint8
    return images if fits else None


def draw(digit: int, count: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return images (count, 28, 28) of one digit, all drawn differently. They are bytes: 0 is background, 255 is ink.

    The images depend only on the arguments and the state of `rng`, which changes. Raises ValueError if the digit is not
    from 0 to 9 or the count is negative.
    """
    require(0 <= digit <= 9 and count >= 0, f"{count} images of {digit} cannot be drawn: use a digit from 0 to 9")
    weights = np.array([skeleton["weight"] for skeleton in skeletons()[str(digit)]])
    chosen = rng.choice(len(weights), count, p=weights / weights.sum())
    images = np.empty((count, SIDE, SIDE), np.uint8)
    for number, skeleton in enumerate(skeletons()[str(digit)]):
        rows = np.flatnonzero(chosen == number)
        path = trace(skeleton["strokes"])
        for first in range(0, len(rows), IMAGES_AT_ONCE):
            part = rows[first : first + IMAGES_AT_ONCE]
            images[part] = _draw_path(path, len(part), rng)
    return images


def _draw_path(path: Floats, count: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return images (count, 28, 28) of one path, drawn with pens of different widths."""
    radius = np.exp(rng.normal(*LOG_RADIUS, count))
    edge = rng.uniform(*EDGE, count)
    paths = fit_to_box(bend(path, count, rng), radius)
    return center(rasterize(paths, radius, edge))


@cache
def skeletons() -> dict[str, list[dict[str, Any]]]:
    """Return the ways to write each digit, by its name: their weights and their strokes."""
    import tomllib  # slow to import, and not needed if the digits are already saved

    return tomllib.loads(Path(__file__).with_name("skeletons.toml").read_text("utf-8"))


def trace(strokes: Sequence[str]) -> Floats:
    """Return the path (S, 2) of strokes: points x, y in digit heights, at most SPACING apart along each stroke."""
    return np.concatenate([_curve(stroke) for stroke in strokes])


def _curve(stroke: str) -> Floats:
    """Return points (S, 2), evenly spaced along the smooth curve through the points of a stroke."""
    # Slow to import, and not needed if the digits are already saved.
    from scipy.interpolate import CubicSpline

    knots = np.array([point.split(",") for point in stroke.split()], float) / 100
    # Square roots of the distances, instead of the distances, keep a curve from swinging out between distant points
    # (the centripetal parametrization: Lee, Choosing nodes in parametric curve interpolation, 1989).
    times = np.cumsum([0.0, *np.sqrt(_distances(knots))])
    ends = "periodic" if (knots[0] == knots[-1]).all() else "natural"
    fine = CubicSpline(times, knots, bc_type=ends)(np.linspace(0, times[-1], CURVE_SAMPLES))
    traveled = np.cumsum([0.0, *_distances(fine)])
    even = np.linspace(0, traveled[-1], int(np.ceil(traveled[-1] / SPACING)) + 1)
    return np.stack([np.interp(even, traveled, fine[:, axis]) for axis in (0, 1)], axis=1)


def _distances(points: Floats) -> Floats:
    """Return the distances (S - 1,) between successive points (S, 2)."""
    return np.asarray(np.linalg.norm(np.diff(points, axis=0), axis=1))


def bend(path: Floats, count: int, rng: np.random.Generator) -> Floats:
    """Return paths (count, S, 2): copies of the path (S, 2), each with its own waves, width, slant and rotation.

    The waves displace the plane smoothly and randomly, so strokes that meet still meet afterwards.
    """
    j, k = np.array([(j, k) for j in range(HALF_WAVES + 1) for k in range(HALF_WAVES + 1) if 0 < j + k <= HALF_WAVES]).T
    waves = np.cos(np.pi * j * path[:, :1]) * np.cos(np.pi * k * path[:, 1:])  # (S, M)
    heights = rng.normal(0, WAVE / (j + k), (2, count, len(j)))  # (2, count, M)
    x, y = path.T[:, None, :] + heights @ waves.T  # (count, S) each

    slant = rng.normal(*SLANT, (count, 1))
    width = np.exp(rng.normal(*LOG_WIDTH, (count, 1)))
    angle = rng.normal(0, ANGLE, (count, 1))
    return np.stack(affine(x, y, angle, -slant, width, 1.0), axis=2)


def fit_to_box(paths: Floats, radius: Floats) -> Floats:
    """Return paths (N, S, 2) in pixels from the middle of the box, scaled to fill it with a pen of radius (N,)."""
    low, high = paths.min(axis=1, keepdims=True), paths.max(axis=1, keepdims=True)
    room = BOX - 2 * radius[:, None, None]
    return np.asarray((paths - (low + high) / 2) * room / (high - low).max(axis=2, keepdims=True))


def rasterize(paths: Floats, radius: Floats, edge: Floats) -> NDArray[np.uint8]:
    """Return boxes (N, 20, 20) of bytes for paths (N, S, 2), given the radius (N,) of the pen and its gray edge (N,).

    The ink in a pixel depends on its distance from the nearest point of the path. At the pen's radius, it is one half.
    """
    # float32 halves the time. Rounding is the same on every machine, because no sum has an order that could differ.
    x, y = paths.astype(np.float32).transpose(2, 1, 0)  # (S, N) each
    pixels = np.arange(BOX, dtype=np.float32) - (BOX - 1) / 2
    across = np.square(pixels - x[:, :, None])[:, :, None, :]  # (S, N, 1, 20)
    down = np.square(pixels - y[:, :, None])[:, :, :, None]  # (S, N, 20, 1)
    distance = np.sqrt((across + down).min(axis=0))  # (N, 20, 20)
    amount = (radius[:, None, None] - distance) / edge[:, None, None] + 0.5
    return np.asarray(np.rint(255 * amount.clip(0, 1)), np.uint8)


def center(boxes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return images (N, 28, 28) that contain the boxes (N, 20, 20), with the center of mass in the middle.

    The middle is 14, counting pixels from 0, as in MNIST. Boxes move by whole pixels, and never out of the image.
    """
    rows = _box_pixels(boxes.sum(axis=2))[:, :, None]
    columns = _box_pixels(boxes.sum(axis=1))[:, None, :]
    images = np.zeros((len(boxes), SIDE, SIDE), np.uint8)
    images[np.arange(len(boxes))[:, None, None], rows, columns] = boxes
    return images


def _box_pixels(profiles: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return the pixels (N, 20) along an axis of the image that a box covers, given its ink (N, 20) along that axis."""
    in_box = np.arange(BOX)
    middle = (profiles * in_box).sum(axis=1) / profiles.sum(axis=1)
    first = np.rint(SIDE / 2 - middle).astype(np.int64).clip(0, SIDE - BOX)
    return np.asarray(first[:, None] + in_box)
