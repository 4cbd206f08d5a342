"""When a prediction is not sure: the picture looks unlike the digits of the training, or like several of them.

A network alone answers for everything. A picture is odd if it is far from all training digits that are what the network
takes it for: from the nearest of a sample of them (Sun, Ming, Zhu and Li, Out-of-distribution detection with deep
nearest neighbors, 2022). And it is odd if the network finds little evidence for any digit (Liu, Wang, Owens and Li,
Energy-based out-of-distribution detection, 2020). Both are added, each in units of its spread among held-out digits.
Distances are between descriptions: histograms of oriented gradients (Dalal and Triggs, Histograms of oriented gradients
for human detection, 2005). They change little if a stroke moves by a pixel, and much if it ends, bends or crosses
another one differently.

The limits are measured on held-out digits, and are a checkpoint's arrays by name:

    least_probability    () the least probability of a sure prediction
    known                (R, COLUMNS) bytes: the descriptions of a sample of the training digits
    kinds                (R,) bytes: their positions among the network's digits
    weights              (2,) of the distance, and of the lack of evidence
    oddness              () the largest oddness of a picture that looks like the digits

No digits are known, and no picture is odd, if there are few training digits or the images are tiny. There are no limits
at all if the outputs of the network are not finite.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist import metrics
from tinygrad_mnist.arrays.layers import Parameters
from tinygrad_mnist.datasets.digits import Digits
from tinygrad_mnist.errors import require
from tinygrad_mnist.networks import network_with

UNSURE = 0.002
"""The share of the correctly predicted held-out digits that are not sure, because their probability is too low."""

FALSE_ALARMS = 0.02
"""The share of the held-out digits that are odder than the limit."""

HELD_OUT = 1000
"""The most held-out digits that are used, or up to twice as many: enough to measure a share of 0.002."""

EACH, FEWEST = 800, 50
"""How many training images of each digit are remembered, or up to twice as many, and the fewest that are enough."""

SPREAD = 0.98
"""The spread is the distance of this quantile from the median."""

CELLS, DIRECTIONS = 4, 8
"""The cells along a side of the grid of a description, and the directions that are told apart in each."""

COLUMNS = CELLS * CELLS * DIRECTIONS
"""The length of a description."""

BLUR = np.outer((1, 2, 1), (1, 2, 1)) / 16
"""The weights of a pixel and its neighbors. Sums of bytes with them are exact in float32."""

CHUNK = 500
"""How many images are described at a time, to save memory."""

Bytes = NDArray[np.uint8]
Floats = NDArray[np.floating[Any]]
Limits: TypeAlias = dict[str, NDArray[Any]]


class Sample(NamedTuple):
    """Digits to measure limits on. They do not depend on the network, so one sample does for all epochs of a run."""

    held_out: Digits
    digits: Sequence[int]  # the network's
    known: Bytes  # as in the limits; empty if no oddness can be measured
    kinds: Bytes
    distances: Floats  # (N, C) of the held-out digits from the nearest known one of each kind


def sample(training: Digits, held_out: Digits, digits: Sequence[int]) -> Sample:
    """Return what limits are measured on, given the digits that a network for these kinds is trained on, and others."""
    held_out = held_out.sample(HELD_OUT)
    parts = [training.only([digit]).sample(EACH) for digit in digits]
    counts = [len(part.labels) for part in parts]
    kinds = np.repeat(np.arange(len(digits), dtype=np.uint8), counts)
    if min(counts) < FEWEST or min(training.source.shape[1:]) < CELLS:
        return Sample(held_out, digits, np.zeros((0, COLUMNS), np.uint8), kinds[:0], np.zeros((0, 0)))
    known = describe(np.concatenate([part.images for part in parts]))
    return Sample(held_out, digits, known, kinds, distances(describe(held_out.images), known, kinds))


def measure(sample: Sample, features: Sequence[int], parameters: Parameters) -> Limits:
    """Return the limits of a trained network with these parameters, on the host, and features of its convolutions."""
    held_out, digits, known, kinds, apart = sample
    z = network_with(features).logits(held_out.pixels, held_out.rows, parameters)
    if not np.isfinite(z).all():
        return {}
    right = metrics.confidence(z)[metrics.correct(z, metrics.targets(held_out.labels, digits))]
    least, weights, oddness = np.quantile(right, UNSURE) if right.size else 0.0, np.zeros(2), 0.0
    if known.size:
        signs = _signs(apart, z)
        spreads = np.quantile(signs, SPREAD, axis=1) - np.median(signs, axis=1)
        weights = np.where(spreads > 0, 1 / spreads.clip(1e-9), 0.0)
        oddness = np.quantile(weights @ signs, 1 - FALSE_ALARMS)
    numbers = {"least_probability": least, "weights": weights, "oddness": oddness}
    return {"known": known, "kinds": kinds} | {name: np.array(number, np.float64) for name, number in numbers.items()}


def reasons(limits: Limits, digits: Sequence[int], images: Bytes, z: NDArray[Any], faults: Sequence[str]) -> list[str]:
    """Return why each prediction is not sure, or "" if it is.

    The network is for these digits. It has the logits z (N, O) for the images (N, H, W), and the faults speak against
    the choice of what is shown in them. Raises ValueError, which says what is wrong, if the limits do not fit.
    """
    if not limits:
        return list(faults)
    _require_valid(limits, digits)
    p = metrics.probabilities(z)
    likely = np.asarray(digits)[np.argsort(p, axis=1)[:, ::-1]]
    could_be = [f"this could be a {first} or a {second}" for first, second, *_ in likely.tolist()]
    is_close = p.max(axis=1) < limits["least_probability"]
    is_odd = np.zeros(len(z), bool)
    if limits["known"].size:
        apart = distances(describe(images), limits["known"], limits["kinds"])
        is_odd = limits["weights"] @ _signs(apart, z) > limits["oddness"]
    unlike = f"this looks like {_none_of(digits)}"
    return [
        unlike if odd else fault or (several if close else "")
        for odd, fault, close, several in zip(is_odd, faults, is_close, could_be, strict=True)
    ]


def describe(images: Bytes) -> Bytes:
    """Return the descriptions (N, COLUMNS) of images (N, H, W) that are at least CELLS pixels high and wide.

    A pixel's gradient counts with its length, divided between the two directions that it lies between. An image's
    counts are divided by their length as a vector. Their square roots let faint directions matter too. A black image
    has zeros only.
    """
    return np.concatenate([_describe(part) for part in np.array_split(images, max(1, len(images) // CHUNK))])


def _describe(images: Bytes) -> Bytes:
    from scipy import ndimage

    pixels = ndimage.convolve(images.astype(np.float32), BLUR[None], mode="constant")
    dy, dx = (np.gradient(pixels, axis=axis) for axis in (1, 2))
    number, y, x = place = np.nonzero((dy != 0) | (dx != 0))
    length = np.hypot(dy[place], dx[place])
    turn = np.arctan2(dy[place], dx[place]) * np.float32(DIRECTIONS / (2 * np.pi)) % DIRECTIONS
    before = turn.astype(np.intp)
    _, height, width = images.shape
    cell = (number * CELLS + y * CELLS // height) * CELLS + x * CELLS // width
    counts = np.zeros(len(images) * COLUMNS)
    for direction, share in ((before, 1 + before - turn), (before + 1, turn - before)):
        counts += np.bincount(cell * DIRECTIONS + direction % DIRECTIONS, share * length, len(counts))
    rows = counts.reshape(len(images), COLUMNS)
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True).clip(1e-9)
    rooted: Bytes = np.rint(255 * np.sqrt(unit)).astype(np.uint8)
    return rooted


def distances(queries: Bytes, known: Bytes, kinds: Bytes) -> Floats:
    """Return the distance (N, C) of descriptions (N, COLUMNS) from the nearest known one (R, COLUMNS) of each kind."""
    # |x - y|^2 = |x|^2 - 2 x.y + |y|^2. All of these are whole numbers below 2^24, which float32 holds exactly.
    x, every = queries.astype(np.float32), known.astype(np.float32)
    of_kinds = (every[kinds == kind] for kind in range(kinds.max() + 1))
    nearest = [(np.square(y).sum(axis=1) - 2 * x @ y.T).min(axis=1) for y in of_kinds]
    apart: Floats = np.sqrt(np.stack(nearest, axis=1) + np.square(x).sum(axis=1, keepdims=True), dtype=np.float64)
    return apart


def _signs(apart: Floats, z: NDArray[Any]) -> Floats:
    """Return two signs of oddness (2, N): the distance from the kind that is predicted, and the lack of evidence.

    The evidence is the logarithm of the sum of the exponentials of the logits. A single logit has none: it only tells
    which of two digits is more likely.
    """
    count, kinds = z.shape[1], metrics.classify(z, range(apart.shape[1]))
    evidence = np.logaddexp.reduce(z.astype(np.float64), axis=1) if count > 1 else np.zeros(len(z))
    return np.stack([apart[np.arange(len(z)), kinds], -evidence])


def _require_valid(limits: Limits, digits: Sequence[int]) -> None:
    """Raise ValueError, which says what is wrong, unless the limits can be used for a network with these digits."""
    kinds = limits.get("kinds", np.zeros(0))
    expected = {
        "least_probability": (np.float64, ()),
        "known": (np.uint8, (kinds.size, COLUMNS)),
        "kinds": (np.uint8, (kinds.size,)),
        "weights": (np.float64, (2,)),
        "oddness": (np.float64, ()),
    }
    for name, (dtype, shape) in expected.items():
        array = limits.get(name)
        is_valid = array is not None and array.dtype == dtype and array.shape == shape and np.isfinite(array).all()
        require(is_valid, f"its limit {name} is not {dtype.__name__} of shape {shape}")
    has_all = np.array_equal(np.unique(kinds), np.arange(len(digits)))
    require(has_all or not kinds.size, "its limit kinds lacks a digit")


def _none_of(digits: Sequence[int]) -> str:
    if len(digits) == 2:
        return f"neither a {digits[0]} nor a {digits[1]}"
    return "no digit" if len(digits) == 10 else f"none of {', '.join(map(str, digits[:-1]))} and {digits[-1]}"
