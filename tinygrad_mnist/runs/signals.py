"""Signals that end a program, SIGTERM and SIGHUP: a run ends for them as it does for Ctrl-C."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

NAMES = ("SIGTERM", "SIGHUP")
"""The signals. Windows has no SIGHUP."""


class Terminated(KeyboardInterrupt):
    """Raised for one of these signals. Its first argument is the signal's number."""


def number(error: KeyboardInterrupt) -> int:
    """Return the number of the signal that caused an exception, SIGINT for Ctrl-C."""
    return int(error.args[0]) if isinstance(error, Terminated) else int(signal.SIGINT)


@contextmanager
def raise_terminated() -> Iterator[None]:
    """Raise Terminated for the first of these signals, and ignore the others, so that they do not disturb the end.

    Signals that are ignored, like SIGHUP under nohup, or that are handled already, stay so. Only the main thread of a
    program can receive signals, and in other threads this does nothing.
    """
    signals = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]
    if threading.current_thread() is not threading.main_thread():
        signals = []
    signals = [one for one in signals if signal.getsignal(one) is signal.SIG_DFL]
    terminals = [stream for stream in (1, 2) if os.isatty(stream)]

    def end(received: int, _: FrameType | None) -> None:
        for one in signals:
            signal.signal(one, signal.SIG_IGN)
        for stream in terminals:
            if not os.isatty(stream):
                # The terminal was closed. To write to it would fail, and there is nobody to read it.
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
        raise Terminated(received)

    try:
        for one in signals:
            signal.signal(one, end)
        yield
    finally:
        for one in signals:
            signal.signal(one, signal.SIG_DFL)
