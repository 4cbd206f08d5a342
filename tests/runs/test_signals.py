"""Signals that end a program: handled while a command runs, and never in a way that disturbs its surroundings."""

import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from tinygrad_mnist.runs.signals import Terminated, number, raise_terminated


@pytest.fixture(autouse=True)
def default_handlers() -> object:
    """Give both signals their default handlers, and restore the earlier ones afterwards."""
    before = {one: signal.signal(one, signal.SIG_DFL) for one in (signal.SIGTERM, signal.SIGHUP)}
    yield
    for one, handler in before.items():
        signal.signal(one, handler)


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_becomes_an_exception_with_its_number_and_the_handlers_are_restored(sent: signal.Signals) -> None:
    with pytest.raises(Terminated) as caught, raise_terminated():
        signal.raise_signal(sent)
    assert number(caught.value) == sent
    assert signal.getsignal(signal.SIGTERM) == signal.getsignal(signal.SIGHUP) == signal.SIG_DFL


def test_a_second_signal_does_not_disturb_the_end() -> None:
    with raise_terminated():
        with pytest.raises(Terminated):
            signal.raise_signal(signal.SIGHUP)
        signal.raise_signal(signal.SIGHUP)
        signal.raise_signal(signal.SIGTERM)


def test_ctrl_c_has_the_number_of_its_signal() -> None:
    assert number(KeyboardInterrupt()) == signal.SIGINT


@pytest.mark.parametrize("handler", [signal.SIG_IGN, lambda *_: None])
def test_a_signal_that_is_ignored_or_handled_already_stays_so(handler: object) -> None:
    signal.signal(signal.SIGHUP, handler)
    with raise_terminated():
        assert signal.getsignal(signal.SIGHUP) is handler
        signal.raise_signal(signal.SIGHUP)
    assert signal.getsignal(signal.SIGHUP) is handler


def test_nothing_is_done_in_a_thread_or_on_a_system_without_the_signals(monkeypatch: pytest.MonkeyPatch) -> None:
    def look() -> object:
        with raise_terminated():
            return signal.getsignal(signal.SIGTERM)

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(look).result() == signal.SIG_DFL
    monkeypatch.delattr(signal, "SIGHUP")
    assert callable(look())
