"""Progress bars: one step for each item, and closed at the end or if the work stops early."""

import pytest

from tinygrad_mnist.datasets.bars import track


class RecordingBar:
    """A bar that records the calls to it."""

    def __init__(self, name: str) -> None:
        self.name, self.total, self.done, self.closed = name, 0, 0, False

    def start(self, total: int) -> None:
        self.total = total

    def update(self, count: int) -> None:
        self.done += count

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def bars() -> list[RecordingBar]:
    return []


def recorder(bars: list[RecordingBar]) -> object:
    return lambda name: bars.append(RecordingBar(name)) or bars[-1]


def test_a_bar_advances_after_each_item(bars: list[RecordingBar]) -> None:
    for number, item in enumerate(track("abc", "letters", recorder(bars))):  # type: ignore[arg-type]
        assert item == "abc"[number]
        assert (bars[0].name, bars[0].total, bars[0].done) == ("letters", 3, number)
    assert (bars[0].done, bars[0].closed) == (3, True)


def test_a_bar_is_closed_if_the_work_stops_early(bars: list[RecordingBar]) -> None:
    def work() -> None:
        for _ in track("abc", "letters", recorder(bars)):  # type: ignore[arg-type]
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    assert (bars[0].done, bars[0].closed) == (0, True)


def test_there_is_no_bar_if_none_is_wanted_or_there_are_no_items(bars: list[RecordingBar]) -> None:
    assert list(track("abc", "letters", None)) == ["a", "b", "c"]
    assert list(track("", "letters", recorder(bars))) == []  # type: ignore[arg-type]
    assert bars == []
