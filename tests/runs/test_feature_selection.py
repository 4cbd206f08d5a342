"""Feature selection: without the pixels that are black in all images, the same is learned."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tinygrad_mnist import train
from tinygrad_mnist.arrays.backend import choose_backend
from tinygrad_mnist.arrays.layers import map_layers
from tinygrad_mnist.datasets.digits import Digits
from tinygrad_mnist.networks import dense
from tinygrad_mnist.runs import feature_selection
from tinygrad_mnist.runs.run import examples
from tinygrad_mnist.train import Settings

Close = Callable[[Any, Any, float], None]

MASK = np.array([1, 1, 0, 1, 0, 1, 1, 1, 0, 1], np.bool_)
"""Which of ten pixels are not black in all images of `digits`."""

RULES = [
    Settings(epochs=3, dtype="float64"),
    Settings(epochs=3, hidden=(16,), loss="cross-entropy", optimizer="momentum", learning_rate=0.1, dtype="float64"),
]


def digits(rows: int = 90, seed: int = 0) -> Digits:
    """Return random images of ten pixels, of which three are black in all of them."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (rows, 10), dtype=np.uint8) * MASK
    return Digits.of(images[:, np.newaxis, :], rng.choice(np.array([3, 7], np.uint8), rows))


def of(part: Digits) -> Any:
    return examples(part, (3, 7), choose_backend("numpy"))


def test_the_pixels_that_are_black_in_all_images_are_found() -> None:
    np.testing.assert_array_equal(feature_selection.visible_pixels(digits()), MASK)
    some = digits().take(np.array([4, 8]))
    np.testing.assert_array_equal(feature_selection.visible_pixels(some), some.images[:, 0].any(axis=0))


def test_if_every_image_is_black_all_pixels_are_kept() -> None:
    black = Digits.of(np.zeros((5, 2, 3), np.uint8), np.zeros(5, np.uint8))
    assert feature_selection.visible_pixels(black).tolist() == [True] * 6


@pytest.mark.parametrize("settings", RULES)
def test_the_same_is_learned_as_from_all_pixels(settings: Settings, close: Close) -> None:
    selected = feature_selection.selected_digits(digits(), MASK)
    start = train.initial_state(of(selected), settings)
    everything = feature_selection.spread_state(start, MASK)
    validation = digits(64, seed=1)
    fewer = train.train(of(selected), of(feature_selection.selected_digits(validation, MASK)), settings, start=start)
    whole = train.train(of(digits()), of(validation), settings, start=everything)
    spread = feature_selection.spread_state(fewer.last, MASK)
    assert spread.valid_accuracy == whole.last.valid_accuracy
    assert spread.loss == pytest.approx(whole.last.loss, rel=1e-12)
    map_layers(lambda array, expected: close(array, expected, 1e-12), spread.parameters, whole.last.parameters)
    if spread.velocity is not None:
        map_layers(lambda array, expected: close(array, expected, 1e-12), spread.velocity, whole.last.velocity or ())


@pytest.mark.parametrize("settings", RULES)
def test_a_state_that_is_spread_and_selected_again_is_the_same(settings: Settings) -> None:
    selected = of(feature_selection.selected_digits(digits(), MASK))
    state = train.train(selected, selected, settings).last
    again = feature_selection.selected_state(feature_selection.spread_state(state, MASK), MASK)
    map_layers(np.testing.assert_array_equal, again.parameters, state.parameters)
    assert (again.velocity is None) == (state.velocity is None)
    map_layers(np.testing.assert_array_equal, again.velocity or (), state.velocity or ())


def test_black_pixels_get_weights_of_0_and_the_same_logits() -> None:
    part = digits()
    state = train.initial_state(of(feature_selection.selected_digits(part, MASK)), replace(RULES[1], seed=4))
    spread = feature_selection.spread_state(state, MASK)
    assert not spread.parameters[0].w[~MASK].any()
    rows = np.arange(len(part.labels))
    selected = feature_selection.selected_digits(part, MASK).pixels
    np.testing.assert_allclose(
        dense.logits(part.pixels, rows, spread.parameters), dense.logits(selected, rows, state.parameters), rtol=1e-12
    )
