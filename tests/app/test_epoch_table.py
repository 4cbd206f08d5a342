"""The table of epochs: a row for each, on any terminal."""

import io

import pytest

from tinygrad_mnist.app.training_report import EpochTable
from tinygrad_mnist.train import TrainingState


def printed(epochs: range) -> list[list[str]]:
    """Return the words in the rows that the table prints for these epochs."""
    stream = io.StringIO()
    table = EpochTable(stream)
    for epoch in epochs:
        table(TrainingState(epoch, 0.5, 0.625, 0.9, (), None, 0.9, 1))
    return [line.split() for line in stream.getvalue().splitlines()]


def test_each_epoch_has_a_row_under_one_row_of_headings() -> None:
    head, *rows = printed(range(8, 10))
    assert head == ["epoch", "train", "loss", "valid", "loss", "valid", "accuracy", "time"]
    assert [row[:5] for row in rows] == [[number, "0.5000", "0.6250", "90.00", "%"] for number in ("8", "9")]


@pytest.mark.parametrize("columns", [40, 54, 55])
def test_no_row_is_wider_than_the_terminal(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    stream = io.StringIO()
    EpochTable(stream)(TrainingState(60, 0.5, 0.625, 0.9, (), None, 0.9, 1))
    assert max(map(len, stream.getvalue().splitlines())) <= columns
