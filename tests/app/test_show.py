"""show: which pictures it shows, with which captions, and what it refuses."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import special

from tests import checkpoints
from tests.fixtures import Events, Refused, Run
from tinygrad_mnist import datasets
from tinygrad_mnist.arrays.layers import Layer
from tinygrad_mnist.datasets import idx, mnist

STROKES = ("--data", "strokes")


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give every test the same narrow terminal."""
    monkeypatch.setenv("COLUMNS", "60")


def save(name: str, digits: tuple[int, ...], *layers: tuple[Any, Any]) -> None:
    """Write a model with these weights and biases."""
    parameters = tuple(Layer(np.asarray(w, np.float32), np.asarray(b, np.float32)) for w, b in layers)
    checkpoints.save(name, parameters, digits)


def save_model_that_always_predicts_3() -> None:
    save("model.npz", (3, 7), (np.zeros((784, 1)), [np.log(9)]))


def save_hidden_units(outgoing: Any, digits: tuple[int, ...]) -> None:
    """Write a model whose hidden units have these outgoing weights (H, O)."""
    units, outputs = np.shape(outgoing)
    save("model.npz", digits, (np.eye(784, units), np.zeros(units)), (outgoing, np.zeros(outputs)))


def test_the_first_test_digits_are_shown_with_their_labels(run: Run, events: Events) -> None:
    result = events("show", *STROKES, "--count", 5)[-1]
    labels = datasets.load("strokes", (3, 7)).test.labels[:5].tolist()
    assert result["shown"] == [{"position": n, "label": label} for n, label in enumerate(labels)]
    assert (result["digits"], result["data"], result["test"]) == ([3, 7], "strokes", 60)
    output = run("show", *STROKES, "--count", 5).stdout
    captions = [line.split()[::3] for line in output.splitlines() if "number" in line]
    assert [label for row in captions for label in row] == [str(label) for label in labels]
    assert [len(row) for row in captions] == [2, 2, 1]


def test_the_picture_in_the_terminal_is_the_image(run: Run) -> None:
    output = run("show", *STROKES, "--count", 1).stdout
    image = datasets.load("strokes", (3, 7)).test.images[0]
    lines = output.split("\n\n", 1)[1].splitlines()[:14]
    ink = np.array([[sign in above for sign in line.ljust(28)] for line in lines for above in ("▀█", "▄█")])
    np.testing.assert_array_equal(ink, image >= 128)


@pytest.mark.parametrize(
    "words", ["-n 7", "--digits 0-9", "--digits 8", "ideal", "wrong model.npz", "weights model.npz"]
)
def test_the_output_fits_into_60_columns(run: Run, words: str) -> None:
    save_model_that_always_predicts_3()
    result = run("show", *words.split(), *(() if "weights" in words else STROKES))
    assert result.exit_code == 0
    assert max(map(len, result.output.splitlines())) <= 60
    assert len(result.stdout.splitlines()) > 15


def test_a_seed_chooses_the_same_digits_again_and_a_different_seed_does_not(events: Events) -> None:
    one, again, two = (
        [shown["position"] for shown in events("show", *STROKES, "--seed", seed)[-1]["shown"]] for seed in (1, 1, 2)
    )
    assert one == again != two
    assert len(set(one)) == 6


@pytest.mark.parametrize(
    "words", ["model.npz", "ideal model.npz", "ideal --count 3", "weights", "weights model.npz -d strokes", "wrong"]
)
def test_arguments_that_a_subcommand_does_not_take_are_bad_usage(refused: Refused, words: str) -> None:
    refused(2, "show", *words.split())


@pytest.mark.parametrize("option", [("--json",), ("--count", 3), ("--data", "strokes"), ("-d", "strokes")])
def test_an_option_before_a_subcommand_is_bad_usage(refused: Refused, option: tuple[object, ...]) -> None:
    assert "must come after 'ideal'" in refused(2, "show", *option, "ideal")


def test_an_ideal_digit_is_the_mean_of_its_training_images(run: Run, events: Events) -> None:
    result = events("show", "ideal", *STROKES, "--digits", "7,1")[-1]
    training = datasets.load("strokes", (1, 7)).training
    for shown, digit in zip(result["shown"], (7, 1), strict=True):
        images = training.images[training.labels == digit]
        assert (shown["digit"], shown["images"]) == (digit, 120)
        assert shown["ink"] == pytest.approx(images.mean() / 255, rel=1e-12)
    output = run("show", "ideal", *STROKES, "--digits", "7,1").stdout
    assert output.index("7   mean of 120") < output.index("1   mean of 120")


def test_the_ideal_digits_of_mnist_are_means_of_as_many_images_as_in_the_book(
    events: Events, shared_mnist: Path
) -> None:
    shown = events("show", "ideal", "--data", shared_mnist)[-1]["shown"]
    assert [(one["digit"], one["images"]) for one in shown] == [(3, 6131), (7, 6265)]


def test_a_linear_model_for_two_digits_has_one_picture_of_its_weights(run: Run, events: Events) -> None:
    w = np.zeros((28, 28))
    w[:14], w[14:] = 0.5, -2
    save("model.npz", (4, 9), (w.reshape(784, 1), [0.25]))
    result = events("show", "weights", "model.npz")[-1]
    assert result["shown"] == [{"unit": 0, "name": "4 against 9", "bias": 0.25, "least": -2.0, "largest": 0.5}]
    assert (result["digits"], result["layers"]) == ([4, 9], [784, 1])
    lines = run("show", "weights", "model.npz").stdout.splitlines()
    assert lines[1].endswith("blue or + counts for, red or - against")
    assert [line.strip() for line in lines[-15:]] == [""] * 7 + ["-" * 28] * 7 + ["4 against 9"]


@pytest.mark.parametrize(
    ("outgoing", "digits", "captions"),
    [
        ([[1.0], [-3.0], [2.0]], (3, 7), ["unit 1, for 7", "unit 2, for 3"]),
        ([[3.0, 0, 0], [0, 0, 1], [2, 4, 2]], (1, 5, 8), ["unit 2, for 5", "unit 0, for 1"]),
    ],
)
def test_the_hidden_units_with_the_strongest_outgoing_weights_come_first(
    run: Run, outgoing: Any, digits: tuple[int, ...], captions: list[str]
) -> None:
    save_hidden_units(outgoing, digits)
    last = run("show", "weights", "model.npz", "--count", 2).stdout.splitlines()[-1]
    assert [caption.strip() for caption in last.split("  ") if caption.strip()] == captions


def test_the_mistakes_are_those_that_evaluate_counts_with_the_worst_first(events: Events) -> None:
    events("train", *STROKES, "--digits", "3,5,8", "--epochs", 1, "--seed", 0, "--save", "model.npz")
    table = np.array(events("evaluate", "model.npz", *STROKES)[-1]["confusion"])
    result = events("show", "wrong", "model.npz", *STROKES, "--count", 100)[-1]
    shown = result["shown"]
    assert len(shown) == result["wrong"] == table.sum() - np.trace(table) > 3
    labels = datasets.load("strokes", (3, 5, 8)).test.labels
    excess = []
    for one in shown:
        assert labels[one["position"]] == one["label"] != one["predicted"]
        z = dict(zip(result["digits"], one["logits"], strict=True))
        assert one["predicted"] == max(z, key=z.__getitem__)
        assert one["confidence"] == pytest.approx(special.softmax(one["logits"]).max(), rel=1e-6)
        excess.append(z[one["predicted"]] - z[one["label"]])
    assert excess == sorted(excess, reverse=True)


def test_a_caption_names_the_label_the_prediction_and_its_probability(run: Run) -> None:
    save_model_that_always_predicts_3()
    output = run("show", "wrong", "model.npz", *STROKES, "--count", 2).stdout
    assert "30 of 60 test digits" in output
    assert output.splitlines()[-1].split("  ")[0] == "7 predicted as 3, 90.00 %"


def test_without_mistakes_there_is_nothing_to_show_or_to_plot(run: Run, events: Events, refused: Refused) -> None:
    save_separable_digits()
    save("model.npz", (3, 7), (np.ones((4, 1)), [-1.0]))
    words = ("show", "wrong", "model.npz", "--data", "small")
    assert events(*words)[-1]["shown"] == []
    assert run(*words).stdout.splitlines()[-1] == "wrong     0 of 10 test digits, the worst first"
    pytest.importorskip("matplotlib")
    assert "all test digits are predicted correctly" in refused(1, *words, "--plot", "wrong.png")
    assert not Path("wrong.png").exists()


def save_separable_digits() -> None:
    """Write a data set of 2 x 2 pixels, in which each 3 is white and each 7 is black."""
    folder = Path("small")
    folder.mkdir()
    labels = np.array([3, 7] * 5, np.uint8)
    for name, label_name in (mnist.TRAINING, mnist.TEST):
        idx.write(folder / name, np.repeat(255 * (labels == 3).astype(np.uint8), 4).reshape(-1, 2, 2))
        idx.write(folder / label_name, labels)


@pytest.mark.parametrize(
    "words",
    [
        ("show", "--count", 3, *STROKES),
        ("show", "ideal", *STROKES),
        ("show", "weights", "model.npz"),
        ("show", "wrong", "model.npz", *STROKES),
        ("evaluate", "model.npz", *STROKES),
    ],
)
def test_a_plot_is_written_to_a_file_that_the_report_names(run: Run, events: Events, words: tuple[object, ...]) -> None:
    pytest.importorskip("matplotlib")
    save_model_that_always_predicts_3()
    result = run(*words, "--plot", "plot.svg")
    assert result.exit_code == 0, result.output
    assert "plot      plot.svg" in result.stdout.splitlines()
    assert "█" not in result.stdout
    assert Path("plot.svg").read_bytes().startswith(b"<?xml")
    assert events(*words, "--plot", "plot.svg")[-1]["plot"] == "plot.svg"
    assert events(*words)[-1]["plot"] is None


@pytest.mark.parametrize("words", [("show", *STROKES), ("evaluate", "model.npz", *STROKES)])
def test_an_unwritable_plot_is_refused_before_any_work(refused: Refused, words: tuple[object, ...]) -> None:
    pytest.importorskip("matplotlib")
    assert "there is no folder" in refused(1, *words, "--plot", "nowhere/plot.png")
    assert not Path("data").exists()
