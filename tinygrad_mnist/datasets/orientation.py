"""Whether the images of a data set are transposed, as those of EMNIST are (Cohen, Afshar, Tapson and van Schaik, 2017).

The mean image of each digit is compared with the paths that a pen takes when it writes that digit (skeletons.py).
"""

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.datasets.skeletons import SKELETONS, Skeleton

GRID = 8
"""The cells along a side of the coarse pictures that are compared."""

SIZE = 4.3
"""A digit's extent, in standard deviations of its ink along its longer direction."""

ALIKE, DIFFERENCE = 0.6, 0.2
"""The least mean correlation with the paths after an exchange, and by how much it must exceed that before.

MNIST's training digits have a mean correlation of 0.79 upright and of 0.35 transposed, letters less than 0.5.
"""

LEAST_SPREAD = 1e-3
"""The spread of a single dot, so that it has a place on the grid."""

PER_DIGIT = 100
"""The number of images of each digit that are looked at."""

Floats = NDArray[np.float64]


def is_transposed(images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> bool:
    """Return whether rows and columns are exchanged in images (N, H, W), with ink above 0, of the digits in labels."""
    upright, transposed = [], []
    for digit in np.unique(labels[labels < len(SKELETONS)]).tolist():
        mean = images[labels == digit][:PER_DIGIT].mean(axis=0)
        if mean.any():
            picture, expected = coarse(mean), drawn(digit)
            upright.append(np.corrcoef(picture.ravel(), expected.ravel())[0, 1])
            transposed.append(np.corrcoef(picture.T.ravel(), expected.ravel())[0, 1])
    return bool(transposed) and np.mean(transposed) > max(ALIKE, np.mean(upright) + DIFFERENCE)


def coarse(ink: Floats) -> Floats:
    """Return a picture's ink (H, W) on the grid (GRID, GRID), moved and scaled so that digits of any size compare."""
    y, x = np.indices(ink.shape) + 0.5
    return _on_grid(y.ravel(), x.ravel(), ink.ravel())


def drawn(digit: int) -> Floats:
    """Return the paths of a digit on the grid (GRID, GRID)."""
    grids = [_on_grid(*_points(skeleton).T) * skeleton.weight for skeleton in SKELETONS[digit]]
    total: Floats = np.sum(grids, axis=0)
    return total


def _points(skeleton: Skeleton) -> Floats:
    """Return points y, x and their ink of 1 (S, 3) along the straight lines between the points of a skeleton."""
    points = []
    for stroke in skeleton.strokes:
        knots = np.array([point.split(",") for point in stroke.split()], float)
        times = np.linspace(0, len(knots) - 1, 20 * len(knots))
        x, y = (np.interp(times, np.arange(len(knots)), values) for values in knots.T)
        points.append(np.stack([y, x, np.ones_like(x)], axis=1))
    return np.concatenate(points)


def _on_grid(y: Floats, x: Floats, ink: Floats) -> Floats:
    centered = [values - np.average(values, weights=ink) for values in (y, x)]
    spread = max(np.sqrt(np.average(values**2, weights=ink)) for values in centered)
    ends = SIZE / 2 * max(float(spread), LEAST_SPREAD)
    rows, columns = (np.clip((GRID * (values + ends) / (2 * ends)).astype(int), 0, GRID - 1) for values in centered)
    grid: Floats = np.bincount(rows * GRID + columns, ink, GRID * GRID).reshape(GRID, GRID) / ink.sum()
    return grid
