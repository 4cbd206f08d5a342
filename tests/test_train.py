"""Training: what the seed decides, when it stops and what it returns, and 98 % on the real threes and sevens."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tinygrad_mnist import train
from tinygrad_mnist.arrays.examples import Batch, Examples
from tinygrad_mnist.arrays.layers import Parameters
from tinygrad_mnist.errors import TrainingError
from tinygrad_mnist.train import Settings, TrainingResult, TrainingState


def examples_of(images: Any, t: Any) -> Examples:
    """Return all the images as examples."""
    return Examples(images, np.arange(len(images)), t)


def toy(rows: int = 200, seed: int = 0) -> Examples:
    """Return images of 8 pixels. The first half is brighter if the target is 1, the second half if it is 0."""
    rng = np.random.default_rng(seed)
    t = np.arange(rows)[:, np.newaxis] % 2
    bright = np.repeat([[0, 1], [1, 0]], 4, axis=1)[t[:, 0]]
    return examples_of((rng.integers(0, 100, (rows, 8)) + 150 * bright).astype(np.uint8), t)


def noise(rows: int = 90, seed: int = 0) -> Examples:
    """Return images and targets that are independent of each other."""
    rng = np.random.default_rng(seed)
    return examples_of(rng.integers(0, 256, (rows, 8), dtype=np.uint8), rng.integers(0, 2, (rows, 1)))


def same(parameters: Parameters, others: Parameters) -> bool:
    """Return whether two networks are equal, bit for bit."""
    return [a.tobytes() for layer in parameters for a in layer] == [b.tobytes() for layer in others for b in layer]


def watched(training: Examples, validation: Examples, settings: Settings) -> tuple[TrainingResult, list[TrainingState]]:
    """Return what training returns, and the states that it reported."""
    epochs: list[TrainingState] = []
    return train.train(training, validation, settings, epochs.append), epochs


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_separable_problem_is_learned_completely(dtype: str) -> None:
    trained, epochs = watched(toy(), toy(seed=1), Settings(dtype=dtype))
    assert trained.best.valid_accuracy == 1
    assert epochs[-1].loss < epochs[0].loss
    assert trained.best.parameters[0].w.dtype == dtype


def test_the_same_seed_gives_the_same_parameters_bit_for_bit() -> None:
    first, second = (train.train(noise(), noise(seed=1), Settings(epochs=5, seed=3)) for _ in range(2))
    assert first.best[:3] == second.best[:3]
    assert same(first.best.parameters, second.best.parameters)


def test_a_different_seed_gives_different_parameters() -> None:
    first, second = (train.train(noise(), noise(seed=1), Settings(epochs=1, seed=seed)) for seed in (3, 4))
    assert not same(first.best.parameters, second.best.parameters)


def test_it_stops_after_patience_epochs_without_improvement() -> None:
    trained, epochs = watched(noise(), noise(seed=1), Settings(epochs=1000, patience=4))
    assert trained.stopped == "no improvement"
    assert trained.last.epoch == len(epochs)
    rises = [epoch.epoch for epoch in epochs if epoch.valid_accuracy == trained.best.valid_accuracy]
    assert rises[0] == trained.last.epoch - 4
    assert trained.best.epoch == rises[-1]


def test_it_stops_when_all_epochs_are_done() -> None:
    trained, epochs = watched(toy(), toy(seed=1), Settings(epochs=3, patience=10))
    assert trained.stopped == "all epochs done"
    assert trained.last.epoch == len(epochs) == 3
    assert [epoch.epoch for epoch in epochs] == [1, 2, 3]


def test_it_returns_the_last_of_the_best_epochs() -> None:
    trained, epochs = watched(noise(), noise(seed=1), Settings(epochs=40, patience=40, seed=2))
    best = max(reversed(epochs), key=lambda epoch: epoch.valid_accuracy)  # of equals, max takes the first it meets
    assert best.epoch < len(epochs)
    assert trained.best.epoch == best.epoch
    assert same(trained.best.parameters, best.parameters)
    assert not same(trained.best.parameters, epochs[-1].parameters)


def test_the_last_epoch_is_kept_if_the_settings_say_so() -> None:
    settings = Settings(epochs=12, patience=12, seed=2, keep="last")
    trained, epochs = watched(noise(), noise(seed=1), settings)
    assert trained.best.epoch == epochs[-1].epoch
    assert trained.best.valid_accuracy == epochs[-1].valid_accuracy < max(e.valid_accuracy for e in epochs)
    stopped, _ = watched(noise(), noise(seed=1), replace(settings, epochs=1000, patience=4))
    assert stopped.stopped == "no improvement"


def test_the_best_parameters_are_not_changed_by_later_steps() -> None:
    settings = Settings(epochs=40, patience=40)
    trained = train.train(noise(), noise(seed=1), settings)
    assert train.evaluate(trained.best.parameters, noise(seed=1), Settings()) == (
        trained.best.valid_loss,
        trained.best.valid_accuracy,
    )


def test_an_epoch_does_not_depend_on_how_many_follow() -> None:
    _, few = watched(noise(), noise(seed=1), Settings(epochs=2))
    _, many = watched(noise(), noise(seed=1), Settings(epochs=4))
    assert same(few[1].parameters, many[1].parameters)


@pytest.mark.parametrize("batch", [1, 7, 64, 1000])
def test_every_row_occurs_once_in_an_epoch_with_its_own_target(batch: int) -> None:
    numbers = np.arange(150)[:, np.newaxis]
    parts = list(train.batches(examples_of(numbers, 2 * numbers), Settings(batch=batch), epoch=1))
    images, t = (np.concat(column) for column in zip(*parts, strict=True))
    np.testing.assert_array_equal(np.sort(images[:, 0]), np.arange(150))
    np.testing.assert_array_equal(t, 2 * images)


def test_the_last_batch_holds_the_rows_that_are_left() -> None:
    numbers = np.arange(150)[:, np.newaxis]
    parts = train.batches(examples_of(numbers, numbers), Settings(batch=64), epoch=1)
    assert [len(images) for images, _ in parts] == [64, 64, 22]


def test_the_order_of_rows_depends_only_on_the_seed_and_the_epoch() -> None:
    numbers = np.arange(150)[:, np.newaxis]

    def order(epoch: int, settings: Settings) -> list[int]:
        return [
            int(row)
            for images, _ in train.batches(examples_of(numbers, numbers), settings, epoch)
            for row in images[:, 0]
        ]

    first = order(1, Settings(seed=5))
    assert order(1, Settings(seed=5, batch=7, learning_rate=0.1, epochs=3, patience=1, dtype="float64")) == first
    assert order(2, Settings(seed=5)) != first
    assert order(1, Settings(seed=6)) != first
    assert first != sorted(first)


def test_steps_that_overflow_end_in_one_sentence(one_sentence: Callable[[object], None]) -> None:
    with pytest.raises(TrainingError, match="learning_rate") as caught:
        train.train(noise(), noise(seed=1), Settings(learning_rate=1e39, batch=8))
    one_sentence(caught.value)


def test_a_pixel_that_is_nan_ends_training() -> None:
    images, _, t = toy()
    broken = images.astype(np.float32)
    broken[0, 0] = math.nan
    with pytest.raises(TrainingError, match="nan"):
        train.train(examples_of(broken, t), toy(seed=1), Settings())


RULES = [
    Settings(epochs=3),
    Settings(epochs=3, hidden=(16,), loss="cross-entropy", optimizer="momentum", schedule="cosine", learning_rate=0.1),
]


def test_images_may_change_in_every_epoch() -> None:
    asked: list[int] = []

    def draw(examples: Examples, settings: Settings, epoch: int) -> Iterator[Batch]:
        asked.append(epoch)
        examples = examples._replace(images=0 * examples.images) if epoch == 2 else examples
        return train.batches(examples, settings, epoch)

    settings = Settings(epochs=3, patience=3, learning_rate=0.5)
    plain = watched(noise(), noise(seed=1), settings)[1]
    changed: list[TrainingState] = []
    train.train(noise(), noise(seed=1), settings, changed.append, draw)
    assert asked == [1, 2, 3]
    assert same(changed[0].parameters, plain[0].parameters)
    w, w_before = changed[1].parameters[0].w, changed[0].parameters[0].w
    np.testing.assert_allclose(w, w_before, rtol=1e-6, err_msg="black images change no weight")
    assert not same(changed[2].parameters, plain[2].parameters)


@pytest.mark.parametrize("settings", RULES)
def test_more_than_two_digits_are_told_apart(settings: Settings) -> None:
    rng = np.random.default_rng(0)
    classes = np.arange(300) % 3
    one_hot = np.eye(3, dtype=np.uint8)[classes]
    images = rng.integers(0, 60, (300, 6), dtype=np.uint8) + 150 * np.repeat(one_hot, 2, axis=1)
    examples = examples_of(images, one_hot)
    trained = train.train(examples, examples, replace(settings, epochs=30))
    assert trained.best.valid_accuracy == 1


def test_98_percent_of_the_real_threes_and_sevens_are_told_apart(real_digits: dict[str, tuple[Any, Any]]) -> None:
    def examples(part: str) -> Examples:
        images, labels = real_digits[part]
        chosen = (labels == 3) | (labels == 7)
        return examples_of(images[chosen], (labels[chosen] == 3).astype(np.uint8)[:, np.newaxis])

    images, _, t = examples("train")
    held_out = np.random.default_rng(0).permutation(len(images)) < len(images) // 6
    training, validation = examples_of(images[~held_out], t[~held_out]), examples_of(images[held_out], t[held_out])
    trained = train.train(training, validation, Settings())
    assert train.evaluate(trained.best.parameters, examples("t10k"), Settings())[1] >= 0.98


def test_only_the_chosen_rows_are_used() -> None:
    images, _, t = toy()
    rows = np.array([5, 3, 8, 150, 151, 20, 21])
    chosen, copied = Examples(images, rows, t[rows]), examples_of(images[rows], t[rows])
    settings = Settings(epochs=2)
    first, second = (train.train(examples, examples, settings) for examples in (chosen, copied))
    assert same(first.best.parameters, second.best.parameters)
    assert first.best[:3] == second.best[:3]
