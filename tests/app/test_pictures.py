"""Pictures in a terminal: they show the right pixels in every kind of terminal, and fit its width."""

import io
import re
import sys
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import click
import numpy as np
import pytest
from numpy.typing import NDArray

from tinygrad_mnist.app import pictures

hypothesis = pytest.importorskip("hypothesis")
numpy_arrays = pytest.importorskip("hypothesis.extra.numpy")
given, st = hypothesis.given, hypothesis.strategies

Image = NDArray[np.uint8]
Codes = list[list[Any]]

STEPS = np.array([[0, 255, 0, 255], [0, 0, 255, 255]], np.uint8)
"""Every combination of ink in two pixels, side by side."""

images = numpy_arrays.arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9)))


class Terminal(io.TextIOWrapper):
    """A standard output that claims to be a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the tests independent of the terminal that they run in."""
    monkeypatch.setenv("COLUMNS", "80")
    for variable in ("NO_COLOR", "TERM", "COLORTERM"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that makes standard output a terminal with this encoding and environment."""

    def become(encoding: str = "utf-8", **environment: str) -> None:
        monkeypatch.setattr(sys, "stdout", Terminal(io.BytesIO(), encoding=encoding))
        for name, value in environment.items():
            monkeypatch.setenv(name, value)

    return become


@pytest.fixture
def piped(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return a function that makes standard output a file with this encoding."""

    def become(encoding: str) -> None:
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding=encoding))

    return become


def colors(lines: list[str]) -> Codes:
    """Return the rows of pixels that half blocks show: (red, green, blue), one of 256 numbers, or None for no color."""
    rows: Codes = []
    for line in lines:
        foreground: Any = None
        background: Any = None
        upper, lower = [], []
        for sequence, sign in re.findall(r"\x1b\[([0-9;]*)m|(.)", line):
            numbers = [int(number) for number in sequence.split(";") if number]
            while numbers and numbers != [0]:
                what, kind, *rest = numbers
                length = {2: 3, 5: 1}[kind]
                color, numbers = (tuple(rest[:length]) if kind == 2 else rest[0]), rest[length:]
                foreground, background = (color, background) if what == 38 else (foreground, color)
            if numbers == [0]:
                foreground = background = None
            if sign:
                assert sign == "▀"
                upper.append(foreground)
                lower.append(background)
        rows += [upper, lower]
    return rows


def ink(lines: list[str], characters: str) -> NDArray[np.bool_]:
    """Return which pixels of a picture without color are ink: bit 0 of an index is the upper pixel, bit 1 the lower."""
    indices = np.array([[characters.index(character) for character in line] for line in lines])
    return np.stack([indices & 1, indices >> 1], axis=1).reshape(-1, indices.shape[1]).astype(bool)


def test_a_character_shows_two_pixels_one_above_the_other(piped: Callable[[str], None]) -> None:
    piped("utf-8")
    assert pictures.lines(STEPS) == [" ▀▄█"]


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_dots_replace_half_blocks_that_cannot_be_encoded(
    encoding: str, piped: Callable[[str], None], terminal: Callable[..., None]
) -> None:
    for become in (piped, terminal):
        become(encoding)
        assert pictures.lines(STEPS) == [" '.:"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp437", "koi8-r"])
def test_half_blocks_are_used_in_every_encoding_that_has_them(encoding: str, piped: Callable[[str], None]) -> None:
    piped(encoding)
    assert pictures.lines(STEPS) == [" ▀▄█"]


@hypothesis.example(np.array([[127, 128], [128, 127]], np.uint8))
@given(images)
def test_without_color_bright_pixels_are_ink(image: Image) -> None:
    read = ink(pictures.lines(image), pictures.BLOCKS)
    assert len(read) == len(image) + len(image) % 2
    np.testing.assert_array_equal(read[: len(image)], image >= 128)
    assert not read[len(image) :].any()


@given(images)
def test_true_color_shows_every_gray_exactly(image: Image) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", Terminal(io.BytesIO(), encoding="utf-8"))
        patch.setenv("COLORTERM", "truecolor")
        shown = colors(pictures.lines(image))[: len(image)]
    np.testing.assert_array_equal(shown, np.repeat(image[..., None], 3, axis=2))


def test_256_colors_show_grays_in_order_and_almost_exactly(terminal: Callable[..., None]) -> None:
    terminal(TERM="xterm-256color", COLUMNS="300")
    (row, _) = colors(pictures.lines(np.arange(256, dtype=np.uint8)[None]))
    # https://en.wikipedia.org/wiki/ANSI_escape_code#8-bit: 232 is gray 8, 233 gray 18, and so on; 16 is 0, 231 is 255.
    levels = [{16: 0, 231: 255}.get(code, 8 + 10 * (code - 232)) for code in row]
    assert levels == sorted(levels)
    assert max(abs(level - gray) for gray, level in enumerate(levels)) <= 12
    assert (levels[0], levels[255], len(set(levels))) == (0, 255, 26)


@pytest.mark.parametrize("colorterm", ["", "truecolor"])
def test_a_light_terminal_shows_the_same_as_a_dark_one(colorterm: str, terminal: Callable[..., None]) -> None:
    """No pixel has the terminal's own color."""
    terminal(COLORTERM=colorterm)
    for line in (pictures.lines(STEPS), *pictures.signed_lines(STEPS[None] / 255)):
        assert None not in [pixel for row in colors(line) for pixel in row]


def test_a_line_resets_the_color_at_its_end(terminal: Callable[..., None]) -> None:
    terminal()
    assert all(line.endswith("\x1b[0m") for line in pictures.lines(STEPS))


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"NO_COLOR": "0"}, {"TERM": "dumb"}])
def test_color_can_be_disabled(environment: dict[str, str], terminal: Callable[..., None]) -> None:
    terminal(**environment, COLORTERM="truecolor")
    assert not pictures.supports_color()
    assert pictures.lines(STEPS) == [" ▀▄█"]
    assert pictures.sign_names() == ("+", "-")


@pytest.mark.parametrize("environment", [{}, {"NO_COLOR": ""}, {"TERM": "xterm"}])
def test_a_terminal_gets_color_by_default(environment: dict[str, str], terminal: Callable[..., None]) -> None:
    terminal(**environment)
    assert pictures.supports_color()
    assert "\x1b[" in pictures.lines(STEPS)[0]
    assert pictures.sign_names() == ("blue", "red")


def test_a_file_gets_no_color(piped: Callable[[str], None]) -> None:
    piped("utf-8")
    assert not pictures.supports_color()


@pytest.mark.parametrize("columns", [3, 10, 13, 27, 28, 29])
def test_a_narrow_terminal_gets_a_smaller_picture(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    image = np.zeros((28, 28), np.uint8)
    image[:, 14:] = 255
    lines = pictures.lines(image)
    assert columns / 2 <= len(lines[0]) <= columns
    assert abs(2 * len(lines) - len(lines[0])) <= 1, "still a square"
    assert all(line[0] == " " and line[len(line) * 3 // 4] == "█" for line in lines[:-1])


def test_a_picture_with_few_rows_keeps_at_least_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "4")
    assert pictures.lines(np.full((2, 8), 255, np.uint8)) == ["▀▀▀▀"]


@pytest.mark.parametrize(("columns", "per_row"), [(28, 1), (57, 1), (58, 2), (60, 2), (87, 2), (88, 3), (1000, 7)])
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


def test_captions_are_aligned_with_their_pictures(terminal: Callable[..., None]) -> None:
    for environment in ({}, {"NO_COLOR": "1"}):
        terminal(**environment)
        picture = pictures.lines(np.full((2, 5), 255, np.uint8))
        above, below = pictures.side_by_side([picture] * 2, ["rather long", "too"]).splitlines()
        starts = [match.start() for match in re.finditer("[▀█]+", click.unstyle(above))]
        assert starts == [below.index("rather"), below.index("too")]


def test_without_color_plus_is_above_0_and_minus_is_below(piped: Callable[[str], None]) -> None:
    piped("ascii")
    numbers = np.array([[1.0, -1, 0.1, 0.3, -0.3, 0], [0.0, 0, 0.1, -1, 1, 0]])
    assert pictures.signed_lines(numbers[None]) == [["+- -+ "]]


@pytest.mark.parametrize("colorterm", ["", "24bit"])
def test_larger_numbers_are_bluer_and_smaller_ones_redder(colorterm: str, terminal: Callable[..., None]) -> None:
    terminal(COLORTERM=colorterm)
    numbers = np.linspace(-1, 1, 11)
    (row, _) = colors(pictures.signed_lines(np.stack([numbers, numbers])[None])[0])
    if colorterm:
        assert row[5] == (247, 247, 247)
        bluer = [blue - red for red, _, blue in row]
        assert all(less < more for less, more in pairwise(bluer))
    else:
        assert row[5] == 231
        # In the color cube, 16 + 36 red + 6 green + blue, each from 0 to 5.
        bluer = [(code - 16) % 6 - (code - 16) // 36 for code in row]
        assert [np.sign(number) for number in bluer] == [-1] * 5 + [0] + [1] * 5


def test_an_outlier_does_not_make_the_other_weights_pale() -> None:
    numbers = np.full((2, 10, 10), 0.5)
    numbers[0, 0, 0] = -100
    assert pictures.full_color(numbers) == 0.5


def test_weights_that_are_all_0_are_drawn(piped: Callable[[str], None]) -> None:
    piped("utf-8")
    assert pictures.signed_lines(np.zeros((1, 2, 3))) == [["   "]]
