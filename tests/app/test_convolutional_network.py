"""Training a convolutional network with the commands: options, files and what is refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result

from tinygrad_mnist.datasets import idx, mnist

CONVOLUTIONAL = ("--network", "convolutional", "--features", "2,4", "--data", "strokes", "--digits", "0-2", "--seed", 1)


def test_a_convolutional_network_is_saved_continued_evaluated_and_shown(
    run: Callable[..., Result], events: Callable[..., list[dict[str, Any]]]
) -> None:
    words = ("train", *CONVOLUTIONAL, "--hidden", 8, "--augment", "--schedule", "constant")
    expected = events(*words, "--epochs", 3, "--save", "whole.npz")[-1]
    events(*words, "--epochs", 2, "--save", "part.npz")
    continued = events("train", "--data", "strokes", "--resume", "part.npz", "--epochs", 3)[-1]
    assert continued["test_accuracy"] == expected["test_accuracy"]
    with np.load("whole.npz") as whole, np.load("part.npz") as part:
        assert whole["features"].tolist() == [2, 4]
        assert whole["layer_sizes"].tolist() == [784, 2, 4, 8, 3]
        for name in ("w1", "b1", "w2", "w3", "w4"):
            np.testing.assert_array_equal(whole[name], part[name])
    assert events("evaluate", "whole.npz", "--data", "strokes")[-1]["accuracy"] == expected["test_accuracy"]
    shown = events("show", "weights", "whole.npz")[-1]["shown"]
    assert sorted(one["unit"] for one in shown) == [0, 1]
    assert run("show", "wrong", "whole.npz", "--data", "strokes").exit_code == 0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--network", "dense", "--features", "2,4"), "a dense network has no features"),
        (("--features", "2"), "not two numbers"),
        (("--features", "2,x"), "--features"),
        (("--digits", "3,7", "--loss", "softmax-cross-entropy"), "three digits or more"),
    ],
)
def test_settings_that_do_not_fit_are_bad_usage(
    words: tuple[str, ...], sentence: str, refused: Callable[..., str]
) -> None:
    assert sentence in refused(2, "train", "--data", "strokes", *words)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda stored: stored.update(features=np.array([2, 5])),
        lambda stored: stored.update(features=np.array([2])),
        lambda stored: stored.update(features=np.array([2.0, 4.0])),
        lambda stored: stored.update(features=np.array(2)),
        lambda stored: stored.update(version=np.array(3)),
        lambda stored: stored.update(layer_sizes=np.array([783, 2, 4, 3])),
        lambda stored: stored.update(layer_sizes=np.array([100, 2, 4, 3])),
        lambda stored: stored.pop("features"),
    ],
)
def test_a_file_whose_features_do_not_fit_is_refused(
    spoil: Callable[[dict[str, Any]], Any], run: Callable[..., Result], refused: Callable[..., str]
) -> None:
    assert run("train", *CONVOLUTIONAL, "--epochs", 1, "--hidden", 0, "--save", "model.npz").exit_code == 0
    with np.load("model.npz") as file:
        stored = dict(file)
    spoil(stored)
    np.savez(Path("model.npz"), **stored)
    assert "is broken, because" in refused(1, "evaluate", "model.npz", "--data", "strokes")


def test_images_that_are_too_small_for_two_convolutions_are_refused(refused: Callable[..., str]) -> None:
    folder = Path("small")
    folder.mkdir()
    for images, labels in (mnist.TRAINING, mnist.TEST):
        idx.write(folder / images, np.zeros((10, 8, 8), np.uint8))
        idx.write(folder / labels, np.arange(10, dtype=np.uint8))
    sentence = refused(1, "train", "--data", folder, "--digits", "0-9", "--preset", "quick")
    assert "at least 13 by 13 pixels" in sentence
    assert "--network dense" in sentence
