"""When a network is not sure: what it remembers of the digits that it was trained on, measured on held-out digits."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist import metrics
from tinygrad_mnist.arrays.layers import Parameters
from tinygrad_mnist.datasets.digits import Digits
from tinygrad_mnist.errors import require
from tinygrad_mnist.networks import network_with
from tinygrad_mnist.photos import outliers
from tinygrad_mnist.photos.outliers import Fit, Outliers

UNSURE = 0.002
"""The share of the correctly predicted held-out digits that are not sure, because their probability is too low."""

HELD_OUT = 1000
"""The most held-out digits whose probabilities are measured, or up to twice as many."""

LEAST, OUTLIER = "least_probability", "outlier_"
"""The names of the arrays in a checkpoint. The last is the start of four names."""


class Doubt(NamedTuple):
    """What a prediction is doubted by."""

    least_probability: float  # from 0 to 1
    outliers: Outliers | None  # None if there were too few digits

    def as_arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays that a checkpoint stores, by name."""
        stored = {LEAST: np.array(self.least_probability)}
        of_outliers = self.outliers._asdict() if self.outliers else {}
        return stored | {f"{OUTLIER}{name}": array for name, array in of_outliers.items()}


NAMES = {LEAST, *(f"{OUTLIER}{name}" for name in Outliers._fields)}
"""The names of all arrays that `Doubt.as_arrays` may have."""

Measure: TypeAlias = Callable[[Parameters], dict[str, NDArray[Any]]]
"""Measures the doubt of a network with these parameters, as arrays."""


def from_arrays(stored: dict[str, NDArray[Any]], digits: int) -> Doubt | None:
    """Return what `as_arrays` stored, or None if there is nothing. Raises ValueError if it does not fit the network."""
    if not stored:
        return None
    least = stored.get(LEAST)
    is_share = least is not None and least.shape == () and least.dtype.kind == "f" and 0 <= float(least) <= 1
    require(is_share, f"{LEAST} is not a number from 0 to 1")
    arrays = [stored.get(f"{OUTLIER}{name}") for name in Outliers._fields]
    if all(array is None for array in arrays):
        return Doubt(float(stored[LEAST]), None)
    found = [array for array in arrays if array is not None]
    require(len(found) == len(arrays), "the outlier arrays are incomplete")
    remembered = Outliers(*found)
    remembered.require_valid(digits)
    return Doubt(float(stored[LEAST]), remembered)


def measuring(training: Digits, held_out: Digits, digits: Sequence[int], features: Sequence[int]) -> Measure:
    """Return the function that measures the doubt of a network with these features after it has been trained.

    What does not depend on the network is measured in the first call.
    """

    @cache
    def of_data() -> tuple[Digits, Fit | None]:
        sample = held_out.sample(HELD_OUT)
        return sample, outliers.fitting(training, sample, digits)

    def measure(parameters: Parameters) -> dict[str, NDArray[Any]]:
        sample, fit = of_data()
        z = network_with(features).logits(sample.pixels, sample.rows, parameters)
        if not np.isfinite(z).all():
            return Doubt(0.0, None).as_arrays()
        right = metrics.confidence(z)[metrics.correct(z, metrics.targets(sample.labels, digits))]
        least = float(np.quantile(right, UNSURE)) if right.size else 0.0
        return Doubt(least, fit(z) if fit else None).as_arrays()

    return measure
