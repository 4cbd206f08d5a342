"""predict: how it classifies pictures, and what it refuses."""

import json
import re
import shutil
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
from tinygrad_mnist import DigitClassifier
from tinygrad_mnist.app import main, pictures
from tinygrad_mnist.arrays.layers import Layer
from tinygrad_mnist.datasets import strokes

Image = pytest.importorskip("PIL.Image")


ROOT = Path(__file__).parents[2]


def drawn(digit: int, count: int) -> Any:
    return strokes.draw(digit, count, np.random.default_rng(digit))


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with networks for 3 and 7 and for ten digits, and pictures: dark on light, and larger than MNIST's."""
    folder = tmp_path_factory.mktemp("made")
    images, labels = np.concatenate([drawn(digit, 90) for digit in range(10)]), np.repeat(np.arange(10), 90)
    rows = np.isin(labels, (3, 7))
    DigitClassifier(epochs=20).fit(images[rows], labels[rows]).save(folder / "pair.npz")
    DigitClassifier(epochs=20).fit(images, labels).save(folder / "ten.npz")
    for digit in (3, 4, 5, 7):
        picture = Image.fromarray((230 - drawn(digit, 1)[0] * (200 / 255)).astype(np.uint8))
        picture.resize((140, 140), Image.Resampling.BICUBIC).save(folder / f"{digit}.png")
    (folder / "notes.png").write_text("not a picture")
    return folder


@pytest.fixture(autouse=True)
def here(run: Run, made: Path) -> None:
    """Copy these files to the current folder."""
    shutil.copytree(made, ".", dirs_exist_ok=True)


def test_the_report_shows_each_picture_and_its_digit(run: Run) -> None:
    lines = run("predict", "pair.npz", "3.png", "7.png").stdout.splitlines()
    assert len(lines) == 2 * (1 + 14 + 1)
    for first, digit in ((0, 3), (16, 7)):
        assert lines[first].split() == ["image", f"{digit}.png"]
        image = lines[first + 1 : first + 15]
        assert {len(line) for line in image} == {28}
        assert set("".join(image)) - {" "} <= set(pictures.BLOCKS)
        assert lines[first + 15].split()[:2] == ["digit", str(digit)]
        assert lines[first + 15].endswith(" %")
    assert max(map(len, lines)) <= 60
    lines = run("predict", "ten.npz", "3.png").stdout.splitlines()
    assert re.fullmatch(r"digit     3   >?\d+\.\d\d %, then \d with \d+\.\d\d %", lines[-1])


def test_the_json_result_has_a_digit_and_all_probabilities_for_each_picture(events: Events) -> None:
    names = ["3.png", "4.png", "5.png", "7.png"]
    result = events("predict", "ten.npz", *names)[-1]
    assert result["digits"] == list(range(10))
    assert [one["image"] for one in result["predictions"]] == names
    assert sum(one["image"] == f"{one['digit']}.png" for one in result["predictions"]) >= 3
    for one in result["predictions"]:
        assert list(one["probabilities"]) == [str(digit) for digit in range(10)]
        assert sum(one["probabilities"].values()) == pytest.approx(1)
        assert one["probability"] == one["probabilities"][str(one["digit"])] == max(one["probabilities"].values())


def test_a_picture_is_read_from_standard_input() -> None:
    result = CliRunner().invoke(main, ["predict", "pair.npz", "--json", "-"], input=Path("7.png").read_bytes())
    assert result.exit_code == 0
    assert '"image": "-", "digit": 7' in result.stdout


@pytest.mark.parametrize(
    ("logits", "digits", "digit", "p"),
    [
        ([2.0], (3, 7), 3, special.expit(2.0)),
        ([-2.0], (3, 7), 7, special.expit(2.0)),
        ([-1.0, -0.5, -3.0], (1, 4, 6), 4, special.softmax([-1.0, -0.5, -3.0])[1]),
    ],
)
def test_the_probability_is_that_of_the_sigmoid_for_two_digits_and_of_the_softmax_for_more(
    events: Events, logits: list[float], digits: tuple[int, ...], digit: int, p: float
) -> None:
    save("sure.npz", (Layer(np.zeros((784, len(logits))), np.array(logits)),), digits)
    (prediction,) = events("predict", "sure.npz", "3.png")[-1]["predictions"]
    assert prediction["digit"] == digit
    assert prediction["probability"] == pytest.approx(float(p), rel=1e-12)


def test_one_unreadable_picture_is_refused(refused: Refused) -> None:
    assert "notes.png is not an image" in refused(1, "predict", "pair.npz", "notes.png")
    assert "missing.png cannot be read: No such file" in refused(1, "predict", "pair.npz", "missing.png")
    Image.new("L", (50, 50), 200).save("blank.png")
    assert "blank.png has no digit" in refused(1, "predict", "pair.npz", "blank.png")
    assert "standard input is not an image that can be read: it is empty" in refused(1, "predict", "pair.npz", "-")


def test_an_unreadable_picture_does_not_hide_the_others(run: Run) -> None:
    result = run("predict", "pair.npz", "3.png", "notes.png", "7.png")
    labels = [line.split()[0] for line in result.stdout.splitlines() if line[:1].isalpha()]
    assert labels == ["image", "digit", "error", "image", "digit"]
    assert "error     notes.png is not an image that can be read" in result.stdout
    assert result.stderr == "Error: 1 of 3 pictures cannot be read.\n"
    assert result.exit_code == 1
    as_json = run("predict", "pair.npz", "3.png", "notes.png", "7.png", "--json")
    assert as_json.exit_code == 1
    first, second, third = json.loads(as_json.stdout)["predictions"]
    assert [first["digit"], third["digit"]] == [3, 7]
    assert second == {"image": "notes.png", "error": second["error"]}


def test_more_than_a_few_pictures_are_listed_in_a_table(run: Run) -> None:
    lines = run("predict", "pair.npz", "3.png", "7.png", "notes.png", "missing.png", "7.png").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["digit", "3", "7", "error", "error", "7"]
    assert lines[1].split()[3] == "3.png"


def test_a_picture_that_is_unlike_the_digits_is_not_sure(run: Run, events: Events) -> None:
    cross = Image.new("L", (140, 140), 230)
    for box in ((20, 64, 120, 76), (64, 20, 76, 120), (20, 20, 120, 30)):
        cross.paste(30, box)
    cross.save("cross.png")
    three, other = events("predict", "pair.npz", "3.png", "cross.png")[-1]["predictions"]
    assert (three["sure"], other["sure"]) == (True, False)
    assert other["reason"] == "this looks like neither a 3 nor a 7"
    assert "not sure  this looks like neither a 3 nor a 7" in run("predict", "pair.npz", "cross.png").stdout


def test_limits_of_not_sure_that_do_not_fit_the_network_are_refused(refused: Refused) -> None:
    with np.load("pair.npz") as file:
        stored = {name: array.T if name.endswith("known") else array for name, array in file.items()}
    np.savez("pair.npz", **stored)
    assert "pair.npz is broken, because its limit known is not" in refused(1, "predict", "pair.npz", "3.png")


def test_what_is_not_a_model_and_a_missing_picture_are_refused(refused: Refused) -> None:
    assert "3.png is not a tinygrad_mnist checkpoint" in refused(1, "predict", "3.png", "3.png")
    assert "missing.npz does not exist" in refused(1, "predict", "missing.npz", "3.png")
    assert "IMAGE" in refused(2, "predict", "pair.npz")


def predict(*words: str | bytes, line: str = '"$@"') -> subprocess.CompletedProcess[bytes]:
    """Run predict in a process of its own, started by this line of the shell."""
    command = ["/bin/sh", "-c", line, "sh", sys.executable, str(ROOT / "cli.py"), "predict", "pair.npz", *words]
    return subprocess.run(command, capture_output=True)


def test_a_closed_standard_input_is_reported_in_one_sentence() -> None:
    done = predict("-", line='"$@" <&-')
    assert done.returncode == 1
    assert done.stderr == b"Error: standard input is closed: name a file, or pipe one in.\n"


def test_what_pillow_logs_is_not_printed_and_a_file_name_that_is_not_valid_text_is_accepted() -> None:
    # TIFF, little-endian: a width, a height, and more samples per pixel (tag 277) than Pillow can decode.
    tags = [(256, 4), (257, 4), (277, 1028)]
    content = b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags))
    content += b"".join(struct.pack("<HHII", tag, 3, 1, value) for tag, value in tags) + bytes(4)
    Path("odd.tiff").write_bytes(content)
    name = b"\xff\xfe.png"
    Path("3.png").rename(name.decode(errors="surrogateescape"))
    done = predict("odd.tiff", name)
    assert done.stderr == b"Error: 1 of 2 pictures cannot be read.\n"
    assert b"error     odd.tiff is not an image that can be read" in done.stdout


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
