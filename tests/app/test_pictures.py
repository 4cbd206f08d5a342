"""Pictures in a terminal: they show the right pixels in color and without, and fit its width."""

import io
import re
import sys
from collections.abc import Callable
from typing import Any

import click
import numpy as np
import pytest
from numpy.typing import NDArray

from tinygrad_mnist.app import pictures

hypothesis = pytest.importorskip("hypothesis")
numpy_arrays = pytest.importorskip("hypothesis.extra.numpy")
given, st = hypothesis.given, hypothesis.strategies

STEPS = np.array([[0, 255, 0, 255], [0, 0, 255, 255]], np.uint8)
"""Every combination of ink in two pixels, side by side."""


class Terminal(io.TextIOWrapper):
    """A standard output that claims to be a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the tests independent of the terminal that they run in."""
    monkeypatch.setenv("COLUMNS", "80")
    for variable in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def output_to(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that makes standard output a terminal, or a file, with this encoding and environment."""

    def become(kind: type[io.TextIOWrapper] = Terminal, encoding: str = "utf-8", **environment: str) -> None:
        monkeypatch.setattr(sys, "stdout", kind(io.BytesIO(), encoding=encoding))
        for name, value in environment.items():
            monkeypatch.setenv(name, value)

    return become


def colors(lines: list[str]) -> list[list[Any]]:
    """Return the rows of pixels that half blocks show, each one of 256 numbers, or None for no color."""
    rows: list[list[Any]] = []
    for line in lines:
        color: dict[str, Any] = {}
        upper, lower = [], []
        for sequence, sign in re.findall(r"\x1b\[([0-9;]*)m|(.)", line):
            for what, number in re.findall(r"(38|48);5;(\d+)", sequence):
                color[what] = int(number)
            if sign:
                assert sign == "▀"
                upper.append(color.get("38"))
                lower.append(color.get("48"))
        rows += [upper, lower]
    return rows


@pytest.mark.parametrize(
    ("encoding", "shown"), [("utf-8", " ▀▄█"), ("cp437", " ▀▄█"), ("ascii", " '.:"), ("cp1252", " '.:")]
)
def test_a_character_shows_two_pixels_with_dots_if_half_blocks_cannot_be_encoded(
    encoding: str, shown: str, output_to: Callable[..., None]
) -> None:
    output_to(io.TextIOWrapper, encoding)
    assert pictures.lines(STEPS) == [shown]


@hypothesis.example(np.array([[127, 128], [128, 127]], np.uint8))
@given(numpy_arrays.arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9))))
def test_without_color_bright_pixels_are_ink(image: NDArray[np.uint8]) -> None:
    indices = np.array([[pictures.BLOCKS.index(sign) for sign in line] for line in pictures.lines(image)])
    read = np.stack([indices & 1, indices >> 1], axis=1).reshape(-1, indices.shape[1]).astype(bool)
    np.testing.assert_array_equal(read[: len(image)], image >= 128)
    assert not read[len(image) :].any()


def test_256_colors_show_grays_in_order_and_almost_exactly(output_to: Callable[..., None]) -> None:
    output_to(TERM="xterm-256color", COLUMNS="300")
    (row, _) = colors(pictures.lines(np.arange(256, dtype=np.uint8)[None]))
    # https://en.wikipedia.org/wiki/ANSI_escape_code#8-bit: 232 is gray 8, 233 gray 18, and so on; 16 is 0, 231 is 255.
    levels = [{16: 0, 231: 255}.get(code, 8 + 10 * (code - 232)) for code in row]
    assert levels == sorted(levels)
    assert max(abs(level - gray) for gray, level in enumerate(levels)) <= 12
    assert (levels[0], levels[255], len(set(levels))) == (0, 255, 26)


def test_a_light_terminal_shows_the_same_as_a_dark_one(output_to: Callable[..., None]) -> None:
    """No pixel has the terminal's own color, and a line resets the color at its end."""
    output_to()
    for line in (pictures.lines(STEPS), *pictures.signed_lines(STEPS[None] / 255)):
        assert None not in [pixel for row in colors(line) for pixel in row]
        assert all(part.endswith("\x1b[0m") for part in line)


@pytest.mark.parametrize(
    ("environment", "has_color"),
    [({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "xterm"}, True)],
)
def test_a_terminal_gets_color_unless_it_is_disabled(
    environment: dict[str, str], has_color: bool, output_to: Callable[..., None]
) -> None:
    output_to(**environment)
    assert ("\x1b[" in pictures.lines(STEPS)[0]) == has_color


@pytest.mark.parametrize("columns", [3, 10, 13, 27, 28, 29])
def test_a_narrow_terminal_gets_a_smaller_picture(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    image = np.zeros((28, 28), np.uint8)
    image[:, 14:] = 255
    lines = pictures.lines(image)
    assert columns / 2 <= len(lines[0]) <= columns
    assert abs(2 * len(lines) - len(lines[0])) <= 1, "still a square"
    assert all(line[0] == " " and line[len(line) * 3 // 4] == "█" for line in lines[:-1])


@pytest.mark.parametrize(("columns", "per_row"), [(28, 1), (57, 1), (58, 2), (87, 2), (88, 3), (1000, 7)])
def test_a_row_has_as_many_pictures_as_fit_the_terminal(
    columns: int, per_row: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    picture = pictures.lines(np.full((28, 28), 255, np.uint8))
    rows = pictures.side_by_side([picture] * 7, [f"caption {number}" for number in range(7)]).split("\n\n")
    assert len(rows) == -(-7 // per_row)
    assert max(len(line) for row in rows for line in row.splitlines()) <= columns
    assert rows[0].splitlines()[0] == "  ".join(["█" * 28] * per_row)
    assert [word for row in rows for word in re.findall(r"\d", row.splitlines()[-1])] == list("0123456")


def test_captions_are_aligned_with_their_pictures(output_to: Callable[..., None]) -> None:
    output_to()
    picture = pictures.lines(np.full((2, 5), 255, np.uint8))
    above, below = pictures.side_by_side([picture] * 2, ["rather long", "too"]).splitlines()
    starts = [match.start() for match in re.finditer("[▀█]+", click.unstyle(above))]
    assert starts == [below.index("rather"), below.index("too")]


def test_without_color_plus_is_above_0_and_minus_is_below(output_to: Callable[..., None]) -> None:
    output_to(io.TextIOWrapper, "ascii")
    numbers = np.array([[1.0, -1, 0.1, 0.3, -0.3, 0], [0.0, 0, 0.1, -1, 1, 0]])
    assert pictures.signed_lines(numbers[None]) == [["+- -+ "]]
    assert pictures.signed_lines(np.zeros((1, 2, 3))) == [["   "]]


def test_larger_numbers_are_bluer_and_smaller_ones_redder(output_to: Callable[..., None]) -> None:
    output_to()
    numbers = np.linspace(-1, 1, 11)
    (row, _) = colors(pictures.signed_lines(np.stack([numbers, numbers])[None])[0])
    assert row[5] == 231
    # In the color cube, 16 + 36 red + 6 green + blue, each from 0 to 5.
    bluer = [(code - 16) % 6 - (code - 16) // 36 for code in row]
    assert [np.sign(number) for number in bluer] == [-1] * 5 + [0] + [1] * 5


def test_an_outlier_does_not_make_the_other_weights_pale() -> None:
    numbers = np.full((2, 10, 10), 0.5)
    numbers[0, 0, 0] = -100
    assert pictures.full_color(numbers) == 0.5
