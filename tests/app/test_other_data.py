"""Other people's data sets, from training to prediction: sizes, grays, and runs that learn nothing."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.fixtures import Events, Run
from tinygrad_mnist.datasets import idx, idx_names, strokes

Image = pytest.importorskip("PIL.Image")

Bytes = NDArray[np.uint8]


def written(folder: Path, change: Callable[[Bytes], Bytes], labels: Bytes | None = None) -> str:
    """Write drawn digits 3 and 7, changed, to MNIST's four files, 150 of each for training and 40 for testing."""
    folder.mkdir()
    for (images_name, labels_name), count in ((idx_names.FILES[:2], 150), (idx_names.FILES[2:], 40)):
        images = np.concatenate([strokes.draw(digit, count, np.random.default_rng((count, digit))) for digit in (3, 7)])
        named = np.repeat(np.array([3, 7], np.uint8), count) if labels is None else labels[: 2 * count]
        for name, array in ((images_name, np.ascontiguousarray(change(images))), (labels_name, named)):
            (folder / name).write_bytes(idx.header(array) + array.tobytes())
    return str(folder)


def resized(side: int) -> Callable[[Bytes], Bytes]:
    def change(images: Bytes) -> Bytes:
        small = [Image.fromarray(image[1:27, 1:27]).resize((side, side), Image.Resampling.BOX) for image in images]
        return np.stack([np.asarray(one) for one in small])

    return change


@pytest.mark.parametrize("side", [8, *(pytest.param(side, marks=pytest.mark.exhaustive) for side in (16, 32))])
def test_images_of_another_size_train_evaluate_show_and_predict(
    side: int, run: Run, events: Events, tmp_path: Path
) -> None:
    data = written(tmp_path / "mine", resized(side))
    result = events("train", "--data", data, "--seed", 1, "--epochs", 30, "--save", "net.npz")[-1]
    assert result["test_accuracy"] > 0.9
    assert events("evaluate", "net.npz", "--data", data)[-1]["accuracy"] == result["test_accuracy"]
    for words in (("show", "--data", data), ("show", "weights", "net.npz"), ("show", "wrong", "net.npz", "-d", data)):
        assert run(*words).exit_code == 0
    names = []
    for digit in (3, 7):
        for number, image in enumerate(strokes.draw(digit, 5, np.random.default_rng(digit))):
            page = Image.fromarray((230 - image * (200 / 255)).astype(np.uint8))
            names += [f"page{digit}-{number}.png", f"small{digit}-{number}.png"]
            page.resize((140, 140), Image.Resampling.BICUBIC).save(names[-2])
            Image.fromarray(resized(side)(image[None])[0]).save(names[-1])
    found = events("predict", "net.npz", *names)[-1]["predictions"]
    # A line between 8 by 8 pixels is not perfect.
    assert sum(one["digit"] == digit for one, digit in zip(found, [3] * 10 + [7] * 10, strict=True)) >= 18


def test_dark_digits_train_as_light_ones_do_and_the_network_remembers_it(
    run: Run, events: Events, tmp_path: Path
) -> None:
    light, dark = written(tmp_path / "light", lambda x: x), written(tmp_path / "dark", lambda x: 255 - x)
    words = ("--seed", 1, "--epochs", 5, "--save")
    expected = events("train", "--data", light, *words, "light.npz")[-1]["test_accuracy"]
    found = events("train", "--data", dark, *words, "dark.npz")[-1]
    assert (found["test_accuracy"], found["scaling"]) == (expected, {"paper": 255, "ink": 0})
    assert "are dark (0) on light paper (255), so they are inverted" in run("train", "-d", dark, "-q").stderr
    for data in (light, dark):
        assert events("evaluate", "dark.npz", "--data", data)[-1]["accuracy"] == expected
    again = run("train", "--data", dark, "--resume", "dark.npz", "--epochs", 6)
    assert again.exit_code == 0, again.output


def noise(images: Bytes) -> Bytes:
    return np.random.default_rng(0).integers(0, 256, images.shape, np.uint8)


@pytest.mark.parametrize(("change", "mixed"), [(noise, False), (lambda x: x, True)])
def test_a_run_that_ends_at_chance_says_so(
    change: Callable[[Bytes], Bytes], mixed: bool, run: Run, tmp_path: Path
) -> None:
    labels = np.random.default_rng(0).choice(np.array([3, 7], np.uint8), 300) if mixed else None
    result = run("train", "--data", written(tmp_path / "mine", change, labels), "--seed", 1, "--epochs", 3, "-q")
    assert result.exit_code == 0
    assert "The network is no better than guessing" in result.stderr


def test_a_run_that_learns_says_nothing_of_chance(run: Run, tmp_path: Path) -> None:
    assert run("train", "--data", written(tmp_path / "mine", lambda x: x), "--seed", 1, "-q").stderr == ""


def test_swapped_test_labels_are_told(run: Run, tmp_path: Path) -> None:
    data = written(tmp_path / "mine", lambda x: x)
    labels = np.repeat(np.array([7, 3], np.uint8), 40)
    (tmp_path / "mine" / idx_names.FILES[3]).write_bytes(idx.header(labels) + labels.tobytes())
    assert "check that the labels belong to the images" in run("train", "--data", data, "--seed", 1, "-q").stderr
