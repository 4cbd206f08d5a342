"""Progress bars: as many steps as there are things, closed at the end and where the work breaks off."""

import pytest

from tinygrad_mnist.datasets.bars import shown


class Noted:
    """A bar that notes what is done to it."""

    def __init__(self, name: str) -> None:
        self.name, self.total, self.done, self.closed = name, 0, 0, False

    def update(self, count: int) -> None:
        self.done += count

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def bars() -> list[Noted]:
    return []


def make(bars: list[Noted]) -> object:
    return lambda name: bars.append(Noted(name)) or bars[-1]


def test_a_bar_moves_as_each_thing_is_done_with(bars: list[Noted]) -> None:
    for number, thing in enumerate(shown("abc", "letters", make(bars))):  # type: ignore[arg-type]
        assert thing == "abc"[number]
        assert (bars[0].name, bars[0].total, bars[0].done) == ("letters", 3, number)
    assert (bars[0].done, bars[0].closed) == (3, True)


def test_a_bar_is_closed_where_the_work_breaks_off(bars: list[Noted]) -> None:
    def work() -> None:
        for _ in shown("abc", "letters", make(bars)):  # type: ignore[arg-type]
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    assert (bars[0].done, bars[0].closed) == (0, True)


def test_without_bars_or_without_things_there_is_none(bars: list[Noted]) -> None:
    assert list(shown("abc", "letters", None)) == ["a", "b", "c"]
    assert list(shown("", "letters", make(bars))) == []  # type: ignore[arg-type]
    assert bars == []
