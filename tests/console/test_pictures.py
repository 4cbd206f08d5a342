"""Pictures in a terminal: what is drawn can be read back, on any terminal, and is never wider than it."""

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

from tinygrad_mnist.commands import drawing

hypothesis = pytest.importorskip("hypothesis")
numpy_arrays = pytest.importorskip("hypothesis.extra.numpy")
given, st = hypothesis.given, hypothesis.strategies

Image = NDArray[np.uint8]
Codes = list[list[Any]]

STEPS = np.array([[0, 255, 0, 255], [0, 0, 255, 255]], np.uint8)
"""Every way in which two pixels can be inked, side by side."""

images = numpy_arrays.arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9)))


class Terminal(io.TextIOWrapper):
    """A standard output that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the terminal that tests are run in out of the game."""
    monkeypatch.setenv("COLUMNS", "80")
    for variable in ("NO_COLOR", "TERM", "COLORTERM"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Make standard output a terminal with this encoding and these environment variables."""

    def become(encoding: str = "utf-8", **environment: str) -> None:
        monkeypatch.setattr(sys, "stdout", Terminal(io.BytesIO(), encoding=encoding))
        for name, value in environment.items():
            monkeypatch.setenv(name, value)

    return become


@pytest.fixture
def piped(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Make standard output a file with this encoding."""

    def become(encoding: str) -> None:
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding=encoding))

    return become


def colours(lines: list[str]) -> Codes:
    """Return the rows of pixels that coloured half blocks show: (red, green, blue), a number of 256, or None."""
    rows: Codes = []
    for line in lines:
        ink: Any = None
        paper: Any = None
        upper, lower = [], []
        for sequence, sign in re.findall(r"\x1b\[([0-9;]*)m|(.)", line):
            numbers = [int(number) for number in sequence.split(";") if number]
            while numbers and numbers != [0]:
                what, kind, *rest = numbers
                length = {2: 3, 5: 1}[kind]
                colour, numbers = (tuple(rest[:length]) if kind == 2 else rest[0]), rest[length:]
                ink, paper = (colour, paper) if what == 38 else (ink, colour)
            if numbers == [0]:
                ink = paper = None
            if sign:
                assert sign == "▀"
                upper.append(ink)
                lower.append(paper)
        rows += [upper, lower]
    return rows


def ink(lines: list[str], characters: str) -> NDArray[np.bool_]:
    """Return which pixels plain characters show as inked: the upper one is 1 of a character's place, the lower 2."""
    places = np.array([[characters.index(character) for character in line] for line in lines])
    return np.stack([places & 1, places >> 1], axis=1).reshape(-1, places.shape[1]).astype(bool)


def test_a_half_block_is_two_pixels_one_above_the_other(piped: Callable[[str], None]) -> None:
    piped("utf-8")
    assert drawing.lines(STEPS) == [" ▀▄█"]


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_where_half_blocks_cannot_be_encoded_dots_take_their_place(
    encoding: str, piped: Callable[[str], None], terminal: Callable[..., None]
) -> None:
    for become in (piped, terminal):
        become(encoding)
        assert drawing.lines(STEPS) == [" '.:"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp437", "koi8-r"])
def test_other_encodings_than_unicode_have_half_blocks_too(encoding: str, piped: Callable[[str], None]) -> None:
    piped(encoding)
    assert drawing.lines(STEPS) == [" ▀▄█"]


@hypothesis.example(np.array([[127, 128], [128, 127]], np.uint8))
@given(images)
def test_plain_pictures_are_the_image_with_dark_greys_inked(image: Image) -> None:
    read = ink(drawing.lines(image), drawing.BLOCKS)
    assert len(read) == len(image) + len(image) % 2
    np.testing.assert_array_equal(read[: len(image)], image >= 128)
    assert not read[len(image) :].any()


@given(images)
def test_a_terminal_with_all_colours_shows_every_grey_as_it_is(image: Image) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", Terminal(io.BytesIO(), encoding="utf-8"))
        patch.setenv("COLORTERM", "truecolor")
        shown = colours(drawing.lines(image))[: len(image)]
    np.testing.assert_array_equal(shown, np.repeat(image[..., None], 3, axis=2))


def test_256_colours_show_greys_in_their_order_and_nearly_as_they_are(terminal: Callable[..., None]) -> None:
    terminal(TERM="xterm-256color", COLUMNS="300")
    (row, _) = colours(drawing.lines(np.arange(256, dtype=np.uint8)[None]))
    # https://en.wikipedia.org/wiki/ANSI_escape_code#8-bit: greys from 232 on are 8, 18 and so on; 16 and 231 the ends.
    levels = [{16: 0, 231: 255}.get(code, 8 + 10 * (code - 232)) for code in row]
    assert levels == sorted(levels)
    assert max(abs(level - grey) for grey, level in enumerate(levels)) <= 12
    assert (levels[0], levels[255], len(set(levels))) == (0, 255, 26)


@pytest.mark.parametrize("colorterm", ["", "truecolor"])
def test_a_light_terminal_shows_the_same_as_a_dark_one(colorterm: str, terminal: Callable[..., None]) -> None:
    """No pixel is left in the colour of the terminal."""
    terminal(COLORTERM=colorterm)
    for line in (drawing.lines(STEPS), *drawing.signed_lines(STEPS[None] / 255)):
        assert None not in [pixel for row in colours(line) for pixel in row]


def test_a_line_leaves_no_colour_behind(terminal: Callable[..., None]) -> None:
    terminal()
    assert all(line.endswith("\x1b[0m") for line in drawing.lines(STEPS))


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"NO_COLOR": "0"}, {"TERM": "dumb"}])
def test_a_terminal_that_is_told_not_to_gets_no_colours(
    environment: dict[str, str], terminal: Callable[..., None]
) -> None:
    terminal(**environment, COLORTERM="truecolor")
    assert not drawing.has_colours()
    assert drawing.lines(STEPS) == [" ▀▄█"]
    assert drawing.signs() == ("+", "-")


@pytest.mark.parametrize("environment", [{}, {"NO_COLOR": ""}, {"TERM": "xterm"}])
def test_other_terminals_get_colours(environment: dict[str, str], terminal: Callable[..., None]) -> None:
    terminal(**environment)
    assert drawing.has_colours()
    assert "\x1b[" in drawing.lines(STEPS)[0]
    assert drawing.signs() == ("blue", "red")


def test_what_is_no_terminal_gets_no_colours(piped: Callable[[str], None]) -> None:
    piped("utf-8")
    assert not drawing.has_colours()


@pytest.mark.parametrize("columns", [3, 10, 13, 27, 28, 29])
def test_a_narrow_terminal_gets_a_smaller_picture(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    image = np.zeros((28, 28), np.uint8)
    image[:, 14:] = 255
    lines = drawing.lines(image)
    assert columns / 2 <= len(lines[0]) <= columns
    assert abs(2 * len(lines) - len(lines[0])) <= 1, "still a square"
    assert all(line[0] == " " and line[len(line) * 3 // 4] == "█" for line in lines[:-1])


def test_a_picture_that_is_lower_than_a_square_of_pixels_is_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "4")
    assert drawing.lines(np.full((2, 8), 255, np.uint8)) == ["▀▀▀▀"]


@pytest.mark.parametrize(("columns", "in_row"), [(28, 1), (57, 1), (58, 2), (60, 2), (87, 2), (88, 3), (1000, 7)])
def test_as_many_pictures_stand_side_by_side_as_the_terminal_is_wide(
    columns: int, in_row: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    picture = drawing.lines(np.full((28, 28), 255, np.uint8))
    rows = drawing.side_by_side([picture] * 7, [f"caption {number}" for number in range(7)]).split("\n\n")
    assert len(rows) == -(-7 // in_row)
    assert max(len(line) for row in rows for line in row.splitlines()) <= columns
    assert rows[0].splitlines()[0] == "  ".join(["█" * 28] * in_row)
    assert [word for row in rows for word in re.findall(r"\d", row.splitlines()[-1])] == list("0123456")


def test_each_caption_begins_under_its_picture_with_colours_and_without(terminal: Callable[..., None]) -> None:
    for environment in ({}, {"NO_COLOR": "1"}):
        terminal(**environment)
        picture = drawing.lines(np.full((2, 5), 255, np.uint8))
        above, below = drawing.side_by_side([picture] * 2, ["rather long", "too"]).splitlines()
        starts = [match.start() for match in re.finditer("[▀█]+", click.unstyle(above))]
        assert starts == [below.index("rather"), below.index("too")]


def test_without_colours_a_plus_is_above_0_and_a_minus_below(piped: Callable[[str], None]) -> None:
    piped("ascii")
    numbers = np.array([[1.0, -1, 0.1, 0.3, -0.3, 0], [0.0, 0, 0.1, -1, 1, 0]])
    assert drawing.signed_lines(numbers[None]) == [["+- -+ "]]


@pytest.mark.parametrize("colorterm", ["", "24bit"])
def test_farther_from_0_is_bluer_or_redder(colorterm: str, terminal: Callable[..., None]) -> None:
    terminal(COLORTERM=colorterm)
    numbers = np.linspace(-1, 1, 11)
    (row, _) = colours(drawing.signed_lines(np.stack([numbers, numbers])[None])[0])
    if colorterm:
        assert row[5] == (247, 247, 247)
        bluer = [blue - red for red, _, blue in row]
        assert all(less < more for less, more in pairwise(bluer))
    else:
        assert row[5] == 231
        # In the cube of colours, 16 + 36 red + 6 green + blue, each from 0 to 5.
        bluer = [(code - 16) % 6 - (code - 16) // 36 for code in row]
        assert [np.sign(number) for number in bluer] == [-1] * 5 + [0] + [1] * 5


def test_a_weight_that_stands_out_does_not_make_the_others_pale() -> None:
    numbers = np.full((2, 10, 10), 0.5)
    numbers[0, 0, 0] = -100
    assert drawing.full_colour(numbers) == 0.5


def test_weights_that_are_all_0_are_drawn(piped: Callable[[str], None]) -> None:
    piped("utf-8")
    assert drawing.signed_lines(np.zeros((1, 2, 3))) == [["   "]]
