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
        assert [whole[name].shape for name in ("w1", "w2", "w3", "w4")] == [(25, 2), (50, 4), (64, 8), (8, 3)]
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


def test_images_that_are_too_small_for_two_convolutions_are_refused(refused: Callable[..., str]) -> None:
    folder = Path("small")
    folder.mkdir()
    for images, labels in (mnist.TRAINING, mnist.TEST):
        idx.write(folder / images, np.zeros((10, 8, 8), np.uint8))
        idx.write(folder / labels, np.arange(10, dtype=np.uint8))
    sentence = refused(1, "train", "--data", folder, "--digits", "0-9", "--preset", "quick")
    assert "at least 13 by 13 pixels" in sentence
    assert "--network dense" in sentence
