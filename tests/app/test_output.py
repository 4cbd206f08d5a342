"""One place prints: text that every terminal can show, whatever the names of files contain."""

import io
import json
import os
import unicodedata
from pathlib import Path
from xml.etree import ElementTree

import click
import numpy as np
import pytest

from tinygrad_mnist.app import output, plots

ROOT = Path(__file__).parents[2]

HOSTILE = os.fsdecode(b"a\xff\x1b]0;t\x07\x1b[2J\r\n\tb") + "\u202ec\u2066\u2028\x85\x9b\ufffe\ud800 数字 😀"


def stream(encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding, "strict")


def test_a_control_character_is_replaced_by_its_escape_sequence() -> None:
    assert output.printable("a\x1b[2J\r\nb\u202e\x9b") == "a\\x1b[2J\\r\\nb\\u202e\\x9b"
    assert output.printable("plain, ä, 数字, 😀") == "plain, ä, 数字, 😀"


def test_no_character_below_256_and_no_bidirectional_control_is_left() -> None:
    others = [chr(code) for code in range(0x110000) if unicodedata.bidirectional(chr(code)) in
              ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI", "B")]  # fmt: skip
    for character in (*map(chr, [*range(32), *range(127, 160)]), *others):
        assert output.printable(character).isascii()
        assert len(output.printable(character)) > 1


def test_text_that_is_printable_is_not_changed_again() -> None:
    once = output.printable(HOSTILE)
    assert output.printable(once) == once


@pytest.mark.parametrize("encoding", ["ascii", "cp932", "utf-8"])
def test_every_text_can_be_written_to_a_strict_stream(encoding: str) -> None:
    printed = output.printable(HOSTILE, stream(encoding))
    assert printed.encode(encoding, "strict").decode(encoding) == printed
    assert not set(printed) & set("\x1b\x07\r\n\t\u202e\u2066\u2028\x85\x9b\ufffe")


def test_a_page_keeps_its_lines_and_colors_and_no_other_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    output.page("a\nb" + click.style("c", fg="red") + "\x1b]0;t\x07\x1b[2J\r")
    assert capsys.readouterr().out == "a\nbc\\x1b]0;t\\x07\\x1b[2J\\r\n", "colors are removed without a terminal"


def test_a_line_and_a_notice_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    output.line("data", Path("a\nb"))
    output.notice("a\rb\x1b[31m")
    output.echo("a\nb\x1b[31m")
    printed = capsys.readouterr()
    assert printed.out == "data      a\\nb\na\\nb\\x1b[31m\n"
    assert printed.err == "a\\rb\\x1b[31m\n"


def test_json_holds_a_name_exactly(capsys: pytest.CaptureFixture[str]) -> None:
    output.event("result", path=Path(HOSTILE))
    printed = capsys.readouterr().out
    assert printed.isascii()
    assert json.loads(printed)["path"] == HOSTILE


@pytest.mark.parametrize("ending", [".svg", ".png"])
def test_a_plot_has_a_title_of_any_name(ending: str, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    path = tmp_path / f"plot{ending}"
    plots.pictures(np.zeros((1, 28, 28), np.uint8), ["3"], f"Digits: {HOSTILE}", path)
    assert path.stat().st_size > 1000
    if ending == ".svg":
        ElementTree.parse(path)  # noqa: S314 - our own file


def test_only_this_place_prints() -> None:
    """Everything that is printed goes through output.py; click prints help, errors and the version."""
    printing = []
    for path in sorted((ROOT / "tinygrad_mnist").rglob("*.py")):
        text = path.read_text("utf-8")
        if path.name != "output.py" and any(call in text for call in ("click.echo(", "click.secho(", "\n    print(")):
            printing.append(path.name)
    assert printing == []
