"""predict: how it classifies pictures, and what it refuses."""

import io
import json
import re
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from scipy import special

from tests.checkpoints import save
from tests.fixtures import Events, Refused, Run
from tinygrad_mnist import metrics
from tinygrad_mnist.app import main, pictures
from tinygrad_mnist.arrays.layers import Layer
from tinygrad_mnist.datasets import strokes
from tinygrad_mnist.networks import dense
from tinygrad_mnist.passes import sigmoid
from tinygrad_mnist.runs import checkpoint

Image = pytest.importorskip("PIL.Image")


ROOT = Path(__file__).parents[2]


def drawn(digit: int) -> Any:
    return strokes.draw(digit, 1, np.random.default_rng(digit))[0]


def picture(digit: int) -> Any:
    """Return a photo of a digit as a Pillow image: dark on light, and five times as large as MNIST's."""
    image = drawn(digit)
    return Image.fromarray((230 - image * (200 / 255)).astype(np.uint8)).resize((140, 140), Image.Resampling.BICUBIC)


@pytest.fixture
def pair(run: Run) -> str:
    """The file of a network for 3 and 7, next to pictures of both."""
    run("train", "--data", "strokes", "--seed", 1, "--epochs", 20, "--save", "pair.npz")
    for digit in (3, 7):
        picture(digit).save(f"{digit}.png")
    return "pair.npz"


@pytest.fixture
def ten(run: Run) -> str:
    """The file of a network for all ten digits, next to pictures of all of them."""
    run("train", "--data", "strokes", "--digits", "0-9", "--seed", 1, "--epochs", 20, "--save", "ten.npz")
    for digit in range(10):
        picture(digit).save(f"{digit}.png")
    return "ten.npz"


def test_the_report_shows_each_picture_and_its_digit(run: Run, pair: str) -> None:
    lines = run("predict", pair, "3.png", "7.png").stdout.splitlines()
    assert len(lines) == 2 * (1 + 14 + 1)
    for first, digit in ((0, 3), (16, 7)):
        assert lines[first].split() == ["image", f"{digit}.png"]
        image = lines[first + 1 : first + 15]
        assert {len(line) for line in image} == {28}
        assert set("".join(image)) - {" "} <= set(pictures.BLOCKS)
        assert lines[first + 15].split()[:2] == ["digit", str(digit)]
        assert lines[first + 15].endswith(" %")
    assert max(map(len, lines)) <= 60


def test_the_json_result_has_digits_and_probabilities(events: Events, pair: str) -> None:
    result = events("predict", pair, "3.png", "7.png")[-1]
    assert result["digits"] == [3, 7]
    assert [one["image"] for one in result["predictions"]] == ["3.png", "7.png"]
    assert [one["digit"] for one in result["predictions"]] == [3, 7]
    assert all(0.5 <= one["probability"] <= 1 for one in result["predictions"])


def test_photos_of_ten_digits_are_classified_like_the_digits_themselves(events: Events, ten: str) -> None:
    predictions = events("predict", ten, *[f"{digit}.png" for digit in range(10)])[-1]["predictions"]
    images = np.stack([drawn(digit).ravel() for digit in range(10)])
    expected = metrics.classify(dense.logits(images, np.arange(10), checkpoint.load(Path(ten)).parameters), range(10))
    assert sum(one["digit"] == digit for one, digit in zip(predictions, expected, strict=True)) >= 9


def test_a_picture_is_read_from_standard_input(pair: str) -> None:
    result = CliRunner().invoke(main, ["predict", pair, "--json", "-"], input=Path("7.png").read_bytes())
    assert result.exit_code == 0
    assert '"image": "-", "digit": 7' in result.stdout


@pytest.mark.parametrize(("logit", "digit"), [(2.0, 3), (-2.0, 7)])
def test_for_two_digits_the_probability_is_that_of_the_predicted_digit(
    run: Run, events: Events, logit: float, digit: int
) -> None:
    parameters = (Layer(np.zeros((784, 1)), np.array([logit])),)
    save("sure.npz", parameters, (3, 7))
    picture(3).save("3.png")
    (prediction,) = events("predict", "sure.npz", "3.png")[-1]["predictions"]
    assert prediction["digit"] == digit
    assert prediction["probability"] == pytest.approx(float(sigmoid.forward(np.array(2.0))), rel=1e-12)


def test_for_more_digits_the_probability_is_that_of_the_softmax(events: Events) -> None:
    parameters = (Layer(np.zeros((784, 3)), np.array([-1.0, -0.5, -3.0])),)
    save("sure.npz", parameters, (1, 4, 6))
    picture(3).save("3.png")
    (prediction,) = events("predict", "sure.npz", "3.png")[-1]["predictions"]
    assert prediction["digit"] == 4
    assert prediction["probability"] == pytest.approx(special.softmax([-1.0, -0.5, -3.0])[1], rel=1e-12)


def test_the_confidence_is_the_probability_of_the_predicted_digit() -> None:
    z = np.random.default_rng(0).standard_normal((100, 1))
    p = sigmoid.forward(z[:, 0])
    predicted = metrics.classify(z, (3, 7))
    np.testing.assert_allclose(metrics.confidence(z), np.where(predicted == 3, p, 1 - p), rtol=1e-12)


def test_one_unreadable_picture_is_refused(refused: Refused, pair: str) -> None:
    Path("notes.png").write_text("not a picture")
    assert "notes.png is not an image" in refused(1, "predict", pair, "notes.png")
    assert "missing.png cannot be read: No such file" in refused(1, "predict", pair, "missing.png")
    Image.new("L", (50, 50), 200).save("blank.png")
    assert "blank.png has no digit" in refused(1, "predict", pair, "blank.png")


def test_an_unreadable_picture_does_not_hide_the_others(run: Run, pair: str) -> None:
    Path("notes.png").write_text("not a picture")
    result = run("predict", pair, "3.png", "notes.png", "7.png")
    labels = [line.split()[0] for line in result.stdout.splitlines() if line[:1].isalpha()]
    assert labels == ["image", "digit", "error", "image", "digit"]
    assert "error     notes.png is not an image in a known format" in result.stdout
    assert result.stderr == "Error: 1 of 3 pictures cannot be read.\n"
    assert result.exit_code == 1


def test_errors_are_in_their_places_in_json(run: Run, pair: str) -> None:
    Path("notes.png").write_text("not a picture")
    result = run("predict", pair, "3.png", "notes.png", "7.png", "--json")
    assert result.exit_code == 1
    first, second, third = json.loads(result.stdout)["predictions"]
    assert [first["digit"], third["digit"]] == [3, 7]
    assert second == {"image": "notes.png", "error": second["error"]}


def test_more_than_a_few_pictures_are_listed_in_a_table(run: Run, pair: str) -> None:
    Path("notes.png").write_text("not a picture")
    lines = run("predict", pair, "3.png", "7.png", "notes.png", "3.png", "7.png").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["digit", "3", "7", "error", "3", "7"]
    assert lines[1].split()[3] == "3.png"


def test_all_probabilities_are_listed_in_json_and_the_second_digit_is_shown(run: Run, events: Events, ten: str) -> None:
    (prediction,) = events("predict", ten, "3.png")[-1]["predictions"]
    assert list(prediction["probabilities"]) == [str(digit) for digit in range(10)]
    assert sum(prediction["probabilities"].values()) == pytest.approx(1)
    assert prediction["probability"] == max(prediction["probabilities"].values())
    (digit,) = [line for line in run("predict", ten, "3.png").stdout.splitlines() if line.startswith("digit")]
    assert re.fullmatch(r"digit     3   >?\d+\.\d\d %, then \d with \d+\.\d\d %", digit)


def test_a_picture_that_is_unlike_the_digits_is_not_sure(run: Run, events: Events, pair: str) -> None:
    cross = Image.new("L", (140, 140), 230)
    for box in ((20, 64, 120, 76), (64, 20, 76, 120), (20, 20, 120, 30)):
        cross.paste(30, box)
    cross.save("cross.png")
    three, other = events("predict", pair, "3.png", "cross.png")[-1]["predictions"]
    assert (three["sure"], other["sure"]) == (True, False)
    assert other["reason"] == "this looks like neither a 3 nor a 7"
    assert "not sure  this looks like neither a 3 nor a 7" in run("predict", pair, "cross.png").stdout


def test_what_is_taken_for_a_picture_is_refused_with_a_remedy(
    refused: Refused, pair: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    for start in (b"\0\0\0\x18ftypheic", b"%PDF-1.7\n"):
        Path("photo").write_bytes(start + bytes(200))
        error = refused(1, "predict", pair, "photo")
        assert "photo is not an image that can be read" in error
        assert "save it as PNG" in error


def test_empty_standard_input_is_refused(refused: Refused, pair: str) -> None:
    assert "standard input is not an image that can be read: it is empty" in refused(1, "predict", pair, "-")


def test_a_file_that_is_not_a_model_is_refused(refused: Refused, pair: str) -> None:
    assert "3.png is not a tinygrad_mnist checkpoint" in refused(1, "predict", "3.png", "3.png")
    assert "missing.npz does not exist" in refused(1, "predict", "missing.npz", "3.png")


def test_a_missing_picture_argument_is_bad_usage(refused: Refused, pair: str) -> None:
    assert "IMAGE" in refused(2, "predict", pair)


def test_a_closed_standard_input_is_reported_in_one_sentence(pair: str, tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "cli.py"), "predict", pair, "-"]
    done = subprocess.run(["/bin/sh", "-c", '"$@" <&-', "sh", *command], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr == "Error: standard input is closed: name a file, or pipe one in.\n"


def test_what_pillow_logs_is_not_printed(pair: str, tmp_path: Path) -> None:
    # TIFF, little-endian: a width, a height, and more samples per pixel (tag 277) than Pillow can decode.
    tags = [(256, 4), (257, 4), (277, 1028)]
    content = b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags))
    content += b"".join(struct.pack("<HHII", tag, 3, 1, value) for tag, value in tags) + bytes(4)
    (tmp_path / "odd.tiff").write_bytes(content)
    command = [sys.executable, str(ROOT / "cli.py"), "predict", pair, "odd.tiff"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr == "Error: odd.tiff is not an image in a known format, or it is truncated: save it as PNG.\n"


def test_a_file_name_that_is_not_valid_text_is_accepted(pair: str, tmp_path: Path) -> None:
    name = b"\xff\xfe.png"
    with io.BytesIO() as file:
        picture(3).save(file, "PNG")
        (tmp_path / "3.png").rename(tmp_path / name.decode(errors="surrogateescape"))
    for words in ([], ["--json"]):
        command = [sys.executable.encode(), bytes(ROOT / "cli.py"), b"predict", pair.encode(), name]
        done = subprocess.run([*command, *[word.encode() for word in words]], capture_output=True, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, b"")


def test_enlarged_mnist_digits_are_classified_as_well_as_mnist_itself(
    run: Run, events: Events, shared_mnist: Path, real_digits: dict[str, tuple[Any, Any]]
) -> None:
    run("train", "--data", shared_mnist, "--seed", 1, "--epochs", 8, "--save", "model.npz")
    pixels, labels = real_digits["t10k"]
    rows = np.flatnonzero(np.isin(labels, (3, 7)))[:100]
    for row in rows:
        large = Image.fromarray(255 - pixels[row].reshape(28, 28)).resize((200, 200), Image.Resampling.BICUBIC)
        large.save(f"{row}.jpg")
    predictions = events("predict", "model.npz", *[f"{row}.jpg" for row in rows])[-1]["predictions"]
    assert np.mean([one["digit"] == labels[row] for one, row in zip(predictions, rows, strict=True)]) >= 0.96


@pytest.mark.parametrize(
    "words",
    [
        ("predict", "huge.npz", "one.png"),
        ("evaluate", "huge.npz", "--data", "strokes"),
        ("show", "wrong", "huge.npz", "--data", "strokes"),
    ],
)
def test_a_model_whose_outputs_are_not_finite_is_refused(words: tuple[str, ...], refused: Refused) -> None:
    """All weights are finite, so the file is valid. But their sums are infinite, and the difference of those is NaN."""
    huge = Layer(np.full((784, 2), 3e38, np.float32), np.zeros(2, np.float32))
    against = Layer(np.array([[1], [-1]], np.float32), np.zeros(1, np.float32))
    save("huge.npz", (huge, against), (3, 7))
    Image.fromarray(np.pad(np.full((20, 4), 255, np.uint8), 10)).save("one.png")
    assert "huge.npz has weights so large that its outputs are not finite" in refused(1, *words)
