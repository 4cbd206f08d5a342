"""Plots: valid files in both formats, the same for the same data, and errors before any work."""

import os
import re
import struct
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from xml.parsers import expat

import click
import numpy as np
import pytest

from tinygrad_mnist.app import plots
from tinygrad_mnist.errors import CheckpointError, PlotError

matplotlib = pytest.importorskip("matplotlib")
figure = pytest.importorskip("matplotlib.figure")

OneSentence = Callable[[object], None]

EPOCHS = [(1, 0.5, 0.9), (2, 0.25, 0.975), (3, 0.125, 0.95)]
COUNTS = np.array([[972, 8, 0], [7, 1126, 2], [14, 0, 978]])
SHARES = {"3": 0.9918, "7": 0.9921, "8": 0.9859}
IMAGES = np.random.default_rng(0).integers(0, 256, (3, 28, 28), dtype=np.uint8)
CAPTIONS = ["first", "second", "third"]

PLOTS: dict[str, Callable[[Path], None]] = {
    "training_curve": partial(plots.training_curve, EPOCHS, test_accuracy=0.96),
    "confusion": partial(plots.confusion, COUNTS, (3, 7, 8), SHARES),
    "digits": partial(plots.digits, IMAGES, CAPTIONS, "Three digits"),
    "weights": partial(plots.weights, IMAGES / 255 - 0.5, CAPTIONS, "Three units"),
}

TEXTS = {
    "training_curve": [
        "epoch",
        "loss",
        "accuracy",
        "validation digits, highest 97.50 % in epoch 2",
        "test digits, 96.00 %",
    ],
    "confusion": ["true digit", "predicted digit", "correct", "1,126", "99.18 %", "99.00 % correct, 31 of 3,107 wrong"],
    "digits": ["Three digits", *CAPTIONS],
    "weights": ["Three units", *CAPTIONS, "weight of a pixel:  ← against    for →"],
}


def texts(path: Path) -> list[str]:
    """Return all texts in an SVG file. Raises expat.ExpatError if it is not well-formed."""
    found: list[str] = []
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda name, _: found.append("") if name in ("text", "tspan") else None

    def add(text: str) -> None:
        if found:
            found[-1] += text

    parser.CharacterDataHandler = add
    parser.Parse(path.read_bytes(), True)
    return [text.strip() for text in found]


def size(path: Path) -> tuple[int, int]:
    """Return the width and height of a PNG file (PNG specification, section 11.2.1)."""
    content = path.read_bytes()
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    assert content[12:16] == b"IHDR"
    assert content[-8:-4] == b"IEND"
    wide, high = struct.unpack(">II", content[16:24])
    return wide, high


@pytest.mark.parametrize("name", PLOTS)
def test_a_png_has_many_colors_and_a_reasonable_size(name: str, tmp_path: Path) -> None:
    path = tmp_path / "plot.png"
    PLOTS[name](path)
    wide, high = size(path)
    assert 400 <= wide <= 1600
    assert 250 <= high <= 1600
    from PIL import Image

    with Image.open(path) as image:
        assert len(image.convert("RGB").getcolors(1 << 24) or []) > 50
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", PLOTS)
def test_an_svg_is_well_formed_and_contains_its_texts(name: str, tmp_path: Path) -> None:
    path = tmp_path / "plot.svg"
    PLOTS[name](path)
    assert set(TEXTS[name]) <= set(texts(path))


@pytest.mark.parametrize("ending", [".png", ".svg"])
@pytest.mark.parametrize("name", PLOTS)
def test_the_same_data_gives_the_same_file_regardless_of_the_users_settings(
    name: str, ending: str, tmp_path: Path
) -> None:
    paths = [tmp_path / f"{which}{ending}" for which in ("one", "two")]
    PLOTS[name](paths[0])
    own = {"lines.linewidth": 9, "font.size": 30, "svg.fonttype": "path", "savefig.dpi": 50, "axes.grid": True}
    with matplotlib.rc_context(own):
        PLOTS[name](paths[1])
        assert {key: matplotlib.rcParams[key] for key in own} == own
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert not re.search(rb"20\d\d-\d\d-\d\d", paths[0].read_bytes())


def test_uppercase_endings_are_accepted(tmp_path: Path) -> None:
    PLOTS["digits"](tmp_path / "PLOT.PNG")
    assert size(tmp_path / "PLOT.PNG")[0] > 0
    plots.require_plottable(tmp_path / "PLOT.SVG")


@pytest.mark.parametrize("title", ["$x_1$", "50 % <&>", "a^b_c \\frac", "数字.npz"])
def test_a_title_is_shown_literally(title: str, tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    plots.digits(IMAGES, CAPTIONS, title, tmp_path / "plot.svg")
    assert title in texts(tmp_path / "plot.svg")
    plots.digits(IMAGES, CAPTIONS, title, tmp_path / "plot.png")
    assert not recwarn.list


@pytest.mark.parametrize("count", [1, 2, 5, 10, 37])
def test_a_sheet_shows_every_picture_completely(count: int, tmp_path: Path) -> None:
    """Each picture is black. Each of its 28 x 28 pixels is drawn as 6 x 6 dots, so the number of dots is known."""
    from PIL import Image

    path = tmp_path / "plot.png"
    plots.digits(np.full((count, 28, 28), 255, np.uint8), [""] * count, "", path)
    with Image.open(path) as image:
        ink = np.asarray(image.convert("L")) < 64
    assert ink.sum() == pytest.approx(count * 168**2, rel=0.05)
    assert not ink[0].any()
    assert not ink[:, 0].any()
    assert not ink[-1].any()
    assert not ink[:, -1].any()


@pytest.mark.parametrize(("count", "columns"), [(1, 1), (2, 2), (3, 3), (4, 2), (6, 3), (10, 5), (12, 4), (100, 10)])
def test_the_rows_of_a_sheet_are_full_and_slightly_fewer_than_its_columns(count: int, columns: int) -> None:
    assert plots._columns(count) == columns


def test_the_number_of_columns_suits_every_number_of_pictures() -> None:
    for count in range(1, 1001):
        columns = plots._columns(count)
        assert 1 <= columns <= count
        assert columns * (columns + 1) >= count


def test_digits_are_drawn_dark_on_light(tmp_path: Path) -> None:
    from PIL import Image

    image = np.zeros((1, 28, 28), np.uint8)
    image[0, 14:], image[0, :, 14:] = 255, 128
    plots.digits(image, [""], "", tmp_path / "plot.png")
    with Image.open(tmp_path / "plot.png") as drawn:
        gray = drawn.convert("L")
        left, top = round(150 * plots.MARGIN), round(150 * plots.TITLE)
        assert [gray.getpixel((left + x, top + y)) for x, y in ((42, 42), (42, 126), (126, 42))] == [255, 0, 127]


def test_positive_weights_are_blue_and_negative_ones_red(tmp_path: Path) -> None:
    from PIL import Image

    w = np.full((1, 28, 28), 1.0)
    w[0, 14:] = -1.0
    plots.weights(w, [""], "", tmp_path / "plot.png")
    with Image.open(tmp_path / "plot.png") as drawn:
        left, top = round(150 * plots.MARGIN), round(150 * plots.TITLE)
        above, below = (drawn.convert("RGB").getpixel((left + 84, top + y)) for y in (42, 126))
    assert above[2] > above[0] + 50
    assert below[0] > below[2] + 50


def test_one_epoch_can_be_plotted_and_none_is_an_error(tmp_path: Path) -> None:
    plots.training_curve(EPOCHS[:1], tmp_path / "plot.svg")
    shown = texts(tmp_path / "plot.svg")
    assert "validation digits, highest 90.00 % in epoch 1" in shown
    assert not any(text.startswith("test digits") for text in shown)
    with pytest.raises(ValueError, match="no epochs"):
        plots.training_curve([], tmp_path / "plot.svg")


def test_the_last_of_several_equally_good_epochs_is_named(tmp_path: Path) -> None:
    plots.training_curve([(1, 0.2, 1.0), (2, 0.1, 1.0), (3, 0.1, 0.5)], tmp_path / "plot.svg")
    shown = texts(tmp_path / "plot.svg")
    assert "validation digits, highest 100.00 % in epoch 2" in shown
    ticks = [float(text.removesuffix(" %")) for text in shown if re.fullmatch(r"[\d.]+ %", text)]
    assert max(ticks) == 100


def test_a_confusion_matrix_without_mistakes_can_be_plotted(tmp_path: Path) -> None:
    plots.confusion(np.array([[5, 0], [0, 5]]), (3, 7), {"3": 1.0, "7": 1.0}, tmp_path / "plot.svg")
    assert "100.00 % correct, 0 of 10 wrong" in texts(tmp_path / "plot.svg")


def test_plots_need_no_window(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    for draw in PLOTS.values():
        draw(tmp_path / "plot.png")


@pytest.mark.parametrize("name", ["plot", "plot.jpg", "plot.pdf", "plot.png.gz", ".png"])
def test_an_unknown_ending_is_bad_usage(name: str, tmp_path: Path, one_sentence: OneSentence) -> None:
    with pytest.raises(click.BadParameter, match=r"ends neither in \.png nor in \.svg") as refusal:
        plots.require_plottable(tmp_path / name)
    one_sentence(refusal.value.message.replace(".png", "PNG").replace(".svg", "SVG"))


@pytest.mark.parametrize("module", ["matplotlib", "matplotlib.figure"])
def test_the_error_for_missing_matplotlib_says_how_to_install_it(
    module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one_sentence: OneSentence
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(PlotError, match="pip install matplotlib") as refusal:
        plots.require_plottable(tmp_path / "plot.png")
    one_sentence(refusal.value)


def test_a_folder_and_a_missing_folder_are_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.png").mkdir()
    for path in (tmp_path / "folder.png", tmp_path / "nowhere" / "plot.png"):
        with pytest.raises(CheckpointError, match="folder"):
            plots.require_plottable(path)


def test_a_read_only_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Permissions do not apply to an administrator, who may run this test.
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(CheckpointError, match="read-only"):
        plots.require_plottable(tmp_path / "plot.png")


def test_a_possible_plot_is_accepted_and_nothing_is_written_yet(tmp_path: Path) -> None:
    (tmp_path / "there.png").write_bytes(b"old")
    for name in ("there.png", "new.svg"):
        plots.require_plottable(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["there.png"]


def test_a_full_disk_leaves_the_old_plot_unchanged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one_sentence: OneSentence
) -> None:
    path = tmp_path / "plot.png"
    path.write_bytes(b"old")

    def fill_up(_: object, file: Any, **__: object) -> None:
        file.write(b"\x89PNG")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(figure.Figure, "savefig", fill_up)
    with pytest.raises(PlotError, match="No space left on device") as refusal:
        PLOTS["digits"](path)
    one_sentence(refusal.value)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
