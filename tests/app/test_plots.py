"""Plots: valid files in both formats, which show the right things, and errors before any work."""

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import click
import numpy as np
import pytest
from PIL import Image

from tinygrad_mnist.app import plots
from tinygrad_mnist.errors import CheckpointError, PlotError

matplotlib = pytest.importorskip("matplotlib")
figure = pytest.importorskip("matplotlib.figure")

EPOCHS = [(1, 0.5, 0.9), (2, 0.25, 0.975), (3, 0.125, 0.95)]
COUNTS = np.array([[972, 8, 0], [7, 1126, 2], [14, 0, 978]])
SHARES = {"3": 0.9918, "7": 0.9921, "8": 0.9859}
IMAGES = np.random.default_rng(0).integers(0, 256, (3, 28, 28), dtype=np.uint8)
CAPTIONS = ["first", "second", "third"]

PLOTS: dict[str, Callable[[Path], None]] = {
    "training_curve": partial(plots.training_curve, EPOCHS, 0.96),
    "confusion": partial(plots.confusion, COUNTS, (3, 7, 8), SHARES),
    "digits": partial(plots.pictures, IMAGES, CAPTIONS, "Three digits"),
    "weights": partial(plots.pictures, IMAGES / 255 - 0.5, CAPTIONS, "Three units"),
}

TEXTS = {
    "training_curve": ["epoch", "loss", "validation digits, highest 97.50 % in epoch 2", "test digits, 96.00 %"],
    "confusion": ["predicted digit", "1,126", "3   99.18 %", "99.00 % correct, 31 of 3,107 wrong"],
    "digits": ["Three digits", *CAPTIONS],
    "weights": ["Three units", *CAPTIONS, "weight of a pixel:  ← against    for →"],
}


def texts(path: Path) -> set[str]:
    """Return all texts in an SVG file, which must be well-formed."""
    return {"".join(element.itertext()).strip() for element in ElementTree.parse(path).iter()}  # noqa: S314 - our own


@pytest.mark.parametrize("name", PLOTS)
def test_a_plot_is_an_svg_with_its_texts_and_a_png_with_many_colors(name: str, tmp_path: Path) -> None:
    PLOTS[name](tmp_path / "plot.svg")
    assert set(TEXTS[name]) <= texts(tmp_path / "plot.svg")
    PLOTS[name](tmp_path / "PLOT.PNG")
    with Image.open(tmp_path / "PLOT.PNG") as image:
        assert min(image.size) >= 200
        assert max(image.size) <= 1600
        assert len(image.convert("RGB").getcolors(1 << 24) or []) > 50


def test_a_plot_needs_no_window_and_neither_uses_nor_changes_the_users_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    paths, own = [tmp_path / name for name in ("one.png", "two.png")], {"lines.linewidth": 9, "font.size": 30}
    PLOTS["training_curve"](paths[0])
    with matplotlib.rc_context(own):
        PLOTS["training_curve"](paths[1])
        assert {key: matplotlib.rcParams[key] for key in own} == own
    with Image.open(paths[0]) as one, Image.open(paths[1]) as two:
        assert one.tobytes() == two.tobytes()


@pytest.mark.parametrize("title", ["$x_1$", "50 % <&>", "a^b_c \\frac", "数字.npz"])
def test_a_title_is_shown_literally(title: str, tmp_path: Path) -> None:
    plots.pictures(IMAGES, CAPTIONS, title, tmp_path / "plot.svg")
    assert title in texts(tmp_path / "plot.svg")


@pytest.mark.parametrize(("pictures", "upper", "lower"), [
    (np.array([[[0] * 28] * 14 + [[255] * 28] * 14], np.uint8), (255, 255, 255), (0, 0, 0)),
    (np.array([[[1.0] * 28] * 14 + [[-1.0] * 28] * 14]), (5, 48, 97), (103, 0, 31)),
], ids=["digits", "weights"])  # fmt: skip
def test_ink_is_dark_on_light_and_weights_are_blue_above_0_and_red_below(
    pictures: Any, upper: tuple[int, ...], lower: tuple[int, ...], tmp_path: Path
) -> None:
    plots.pictures(pictures, [""], "", tmp_path / "plot.png")
    with Image.open(tmp_path / "plot.png") as drawn:
        colors = drawn.convert("RGB").getcolors(1 << 24) or []
    large = {color for count, color in colors if count > 5000}
    assert {upper, lower} <= large


def test_the_last_of_several_equally_good_epochs_is_named(tmp_path: Path) -> None:
    plots.training_curve([(1, 0.2, 1.0), (2, 0.1, 1.0), (3, 0.1, 0.5)], 0.9, tmp_path / "plot.svg")
    assert "validation digits, highest 100.00 % in epoch 2" in texts(tmp_path / "plot.svg")


def test_one_epoch_can_be_plotted_and_no_picture_is_an_error(tmp_path: Path) -> None:
    plots.training_curve(EPOCHS[:1], 0.9, tmp_path / "plot.svg")
    with pytest.raises(PlotError, match="nothing to plot"):
        plots.pictures(IMAGES[:0], [], "", tmp_path / "plot.svg")


def test_a_confusion_matrix_without_mistakes_can_be_plotted(tmp_path: Path) -> None:
    plots.confusion(np.array([[5, 0], [0, 5]]), (3, 7), {"3": 1.0, "7": 1.0}, tmp_path / "plot.svg")
    assert "100.00 % correct, 0 of 10 wrong" in texts(tmp_path / "plot.svg")


@pytest.mark.parametrize("name", ["plot", "plot.jpg", "plot.png.gz", ".png"])
def test_an_unknown_ending_is_bad_usage(name: str, tmp_path: Path) -> None:
    with pytest.raises(click.BadParameter, match=r"ends neither in \.png nor in \.svg"):
        plots.require_plottable(tmp_path / name)


def test_the_error_for_missing_matplotlib_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(PlotError, match="pip install matplotlib"):
        plots.require_plottable(tmp_path / "plot.png")


def test_a_folder_a_missing_folder_and_a_read_only_one_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "folder.png").mkdir()
    for path in (tmp_path / "folder.png", tmp_path / "nowhere" / "plot.png"):
        with pytest.raises(CheckpointError, match="folder"):
            plots.require_plottable(path)
    # Permissions do not apply to an administrator, who may run this test.
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(CheckpointError, match="read-only"):
        plots.require_plottable(tmp_path / "plot.png")


def test_a_full_disk_leaves_the_old_plot_unchanged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "plot.png"
    path.write_bytes(b"old")

    def fill_up(_: object, file: Any, **__: object) -> None:
        file.write(b"\x89PNG")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(figure.Figure, "savefig", fill_up)
    with pytest.raises(PlotError, match="No space left on device"):
        PLOTS["digits"](path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
