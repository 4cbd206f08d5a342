"""Training: what the seed decides, when it stops and what it returns, and 98 % on the real threes and sevens."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tinygrad_mnist import train
from tinygrad_mnist.backend import to_host
from tinygrad_mnist.errors import TrainingError
from tinygrad_mnist.network import Gradients, Parameters
from tinygrad_mnist.train import Epoch, Examples, Settings, Trained

Place = Callable[[Any], Any]
Close = Callable[[Any, Any, float], None]


def toy(rows: int = 200, seed: int = 0) -> Examples:
    """Return images of 8 pixels: where the target is 1 the first half is the brighter one, where 0 the second."""
    rng = np.random.default_rng(seed)
    t = np.arange(rows)[:, np.newaxis] % 2
    bright = np.repeat([[0, 1], [1, 0]], 4, axis=1)[t[:, 0]]
    return Examples((rng.integers(0, 100, (rows, 8)) + 150 * bright).astype(np.uint8), t)


def noise(rows: int = 90, seed: int = 0) -> Examples:
    """Return images and targets that have nothing to do with each other."""
    rng = np.random.default_rng(seed)
    return Examples(rng.integers(0, 256, (rows, 8), dtype=np.uint8), rng.integers(0, 2, (rows, 1)))


def same(parameters: Parameters, others: Parameters) -> bool:
    """Return whether two networks are equal, bit for bit."""
    return all(a.tobytes() == b.tobytes() for a, b in zip(parameters, others, strict=True))


def watched(training: Examples, validation: Examples, settings: Settings) -> tuple[Trained, list[Epoch]]:
    """Return what training returns, and the epochs that it reported on the way."""
    epochs: list[Epoch] = []
    return train.train(training, validation, settings, epochs.append), epochs


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_separable_problem_is_learned_whole(dtype: str) -> None:
    trained, epochs = watched(toy(), toy(seed=1), Settings(dtype=dtype))
    assert trained.best.valid_accuracy == 1
    assert epochs[-1].loss < epochs[0].loss
    assert trained.best.parameters.w.dtype == dtype


def test_the_same_seed_gives_the_same_parameters_bit_for_bit() -> None:
    first, second = (train.train(noise(), noise(seed=1), Settings(epochs=5, seed=3)) for _ in range(2))
    assert first.best[:3] == second.best[:3]
    assert same(first.best.parameters, second.best.parameters)


def test_another_seed_gives_other_parameters() -> None:
    first, second = (train.train(noise(), noise(seed=1), Settings(epochs=1, seed=seed)) for seed in (3, 4))
    assert not same(first.best.parameters, second.best.parameters)


def test_it_stops_when_validation_has_not_improved_for_as_long_as_patience_says() -> None:
    trained, epochs = watched(noise(), noise(seed=1), Settings(epochs=1000, patience=4))
    assert trained.stopped == "no improvement"
    assert trained.epochs == len(epochs) == trained.best.number + 4
    assert max(epoch.valid_accuracy for epoch in epochs[-4:]) <= trained.best.valid_accuracy


def test_it_stops_when_all_epochs_are_done() -> None:
    trained, epochs = watched(toy(), toy(seed=1), Settings(epochs=3, patience=10))
    assert trained.stopped == "all epochs done"
    assert trained.epochs == len(epochs) == 3
    assert [epoch.number for epoch in epochs] == [1, 2, 3]


def test_what_it_returns_is_the_first_of_the_best_epochs_not_the_last() -> None:
    trained, epochs = watched(noise(), noise(seed=1), Settings(epochs=40, patience=40))
    best = max(epochs, key=lambda epoch: epoch.valid_accuracy)  # of equals, max takes the first
    assert best.number < len(epochs)
    assert trained.best.number == best.number
    assert same(trained.best.parameters, best.parameters)
    assert not same(trained.best.parameters, epochs[-1].parameters)


def test_the_best_parameters_are_not_changed_by_later_steps() -> None:
    settings = Settings(epochs=40, patience=40)
    trained = train.train(noise(), noise(seed=1), settings)
    assert train.measure(trained.best.parameters, noise(seed=1)) == trained.best.valid_accuracy


def test_an_epoch_is_the_same_however_many_follow() -> None:
    _, few = watched(noise(), noise(seed=1), Settings(epochs=2))
    _, many = watched(noise(), noise(seed=1), Settings(epochs=4))
    assert same(few[1].parameters, many[1].parameters)


@pytest.mark.parametrize("batch", [1, 7, 64, 1000])
def test_every_row_comes_once_in_an_epoch_and_with_its_own_target(batch: int) -> None:
    numbers = np.arange(150)[:, np.newaxis]
    parts = list(train.batches(Examples(numbers, 2 * numbers), Settings(batch=batch), epoch=1))
    images, t = (np.concat(column) for column in zip(*parts, strict=True))
    np.testing.assert_array_equal(np.sort(images[:, 0]), np.arange(150))
    np.testing.assert_array_equal(t, 2 * images)


def test_the_last_batch_is_short_where_rows_are_left_over() -> None:
    numbers = np.arange(150)[:, np.newaxis]
    parts = train.batches(Examples(numbers, numbers), Settings(batch=64), epoch=1)
    assert [len(images) for images, _ in parts] == [64, 64, 22]


def test_the_order_of_rows_depends_on_the_seed_and_the_epoch_alone() -> None:
    numbers = np.arange(150)[:, np.newaxis]

    def order(epoch: int, settings: Settings) -> list[int]:
        return [
            int(row) for images, _ in train.batches(Examples(numbers, numbers), settings, epoch) for row in images[:, 0]
        ]

    first = order(1, Settings(seed=5))
    assert order(1, Settings(seed=5, batch=7, learning_rate=0.1, epochs=3, patience=1, dtype="float64")) == first
    assert order(2, Settings(seed=5)) != first
    assert order(1, Settings(seed=6)) != first
    assert first != sorted(first)


def test_a_step_goes_against_the_gradient() -> None:
    parameters = Parameters(np.array([[1.0]]), np.array([2.0]))
    stepped = train.step(parameters, Gradients(np.array([[10.0]]), np.array([-20.0])), 0.1)
    np.testing.assert_array_equal(stepped.w, [[0.0]])
    np.testing.assert_array_equal(stepped.b, [4.0])


def test_an_epochs_loss_is_the_mean_over_its_batches_before_each_step() -> None:
    settings = Settings(epochs=1, batch=1000, dtype="float64")
    _, (epoch,) = watched(noise(), noise(seed=1), settings)
    _, (still,) = watched(noise(), noise(seed=1), Settings(epochs=1, batch=1000, dtype="float64", learning_rate=0.0))
    assert epoch.loss == pytest.approx(still.loss, rel=1e-14)


def test_steps_too_long_for_the_type_end_in_one_sentence(one_sentence: Callable[[object], None]) -> None:
    with pytest.raises(TrainingError, match="learning-rate") as caught:
        train.train(noise(), noise(seed=1), Settings(learning_rate=1e39, batch=8))
    one_sentence(caught.value)


def test_a_pixel_that_is_no_number_ends_training() -> None:
    images, t = toy()
    broken = images.astype(np.float32)
    broken[0, 0] = math.nan
    with pytest.raises(TrainingError, match="nan"):
        train.train(Examples(broken, t), toy(seed=1), Settings())


@pytest.mark.parametrize("rows", [128, 90])
def test_another_device_learns_the_same(rows: int, on_device1: Place, close: Close) -> None:
    training, validation, settings = noise(rows), noise(64, seed=1), Settings(epochs=3)
    here = train.train(training, validation, settings)
    there = train.train(Examples(*map(on_device1, training)), Examples(*map(on_device1, validation)), settings)
    assert there.best.parameters.w.device == on_device1(training.t).device
    assert there.best.number == here.best.number
    for parameter1, parameter in zip(there.best.parameters, here.best.parameters, strict=True):
        close(to_host(parameter1), parameter, 1e-6)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_98_percent_of_the_real_threes_and_sevens_are_told_apart(
    seed: int, real_digits: dict[str, tuple[Any, Any]]
) -> None:
    def examples(part: str) -> Examples:
        images, labels = real_digits[part]
        chosen = (labels == 3) | (labels == 7)
        return Examples(images[chosen], (labels[chosen] == 3).astype(np.uint8)[:, np.newaxis])

    images, t = examples("train")
    held_out = np.random.default_rng(seed).permutation(len(images)) < len(images) // 6
    training, validation = Examples(images[~held_out], t[~held_out]), Examples(images[held_out], t[held_out])
    trained = train.train(training, validation, Settings(seed=seed))
    assert train.measure(trained.best.parameters, examples("t10k")) >= 0.98
