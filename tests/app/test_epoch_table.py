"""The table of epochs: rows that stay, and a bar within the epoch, on any terminal."""

import io
import re
from itertools import count

import pytest

from tinygrad_mnist.app import epoch_table
from tinygrad_mnist.app.epoch_table import EpochTable
from tinygrad_mnist.train import TrainingState


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a second pass at each look at the clock, on a terminal of 80 columns."""
    seconds = count()
    monkeypatch.setattr(epoch_table.time, "perf_counter", lambda: float(next(seconds)))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")


def after_epoch(number: int) -> TrainingState:
    return TrainingState(number, 0.5, 0.625, 0.9, (), None, 0.9, 1)


def printed(stream: io.StringIO, epochs: int = 2, batches: int = 3, after: int = 0) -> str:
    """Return what the table prints for epochs of this many batches."""
    table = EpochTable(epochs, batches, after, stream)
    for epoch in range(after + 1, epochs + 1):
        assert list(table.batches(iter("abc"))) == ["a", "b", "c"]  # type: ignore[arg-type]
        table(after_epoch(epoch))
    return stream.getvalue()


def shown(text: str) -> list[str]:
    """Return the lines that a terminal shows at the end: a return goes back to the start of the line."""
    lines = []
    for line in text.split("\n"):
        columns: list[str] = []
        for part in line.split("\r"):
            columns[: len(part)] = part
        lines.append("".join(columns).rstrip())
    return lines


def test_the_rows_are_the_same_on_a_terminal_and_in_a_file() -> None:
    rows = [re.sub(r"[\d.]+ s$", "", row) for row in shown(printed(Terminal()))]
    assert rows == [re.sub(r"[\d.]+ s$", "", row) for row in printed(io.StringIO()).split("\n")]
    assert rows[0].split("  ") == ["epoch", "train loss", "valid loss", "valid accuracy", "", " time"]
    assert rows[1].split() == ["1", "0.5000", "0.6250", "90.00", "%"]


def test_the_bar_moves_within_the_epoch_and_tells_the_time_left() -> None:
    text = printed(Terminal())
    for number in (1, 2, 3):
        assert f" {number}/3 batches, at most " in text
    assert "=" * 40 + " 3/3 batches" in text


def test_a_file_has_no_bar() -> None:
    assert "\r" not in printed(io.StringIO())


def test_a_dumb_terminal_has_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    assert "\r" not in printed(Terminal())


@pytest.mark.parametrize("columns", [1, 10, 40, 54, 55, 60])
def test_nothing_is_wider_than_the_terminal(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    text = printed(Terminal(), epochs=60, batches=3)
    assert max(len(part) for part in re.split("[\r\n]", text)) <= max(columns, 39)


def test_a_resumed_training_continues_its_numbers() -> None:
    assert [row.split()[0] for row in printed(io.StringIO(), epochs=9, after=7).splitlines()] == ["epoch", "8", "9"]
