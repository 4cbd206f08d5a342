"""predict: what it says of pictures, and what it refuses."""

import io
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from tinygrad_mnist import checkpoint, network
from tinygrad_mnist.checkpoint import Checkpoint
from tinygrad_mnist.commands import drawing, main
from tinygrad_mnist.datasets import strokes
from tinygrad_mnist.network import Layer
from tinygrad_mnist.passes import sigmoid

Image = pytest.importorskip("PIL.Image")

Run = Callable[..., Result]
Events = Callable[..., list[dict[str, Any]]]
Refused = Callable[..., str]

ROOT = Path(__file__).parents[2]


def drawn(digit: int) -> Any:
    return strokes.draw(digit, 1, np.random.default_rng(digit))[0]


def picture(digit: int) -> Any:
    """Return a photograph of a digit, as Pillow has it: dark on light, five times as large as MNIST's."""
    image = drawn(digit)
    return Image.fromarray((230 - image * (200 / 255)).astype(np.uint8)).resize((140, 140), Image.Resampling.BICUBIC)


@pytest.fixture
def pair(run: Run) -> str:
    """The name of a network that tells threes from sevens; pictures of both lie beside it."""
    run("train", "--data", "strokes", "--seed", 1, "--epochs", 20, "--save", "pair.npz")
    for digit in (3, 7):
        picture(digit).save(f"{digit}.png")
    return "pair.npz"


@pytest.fixture
def ten(run: Run) -> str:
    """The name of a network that tells all ten digits apart; pictures of all lie beside it."""
    run("train", "--data", "strokes", "--digits", "0-9", "--seed", 1, "--epochs", 20, "--save", "ten.npz")
    for digit in range(10):
        picture(digit).save(f"{digit}.png")
    return "ten.npz"


def test_each_picture_is_named_drawn_and_read(run: Run, pair: str) -> None:
    lines = run("predict", pair, "3.png", "7.png").stdout.splitlines()
    assert len(lines) == 2 * (1 + 14 + 1)
    for first, digit in ((0, 3), (16, 7)):
        assert lines[first].split() == ["image", f"{digit}.png"]
        seen = lines[first + 1 : first + 15]
        assert {len(line) for line in seen} == {28}
        assert set("".join(seen)) - {" "} <= set(drawing.BLOCKS)
        assert lines[first + 15].split()[:2] == ["digit", str(digit)]
        assert lines[first + 15].endswith(" %")
    assert max(map(len, lines)) <= 60


def test_a_program_gets_digits_and_probabilities(events: Events, pair: str) -> None:
    result = events("predict", pair, "3.png", "7.png")[-1]
    assert result["digits"] == [3, 7]
    assert [said["image"] for said in result["predictions"]] == ["3.png", "7.png"]
    assert [said["digit"] for said in result["predictions"]] == [3, 7]
    assert all(0.5 <= said["probability"] <= 1 for said in result["predictions"])


def test_pictures_of_ten_digits_are_read_as_the_digits_themselves(events: Events, ten: str) -> None:
    said = events("predict", ten, *[f"{digit}.png" for digit in range(10)])[-1]["predictions"]
    images = np.stack([drawn(digit).ravel() for digit in range(10)])
    expected = network.decide(network.predict(images, np.arange(10), checkpoint.load(Path(ten)).parameters), range(10))
    assert sum(one["digit"] == digit for one, digit in zip(said, expected, strict=True)) >= 9


def test_standard_input_is_a_picture_too(pair: str) -> None:
    result = CliRunner().invoke(main, ["predict", pair, "--json", "-"], input=Path("7.png").read_bytes())
    assert result.exit_code == 0
    assert '"image": "-", "digit": 7' in result.stdout


@pytest.mark.parametrize(("logit", "digit"), [(2.0, 3), (-2.0, 7)])
def test_the_probability_of_two_digits_is_that_of_the_one_said(
    run: Run, events: Events, logit: float, digit: int
) -> None:
    parameters = (Layer(np.zeros((784, 1)), np.array([logit])),)
    checkpoint.save(Path("sure.npz"), Checkpoint(parameters, (3, 7), 0))
    picture(3).save("3.png")
    said = events("predict", "sure.npz", "3.png")[-1]["predictions"][0]
    assert said["digit"] == digit
    assert said["probability"] == pytest.approx(float(sigmoid.forward(np.array(2.0))), rel=1e-12)


def test_the_probability_of_more_digits_is_that_of_the_largest_logit(events: Events) -> None:
    parameters = (Layer(np.zeros((784, 3)), np.array([-1.0, -0.5, -3.0])),)
    checkpoint.save(Path("sure.npz"), Checkpoint(parameters, (1, 4, 6), 0))
    picture(3).save("3.png")
    said = events("predict", "sure.npz", "3.png")[-1]["predictions"][0]
    assert said["digit"] == 4
    assert said["probability"] == pytest.approx(float(sigmoid.forward(np.array(-0.5))), rel=1e-12)


def test_certainty_and_decision_agree() -> None:
    z = np.random.default_rng(0).standard_normal((100, 1))
    p = sigmoid.forward(z[:, 0])
    said = network.decide(z, (3, 7))
    np.testing.assert_allclose(network.certainty(z), np.where(said == 3, p, 1 - p), rtol=1e-12)


def test_one_bad_picture_is_named_before_anything_is_said(refused: Refused, pair: str) -> None:
    Path("notes.png").write_text("no picture")
    assert "notes.png is not an image" in refused(1, "predict", pair, "3.png", "notes.png", "7.png")
    assert "missing.png cannot be read: No such file" in refused(1, "predict", pair, "3.png", "missing.png")
    Image.new("L", (50, 50), 200).save("blank.png")
    assert "blank.png has no digit" in refused(1, "predict", pair, "blank.png", "--json")


def test_nothing_on_standard_input_is_refused(refused: Refused, pair: str) -> None:
    assert "standard input is empty" in refused(1, "predict", pair, "-")


def test_a_model_of_other_images_is_refused(refused: Refused) -> None:
    parameters = (Layer(np.zeros((196, 1)), np.zeros(1)),)
    checkpoint.save(Path("small.npz"), Checkpoint(parameters, (3, 7), 0))
    assert "small.npz was trained on images of 196 pixels" in refused(1, "predict", "small.npz", "3.png")


def test_what_is_not_a_model_is_refused(refused: Refused, pair: str) -> None:
    assert "3.png is not a tinygrad_mnist checkpoint" in refused(1, "predict", "3.png", "3.png")
    assert "missing.npz does not exist" in refused(1, "predict", "missing.npz", "3.png")


def test_a_picture_has_to_be_named(refused: Refused, pair: str) -> None:
    assert "IMAGE" in refused(2, "predict", pair)


def test_a_closed_standard_input_is_one_sentence(pair: str, tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "cli.py"), "predict", pair, "-"]
    said = subprocess.run(["/bin/sh", "-c", '"$@" <&-', "sh", *command], capture_output=True, text=True, cwd=tmp_path)
    assert said.returncode == 1
    assert said.stderr == "Error: standard input is closed: name a file, or pipe one in.\n"


def test_what_pillow_logs_is_not_said_beside_the_sentence(pair: str, tmp_path: Path) -> None:
    # TIFF, little-endian: a width, a height and more samples in a pixel (tag 277) than Pillow decodes.
    tags = [(256, 4), (257, 4), (277, 1028)]
    content = b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags))
    content += b"".join(struct.pack("<HHII", tag, 3, 1, value) for tag, value in tags) + bytes(4)
    (tmp_path / "odd.tiff").write_bytes(content)
    command = [sys.executable, str(ROOT / "cli.py"), "predict", pair, "odd.tiff"]
    said = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert said.returncode == 1
    assert said.stderr == "Error: odd.tiff is not an image that can be read, or only the start of one.\n"


def test_a_name_that_is_no_text_is_shown_as_far_as_it_is(pair: str, tmp_path: Path) -> None:
    name = b"\xff\xfe.png"
    with io.BytesIO() as file:
        picture(3).save(file, "PNG")
        (tmp_path / "3.png").rename(tmp_path / name.decode(errors="surrogateescape"))
    for words in ([], ["--json"]):
        command = [sys.executable.encode(), bytes(ROOT / "cli.py"), b"predict", pair.encode(), name]
        said = subprocess.run([*command, *[word.encode() for word in words]], capture_output=True, cwd=tmp_path)
        assert (said.returncode, said.stderr) == (0, b"")


def test_mnist_digits_drawn_large_are_read_as_well_as_mnist_itself(
    run: Run, events: Events, shared_mnist: Path, real_digits: dict[str, tuple[Any, Any]]
) -> None:
    run("train", "--data", shared_mnist, "--seed", 1, "--epochs", 8, "--save", "model.npz")
    pixels, labels = real_digits["t10k"]
    rows = np.flatnonzero(np.isin(labels, (3, 7)))[:100]
    for row in rows:
        large = Image.fromarray(255 - pixels[row].reshape(28, 28)).resize((200, 200), Image.Resampling.BICUBIC)
        large.save(f"{row}.jpg")
    said = events("predict", "model.npz", *[f"{row}.jpg" for row in rows])[-1]["predictions"]
    assert np.mean([one["digit"] == labels[row] for one, row in zip(said, rows, strict=True)]) >= 0.96


@pytest.mark.parametrize(
    "words",
    [
        ("predict", "huge.npz", "one.png"),
        ("evaluate", "huge.npz", "--data", "strokes"),
        ("show", "wrong", "huge.npz", "--data", "strokes"),
    ],
)
def test_a_model_whose_answers_are_no_numbers_is_refused(words: tuple[str, ...], refused: Refused) -> None:
    """Each weight is finite, and so the file is whole; but sums of them are infinite, and their difference is none."""
    huge = Layer(np.full((784, 2), 3e38, np.float32), np.zeros(2, np.float32))
    against = Layer(np.array([[1], [-1]], np.float32), np.zeros(1, np.float32))
    checkpoint.save(Path("huge.npz"), Checkpoint((huge, against), (3, 7), 0))
    Image.fromarray(np.pad(np.full((20, 4), 255, np.uint8), 10)).save("one.png")
    assert "huge.npz has weights so large that its answers are no numbers" in refused(1, *words)
